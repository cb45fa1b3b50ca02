//! Many executions at once: who waits for whom, and when there is no room for more.

use std::thread;

use serde_json::{Value, json};

use crate::{
    daemon::{Daemon, wait_for},
    http::text,
};

#[test]
fn the_cpu_limit_ends_an_execution_and_says_so() {
    let daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template("limited", &json!({"limits": {"cpu_ms": 200}})));
    let details = daemon.repl(&session, "var kept = 1; for (;;) {}").refused(422, "OUTPUT_LIMIT_EXCEEDED");
    assert_eq!((&details["limit"], &details["configured"]), (&json!("cpu_ms"), &json!(200)));
    let execution = daemon.get(&format!("/executions/{}", text(&details["execution_id"]))).ok(200);
    assert!(execution["metrics"]["cpu_ms"].as_f64().unwrap() >= 190.0, "{execution}");
    assert_eq!(daemon.preview(&session, "await new Promise(resolve => setTimeout(resolve, 600)); kept"), "1");
}

#[test]
fn what_sql_computes_counts_for_the_cpu_limit() {
    let daemon = Daemon::start();
    let session =
        daemon.session_of(&daemon.template_with("limited", &json!({"limits": {"cpu_ms": 200}}), &["database"]));
    daemon.preview(&session, "var db = require('database'); db.configure('sqlite', ':memory:'); var kept = 1");
    let numbers = |end: &str| {
        format!("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c{end}) SELECT max(x) FROM c")
    };
    for (code, sql) in [("db.query(sql)", numbers("")), ("for (;;) db.query(sql)", numbers(" LIMIT 200000"))] {
        let details =
            daemon.repl(&session, &format!("const sql = '{sql}'; {code}")).refused(422, "OUTPUT_LIMIT_EXCEEDED");
        assert_eq!(details["limit"], "cpu_ms");
        let execution = daemon.get(&format!("/executions/{}", text(&details["execution_id"]))).ok(200);
        assert!(execution["metrics"]["cpu_ms"].as_f64().unwrap() >= 190.0, "{execution}");
        assert_eq!(daemon.preview(&session, "kept"), "1");
    }
}

#[test]
fn endless_executions_keep_nobody_waiting_though_only_one_may_compute_at_once() {
    let daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &["--parallel", "1"]);
    let template = daemon.template("patient", &json!({"limits": {"cpu_ms": 60_000}}));
    let endless: Vec<_> = (0..3).map(|_| daemon.session_of(&template)).collect();
    let session = daemon.session_of(&template);
    thread::scope(|scope| {
        let running: Vec<_> =
            endless.iter().map(|session| scope.spawn(|| daemon.repl(session, "for (;;) {}"))).collect();
        wait_for(|| (daemon.get("/runtime/summary").ok(200)["running_executions"] == 3).then_some(()));
        for _ in 0..20 {
            assert_eq!(daemon.preview(&session, "6 * 7"), "42");
        }
        for session in &endless {
            daemon.post_nothing(&format!("/sessions/{session}/close")).ok(200);
        }
        for answer in running {
            assert_eq!(answer.join().unwrap().ok(201)["status"], "cancelled");
        }
    });
}

#[test]
fn waiting_for_a_turn_to_compute_is_told_apart_and_no_part_of_the_wall_limit() {
    let daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &["--parallel", "1"]);
    let template = daemon.template("plain", &json!({}));
    let sessions: Vec<_> = (0..8).map(|_| daemon.session_of(&template)).collect();
    let busy = "const end = Date.now() + 8; while (Date.now() < end); 1";
    let executions: Vec<Value> = thread::scope(|scope| {
        let running: Vec<_> =
            sessions.iter().map(|session| scope.spawn(|| daemon.repl(session, busy).ok(201))).collect();
        running.into_iter().map(|execution| execution.join().unwrap()).collect()
    });
    let queued = executions.iter().filter(|execution| execution["metrics"]["queued_ms"].as_f64() > Some(0.0));
    assert!(queued.count() > 0, "{executions:?}");
}

#[test]
fn at_the_memory_ceiling_new_work_is_refused_until_there_is_room() {
    let daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &["--max-memory", "300"]);
    let template = daemon.template("large", &json!({"limits": {"mem_mb": 128, "wall_ms": 60_000}}));
    let sessions: Vec<_> = (0..4).map(|_| daemon.session_of(&template)).collect();
    // one that waits stays as large as it is; one that is idle would be packed
    let fill = "var kept = new Uint8Array(100 << 20).fill(7); setTimeout(() => {}, 30_000)";
    let refused = thread::scope(|scope| {
        let filling: Vec<_> = sessions.iter().map(|session| scope.spawn(|| daemon.repl(session, fill))).collect();
        let create = || daemon.post("/sessions", &daemon.new_session(&template));
        let refused = wait_for(|| Some(create()).filter(|answer| answer.status != 201));
        for session in &sessions {
            daemon.post_nothing(&format!("/sessions/{session}/close")).ok(200);
        }
        filling.into_iter().for_each(|filling| drop(filling.join().unwrap()));
        refused
    });
    let details = refused.refused(503, "UNAVAILABLE");
    assert_eq!(details["max_mb"], 300);
    wait_for(|| (daemon.post("/sessions", &daemon.new_session(&template)).status == 201).then_some(()));
}
