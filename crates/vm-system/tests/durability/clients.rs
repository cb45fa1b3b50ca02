//! Clients that call whatever they think of, each in its own sessions.

use std::{
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    daemon::Daemon,
    dice::Dice,
    http::text,
    model::{Model, START, snippet},
};

const DURABILITIES: [&str; 3] = ["execution", "full", "none"];

/// What executions do, each with its effect at another moment.
const ACTS: &[&str] = &[
    "marks.push(MARK); sum += MARK; marks.length",
    "sum += MARK; console.log('to be seen'); marks.push(MARK)",
    "marks.push(MARK); sum += MARK; load.push({ mark: MARK, text: String(MARK).repeat(3000) }); load.length",
    "marks.push(MARK); sum += MARK; load = []; 0",
    "marks.push(MARK); sum += MARK; throw new Error('on purpose')",
    "marks.push(MARK); sum += MARK; await new Promise(done => setTimeout(done, 5)); 0",
    "await new Promise(done => setTimeout(done, 3)); marks.push(MARK); sum += MARK",
    "marks.push(MARK); sum += MARK; for (let until = performance.now() + 15; performance.now() < until;);",
    "marks.push(MARK); sum += MARK; for (;;);",
    "marks.push(MARK); sum += MARK; console.log('x'.repeat(1 << 20))",
    "marks.push(MARK); sum += MARK; for (let i = 0; i < 300; i++) console.log('x'.repeat(1000))",
    "marks.push(MARK); sum += MARK; { const hoard = []; for (;;) hoard.push(new Uint8Array(1 << 20).fill(1)) }",
];

/// Short of what would take a client long to compare.
const MOST_EXECUTIONS: usize = 60;
const MOST_SESSIONS: usize = 10;

/// What all clients share.
pub struct World {
    /// Each with its durability, and whether the startup makes the state that executions need.
    templates: Vec<(String, &'static str, bool)>,
    next_mark: AtomicU64,
    /// Which version of the startup file has begun to be written, and which one is there.
    version: (AtomicU64, AtomicU64),
    writing: Mutex<()>,
    /// The ids of everybody's sessions.
    ids: Mutex<Vec<String>>,
    /// From here on it is no surprise when the daemon refuses.
    pub is_ending: AtomicBool,
    /// In this round the database can sometimes not be written to: what is refused for that has not happened.
    pub is_full: AtomicBool,
}

impl World {
    pub fn new(daemon: &Daemon) -> Self {
        let mut templates = Vec::new();
        for durability in DURABILITIES {
            let settings = json!({
                "runtime": {"durability": durability},
                "limits": {"cpu_ms": 40, "wall_ms": 5000, "max_output_kb": 512, "mem_mb": 16},
            });
            for (name, files) in [("plain", &[][..]), ("stamped", &["start.js"]), ("own", &["start.js", "own.js"])] {
                let template = daemon.template(&format!("{name} {durability}"), &settings);
                for (order, path) in files.iter().enumerate() {
                    let file = json!({"path": path, "order_index": order, "mode": "eval"});
                    daemon.post(&format!("/templates/{template}/startup-files"), &file).ok(201);
                }
                templates.push((template, durability, !files.is_empty()));
            }
        }
        daemon.write("own.js", "var mine = Math.random()");
        let world = Self {
            templates,
            next_mark: AtomicU64::new(1),
            version: (AtomicU64::new(0), AtomicU64::new(0)),
            writing: Mutex::default(),
            ids: Mutex::default(),
            is_ending: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
        };
        world.change_startup(&daemon.worktree());
        world
    }

    /// The startup file has another version from here on; whoever reads it meanwhile reads one or the other.
    fn change_startup(&self, worktree: &Path) {
        let _writing = self.writing.lock().unwrap();
        let version = self.version.0.fetch_add(1, SeqCst) + 1;
        fs::write(worktree.join("new"), format!("var version = {version}; {START}")).unwrap();
        fs::rename(worktree.join("new"), worktree.join("start.js")).unwrap();
        self.version.1.store(version, SeqCst);
    }
}

/// One client with its sessions.
pub struct Client {
    pub models: Vec<Model>,
    /// Those that were closed since they were last looked at.
    pub closed: Vec<Model>,
    pub dice: Dice,
}

/// Why a client does not go on with what it was about.
#[derive(PartialEq, Eq)]
enum Stop {
    /// The daemon is gone, or going.
    Gone,
    /// It could not store it.
    Refused,
}

impl Client {
    pub fn new(dice: Dice) -> Self {
        Self { models: Vec::new(), closed: Vec::new(), dice }
    }

    /// Calls until the daemon is gone.
    pub fn work(&mut self, daemon: &Daemon, world: &World) {
        while self.act(daemon, world) != Err(Stop::Gone) {}
    }

    fn act(&mut self, daemon: &Daemon, world: &World) -> Result<(), Stop> {
        if self.models.is_empty() {
            return self.create(daemon, world);
        }
        let at = self.dice.below(self.models.len() as u64) as usize;
        match self.dice.below(100) {
            _ if self.models[at].len() > MOST_EXECUTIONS => self.close(daemon, world, at),
            0..70 => self.execute(daemon, world, at),
            70..77 if self.models.len() < MOST_SESSIONS => self.create(daemon, world),
            77..80 if self.models.len() < MOST_SESSIONS => self.fork(daemon, world, at),
            80..86 => self.hibernate(daemon, world, at),
            86..90 => self.disturb(daemon, world),
            90..92 => self.close(daemon, world, at),
            92..94 => {
                world.change_startup(&daemon.worktree());
                Ok(())
            }
            _ => look_around(daemon, world),
        }
    }

