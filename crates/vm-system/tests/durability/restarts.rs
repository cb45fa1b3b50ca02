//! The daemon ends, in order or not, and another one takes its place.

use serde_json::{Value, json};

use crate::daemon::Daemon;

fn durability(name: &str) -> Value {
    json!({"runtime": {"durability": name}})
}

#[test]
fn all_ready_sessions_are_there_after_a_restart_and_closed_ones_stay_closed() {
    let daemon = Daemon::start();
    let template = daemon.template("plain", &json!({}));
    let sessions: Vec<_> = (0..20).map(|_| daemon.session_of(&template)).collect();
    for (at, session) in sessions.iter().enumerate() {
        daemon.repl(session, &format!("let mine = {at}")).ok(201);
    }
    daemon.post_nothing(&format!("/sessions/{}/close", sessions[0])).ok(200);
    let daemon = daemon.restart();
    let summary = daemon.get("/runtime/summary").ok(200);
    assert_eq!(summary["active_sessions"], 19);
    assert_eq!(summary["hibernated_sessions"], 19);
    assert_eq!(daemon.repl(&sessions[0], "mine").status, 409);
    for (at, session) in sessions.iter().enumerate().skip(1) {
        assert_eq!(daemon.preview(session, "mine"), at.to_string());
    }
    assert_eq!(daemon.get("/runtime/summary").ok(200)["resident_sessions"], 19);
}

#[test]
fn a_session_goes_on_through_many_restarts_and_its_history_is_whole() {
    let mut daemon = Daemon::start();
    let session = daemon.session();
    daemon.repl(&session, "let n = 0, trail = []").ok(201);
    for round in 1..=6 {
        assert_eq!(daemon.preview(&session, "trail.push('round ' + ++n); n"), round.to_string());
        if round % 2 == 0 {
            daemon.signal("KILL");
        }
        daemon = daemon.restart();
    }
    assert_eq!(daemon.preview(&session, "trail.length"), "6");
    assert_eq!(daemon.executions(&session).len(), 8);
}

#[test]
fn full_durability_survives_a_kill_too() {
    let mut daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template("full", &durability("full")));
    daemon.repl(&session, "let kept = 'yes'").ok(201);
    daemon.signal("KILL");
    assert_eq!(daemon.restart().preview(&session, "kept"), "yes");
}

#[test]
fn without_durability_an_orderly_end_keeps_the_state_and_a_kill_says_that_it_is_lost() {
    let daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template("none", &durability("none")));
    daemon.repl(&session, "let kept = 'yes'").ok(201);
    let mut daemon = daemon.restart();
    assert_eq!(daemon.preview(&session, "kept"), "yes");
    daemon.repl(&session, "kept = 'no'").ok(201);
    daemon.signal("KILL");
    let daemon = daemon.restart();
    let row = daemon.get(&format!("/sessions/{session}")).ok(200);
    assert_eq!(row["status"], "crashed");
    assert!(row["last_error"].as_str().unwrap().contains("runtime.durability"), "{row}");
    assert_eq!(daemon.repl(&session, "kept").status, 409);
    assert_eq!(daemon.executions(&session).len(), 3);
}

const SOURCE: &str = "n = 2; for (;;) n++";

#[test]
fn what_was_running_at_a_kill_is_cancelled_afterwards_and_had_no_effect() {
    let mut daemon = Daemon::start();
    let template = daemon.template("long", &json!({"limits": {"wall_ms": 60000, "cpu_ms": 60000}}));
    let session = daemon.session_of(&template);
    daemon.repl(&session, "let n = 1").ok(201);
    let url = format!("{}/api/v1/executions/repl", daemon.url);
    let body = json!({"session_id": session, "input": SOURCE});
    let client = std::thread::spawn(move || {
        // it never answers
        let _ = reqwest::blocking::Client::new().post(url).json(&body).send();
    });
    crate::daemon::wait_for(|| {
        let running = daemon.executions(&session).iter().any(|execution| execution["status"] == "running");
        // and recorded as such
        let log = running
            && std::fs::read(daemon.folder.path().join("x.db-wal"))
                .is_ok_and(|wal| wal.windows(SOURCE.len()).any(|bytes| bytes == SOURCE.as_bytes()));
        log.then_some(())
    });
    daemon.signal("KILL");
    client.join().unwrap();
    let daemon = daemon.restart();
    let executions = daemon.executions(&session);
    assert_eq!(executions[0]["status"], "cancelled", "{executions:?}");
    let events = daemon.get(&format!("/executions/{}/events", executions[0]["id"].as_str().unwrap())).ok(200);
    assert!(events[0]["payload"]["message"].as_str().unwrap().contains("daemon"), "{events}");
    assert_eq!(daemon.preview(&session, "n"), "1");
}
