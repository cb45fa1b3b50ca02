//! The daemon's life: starting, failing to start, signals, restarts.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    binary::{self, Output},
    daemon::{CODE_CACHE, Daemon},
    http::{Answer, text},
};

/// Runs `serve` where it is to fail.
fn serve(folder: &Path, args: &[&str]) -> Output {
    let mut command = binary::command(folder);
    binary::run(command.args(["serve", "--code-cache", CODE_CACHE]).args(args), "")
}

/// The line that `serve` must have failed with, after whatever it has logged.
#[track_caller]
fn error_of(output: Output) -> String {
    let stderr = output.failed(1);
    let line = stderr.lines().last().unwrap();
    assert!(line.starts_with("Error: "), "{stderr}");
    line.to_owned()
}

#[test]
fn a_taken_port_is_an_error_that_leaves_no_database_behind() {
    let daemon = Daemon::start();
    let address = daemon.url.strip_prefix("http://").unwrap();
    let error = error_of(serve(daemon.folder.path(), &["--listen", address, "--db", "other.db"]));
    assert_eq!(
        error,
        format!(
            "Error: cannot listen on {address}: address already in use; is another vm-system running? \
             choose another port with --listen"
        )
    );
    assert!(!daemon.folder.path().join("other.db").exists());
}

#[test]
fn a_bad_address_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    for address in ["nonsense", "127.0.0.1", "127.0.0.1:99999", "203.0.113.1:1"] {
        let error = error_of(serve(folder.path(), &["--listen", address, "--token", "t"]));
        assert!(error.starts_with(&format!("Error: cannot listen on {address}: ")), "{error}");
    }
    assert!(!folder.path().join("vm-system.db").exists());
}

#[test]
fn a_database_that_cannot_be_opened_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["missing/x.db", "."] {
        let error = error_of(serve(folder.path(), &["--listen", "127.0.0.1:0", "--db", path]));
        assert!(error.contains("database") && error.contains(path), "{error}");
    }
    assert!(!folder.path().join("missing").exists());
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = "this is a letter to my aunt, and no database\n".repeat(500);
    fs::write(folder.path().join("letter.txt"), &garbage).unwrap();
    let error = error_of(serve(folder.path(), &["--listen", "127.0.0.1:0", "--db", "letter.txt"]));
    assert!(error.contains("letter.txt"), "{error}");
    assert_eq!(fs::read_to_string(folder.path().join("letter.txt")).unwrap(), garbage);
}

#[test]
fn a_second_daemon_on_the_same_database_is_refused_and_the_first_goes_on() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let error = error_of(serve(daemon.folder.path(), &["--listen", "127.0.0.1:0", "--db", "x.db"]));
    assert!(error.contains("x.db") && error.contains("in use"), "{error}");
    assert_eq!(daemon.repl(&session, "1").ok(201)["status"], "ok");
}

#[test]
fn without_any_folder_for_compiled_code_the_error_says_how_to_name_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary::command(folder.path());
    let error = error_of(binary::run(command.args(["serve", "--listen", "127.0.0.1:0"]), ""));
    assert!(error.contains("--code-cache"), "{error}");
    assert!(!folder.path().join("vm-system.db").exists());
}

#[test]
fn sigterm_and_sigint_end_it_with_exit_0_and_one_line_on_standard_output() {
    for signal in ["TERM", "INT"] {
        let mut daemon = Daemon::start();
        daemon.session();
        let start = Instant::now();
        let (status, rest) = daemon.signal(signal);
        assert_eq!((status.code(), rest.as_str()), (Some(0), ""), "after SIG{signal}");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
}

#[test]
fn under_load_it_ends_in_time_too_and_endless_loops_are_recorded_as_cancelled() {
    let mut daemon = Daemon::start();
    let template = daemon.template("long", &json!({"limits": {"cpu_ms": 60000, "wall_ms": 60000}}));
    let sessions: Vec<_> = (0..4).map(|_| daemon.session_of(&template)).collect();
    let (url, other) = (format!("{}/api/v1/executions/repl", daemon.url), daemon.session_of(&template));
    let client = reqwest::blocking::Client::new();
    // Their answers, if they get them, are not what this test is about.
    let ask =
        |session: &str, input: &str| client.post(&url).json(&json!({"session_id": session, "input": input})).send();
    let (status, took) = thread::scope(|scope| {
        for session in &sessions {
            scope.spawn(|| ask(session, "for (;;) {}"));
        }
        for _ in 0..4 {
            scope.spawn(|| while ask(&other, "1").is_ok() {});
        }
        crate::daemon::wait_for(|| {
            let running = |session| daemon.executions(session).len() == 1;
            sessions.iter().all(|session| running(session)).then_some(())
        });
        let start = Instant::now();
        let (status, _) = daemon.signal("TERM");
        (status, start.elapsed())
    });
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");

    let daemon = daemon.restart();
    for session in &sessions {
        assert_eq!(daemon.executions(session)[0]["status"], "cancelled");
    }
}

#[test]
fn after_a_restart_templates_and_history_are_as_they_were_and_sessions_go_on() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let closed = daemon.session_of(&text(&daemon.get("/templates").ok(200)[0]["id"]));
    let closed = daemon.delete(&format!("/sessions/{closed}")).ok(200);
    let execution = text(&daemon.repl(&session, "console.log('hi'); 42").ok(201)["id"]);
    let events = daemon.get(&format!("/executions/{execution}/events")).ok(200);
    let (templates, sessions) = (daemon.get("/templates").ok(200), daemon.get("/sessions").ok(200));

    let daemon = daemon.restart();
    assert_eq!(daemon.get("/sessions").ok(200), sessions);
    assert_eq!(daemon.get(&format!("/executions/{execution}/events")).ok(200), events);
    assert_eq!(daemon.get("/templates").ok(200), templates);
    assert_eq!(daemon.get(&format!("/sessions/{}", text(&closed["id"]))).ok(200), closed, "a closed session stays so");
    assert_eq!(daemon.get("/runtime/summary").ok(200)["active_sessions"], 1);
    assert_eq!(daemon.repl(&session, "1").ok(201)["status"], "ok");
}

#[test]
fn log_lines_carry_the_ids_of_request_and_execution_and_never_code_or_values() {
    for format in ["json", "text"] {
        let flags = ["--log-format", format, "--log-level", "trace"];
        let mut daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &flags);
        let session = daemon.session();
        let body = json!({"session_id": session, "input": "const hush = 'secret-' + 'word'; console.log(hush); hush"});
        let request = daemon.request(Method::POST, "/executions/repl").header("X-Request-Id", "asked-by-test");
        let execution = Answer::to(request.json(&body)).ok(201);
        daemon.repl(&session, "throw new Error('loud-' + 'failure')").ok(201);
        daemon.signal("TERM");

        let log = daemon.log();
        let line = log.lines().find(|line| line.contains(&text(&execution["id"])));
        let line = line.unwrap_or_else(|| panic!("no line of {}:\n{log}", execution["id"]));
        assert!(line.contains("asked-by-test") && line.contains(&session), "{line}");
        for hidden in ["hush", "secret", "loud", "failure"] {
            assert!(!log.contains(hidden), "{hidden} is in the log:\n{log}");
        }
    }
}

#[test]
fn the_log_goes_to_standard_error_as_json_if_asked_for() {
    let mut daemon =
        Daemon::start_with(tempfile::tempdir().unwrap(), &["--log-format", "json", "--log-level", "debug"]);
    daemon.get("/health").ok(200);
    daemon.signal("TERM");
    let log = daemon.log();
    assert!(log.lines().count() > 0);
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line["level"].is_string()), "{line}");
    }
}
