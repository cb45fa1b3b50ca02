//! The database cannot be written to: what is answered with an error has not happened, and what is acknowledged has. When it
//! can be written to again, the same daemon goes on.

use std::fs;

use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::{
    daemon::{Daemon, wait_for},
    http::text,
};

/// Whether anything can be written behind the present end of the log.
pub fn limit(daemon: &Daemon, is_full: bool) {
    let log = fs::metadata(daemon.folder.path().join("x.db-wal")).unwrap().len();
    let limit = Rlimit { current: is_full.then_some(log), maximum: None };
    prlimit(Some(daemon.pid()), Resource::Fsize, limit).unwrap();
}

struct Session {
    id: String,
    durability: &'static str,
    /// What it counts to.
    n: u64,
    /// Its executions that were acknowledged.
    recorded: Vec<String>,
}

impl Session {
    fn new(daemon: &Daemon, template: &str, durability: &'static str) -> Self {
        let id = daemon.session_of(template);
        let first = daemon.repl(&id, "let n = 0, text").ok(201);
        Self { id, durability, n: 0, recorded: vec![text(&first["id"])] }
    }

    /// Counts one further, if that can be recorded.
    fn count(&mut self, daemon: &Daemon) -> bool {
        // much that cannot be packed, so that the room is soon used up
        let answer = daemon
            .repl(&self.id, "n++; text = ''; while (text.length < 9000) text += Math.random(); console.log(text); n");
        let is_recorded = answer.status == 201;
        if is_recorded {
            self.n += 1;
            assert_eq!(answer.body["result"]["json"], self.n, "{}", self.durability);
            self.recorded.push(text(&answer.body["id"]));
        }
        is_recorded
    }

    fn has_its_history(&self, daemon: &Daemon) {
        let mut history = daemon.get(&format!("/executions?session_id={}&limit=1000", self.id)).ok(200);
        history.as_array_mut().unwrap().reverse();
        let ids: Vec<_> = history.as_array().unwrap().iter().map(|execution| text(&execution["id"])).collect();
        assert_eq!(ids, self.recorded, "{}", self.durability);
    }
}

/// Has all of them count until none of them can any more.
fn exhaust(daemon: &Daemon, sessions: &mut [Session]) {
    limit(daemon, true);
    wait_for(|| (!sessions.iter_mut().any(|session| session.count(daemon))).then_some(()));
}

#[test]
fn what_cannot_be_recorded_has_not_happened_and_the_same_daemon_goes_on() {
    let daemon = Daemon::start();
    let mut sessions = Vec::new();
    let mut templates = Vec::new();
    for durability in ["execution", "full", "none"] {
        let settings = json!({"runtime": {"durability": durability}, "limits": {"wall_ms": 5000}});
        templates.push(daemon.template(durability, &settings));
        for _ in 0..2 {
            sessions.push(Session::new(&daemon, &templates[templates.len() - 1], durability));
        }
    }
    for _ in 0..3 {
        sessions.iter_mut().for_each(|session| assert!(session.count(&daemon)));
        exhaust(&daemon, &mut sessions);
        for session in &sessions {
            // also not one that was noted as running meanwhile
            let slow = daemon.repl(&session.id, "n = -1; await new Promise(done => setTimeout(done, 50)); n");
            assert!(slow.status >= 500, "{}", slow.body);
            let closed = daemon.delete(&format!("/sessions/{}", session.id));
            assert!(closed.status >= 500, "{}", closed.body);
            assert!(daemon.post_nothing(&format!("/sessions/{}/fork", session.id)).status >= 500);
            assert_eq!(daemon.get(&format!("/sessions/{}", session.id)).ok(200)["status"], "ready");
        }
        for template in &templates {
            assert!(daemon.post("/sessions", &daemon.new_session(template)).status >= 500);
        }
        // what is only in memory stays there
        for session in sessions.iter().filter(|session| session.durability == "none") {
            assert!(daemon.post_nothing(&format!("/sessions/{}/hibernate", session.id)).status >= 500);
        }
        limit(&daemon, false);
        sessions.iter_mut().for_each(|session| assert!(session.count(&daemon)));
        sessions.iter().for_each(|session| session.has_its_history(&daemon));
        let count = |status| daemon.get(&format!("/sessions?status={status}")).ok(200).as_array().map(Vec::len);
        assert_eq!([count("ready"), count("starting"), count("crashed")], [Some(6), Some(0), Some(0)]);
    }
    goes_on_after_a_kill(daemon, &mut sessions);
}

fn goes_on_after_a_kill(mut daemon: Daemon, sessions: &mut [Session]) {
    exhaust(&daemon, sessions);
    daemon.signal("KILL");
    let daemon = daemon.restart();
    for session in sessions {
        session.has_its_history(&daemon);
        let row: Value = daemon.get(&format!("/sessions/{}", session.id)).ok(200);
        if session.durability == "none" {
            assert_eq!(row["status"], "crashed", "{row}");
        } else {
            assert!(session.count(&daemon), "{row}");
        }
    }
}

#[test]
fn a_session_whose_state_is_stored_leaves_the_memory_though_nothing_can_be_written() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.repl(&session, "let n = 0").ok(201);
    for _ in 0..20 {
        daemon.repl(&session, "n++").ok(201);
    }
    limit(&daemon, true);
    daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
    let memory = daemon.get(&format!("/sessions/{session}")).ok(200)["memory"].clone();
    assert_eq!(memory["residency"], "hibernated", "{memory}");
    limit(&daemon, false);
    assert_eq!(daemon.preview(&session, "n"), "20");
}
