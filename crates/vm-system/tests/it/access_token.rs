//! Tokens, and listening beyond this machine.

use std::path::Path;

use reqwest::Method;

use crate::{
    binary,
    daemon::{CODE_CACHE, Daemon},
    http::{Answer, text},
    raw::{Connection, ask},
};

const TOKEN: &str = "hush-7bQ._~+/=";

fn start(flags: &[&str]) -> Daemon {
    Daemon::start_with(tempfile::tempdir().unwrap(), &[&["--token", TOKEN], flags].concat())
}

/// The answer with these `Authorization` headers.
#[track_caller]
fn health(daemon: &Daemon, authorizations: &[&str]) -> Answer {
    let authorizations: Vec<_> = authorizations.iter().map(|value| format!("Authorization: {value}")).collect();
    let mut lines = vec!["GET /api/v1/health HTTP/1.1", "Host: localhost"];
    lines.extend(authorizations.iter().map(String::as_str));
    ask(daemon, &lines)
}

#[test]
fn without_the_token_every_route_is_unauthorized() {
    let daemon = start(&[]);
    for (method, path) in [
        (Method::GET, "/health"),
        (Method::GET, "/templates"),
        (Method::POST, "/templates"),
        (Method::DELETE, "/templates"),
        (Method::GET, "/nothing"),
        (Method::OPTIONS, "/templates"),
    ] {
        let answer = Answer::to(daemon.request(method, path));
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        answer.refused(401, "UNAUTHORIZED");
    }
}

#[test]
fn only_the_token_itself_given_once_is_accepted() {
    let daemon = start(&[]);
    let right = format!("Bearer {TOKEN}");
    health(&daemon, &[&right]).ok(200);
    health(&daemon, &[&format!("bearer {TOKEN}")]).ok(200);
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        TOKEN,
        "Bearer hush",
        &format!("Bearer {TOKEN}x"),
        &format!("Bearer {}", TOKEN.to_uppercase()),
        &format!("Bearer  {TOKEN}"),
        &format!("Basic {TOKEN}"),
    ] {
        health(&daemon, &[wrong]).refused(401, "UNAUTHORIZED");
    }
    health(&daemon, &[&right, &right]).refused(401, "UNAUTHORIZED");
    health(&daemon, &[&right, "Bearer x"]).refused(401, "UNAUTHORIZED");
}

#[test]
fn a_browser_asks_without_the_token_and_calls_with_it() {
    let daemon = start(&["--allow-origin", "http://localhost:5173"]);
    let mut connection = Connection::open(&daemon);
    let page = "Host: localhost\r\nOrigin: http://localhost:5173\r\n";
    connection.send(format!("OPTIONS /api/v1/health HTTP/1.1\r\n{page}Access-Control-Request-Method: GET\r\n\r\n"));
    assert_eq!(connection.head().0, 204);
    connection.send(format!("GET /api/v1/health HTTP/1.1\r\n{page}\r\n"));
    let answer = connection.answer();
    assert_eq!(answer.headers["access-control-allow-origin"], "http://localhost:5173");
    answer.refused(401, "UNAUTHORIZED");
    connection.send(format!("GET /api/v1/health HTTP/1.1\r\n{page}Authorization: Bearer {TOKEN}\r\n\r\n"));
    connection.answer().ok(200);
}

#[test]
fn the_command_line_sends_the_token_and_says_so_when_it_is_missing() {
    let daemon = start(&[]);
    assert_eq!(daemon.cli(&["--token", TOKEN, "ops", "health"]).ok(), "Status: ok\n");
    assert_eq!(daemon.cli(&["ops", "health", "--token", TOKEN]).ok(), "Status: ok\n");
    let mut command = binary::command(daemon.folder.path());
    command.args(["--server-url", &daemon.url, "ops", "health"]).env("VM_SYSTEM_TOKEN", TOKEN);
    assert_eq!(binary::run(&mut command, "").ok(), "Status: ok\n");
    for args in [&["ops", "health"][..], &["ops", "health", "--token", "another"]] {
        let stderr = daemon.cli(args).failed(1);
        assert!(stderr.starts_with("Error: api error (status=401, code=UNAUTHORIZED): "), "{stderr}");
        assert!(stderr.contains("--token"), "{stderr}");
    }
}

#[test]
fn what_cannot_be_a_token_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    for token in ["", "  ", "hush hush", "hush\n"] {
        for args in [&["serve", "--listen", "127.0.0.1:0", "--code-cache", CODE_CACHE][..], &["ops", "health"]] {
            let mut command = binary::command(folder.path());
            let stderr = binary::run(command.args(args).env("VM_SYSTEM_TOKEN", token), "").failed(1);
            assert!(stderr.contains("--token") && !stderr.contains("hush"), "{stderr}");
        }
    }
    assert!(!folder.path().join("vm-system.db").exists());
}

#[test]
fn the_token_is_shown_nowhere() {
    let mut daemon = start(&["--log-level", "trace"]);
    let shown = [
        daemon.cli(&["--token", TOKEN, "--log-level", "trace", "ops", "health"]),
        daemon.cli(&["--token", TOKEN, "ops", "nonsense"]),
        binary::run(binary::command(Path::new("/")).arg("--help").env("VM_SYSTEM_TOKEN", TOKEN), ""),
        binary::run(binary::command(Path::new("/")).args(["serve", "--help"]).env("VM_SYSTEM_TOKEN", TOKEN), ""),
    ];
    for output in shown {
        assert!(
            !output.stdout.contains("hush") && !output.stderr.contains("hush"),
            "{}{}",
            output.stdout,
            output.stderr
        );
    }
    health(&daemon, &[&format!("Bearer {TOKEN}")]).ok(200);
    let refused = health(&daemon, &["Bearer hush"]);
    assert!(!refused.body.to_string().contains("hush"), "{}", refused.body);
    daemon.signal("TERM");
    let log = daemon.log();
    assert!(log.contains("/api/v1/health") && !log.contains("hush"), "{log}");
}

#[test]
fn listening_beyond_this_machine_without_a_token_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let mut command = binary::command(folder.path());
        let stderr = binary::run(command.args(["serve", "--listen", listen, "--code-cache", CODE_CACHE]), "").failed(1);
        let line = stderr.lines().last().unwrap();
        assert!(line.starts_with(&format!("Error: refusing to listen on {listen} without a token")), "{stderr}");
        assert!(line.contains("VM_SYSTEM_TOKEN") && line.contains("--token"), "{stderr}");
    }
    assert!(!folder.path().join("vm-system.db").exists());
}

#[test]
fn with_a_token_it_may_listen_beyond_this_machine() {
    let daemon = start(&["--listen", "0.0.0.0:0"]);
    let port = text(&daemon.address().rsplit_once(':').unwrap().1.into());
    let ask = |host: &str| {
        let authorization = format!("Authorization: Bearer {TOKEN}");
        ask(&daemon, &["GET /api/v1/health HTTP/1.1", &format!("Host: {host}"), &authorization])
    };
    for host in ["127.0.0.1", &format!("192.168.7.7:{port}"), &format!("[fd00::1]:{port}")] {
        ask(host).ok(200);
    }
    ask(&format!("evil.example:{port}")).refused(403, "FORBIDDEN");
}

#[test]
fn a_daemon_with_a_token_restarts_on_its_database_without_one() {
    let daemon = start(&[]);
    daemon.get("/health").refused(401, "UNAUTHORIZED");
    let daemon = daemon.restart();
    daemon.get("/health").ok(200);
}
