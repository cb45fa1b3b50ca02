//! `/executions`

use serde_json::json;

use crate::{
    daemon::{Daemon, NOBODY, wait_for},
    http::{events, text},
};

#[test]
fn a_snippet_is_answered_with_its_result_and_events_and_is_read_back_without_them() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let mut ran = daemon.repl(&session, "console.warn('a', {b: 1}); [1, 'two']").ok(201);
    let value = json!({"type": "array", "preview": "[ 1, 'two' ]", "json": [1, "two"]});
    let expected = json!([
        [1, "input_echo", {"text": "console.warn('a', {b: 1}); [1, 'two']"}],
        [2, "console", {"level": "warn", "text": "a { b: 1 }"}],
        [3, "value", value],
    ]);
    assert_eq!(events(&ran["events"]), expected);
    assert_eq!(ran["events"][0]["execution_id"], ran["id"]);
    assert_eq!(ran["result"], value);
    assert_eq!((&ran["session_id"], &ran["kind"], &ran["status"]), (&json!(session), &json!("repl"), &json!("ok")));
    assert_eq!((&ran["args"], &ran["env"]), (&json!([]), &json!({})));
    assert!(ran["started_at"].is_string() && ran["ended_at"].is_string() && ran.get("error").is_none(), "{ran}");
    for metric in ["cpu_ms", "wall_ms", "mem_bytes", "events", "output_bytes"] {
        assert!(ran["metrics"][metric].is_number(), "{metric} in {ran}");
    }
    assert_eq!(ran["metrics"]["events"], 3);

    let recorded = ran.as_object_mut().unwrap().remove("events").unwrap();
    let id = text(&ran["id"]);
    assert_eq!(daemon.get(&format!("/executions/{id}")).ok(200), ran);
    assert_eq!(daemon.get(&format!("/executions?session_id={session}")).ok(200), json!([ran]));
    assert_eq!(daemon.get(&format!("/executions/{id}/events")).ok(200), recorded);
}

#[test]
fn a_script_that_throws_is_201_with_status_error() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let ran = daemon.repl(&session, "console.log('before'); x").ok(201);
    assert_eq!(
        (&ran["status"], &ran["error"]["message"]),
        (&json!("error"), &json!("ReferenceError: x is not defined"))
    );
    let kinds: Vec<_> = ran["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    assert_eq!(kinds, ["input_echo", "console", "exception"]);
    assert_eq!(ran["events"][2]["payload"], ran["error"]);
    assert!(ran.get("result").is_none(), "{ran}");

    let ran = daemon.repl(&session, "let = = 1").ok(201);
    assert!(text(&ran["error"]["message"]).starts_with("SyntaxError: "), "{ran}");
    assert_eq!(daemon.repl(&session, "throw 'plain text'").ok(201)["error"]["message"], "plain text");
}

#[test]
fn state_carries_over_within_a_session_and_not_into_another() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let (one, two) = (daemon.session_of(&template), daemon.session_of(&template));
    assert_eq!(daemon.repl(&one, "var x = 1").ok(201)["result"]["type"], "undefined");
    daemon.repl(&one, "let y = 2; const z = 3; function f() { return x + y + z }").ok(201);
    assert_eq!(daemon.repl(&one, "x += 10; f()").ok(201)["result"]["json"], 16);
    assert_eq!(daemon.repl(&two, "typeof x + typeof y + typeof f").ok(201)["result"]["preview"], "undefined".repeat(3));
}

#[test]
fn a_session_and_an_input_are_required() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for body in
        [json!({}), json!({"session_id": session}), json!({"input": "1"}), json!({"session_id": session, "input": ""})]
    {
        daemon.post("/executions/repl", &body).refused(400, "VALIDATION_ERROR");
    }
    for body in
        [json!({}), json!({"session_id": session}), json!({"path": "a.js"}), json!({"session_id": session, "path": ""})]
    {
        daemon.post("/executions/run-file", &body).refused(400, "VALIDATION_ERROR");
    }
    assert!(daemon.executions(&session).is_empty());
}

#[test]
fn running_in_an_unknown_session_is_404_and_in_a_bad_id_400() {
    let daemon = Daemon::start();
    for (id, status, code) in [(NOBODY, 404, "SESSION_NOT_FOUND"), ("x", 400, "VALIDATION_ERROR")] {
        daemon.repl(id, "1").refused(status, code);
        daemon.run_file(id, "a.js").refused(status, code);
        daemon.get(&format!("/executions?session_id={id}")).refused(status, code);
    }
}

#[test]
fn a_closed_session_runs_nothing_and_keeps_its_history() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let ran = daemon.repl(&session, "1").ok(201);
    daemon.delete(&format!("/sessions/{session}")).ok(200);
    daemon.write("a.js", "1");
    for answer in [daemon.repl(&session, "2"), daemon.run_file(&session, "a.js")] {
        assert_eq!(answer.refused(409, "SESSION_NOT_READY")["session_id"], json!(session));
    }
    let executions = daemon.executions(&session);
    assert_eq!((executions.len(), &executions[0]["id"]), (1, &ran["id"]));
}

