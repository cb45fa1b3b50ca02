//! What holds for every route.

use reqwest::Method;
use serde_json::json;

use crate::{
    daemon::Daemon,
    http::{Answer, text},
};

#[test]
fn health_is_ok() {
    let daemon = Daemon::start();
    assert_eq!(daemon.get("/health").ok(200), json!({"status": "ok"}));
}

#[test]
fn an_unknown_route_is_404_and_a_wrong_method_405_both_in_the_error_envelope() {
    let daemon = Daemon::start();
    daemon.get("/nothing").refused(404, "NOT_FOUND");
    daemon.get("/templates/a/b/c/d").refused(404, "NOT_FOUND");
    daemon.delete("/templates").refused(405, "METHOD_NOT_ALLOWED");
    daemon.get("/executions/repl/x").refused(404, "NOT_FOUND");
    daemon.post("/health", &json!({})).refused(405, "METHOD_NOT_ALLOWED");
}

#[test]
fn a_sane_request_id_is_kept_and_any_other_replaced() {
    let daemon = Daemon::start();
    let answer = |id: &str| Answer::to(daemon.request(Method::GET, "/health").header("x-request-id", id));
    assert_eq!(answer("job-7.retry_2").headers["x-request-id"], "job-7.retry_2");
    for id in ["", "two words", "<script>", &"x".repeat(10_000)] {
        let given = answer(id).headers["x-request-id"].clone();
        assert!(given != id && !given.is_empty(), "{id:?} became {given:?}");
    }
    assert_ne!(daemon.get("/health").headers["x-request-id"], daemon.get("/health").headers["x-request-id"]);
}

#[test]
fn a_body_that_is_not_exactly_the_expected_json_is_invalid_request() {
    let daemon = Daemon::start();
    for path in ["/templates", "/sessions", "/executions/repl", "/executions/run-file"] {
        for body in ["", "{", "[]", "null", "7", "{} x", "{}{}", r#"{"unknown":1}"#, "\u{feff}{}"] {
            let request = daemon.request(Method::POST, path).header("content-type", "application/json").body(body);
            Answer::to(request).refused(400, "INVALID_REQUEST");
        }
    }
    for (path, body) in [
        ("/templates", json!({"name": 7})),
        ("/sessions", json!({"template_id": null})),
        ("/executions/repl", json!({"session_id": "x", "input": ["1"]})),
        ("/executions/run-file", json!({"session_id": "x", "path": "a.js", "args": "a"})),
        ("/executions/run-file", json!({"session_id": "x", "path": "a.js", "env": {"A": 1}})),
    ] {
        daemon.post(path, &body).refused(400, "INVALID_REQUEST");
    }
}

#[test]
fn a_body_that_does_not_say_it_is_json_is_415() {
    let daemon = Daemon::start();
    let post = || daemon.request(Method::POST, "/templates").body(r#"{"name":"a"}"#);
    Answer::to(post()).refused(415, "UNSUPPORTED_MEDIA_TYPE");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        Answer::to(post().header("content-type", kind)).refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let said = post().header("content-type", "application/json; charset=utf-8");
    Answer::to(said).ok(201);
}

#[test]
fn a_refused_body_names_the_field() {
    let daemon = Daemon::start();
    let run = |rest: &str| {
        let body = format!(r#"{{"session_id":"x","path":"a.js",{rest}}}"#);
        let request = daemon.request(Method::POST, "/executions/run-file").header("content-type", "application/json");
        Answer::to(request.body(body))
    };
    for (rest, field) in [
        (r#""env":{"A":1}"#, "env.A"),
        (r#""args":["a",{}]"#, "args[1]"),
        (r#""args":7"#, "args"),
        (r#""agrs":[]"#, "agrs"),
    ] {
        let answer = run(rest);
        assert!(text(&answer.body["error"]["message"]).contains(&format!("{field}: ")), "{}", answer.body);
        assert_eq!(answer.refused(400, "INVALID_REQUEST")["field"], field);
    }
}

#[test]
fn a_key_that_comes_twice_is_invalid_request_wherever_it_is() {
    let daemon = Daemon::start();
    for (path, body) in [
        ("/templates", r#"{"name":"a","name":"b"}"#),
        ("/templates", r#"{"name":"a","settings":{"limits":{"wall_ms":1,"wall_ms":2}}}"#),
        ("/executions/run-file", r#"{"session_id":"x","path":"a.js","env":{"A":"1","A":"2"}}"#),
    ] {
        let request = daemon.request(Method::POST, path).header("content-type", "application/json").body(body);
        Answer::to(request).refused(400, "INVALID_REQUEST");
    }
    assert_eq!(daemon.get("/templates").ok(200), json!([]));
}

#[test]
fn query_parameters_that_nobody_looks_at_are_400() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for path in ["/health?x", "/runtime/summary?limit=1", "/templates?name=a", &format!("/sessions/{session}?limit=1")]
    {
        daemon.get(path).refused(400, "VALIDATION_ERROR");
    }
    daemon.post("/templates?name=a", &json!({"name": "a"})).refused(400, "VALIDATION_ERROR");
    daemon.post("/sessions?limit=1", &json!({})).refused(400, "VALIDATION_ERROR");
    daemon.delete(&format!("/sessions/{session}?force=true")).refused(400, "VALIDATION_ERROR");
    assert_eq!(daemon.get(&format!("/sessions/{session}")).ok(200)["status"], "ready");
    for (path, field) in [
        ("/sessions?lmit=1", "lmit"),
        ("/sessions?limit=0", "limit"),
        ("/sessions?status=open", "status"),
        (&format!("/executions?session_id={session}&limit=1001"), "limit"),
        (&format!("/executions?session_id={session}&limit=1&limit=2"), "limit"),
        ("/executions?session_id=x", "session_id"),
        (&format!("/executions?session_id={}", session.replace('-', "")), "session_id"),
    ] {
        let answer = daemon.get(path);
        assert!(text(&answer.body["error"]["message"]).contains(field), "{path}: {}", answer.body);
        answer.refused(400, "VALIDATION_ERROR");
    }
    daemon.get("/health?").ok(200);
    daemon.get("/nothing?x=1").refused(404, "NOT_FOUND");
}

#[test]
fn lists_are_arrays_and_never_null() {
    let daemon = Daemon::start();
    for path in ["/templates", "/sessions"] {
        assert_eq!(daemon.get(path).ok(200), json!([]), "{path}");
    }
    let template = daemon.template("empty", &json!({}));
    for list in ["capabilities", "startup-files", "modules", "libraries"] {
        assert_eq!(daemon.get(&format!("/templates/{template}/{list}")).ok(200), json!([]), "{list}");
    }
    let session = daemon.session_of(&template);
    assert_eq!(daemon.get(&format!("/executions?session_id={session}")).ok(200), json!([]));
    let ran = daemon.repl(&session, "1").ok(201);
    let execution = ran["id"].as_str().unwrap();
    assert_eq!(daemon.get(&format!("/executions/{execution}/events?after_seq=2")).ok(200), json!([]));
    daemon.delete(&format!("/sessions/{session}")).ok(200);
    assert_eq!(daemon.get("/runtime/summary").ok(200)["active_session_ids"], json!([]));
}
