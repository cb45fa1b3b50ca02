//! Clients that are many, slow, or speak no HTTP.

use std::{
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, prlimit, setrlimit};
use serde_json::json;

use crate::{
    daemon::{Daemon, wait_for},
    raw::{Connection, ask},
};

const JSON: &str = "Host: localhost\r\nContent-Type: application/json\r\n";

/// More than the daemon hears at a time.
const CROWD: usize = 1100;

/// Connections of a client that says nothing. The test needs as many files as the daemon.
fn crowd(daemon: &Daemon, size: usize) -> Vec<Connection> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    (0..size).map(|_| Connection::open(daemon)).collect()
}

#[track_caller]
fn serves_as_ever(daemon: &Daemon) {
    assert_eq!(daemon.get("/health").ok(200), json!({"status": "ok"}));
    daemon.get("/sessions").ok(200);
}

#[test]
fn a_crowd_of_idle_clients_keeps_nobody_out_and_cuts_nobody_off() {
    let daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template("a", &json!({"limits": {"cpu_ms": 60000, "wall_ms": 60000}})));
    let answer = daemon.while_running(&session, "for (;;) {}", || {
        let crowd = crowd(&daemon, CROWD);
        serves_as_ever(&daemon);
        drop(crowd);
        daemon.delete(&format!("/sessions/{session}")).ok(200);
    });
    assert_eq!(answer.ok(201)["status"], "cancelled", "a client that waits for its answer gets it");
}

#[test]
fn a_crowd_of_kept_connections_keeps_nobody_out() {
    let daemon = Daemon::start();
    let mut crowd = crowd(&daemon, CROWD);
    for connection in &mut crowd {
        connection.send("GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for connection in &mut crowd {
        connection.answer().ok(200);
    }
    serves_as_ever(&daemon);
}

#[test]
fn a_daemon_that_has_no_more_files_serves_on() {
    let daemon = Daemon::start();
    let few = Rlimit { current: Some(64), maximum: Some(64) };
    prlimit(Some(daemon.pid()), Resource::Nofile, few).unwrap();
    let crowd = crowd(&daemon, 200);
    serves_as_ever(&daemon);
    drop(crowd);
    let log = || std::fs::read_to_string(daemon.folder.path().join("daemon.log")).unwrap();
    assert!(log().contains("cannot accept connections"), "{}", log());
    let session = daemon.session();
    assert_eq!(daemon.repl(&session, "1").ok(201)["status"], "ok");
}

#[test]
fn a_client_that_takes_its_time_for_the_head_is_cut_off() {
    let daemon = Daemon::start();
    let (silent, mut slow) = (Connection::open(&daemon), Connection::open(&daemon));
    slow.send("GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    wait_for(|| {
        thread::sleep(Duration::from_millis(500));
        serves_as_ever(&daemon);
        (!slow.send("x")).then_some(())
    });
    assert_eq!(silent.rest(), "");
}

#[test]
fn a_body_that_is_too_large_is_413_whether_it_says_so_or_not() {
    let daemon = Daemon::start();
    let chunk = [b"10000\r\n", &[b' '; 0x10000][..], b"\r\n"].concat();
    for (head, piece) in [("Content-Length: 1073741824", &chunk[..]), ("Transfer-Encoding: chunked", &chunk)] {
        let mut connection = Connection::open(&daemon);
        connection.send(format!("POST /api/v1/templates HTTP/1.1\r\n{JSON}{head}\r\n\r\n"));
        thread::scope(|scope| {
            // The daemon need not read any of it, and will not read all of it.
            let mut body = connection.another();
            scope.spawn(move || while body.send(piece) {});
            connection.answer().refused(413, "PAYLOAD_TOO_LARGE");
            connection.close();
        });
        serves_as_ever(&daemon);
    }
}

#[test]
fn clients_that_stop_in_the_middle_of_a_body_disturb_nobody() {
    let daemon = Daemon::start();
    let stopped: Vec<_> = (0..50)
        .map(|_| {
            let mut connection = Connection::open(&daemon);
            connection.send(format!("POST /api/v1/templates HTTP/1.1\r\n{JSON}Content-Length: 12\r\n\r\n{{"));
            connection
        })
        .collect();
    serves_as_ever(&daemon);
    for mut connection in stopped {
        assert!(connection.send(r#""name":"" }"#), "the daemon waits for it");
        connection.answer().refused(400, "VALIDATION_ERROR");
    }
}

#[test]
fn what_is_no_http_is_refused_in_json_and_the_connection_closed() {
    let daemon = Daemon::start();
    let (long, many) = (format!("X: {}\r\n", "x".repeat(40_000)), "X: x\r\n".repeat(200));
    let long_path = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(40_000));
    for (request, status) in [
        ("\x16\x03\x01\x02\0\r\n\r\n", 400),
        ("GET / HTTP/9.9\r\n\r\n", 400),
        ("GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (&format!("GET / HTTP/1.1\r\nHost: localhost\r\n{long}\r\n"), 431),
        (&format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"), 431),
        (&long_path, 431),
    ] {
        let mut connection = Connection::open(&daemon);
        connection.send(request);
        connection.answer().refused(status, "INVALID_REQUEST");
        assert_eq!(connection.rest(), "", "{request:?}");
    }
    serves_as_ever(&daemon);
}

#[test]
fn a_connection_that_turns_to_garbage_has_had_its_answers() {
    let daemon = Daemon::start();
    let mut connection = Connection::open(&daemon);
    connection.send("GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n\0\0\r\n\r\n");
    connection.answer().refused(404, "NOT_FOUND");
    connection.answer().refused(400, "INVALID_REQUEST");
}

#[test]
fn a_chunk_without_a_length_is_invalid_request() {
    let daemon = Daemon::start();
    let mut connection = Connection::open(&daemon);
    connection.send(format!("POST /api/v1/templates HTTP/1.1\r\n{JSON}Transfer-Encoding: chunked\r\n\r\nzz\r\n"));
    connection.answer().refused(400, "INVALID_REQUEST");
    serves_as_ever(&daemon);
}

#[test]
fn the_head_alone_is_answered_to_head() {
    let daemon = Daemon::start();
    let mut connection = Connection::open(&daemon);
    for (path, status) in [("health", 200), ("nothing", 404)] {
        connection.send(format!("HEAD /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(connection.head().0, status);
    }
}

#[test]
fn slow_clients_do_not_hold_up_the_end() {
    let mut daemon = Daemon::start();
    let mut clients = crowd(&daemon, 4);
    clients[1].send("GET /api/v1/hea");
    clients[2].send(format!("POST /api/v1/templates HTTP/1.1\r\n{JSON}Content-Length: 9\r\n\r\n{{"));
    clients[3].send("GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ask(&daemon, &["GET /api/v1/health HTTP/1.1", "Host: localhost"]).ok(200);
    let start = Instant::now();
    let (status, _) = daemon.signal("TERM");
    assert_eq!(status.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}
