//! What is done, at random, by one client that does one thing after the other.

use serde_json::{Value, json};

use crate::{
    dice::Dice,
    http::{Answer, text},
    scripts::SCRIPTS,
    support::daemon::Daemon,
};

/// Snippets that leave the session as it was, but for what they name.
const FRIENDLY: &[&str] = &[
    "const fs = require('fs'); fs.mkdirSync('d', { recursive: true }); fs.writeFileSync('d/a', 'x'.repeat(1e5)); fs.readFileSync('d/a', 'utf8').length",
    "require('fs').rmSync('d', { recursive: true, force: true })",
    "require('exec').run('sh', ['-c', 'echo out; sleep 0.01 & setsid sleep 100 & exit 0'])",
    "try { require('exec').run('sh', ['-c', 'exit 3']) } catch (error) { error.status }",
    "require('exec').run('sh', ['-c', 'while :; do :; done'])",
    "const db = require('database'); db.configure('sqlite', 'soak.db'); db.exec('CREATE TABLE IF NOT EXISTS t (x)'); db.exec('INSERT INTO t VALUES (?)', 1); db.query('SELECT count(*) AS n FROM t')[0].n >= 1",
    "require('database').close()",
    "await new Promise(done => setTimeout(done, 20)); 'waited'",
    "setInterval(() => {}, 10)",
    "for (let i = 0; i < 50; i++) console.log('line', i, { i })",
    "var kept = Array.from({ length: 1e4 }, (_, i) => ({ i })); kept.length",
    "throw new TypeError('on purpose')",
    "new URL('http://a/b?c=d').searchParams.get('c')",
    "structuredClone(new Map([[1, new Set([2])]]))",
    "this is no JavaScript",
];

/// Snippets that do not end.
const ENDLESS: &[&str] = &[
    "for (;;) {}",
    "await new Promise(done => setTimeout(done, 1e8))",
    "require('exec').run('sh', ['-c', 'sleep 1000 & setsid sleep 1000 & wait'])",
    "Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)",
];

pub struct Worker<'a> {
    daemon: &'a Daemon,
    dice: Dice,
    number: usize,
    templates: Vec<String>,
    /// A template whose limits are far away.
    patient: String,
    sessions: Vec<Session>,
    actions: usize,
}

struct Session {
    id: String,
    /// What its variable `soak` has to be.
    count: u64,
    /// A hostile script was here. What it has done to the built-ins is its session's own affair.
    is_odd: bool,
}

impl<'a> Worker<'a> {
    pub fn new(daemon: &'a Daemon, dice: Dice, number: usize, sessions: usize) -> Self {
        let limits = json!({"limits": {"cpu_ms": 600_000, "wall_ms": 600_000}});
        let patient = daemon.template_with(&format!("patient {number}"), &limits, &["exec"]);
        let (templates, none) = (Vec::new(), Vec::new());
        let mut worker = Self { daemon, dice, number, templates, patient, sessions: none, actions: 0 };
        worker.add_template();
        for _ in 0..sessions {
            worker.add_session();
        }
        worker
    }

    /// One thing or another.
    pub fn act(&mut self) {
        self.actions += 1;
        let at = self.dice.below(self.sessions.len());
        match self.dice.below(23) {
            0..8 => self.count(at),
            8..12 if !self.sessions[at].is_odd => {
                let code = *self.dice.pick(FRIENDLY);
                self.run(at, code);
            }
            12..16 => {
                let (_, code, _) = *self.dice.pick(SCRIPTS);
                self.sessions[at].is_odd = true;
                self.run(at, code);
                self.count(at);
            }
            16 => self.run_file(at),
            17 => self.read(at),
            18 => self.change_templates(),
            19 if self.dice.below(2) == 0 => self.interrupt(),
            19 => {
                self.close(at);
                self.add_session();
            }
            20 => self.fork(at),
            _ => self.hibernate(at),
        }
    }

    /// Looks at every session once more and closes it; what was done.
    pub fn finish(mut self) -> String {
        while let Some(at) = self.sessions.len().checked_sub(1) {
            self.count(at);
            self.close(at);
        }
        self.templates.push(self.patient.clone());
        for template in &self.templates {
            self.daemon.delete(&format!("/templates/{template}")).ok(200);
        }
        format!("worker {} did {} things", self.number, self.actions)
    }

    fn repl(&self, at: usize, code: &str) -> Answer {
        self.daemon.repl(&self.sessions[at].id, code)
    }

