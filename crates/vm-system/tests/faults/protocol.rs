//! What HTTP allows and few clients use.

use crate::{
    raw::{Connection, JSON},
    served::Served,
};

const HEALTH: &str = "GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn requests_that_do_not_wait_for_answers_are_answered_in_order() {
    let mut served = Served::start();
    let mut connection = Connection::open(&served);
    let body = r#"{"name":"x","#;
    let refused = format!("POST /api/v1/templates HTTP/1.1\r\n{JSON}Content-Length: {}\r\n\r\n{body}", body.len());
    let unknown = "GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
    connection.send([HEALTH, unknown, &refused, HEALTH].concat().repeat(50));
    for _ in 0..50 {
        connection.answer().ok(200);
        connection.answer().refused(404, "NOT_FOUND");
        connection.answer().refused(400, "INVALID_REQUEST");
        connection.answer().ok(200);
    }
    served.goes_on();
}

#[test]
fn http_1_0_is_answered_and_the_connection_closed_unless_it_asks_otherwise() {
    let mut served = Served::start();
    let mut connection = Connection::open(&served);
    connection.send("GET /api/v1/health HTTP/1.0\r\nHost: localhost\r\n\r\n");
    connection.answer().ok(200);
    assert_eq!(connection.rest(), "");
    let mut connection = Connection::open(&served);
    for _ in 0..2 {
        connection.send("GET /api/v1/health HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
        connection.answer().ok(200);
    }
    served.goes_on();
}

#[test]
fn who_waits_for_100_continue_is_told_to_or_refused_before_the_body() {
    let mut served = Served::start();
    let expect = |head: &str| format!("POST /api/v1/templates HTTP/1.1\r\n{head}Expect: 100-continue\r\n\r\n");
    let mut connection = Connection::open(&served);
    let body = r#"{"name":"expected"}"#;
    connection.send(expect(&format!("{JSON}Content-Length: {}\r\n", body.len())));
    assert_eq!(connection.head().0, 100);
    connection.send(body);
    assert_eq!(connection.answer().ok(201)["name"], "expected");

    for (head, status, code) in [
        (format!("{JSON}Content-Length: 1073741824\r\n"), 413, "PAYLOAD_TOO_LARGE"),
        ("Host: localhost\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n".into(), 415, "UNSUPPORTED_MEDIA_TYPE"),
    ] {
        let mut connection = Connection::open(&served);
        connection.send(expect(&head));
        connection.answer().refused(status, code);
    }
    served.goes_on();
}

#[test]
fn an_upgrade_to_http_2_or_websockets_is_not_taken_up() {
    let mut served = Served::start();
    for upgrade in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
    ] {
        let mut connection = Connection::open(&served);
        connection.send(format!("GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n"));
        connection.answer().ok(200);
        connection.send(HEALTH);
        connection.answer().ok(200);
    }
    served.goes_on();
}

#[test]
fn a_connect_or_a_strange_method_is_refused_in_json() {
    let mut served = Served::start();
    for (request, status, code) in [
        ("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "NOT_FOUND"),
        ("BREW /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
        ("TRACE /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
        ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "NOT_FOUND"),
    ] {
        let mut connection = Connection::open(&served);
        connection.send(request);
        connection.answer().refused(status, code);
    }
    served.goes_on();
}

#[test]
fn the_head_alone_is_answered_to_head() {
    let mut served = Served::start();
    let mut connection = Connection::open(&served);
    for (path, status) in [("health", 200), ("nothing", 404)] {
        connection.send(format!("HEAD /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(connection.head().0, status);
    }
    served.goes_on();
}
