//! Exit codes, and what goes to standard error.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread,
};

use serde_json::json;

use crate::{
    binary::{self, Output},
    daemon::{Daemon, NOBODY},
};

fn run(args: &[&str]) -> Output {
    binary::run(binary::command(Path::new("/")).args(args), "")
}

#[test]
fn a_refusal_of_the_api_is_one_line_with_its_status_and_code_and_exit_1() {
    let daemon = Daemon::start();
    daemon.template("taken", &json!({}));
    for (args, status, code) in [
        (vec!["template", "create", "--name", "taken"], 409, "ALREADY_EXISTS"),
        (vec!["template", "create", "--name", "a", "--engine", "v8"], 422, "ENGINE_UNSUPPORTED"),
        (vec!["template", "get", NOBODY], 404, "TEMPLATE_NOT_FOUND"),
        (vec!["session", "get", NOBODY], 404, "SESSION_NOT_FOUND"),
        (vec!["exec", "repl", NOBODY, "1"], 404, "SESSION_NOT_FOUND"),
        (vec!["exec", "get", NOBODY], 404, "EXECUTION_NOT_FOUND"),
        (vec!["template", "get", "nonsense"], 400, "VALIDATION_ERROR"),
        (vec!["session", "close", "a/b?c#d %2e"], 400, "VALIDATION_ERROR"),
        (vec!["exec", "events", "nonsense", "--json"], 400, "VALIDATION_ERROR"),
    ] {
        let stderr = daemon.cli(&args).failed(1);
        assert!(stderr.starts_with(&format!("Error: api error (status={status}, code={code}): ")), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn what_cannot_be_an_id_is_refused_without_asking() {
    for id in ["", ".", ".."] {
        assert_eq!(run(&["session", "close", id]).failed(1), format!("Error: {id:?} is not an id; ids are UUIDs\n"));
    }
}

#[test]
fn a_script_that_throws_is_shown_in_full_and_exits_1() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("bad.js", "throw 'no'");
    for args in [["exec", "repl", &session, "throw 'no'"], ["exec", "run-file", &session, "bad.js"]] {
        let output = daemon.cli(&args);
        assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""));
        assert!(output.stdout.contains("\nStatus: error\nError: {\"message\":\"no\""), "{}", output.stdout);
        assert!(output.stdout.contains("\n[2] exception: {\"message\":\"no\""), "{}", output.stdout);
        let as_json = daemon.cli(&[&args[..], &["--json"]].concat());
        assert_eq!((as_json.code, as_json.stderr.as_str()), (Some(1), ""));
    }
}

#[test]
fn an_exceeded_limit_is_a_refusal() {
    let daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template("a", &json!({"limits": {"wall_ms": 300}})));
    let stderr = daemon.cli(&["exec", "repl", &session, "for (;;) {}"]).failed(1);
    assert!(stderr.starts_with("Error: api error (status=422, code=OUTPUT_LIMIT_EXCEEDED): "), "{stderr}");
}

#[test]
fn wrong_usage_exits_2() {
    for args in [
        vec![],
        vec!["template"],
        vec!["nonsense"],
        vec!["template", "create"],
        vec!["template", "create", "--name", "a", "--settings", "{"],
        vec!["template", "list", "--nonsense"],
        vec!["session", "list", "--status", "bogus"],
        vec!["session", "list", "--limit", "-1"],
        vec!["exec", "repl", NOBODY],
        vec!["exec", "run-file", NOBODY, "a.js", "--env", "novalue"],
        vec!["exec", "run-file", NOBODY, "a.js", "--args", "[1]"],
        vec!["serve", "--log-level", "wrn"],
        vec!["serve", "--log-format", "xml"],
    ] {
        assert!(!run(&args).failed(2).is_empty(), "{args:?}");
    }
}

#[test]
fn help_and_version_are_answers() {
    assert!(run(&["--help"]).ok().contains("Usage: vm-system"));
    assert!(run(&["exec", "repl", "--help"]).ok().contains("standard input"));
    assert_eq!(run(&["--version"]).ok(), format!("vm-system {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_daemon_the_line_names_the_url_and_how_to_start_one() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let stderr = run(&["--server-url", &url, "template", "list"]).failed(1);
    assert!(stderr.contains(&url) && stderr.contains("`vm-system serve`"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn a_proxy_of_the_environment_does_not_stand_before_this_machine() {
    let daemon = Daemon::start();
    let mut command = binary::command(Path::new("/"));
    command.args(["--server-url", &daemon.url, "ops", "health"]);
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(variable, "http://127.0.0.1:1");
    }
    assert_eq!(binary::run(&mut command, "").ok(), "Status: ok\n");
}

#[test]
fn another_server_is_recognised_whatever_it_answers() {
    let answers = [
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
        "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"error\":\"no!\"}",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    ];
    for answer in answers {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.read(&mut [0; 4096]).unwrap();
            connection.write_all(answer.as_bytes()).unwrap();
        });
        let stderr = run(&["--server-url", &url, "template", "list"]).failed(1);
        server.join().unwrap();
        assert!(stderr.contains(&format!("what answers at {url} is not vm-system")), "{stderr}");
        assert!(stderr.contains("--server-url"), "{stderr}");
    }
}

#[test]
fn a_bad_server_url_is_an_error_with_an_example() {
    for url in ["127.0.0.1:3210", "localhost:3210", "ftp://127.0.0.1"] {
        let stderr = run(&["--server-url", url, "ops", "health"]).failed(1);
        assert!(stderr.contains(&format!("{url:?}")) && stderr.contains("http://127.0.0.1:3210"), "{stderr}");
    }
}