    /// A variable that was set before is still there, and can be set.
    fn count(&mut self, at: usize) {
        let answer = self.repl(at, "soak += 1");
        if self.sessions[at].is_odd && answer.body["error"]["details"]["limit"] == "mem_mb" {
            // hostile scripts have filled it to the last byte, one after the other
            self.close(at);
            self.add_session();
            return;
        }
        if let Some(id) = answer.body["error"]["details"]["execution_id"].as_str() {
            let execution = self.daemon.get(&format!("/executions/{id}")).body;
            let log = self.daemon.log();
            let about: Vec<_> = log.lines().filter(|line| line.contains(&self.sessions[at].id)).collect();
            panic!("{} {execution} {:#?}", answer.body, &about[about.len().saturating_sub(6)..]);
        }
        let answer = answer.ok(201);
        self.sessions[at].count += 1;
        assert_eq!(answer["result"]["json"], self.sessions[at].count, "{answer}");
    }

    /// Whatever it is, it ends as an execution does, or at a limit.
    fn run(&mut self, at: usize, code: &str) {
        let answer = self.repl(at, code);
        if answer.status != 201 {
            answer.refused(422, "OUTPUT_LIMIT_EXCEEDED");
        }
    }

    fn run_file(&mut self, at: usize) {
        let path = format!("{}/file-{}.js", self.number, self.dice.below(5));
        self.daemon.write(&path, "__ARGS__.length");
        let id = &self.sessions[at].id;
        let request = json!({"session_id": id, "path": path, "args": ["a"]});
        let answer = self.daemon.post("/executions/run-file", &request);
        assert!(answer.status == 201 || self.sessions[at].is_odd, "{}", answer.body);
    }

    /// It comes back with its next call.
    fn hibernate(&mut self, at: usize) {
        self.daemon.post_nothing(&format!("/sessions/{}/hibernate", self.sessions[at].id)).ok(200);
        self.count(at);
    }

    /// The child takes the place of another session.
    fn fork(&mut self, at: usize) {
        let Session { id, count, is_odd } = &self.sessions[at];
        let child = self.daemon.post_nothing(&format!("/sessions/{id}/fork")).ok(201);
        let child = Session { id: text(&child["id"]), count: *count, is_odd: *is_odd };
        let other = self.dice.below(self.sessions.len());
        self.close(other);
        self.sessions.push(child);
        self.count(self.sessions.len() - 1);
    }

    fn read(&mut self, at: usize) {
        let executions = self.daemon.executions(&self.sessions[at].id);
        let execution: &Value = self.dice.pick(&executions);
        self.daemon.get(&format!("/executions/{}/events", text(&execution["id"]))).ok(200);
        self.daemon.get("/sessions?limit=20").ok(200);
    }

    /// Closes a session while it runs what would not end for a long time.
    fn interrupt(&mut self) {
        let session = self.daemon.session_of(&self.patient);
        let code = *self.dice.pick(ENDLESS);
        let answer = self.daemon.while_running(&session, code, || {
            self.daemon.delete(&format!("/sessions/{session}")).ok(200);
        });
        assert_eq!(answer.ok(201)["status"], "cancelled", "{code}");
    }

    fn change_templates(&mut self) {
        let at = self.dice.below(self.templates.len());
        let path = format!("/templates/{}", self.templates[at]);
        match self.dice.below(3) {
            0 if self.templates.len() < 5 => self.add_template(),
            1 if self.templates.len() > 1 => {
                self.daemon.delete(&path).ok(200);
                self.templates.swap_remove(at);
            }
            _ => {
                let events = 50 + self.dice.below(50);
                self.daemon.patch(&path, &json!({"settings": {"limits": {"max_events": events}}})).ok(200);
            }
        }
    }

    fn add_template(&mut self) {
        let durability = *self.dice.pick(&["none", "execution", "full"]);
        let settings = json!({
            "limits": {"cpu_ms": 100, "wall_ms": 1000, "mem_mb": 32, "max_events": 100, "max_output_kb": 64},
            "runtime": {"durability": durability},
        });
        let name = format!("{} {}", self.number, self.dice.below(usize::MAX));
        let template = self.daemon.template_with(&name, &settings, &["fs", "exec", "database"]);
        if self.dice.below(2) == 0 {
            self.daemon.write("start.js", "var started = [1, 2, 3]");
            self.daemon.post(&format!("/templates/{template}/startup-files"), &json!({"path": "start.js"})).ok(201);
        }
        self.templates.push(template);
    }

    fn add_session(&mut self) {
        let template = self.dice.pick(&self.templates);
        let id = self.daemon.session_of(template);
        let session = Session { id, count: 0, is_odd: false };
        self.daemon.repl(&session.id, "var soak = 0").ok(201);
        self.sessions.push(session);
    }

    fn close(&mut self, at: usize) {
        let Session { id, .. } = self.sessions.swap_remove(at);
        self.daemon.post_nothing(&format!("/sessions/{id}/close")).ok(200);
    }
}
