//! Clients that go away in the middle of a request: it is done or it is not, and nobody else notices.

use serde_json::json;

use crate::{daemon::wait_for, http::text, raw::Connection, served::Served};

/// How a client goes: in order, or as when its machine or its process ends.
const WAYS: [fn(Connection); 2] = [drop, Connection::reset];

fn post(path: &str, body: &str) -> String {
    let head = "Host: localhost\r\nContent-Type: application/json";
    format!("POST /api/v1{path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn in_the_middle_of_a_body_means_that_nothing_was_asked() {
    let mut served = Served::start();
    let request = post("/templates", &json!({"name": "x".repeat(100_000)}).to_string());
    for go in WAYS {
        for part in [10, 60, 200, 50_000, request.len() - 1] {
            let mut connection = Connection::open(&served);
            connection.send(&request[..part]);
            go(connection);
        }
    }
    served.goes_on();
    assert_eq!(served.get("/templates").ok(200).as_array().unwrap().len(), 1);
}

#[test]
fn while_the_code_runs_it_runs_to_its_end_and_is_recorded() {
    let mut served = Served::start();
    for go in WAYS {
        let session = served.session_of(&served.template);
        let input = "const end = Date.now() + 500; while (Date.now() < end); var done = 1; done";
        let mut connection = Connection::open(&served);
        connection.send(post("/executions/repl", &json!({"session_id": session, "input": input}).to_string()));
        let running = wait_for(|| served.executions(&session).first().cloned());
        assert_eq!(running["status"], "running");
        go(connection);
        wait_for(|| (served.executions(&session)[0]["status"] == "ok").then_some(()));
        assert_eq!(served.preview(&session, "done"), "1");
    }
    served.goes_on();
}

#[test]
fn before_the_answer_is_read_what_was_asked_is_done() {
    let mut served = Served::start();
    let session = served.session_of(&served.template);
    let input = "var runs = (globalThis.runs ?? 0) + 1; console.log('x'.repeat(400_000))";
    let requests = [
        post("/executions/repl", &json!({"session_id": session, "input": input}).to_string()),
        post("/sessions", &served.new_session(&served.template).to_string()),
        post("/templates", r#"{"name": "new"}"#),
        post(&format!("/sessions/{}/close", served.session_of(&served.template)), ""),
    ];
    for request in requests {
        let mut connection = Connection::open(&served);
        connection.send(request);
    }
    wait_for(|| {
        let executions = served.executions(&session);
        let is_done = executions.iter().any(|execution| execution["status"] == "ok")
            && served.get("/sessions?status=ready").ok(200).as_array().unwrap().len() == 3
            && served.get("/sessions?status=closed").ok(200).as_array().unwrap().len() == 1
            && served.get("/templates").ok(200).as_array().unwrap().len() == 2;
        is_done.then_some(())
    });
    assert_eq!(served.repl(&session, "runs").ok(201)["result"]["json"], 1);
    served.goes_on();
}

#[test]
fn who_only_stops_to_send_gets_the_answer() {
    let mut served = Served::start();
    let mut connection = Connection::open(&served);
    connection.send(post("/executions/repl", &json!({"session_id": served.session, "input": "[1]"}).to_string()));
    connection.finish();
    served.recorded.push(text(&connection.answer().ok(201)["id"]));
    assert_eq!(connection.rest(), "");
    served.has_its_history();
}

#[test]
fn while_a_session_is_closed_it_is_closed() {
    let mut served = Served::start();
    let session = served.session_of(&served.template);
    let stubborn = "try { for (;;) {} } finally { Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1) }";
    served.while_running(&session, stubborn, || {
        let mut connection = Connection::open(&served);
        connection.send(post(&format!("/sessions/{session}/close"), ""));
    });
    wait_for(|| (served.get(&format!("/sessions/{session}")).ok(200)["status"] == "closed").then_some(()));
    assert_eq!(served.get("/runtime/summary").ok(200)["active_sessions"], 1);
    served.goes_on();
}

#[test]
fn many_at_once_leave_nothing_behind() {
    let served = Served::start();
    let requests = [
        post("/sessions", &served.new_session(&served.template).to_string()),
        post("/executions/repl", &json!({"session_id": served.session, "input": "count"}).to_string()),
        "GET /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n".into(),
    ];
    for number in 0..200 {
        let request = &requests[number % 3];
        let mut connection = Connection::open(&served);
        connection.send(&request[..request.len() * (number % 7 + 1) / 7]);
        WAYS[number % 2](connection);
    }
    let other = served.session_of(&served.template);
    wait_for(|| (served.get("/runtime/summary").ok(200)["running_executions"] == 0).then_some(()));
    assert_eq!(served.preview(&other, "6 * 7"), "42");
    assert_eq!(served.get("/health").ok(200)["status"], "ok");
    served.is_calm();
}