#[test]
fn a_second_execution_is_session_busy_at_once_while_another_session_answers() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({"limits": {"cpu_ms": 60000, "wall_ms": 60000}}));
    let (busy, free) = (daemon.session_of(&template), daemon.session_of(&template));
    daemon.while_running(&busy, "for (;;) {}", || {
        assert_eq!(daemon.repl(&busy, "1").refused(409, "SESSION_BUSY")["session_id"], json!(busy));
        assert_eq!(daemon.repl(&free, "6 * 7").ok(201)["result"]["json"], 42);
        assert_eq!(daemon.get("/runtime/summary").ok(200)["running_executions"], 1);
        daemon.delete(&format!("/sessions/{busy}")).ok(200);
    });
    assert_eq!(daemon.executions(&busy).len(), 1, "what was refused is not recorded");
}

#[test]
fn executions_are_listed_newest_first_fifty_of_them_unless_asked_otherwise() {
    let daemon = Daemon::start();
    let session = daemon.session();
    assert!(daemon.executions(&session).is_empty());
    for n in 0..52 {
        daemon.repl(&session, &n.to_string()).ok(201);
    }
    let inputs = |query: &str| -> Vec<String> {
        let list = daemon.get(&format!("/executions?session_id={session}{query}")).ok(200);
        list.as_array().unwrap().iter().map(|execution| text(&execution["input"])).collect()
    };
    assert_eq!((inputs("").len(), &*inputs("")[0]), (50, "51"));
    assert_eq!(inputs("&limit=2"), ["51", "50"]);
    assert_eq!(inputs("&limit=100").len(), 52);
}

#[test]
fn a_bad_query_is_400() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let id = text(&daemon.repl(&session, "1").ok(201)["id"]);
    for query in ["limit=x", "limit=-1"] {
        daemon.get(&format!("/executions?session_id={session}&{query}")).refused(400, "VALIDATION_ERROR");
    }
    daemon.get("/executions").refused(400, "VALIDATION_ERROR");
    for query in ["after_seq=x", "after_seq=-1"] {
        daemon.get(&format!("/executions/{id}/events?{query}")).refused(400, "VALIDATION_ERROR");
    }
}

#[test]
fn an_unknown_execution_is_404_with_its_id_and_a_bad_id_400() {
    let daemon = Daemon::start();
    for path in ["", "/events"] {
        let details = daemon.get(&format!("/executions/{NOBODY}{path}")).refused(404, "EXECUTION_NOT_FOUND");
        assert_eq!(details["execution_id"], NOBODY);
        daemon.get(&format!("/executions/x{path}")).refused(400, "VALIDATION_ERROR");
    }
}

#[test]
fn sessions_run_side_by_side() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let sessions: Vec<_> = (0..8).map(|_| daemon.session_of(&template)).collect();
    std::thread::scope(|scope| {
        for session in &sessions {
            scope.spawn(|| {
                for n in 1..=10 {
                    let ran = daemon.repl(session, "var n = (globalThis.n ?? 0) + 1; n").ok(201);
                    assert_eq!(ran["result"]["json"], n);
                }
            });
        }
    });
    wait_for(|| (daemon.get("/runtime/summary").ok(200)["running_executions"] == 0).then_some(()));
}

#[test]
fn a_running_execution_is_cancelled_and_its_session_goes_on() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.repl(&session, "var kept = 1").ok(201);
    for code in ["kept++; for (;;) {}", "kept++; await new Promise(() => setInterval(() => {}, 1000))"] {
        let answer = daemon.while_running(&session, code, || {
            let id = text(&daemon.executions(&session)[0]["id"]);
            let cancelled = daemon.post_nothing(&format!("/executions/{id}/cancel")).ok(200);
            assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
            assert!(cancelled["ended_at"].is_string(), "{cancelled}");
        });
        assert_eq!(answer.ok(201)["status"], "cancelled");
    }
    assert_eq!(daemon.preview(&session, "kept"), "3");
}

#[test]
fn cancelling_what_is_over_changes_nothing_and_what_is_unknown_is_404() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let execution = daemon.repl(&session, "1").ok(201);
    let id = text(&execution["id"]);
    assert_eq!(daemon.post_nothing(&format!("/executions/{id}/cancel")).ok(200)["status"], "ok");
    assert_eq!(daemon.cli(&["exec", "cancel", &id]).ok(), format!("Execution ID: {id}\nStatus: ok\n"));
    daemon.post_nothing(&format!("/executions/{NOBODY}/cancel")).refused(404, "EXECUTION_NOT_FOUND");
}
