//! What a session must be, given what its one client was answered.
//!
//! Each execution has a number, its mark, which it appends to an array of the session and adds to a sum. So what the session
//! holds can be compared with its history, and its history with what was answered.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use crate::{daemon::Daemon, http::text};

/// What a session begins with.
pub const START: &str = "var marks = [], sum = 0, load = []";

/// All that a session holds; `false` where a part of it does not go with another.
const LOOK: &str = "JSON.stringify({
    version: typeof version === 'number' ? version : 0,
    marks,
    whole: sum === marks.reduce((a, b) => a + b, 0) && load.every(({ mark, text }) => text === String(mark).repeat(3000)),
})";

/// What the daemon says of executions that it had to leave.
const LEFT: &str = "the daemon ended while this was running";

pub struct Model {
    pub id: String,
    pub durability: &'static str,
    /// What the startup file said of its version at least and at most.
    pub versions: (u64, u64),
    /// The marks that it began with: those of the session that it is a fork of.
    base: Vec<u64>,
    /// Each mark that was answered, and the status of its execution.
    answered: BTreeMap<u64, String>,
    /// The mark that was sent and not answered.
    open: Option<u64>,
    /// What was answered with an error: it has not happened.
    refused: BTreeSet<u64>,
    /// The executions whose events have been looked at.
    looked_at: HashSet<String>,
    /// All is stored, whatever the durability: it was hibernated, and nothing was run since.
    pub is_stored: bool,
    /// That it is to be closed was sent; answered, too.
    pub closing: (bool, bool),
}

/// What becomes of a session when a daemon has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Killed,
    InOrder,
}

/// Whether an execution has had its effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    Yes,
    No,
    /// It was stopped, and maybe before it could begin.
    Maybe,
}

impl Model {
    pub fn new(id: String, durability: &'static str, versions: (u64, u64)) -> Self {
        Self {
            id,
            durability,
            versions,
            base: Vec::new(),
            answered: BTreeMap::new(),
            open: None,
            refused: BTreeSet::new(),
            looked_at: HashSet::new(),
            is_stored: false,
            closing: (false, false),
        }
    }

    /// A fork of this session, which holds `marks`.
    pub fn fork(&self, id: String, marks: Vec<u64>) -> Self {
        Self { base: marks, ..Self::new(id, self.durability, self.versions) }
    }

    pub fn sends(&mut self, mark: u64) {
        self.open = Some(mark);
        self.is_stored = false;
    }

    /// What was sent has been answered with this status; `None`: with an error.
    pub fn is_answered(&mut self, status: Option<&str>) {
        let mark = self.open.take().unwrap();
        match status {
            Some(status) => drop(self.answered.insert(mark, status.into())),
            None => drop(self.refused.insert(mark)),
        }
    }

    /// How many executions have been answered.
    pub fn len(&self) -> usize {
        self.answered.len()
    }

    /// Compares the session with all that is known of it; whether it can still be used.
    pub fn check(&mut self, daemon: &Daemon, end: End) -> bool {
        let row = daemon.get(&format!("/sessions/{}", self.id)).ok(200);
        let effects = self.check_history(daemon);
        match row["status"].as_str().unwrap() {
            "ready" => {
                assert!(!self.closing.1, "it was closed: {row}");
                self.closing = (false, false);
                let marks = self.marks(daemon);
                self.compare(&marks, &effects);
                self.is_stored = false;
                true
            }
            "crashed" => {
                assert_eq!((self.durability, self.is_stored, end), ("none", false, End::Killed), "{row}");
                assert!(text(&row["last_error"]).contains("runtime.durability"), "{row}");
                assert_eq!(daemon.repl(&self.id, "1").status, 409);
                false
            }
            "closed" => {
                assert!(self.closing.0, "nobody closed it: {row}");
                assert_eq!(daemon.repl(&self.id, "1").status, 409);
                false
            }
            other => panic!("a session is {other}: {row}"),
        }
    }

