//! A daemon that is to survive something, with a session that has state.

use std::{ops::Deref, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{binary, daemon::Daemon, http::text};

pub struct Served {
    pub daemon: Daemon,
    pub template: String,
    pub session: String,
    /// The executions that were answered with 201, oldest first.
    pub recorded: Vec<String>,
}

impl Deref for Served {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

impl Served {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_by(binary::command(folder.path()), folder, &[])
    }

    /// By a command that is or becomes the binary, with these flags.
    pub fn start_by(command: Command, folder: TempDir, flags: &[&str]) -> Self {
        let flags = [flags, &["--log-level", "debug"]].concat();
        Self::new(Daemon::start_by(command, folder, &flags))
    }

    /// With a new session, in which `count` is 0.
    pub fn new(daemon: Daemon) -> Self {
        let limits = json!({"limits": {"cpu_ms": 60_000, "wall_ms": 60_000}});
        let template = daemon.template(&format!("of {}", daemon.pid().as_raw_nonzero()), &limits);
        let session = daemon.session_of(&template);
        let mut served = Self { daemon, template, session, recorded: Vec::new() };
        served.try_count("var count = 0; [0]").unwrap();
        served
    }

    /// An execution that makes `count` one more, with a few KiB of events; or status and code of the refusal.
    pub fn count(&mut self) -> Result<(), (u16, String)> {
        self.try_count("console.log('x'.repeat(8000)); count++; [count]")
    }

    fn try_count(&mut self, input: &str) -> Result<(), (u16, String)> {
        let answer = self.daemon.repl(&self.session, input);
        if answer.status != 201 {
            return Err((answer.status, text(&answer.body["error"]["code"])));
        }
        assert_eq!(answer.body["result"]["json"], json!([self.recorded.len()]), "state and history are one");
        self.recorded.push(text(&answer.body["id"]));
        Ok(())
    }

    /// Everything is as before: the state and the history are there, new sessions too, and nothing has panicked.
    #[track_caller]
    pub fn goes_on(&mut self) {
        self.count().unwrap();
        let session = self.session_of(&self.template);
        assert_eq!(self.preview(&session, "6 * 7"), "42");
        self.delete(&format!("/sessions/{session}")).ok(200);
        self.has_its_history();
        self.is_calm();
    }

    /// What was answered with 201 is in the history, with all its events, and nothing else is.
    #[track_caller]
    pub fn has_its_history(&self) {
        let listed = self.get(&format!("/executions?session_id={}&limit=1000", self.session)).ok(200);
        let listed: Vec<_> = listed.as_array().unwrap().iter().rev().map(|execution| text(&execution["id"])).collect();
        assert_eq!(listed, self.recorded);
        for execution in &self.recorded {
            let events = self.get(&format!("/executions/{execution}/events")).ok(200);
            let events = events.as_array().unwrap();
            assert!(
                events.iter().map(|event| &event["seq"]).eq(&(1..=events.len()).map(Value::from).collect::<Vec<_>>())
            );
            assert_eq!(events.last().unwrap()["type"], "value");
        }
    }

    /// The log tells of no defect.
    #[track_caller]
    pub fn is_calm(&self) {
        let log = self.log();
        assert!(!log.contains("panicked") && !log.contains("backtrace"), "{log}");
    }

    #[track_caller]
    pub fn has_logged(&self, words: &str) {
        assert!(self.log().contains(words), "{words:?} is not in the log:\n{}", self.log());
    }
}
