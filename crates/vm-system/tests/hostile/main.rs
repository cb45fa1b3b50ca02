//! Scripts that want to hang, crash, starve or fool the daemon. For each: it ends as it may, in time; its session keeps the
//! state that it had; a neighbour is answered meanwhile.
#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod scripts;
#[path = "../support/mod.rs"]
mod support;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use scripts::{MEMORY, Outcomes, SCRIPTS};
use serde_json::{Value, json};
use support::{daemon::Daemon, document, http};

/// The wall limit is a second. What a busy machine adds is no defect, so this is far more; `make bench` measures exactly.
const IN_TIME: Duration = Duration::from_secs(30);

fn limits(cpu_ms: u64, wall_ms: u64) -> Value {
    json!({"limits": {"cpu_ms": cpu_ms, "wall_ms": wall_ms, "mem_mb": 32, "max_events": 100, "max_output_kb": 64}})
}

/// Templates: for most scripts, and for those that have to come to the memory limit.
struct Templates {
    short: String,
    long: String,
}

/// `ok`, `error`, or the limit that ended it, as the table has it.
fn outcome(answer: &http::Answer) -> String {
    let limit = &answer.body["error"]["details"]["limit"];
    let outcome = if answer.status == 201 { &answer.body["status"] } else { limit };
    match outcome.as_str().unwrap_or_else(|| panic!("{}", answer.body)) {
        "cpu_ms" | "wall_ms" => "time".into(),
        other => other.into(),
    }
}

/// Runs one script in a session of its own; what is wrong with how it went.
fn attempt(daemon: &Daemon, templates: &Templates, name: &str, code: &str, outcomes: Outcomes) -> Option<String> {
    let session = daemon.session_of(if outcomes == MEMORY { &templates.long } else { &templates.short });
    daemon.repl(&session, "var kept = { list: [1, 2, 3] }").ok(201);
    let begin = Instant::now();
    let ended = outcome(&daemon.repl(&session, code));
    let took = begin.elapsed();
    let state = daemon.repl(&session, "kept.list.length");
    daemon.post_nothing(&format!("/sessions/{session}/close")).ok(200);
    if !outcomes.contains(&ended.as_str()) {
        return Some(format!("{name}: ended with {ended}, not with one of {outcomes:?}"));
    }
    if took > IN_TIME {
        return Some(format!("{name}: took {took:?}"));
    }
    (state.body["result"]["json"] != 3).then(|| format!("{name}: the session lost its state: {}", state.body))
}

#[test]
fn no_script_hangs_crashes_or_starves_the_daemon() {
    assert!(SCRIPTS.len() >= 100);
    let daemon = Daemon::start();
    let templates = Templates {
        short: daemon.template("short", &limits(300, 1000)),
        long: daemon.template("long", &limits(60_000, 60_000)),
    };
    let neighbour = daemon.session();
    let is_over = AtomicBool::new(false);
    let failures = thread::scope(|scope| {
        let watching = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(daemon.preview(&neighbour, "6 * 7"), "42");
                thread::sleep(Duration::from_millis(20));
            }
        });
        let halves = SCRIPTS.chunks(SCRIPTS.len().div_ceil(2)).map(|scripts| {
            let (daemon, templates) = (&daemon, &templates);
            scope.spawn(move || {
                let attempts =
                    scripts.iter().map(|(name, code, outcomes)| attempt(daemon, templates, name, code, outcomes));
                attempts.flatten().collect::<Vec<_>>()
            })
        });
        let halves: Vec<_> = halves.collect();
        let failures: Vec<_> = halves.into_iter().flat_map(|half| half.join().unwrap()).collect();
        is_over.store(true, Ordering::Relaxed);
        watching.join().unwrap();
        failures
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
