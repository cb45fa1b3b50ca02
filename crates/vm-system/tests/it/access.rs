//! Who may call: no web page but the daemon's own and those that are allowed.

use std::path::Path;

use serde_json::json;

use crate::{
    binary,
    daemon::Daemon,
    http::Answer,
    raw::{Connection, ask},
};

const UI: &str = "http://localhost:5173";

fn start_with_allowed_pages() -> Daemon {
    let flags = ["--allow-origin", UI, "--allow-origin", "https://ui.example"];
    Daemon::start_with(tempfile::tempdir().unwrap(), &flags)
}

#[track_caller]
fn health(daemon: &Daemon, lines: &[&str]) -> Answer {
    ask(daemon, &[&["GET /api/v1/health HTTP/1.1"], lines].concat())
}

#[test]
fn a_host_that_is_not_this_machine_is_forbidden() {
    let daemon = Daemon::start();
    let port = daemon.address().rsplit_once(':').unwrap().1;
    for host in ["evil.example", &format!("evil.example:{port}"), "localhost.evil.example", "10.0.0.1", ""] {
        health(&daemon, &[&format!("Host: {host}")]).refused(403, "FORBIDDEN");
    }
    for host in ["localhost", &format!("localhost:{port}"), &format!("127.0.0.1:{port}"), "[::1]", "localhost:8080"] {
        health(&daemon, &[&format!("Host: {host}")]).ok(200);
    }
    ask(&daemon, &["GET http://evil.example/api/v1/health HTTP/1.1", "Host: localhost"]).refused(403, "FORBIDDEN");
}

#[test]
fn a_request_has_exactly_one_host() {
    let daemon = Daemon::start();
    health(&daemon, &[]).refused(400, "INVALID_REQUEST");
    health(&daemon, &["Host: localhost", "Host: localhost"]).refused(400, "INVALID_REQUEST");
    health(&daemon, &["Host: localhost", "Host: evil.example"]).refused(400, "INVALID_REQUEST");
    ask(&daemon, &["GET /api/v1/health HTTP/1.0"]).refused(400, "INVALID_REQUEST");
}

#[test]
fn a_page_of_another_origin_is_forbidden() {
    for daemon in [Daemon::start(), start_with_allowed_pages()] {
        let (host, own) = (format!("Host: {}", daemon.address()), format!("Origin: {}", daemon.url));
        for origin in ["http://evil.example", "http://localhost:3000", "null", "", "http://", "https://localhost"] {
            let answer = health(&daemon, &[&host, &format!("Origin: {origin}")]);
            assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}");
            answer.refused(403, "FORBIDDEN");
        }
        health(&daemon, &[&host, &own, "Origin: http://evil.example"]).refused(403, "FORBIDDEN");
        health(&daemon, &[&host, &own]).ok(200);
    }
}

#[test]
fn what_a_foreign_page_loads_or_opens_without_an_origin_is_forbidden() {
    let daemon = Daemon::start();
    for site in ["cross-site", "same-site"] {
        health(&daemon, &["Host: localhost", &format!("Sec-Fetch-Site: {site}")]).refused(403, "FORBIDDEN");
    }
    for site in ["same-origin", "none"] {
        health(&daemon, &["Host: localhost", &format!("Sec-Fetch-Site: {site}")]).ok(200);
    }
}

#[test]
fn a_form_of_a_foreign_page_changes_nothing() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let close = format!("POST /api/v1/sessions/{session}/close HTTP/1.1");
    for sign in ["Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"] {
        let form = "Content-Type: application/x-www-form-urlencoded";
        ask(&daemon, &[&close, "Host: localhost", form, sign]).refused(403, "FORBIDDEN");
        let run = "POST /api/v1/executions/repl HTTP/1.1";
        ask(&daemon, &[run, "Host: localhost", "Content-Type: text/plain", sign]).refused(403, "FORBIDDEN");
    }
    assert_eq!(daemon.get(&format!("/sessions/{session}")).ok(200)["status"], "ready");
    assert!(daemon.executions(&session).is_empty());
}

#[test]
fn an_allowed_page_may_ask_call_and_read_every_answer() {
    let daemon = start_with_allowed_pages();
    for origin in [UI, "https://ui.example"] {
        let origin_line = format!("Origin: {origin}");
        let mut connection = Connection::open(&daemon);
        connection.send(format!(
            "OPTIONS /api/v1/templates HTTP/1.1\r\nHost: localhost\r\n{origin_line}\r\n\
             Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n\r\n"
        ));
        let (status, headers) = connection.head();
        assert_eq!((status, &headers["access-control-allow-origin"]), (204, &origin.parse().unwrap()));
        assert_eq!(headers["access-control-allow-methods"], "GET, POST, PATCH, DELETE");
        assert_eq!(headers["access-control-allow-headers"], "content-type, authorization, x-request-id");
        assert_eq!(headers["vary"], "origin");
        assert!(headers.contains_key("access-control-max-age") && headers.contains_key("x-request-id"));

        let lines = ["Host: localhost", &origin_line, "Sec-Fetch-Site: cross-site"];
        for (request, status) in [
            ("GET /api/v1/templates", 200),
            ("GET /api/v1/nothing", 404),
            ("DELETE /api/v1/templates", 405),
            ("OPTIONS /api/v1/templates", 405),
            ("POST /api/v1/templates", 415),
        ] {
            let answer = ask(&daemon, &[&[&*format!("{request} HTTP/1.1")], &lines[..]].concat());
            assert_eq!(answer.status, status, "{request}");
            assert_eq!(answer.headers["access-control-allow-origin"], origin, "{request}");
            assert_eq!(answer.headers["access-control-expose-headers"], "x-request-id", "{request}");
        }
    }
    assert!(!daemon.get("/health").headers.contains_key("access-control-allow-origin"), "no page has asked");
}

#[test]
fn the_question_of_a_foreign_page_is_forbidden() {
    let daemon = Daemon::start();
    let question = "Access-Control-Request-Method: POST";
    let lines = ["OPTIONS /api/v1/templates HTTP/1.1", "Host: localhost", "Origin: http://evil.example", question];
    ask(&daemon, &lines).refused(403, "FORBIDDEN");
}

#[test]
fn what_is_no_origin_is_wrong_usage() {
    for origin in ["*", "http://*.example", "null", "localhost:5173", "http://localhost:5173/path"] {
        let mut command = binary::command(Path::new("/"));
        let stderr = binary::run(command.args(["serve", "--allow-origin", origin]), "").failed(2);
        assert!(stderr.contains("--allow-origin") && stderr.contains(origin), "{stderr}");
    }
}

#[test]
fn origins_may_come_from_the_environment() {
    let mut command = binary::command(Path::new("/"));
    command.env("VM_SYSTEM_ALLOW_ORIGIN", format!("{UI},*")).arg("serve");
    assert!(binary::run(&mut command, "").failed(2).contains("name each one"), "the second one is looked at");
}

#[test]
fn a_program_with_neither_origin_nor_browser_may_call() {
    let daemon = start_with_allowed_pages();
    assert_eq!(daemon.get("/health").ok(200), json!({"status": "ok"}));
}