    fn execute(&mut self, daemon: &Daemon, world: &World, at: usize) -> Result<(), Stop> {
        let mark = world.next_mark.fetch_add(1, SeqCst);
        let model = &mut self.models[at];
        model.sends(mark);
        let act = *self.dice.pick::<&str>(ACTS);
        let body = json!({"session_id": model.id, "input": snippet(mark, act)});
        let (status, answer) = call(daemon, world, Method::POST, "/executions/repl", &body)?;
        match status {
            201 => model.is_answered(answer["status"].as_str()),
            422 => model.is_answered(Some("timeout")),
            _ => model.is_answered(None),
        }
        expect(world, &answer, [201, 422].contains(&status))
    }

    fn create(&mut self, daemon: &Daemon, world: &World) -> Result<(), Stop> {
        let (template, durability, is_started) = self.dice.pick(&world.templates);
        let lowest = world.version.1.load(SeqCst);
        let (status, answer) = call(daemon, world, Method::POST, "/sessions", &daemon.new_session(template))?;
        expect(world, &answer, status == 201)?;
        let (id, highest) = (text(&answer["id"]), world.version.0.load(SeqCst));
        let mut versions = (lowest, highest);
        if !is_started {
            let body = json!({"session_id": id, "input": START});
            let (status, answer) = call(daemon, world, Method::POST, "/executions/repl", &body)?;
            expect(world, &answer, status == 201 && answer["status"] == "ok")?;
            versions = (0, 0);
        }
        world.ids.lock().unwrap().push(id.clone());
        self.models.push(Model::new(id, durability, versions));
        Ok(())
    }

    fn fork(&mut self, daemon: &Daemon, world: &World, at: usize) -> Result<(), Stop> {
        let parent = &mut self.models[at];
        let (status, answer) = call(daemon, world, Method::POST, &format!("/sessions/{}/fork", parent.id), &json!({}))?;
        expect(world, &answer, status == 201)?;
        let id = text(&answer["id"]);
        // They are compared before either goes its own way.
        parent.is_stored = false;
        let marks = |id: &str| {
            let body = json!({"session_id": id, "input": "JSON.stringify(marks)"});
            let (status, answer) = call(daemon, world, Method::POST, "/executions/repl", &body)?;
            expect(world, &answer, status == 201 && answer["status"] == "ok")?;
            Ok::<Vec<u64>, Stop>(serde_json::from_str(&text(&answer["result"]["json"])).unwrap())
        };
        let held = marks(&id)?;
        assert_eq!(held, marks(&parent.id)?, "a fork is not what its parent is");
        let fork = parent.fork(id.clone(), held);
        world.ids.lock().unwrap().push(id);
        self.models.push(fork);
        Ok(())
    }

    fn hibernate(&mut self, daemon: &Daemon, world: &World, at: usize) -> Result<(), Stop> {
        let model = &mut self.models[at];
        let path = format!("/sessions/{}/hibernate", model.id);
        let (status, answer) = call(daemon, world, Method::POST, &path, &json!({}))?;
        expect(world, &answer, status == 200)?;
        model.is_stored = answer["memory"]["residency"] == "hibernated";
        Ok(())
    }

    /// Hibernates somebody's session, who may be using it.
    fn disturb(&mut self, daemon: &Daemon, world: &World) -> Result<(), Stop> {
        let id = self.dice.pick(&world.ids.lock().unwrap()).clone();
        call(daemon, world, Method::POST, &format!("/sessions/{id}/hibernate"), &json!({}))?;
        Ok(())
    }

    fn close(&mut self, daemon: &Daemon, world: &World, at: usize) -> Result<(), Stop> {
        let model = &mut self.models[at];
        model.closing.0 = true;
        let (status, answer) = call(daemon, world, Method::POST, &format!("/sessions/{}/close", model.id), &json!({}))?;
        expect(world, &answer, status == 200)?;
        model.closing.1 = true;
        let body = json!({"session_id": model.id, "input": "1"});
        self.closed.push(self.models.swap_remove(at));
        let (status, answer) = call(daemon, world, Method::POST, "/executions/repl", &body)?;
        expect(world, &answer, status == 409)
    }
}

fn look_around(daemon: &Daemon, world: &World) -> Result<(), Stop> {
    for path in ["/runtime/summary", "/sessions?limit=20"] {
        let (status, answer) = call(daemon, world, Method::GET, path, &Value::Null)?;
        expect(world, &answer, status == 200)?;
    }
    Ok(())
}

fn call(daemon: &Daemon, world: &World, method: Method, path: &str, body: &Value) -> Result<(u16, Value), Stop> {
    let request = daemon.request(method.clone(), path);
    let request = if method == Method::GET { request } else { request.json(body) };
    let answer = request.send().and_then(|answer| Ok((answer.status().as_u16(), answer.json()?)));
    answer.map_err(|error| {
        assert!(world.is_ending.load(SeqCst), "the daemon does not answer: {error}");
        Stop::Gone
    })
}

fn expect(world: &World, answer: &Value, is_expected: bool) -> Result<(), Stop> {
    if is_expected {
        return Ok(());
    }
    if world.is_full.load(SeqCst) && is_for_want_of_room(&answer["error"]) {
        return Err(Stop::Refused);
    }
    assert!(world.is_ending.load(SeqCst), "{answer}");
    Err(Stop::Gone)
}

/// What is done to the disk is done by a limit on files, which the kernel takes for one on the memory of images, too.
fn is_for_want_of_room(error: &Value) -> bool {
    let is_text = |field: &str, is: fn(&str) -> bool| error[field].as_str().is_some_and(is);
    is_text("code", |code| code.starts_with("STORAGE_")) || is_text("message", |text| text.contains("File too large"))
}