    /// The marks that the session holds.
    pub fn marks(&self, daemon: &Daemon) -> Vec<u64> {
        let look: Value = serde_json::from_str(&text(&daemon.repl(&self.id, LOOK).ok(201)["result"]["json"])).unwrap();
        assert_eq!(look["whole"], true, "session {} is torn: {look}", self.id);
        let version = look["version"].as_u64().unwrap();
        assert!((self.versions.0..=self.versions.1).contains(&version), "{version} in {:?}", self.versions);
        look["marks"].as_array().unwrap().iter().map(|mark| mark.as_u64().unwrap()).collect()
    }

    /// Each execution that was answered is there, once; and nothing else, but the one that was not answered. What each has
    /// led to, in their order.
    fn check_history(&mut self, daemon: &Daemon) -> Vec<(u64, Effect)> {
        let list = daemon.get(&format!("/executions?session_id={}&limit=1000", self.id)).ok(200);
        let mut seen = BTreeSet::new();
        let mut effects = Vec::new();
        for execution in list.as_array().unwrap().iter().rev() {
            let status = text(&execution["status"]);
            assert_ne!(status, "running", "{execution}");
            let is_left = execution["error"]["message"].as_str().is_some_and(|message| message.contains(LEFT));
            if self.looked_at.insert(text(&execution["id"])) {
                check_events(daemon, execution, is_left);
            }
            let Some(mark) = mark_of(execution) else { continue };
            assert!(seen.insert(mark), "{mark} is there twice in {}", self.id);
            if self.refused.contains(&mark) {
                // noted as running, and then neither its end nor that it was called off could be stored
                assert!(is_left, "{mark} was refused: {execution}");
                continue;
            }
            match self.answered.get(&mark) {
                Some(answered) => assert_eq!(*answered, status, "{execution}"),
                None => {
                    assert_eq!(self.open, Some(mark), "nobody sent this: {execution}");
                    self.answered.insert(mark, status.clone());
                }
            }
            let effect = match status.as_str() {
                _ if is_left || execution["metrics"]["rolled_back"] == true => Effect::No,
                "cancelled" => Effect::Maybe,
                _ => Effect::Yes,
            };
            effects.push((mark, effect));
        }
        self.open = None;
        for (mark, status) in &self.answered {
            assert!(seen.contains(mark), "{mark} was answered as {status} and is not in the history of {}", self.id);
        }
        effects
    }

    fn compare(&self, marks: &[u64], effects: &[(u64, Effect)]) {
        let mut rest = marks.strip_prefix(&self.base[..]).unwrap_or_else(|| panic!("{marks:?} after {:?}", self.base));
        for (mark, effect) in effects {
            match rest.split_first() {
                Some((first, others)) if first == mark && *effect != Effect::No => rest = others,
                _ => assert_ne!(*effect, Effect::Yes, "{mark} has no effect in {}: {marks:?} {effects:?}", self.id),
            }
        }
        assert!(rest.is_empty(), "{rest:?} of {} should not be there: {effects:?}", self.id);
    }
}

/// Without a gap, and none without their execution.
fn check_events(daemon: &Daemon, execution: &Value, is_left: bool) {
    let events = daemon.get(&format!("/executions/{}/events", text(&execution["id"]))).ok(200);
    let numbers: Vec<_> = events.as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    let count = if is_left { 1 } else { execution["metrics"]["events"].as_u64().unwrap() };
    assert!(numbers.iter().copied().eq(1..=count), "{numbers:?} of {execution}");
}

/// A snippet with this mark, of which the rest is `then`.
pub fn snippet(mark: u64, then: &str) -> String {
    format!("/*{mark}*/ {}", then.replace("MARK", &mark.to_string()))
}

fn mark_of(execution: &Value) -> Option<u64> {
    execution["input"].as_str()?.strip_prefix("/*")?.split_once("*/")?.0.parse().ok()
}
