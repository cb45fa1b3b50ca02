//! What holds for every route.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    thread,
};

use reqwest::Method;
use serde_json::json;

use crate::{
    daemon::{Daemon, PATIENCE},
    http::Answer,
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
    let answer =
        |id: &str| Answer::read(daemon.request(Method::GET, "/health").header("x-request-id", id).send().unwrap());
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
            Answer::read(request.send().unwrap()).refused(400, "INVALID_REQUEST");
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
    Answer::read(post().send().unwrap()).refused(415, "UNSUPPORTED_MEDIA_TYPE");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        Answer::read(post().header("content-type", kind).send().unwrap()).refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let said = post().header("content-type", "application/json; charset=utf-8").send().unwrap();
    Answer::read(said).ok(201);
}

#[test]
fn a_body_that_is_too_large_is_413() {
    let daemon = Daemon::start();
    let address = daemon.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        connection,
        "POST /api/v1/templates HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000000000\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = [0; 4096];
    let length = thread::scope(|scope| {
        // The daemon need not read any of it, and will not read all of it.
        let mut body = connection.try_clone().unwrap();
        scope.spawn(move || while body.write_all(&[b' '; 65536]).is_ok() {});
        let length = connection.read(&mut answer).unwrap();
        let _ = connection.shutdown(Shutdown::Both);
        length
    });
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
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
