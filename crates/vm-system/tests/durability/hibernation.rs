//! Sessions that are idle leave the memory, and come back with their next call.

use serde_json::{Value, json};

use crate::daemon::{Daemon, NOBODY, wait_for};

fn details(daemon: &Daemon, session: &str) -> Value {
    daemon.get(&format!("/sessions/{session}")).ok(200)
}

fn residency(daemon: &Daemon, session: &str) -> String {
    details(daemon, session)["memory"]["residency"].as_str().unwrap().into()
}

#[test]
fn an_idle_session_leaves_the_memory_by_itself_and_stays_ready() {
    let daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &["--hibernate-after", "1"]);
    let session = daemon.session();
    daemon.repl(&session, "let kept = [1, 2, 3]").ok(201);
    assert_eq!(residency(&daemon, &session), "resident");
    wait_for(|| (residency(&daemon, &session) == "hibernated").then_some(()));
    let row = details(&daemon, &session);
    assert_eq!(row["status"], "ready");
    assert!(row["memory"]["stored_bytes"].as_u64().unwrap() > 0, "{row}");
    assert_eq!(row["memory"]["resident_bytes"], 0);
    assert_eq!(daemon.preview(&session, "kept.push(4)"), "4");
    assert_eq!(residency(&daemon, &session), "resident");
}

#[test]
fn what_runs_is_not_taken_out_of_memory() {
    let daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &["--hibernate-after", "1"]);
    let session = daemon.session();
    let slow = "let n = 0; while (n < 4) { await new Promise(done => setTimeout(done, 500)); n++ } n";
    assert_eq!(daemon.preview(&session, slow), "4");
}

#[test]
fn without_durability_hibernation_stores_the_state() {
    let daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template("none", &json!({"runtime": {"durability": "none"}})));
    for round in 0..3 {
        daemon.repl(&session, &format!("var round = {round}")).ok(201);
        daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
        assert_eq!(residency(&daemon, &session), "hibernated");
        assert_eq!(daemon.preview(&session, "round"), round.to_string());
    }
}

#[test]
fn many_calls_at_once_to_a_hibernated_session_wake_it_once() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.repl(&session, "let n = 0").ok(201);
    for _ in 0..10 {
        daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| daemon.repl(&session, "++n").status)).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|status| [201, 409].contains(status)), "{answers:?}");
        assert!(answers.contains(&201), "{answers:?}");
    }
    let counted: usize = daemon.preview(&session, "n").parse().unwrap();
    // the first one, each that counted, and the last one
    assert_eq!(daemon.executions(&session).len(), counted + 2);
}

#[test]
fn only_a_ready_session_hibernates() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.post_nothing(&format!("/sessions/{session}/close")).ok(200);
    assert_eq!(daemon.post_nothing(&format!("/sessions/{session}/hibernate")).status, 409);
    assert_eq!(daemon.post_nothing(&format!("/sessions/{NOBODY}/hibernate")).status, 404);
}

#[test]
fn a_hibernated_session_can_be_closed_and_gives_its_state_back() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.repl(&session, "let kept = 1").ok(201);
    daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
    let closed = daemon.post_nothing(&format!("/sessions/{session}/close")).ok(200);
    assert_eq!(closed["status"], "closed");
    assert_eq!(daemon.repl(&session, "kept").status, 409);
}
