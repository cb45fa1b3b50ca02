//! Clients that are many: nobody is kept out, and nobody cut off who waits for an answer.

use rustix::process::{Resource, Rlimit, getrlimit, prlimit, setrlimit};

use crate::{daemon::Daemon, raw::Connection, served::Served};

/// More than the daemon hears at a time.
const CROWD: usize = 1100;

/// Connections of a client that says nothing. The test needs as many files as the daemon.
fn crowd(daemon: &Daemon, size: usize) -> Vec<Connection> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    (0..size).map(|_| Connection::open(daemon)).collect()
}

#[test]
fn a_crowd_of_idle_clients_keeps_nobody_out_and_cuts_nobody_off() {
    let mut served = Served::start();
    let session = served.session_of(&served.template);
    let answer = served.while_running(&session, "for (;;) {}", || {
        let crowd = crowd(&served, CROWD);
        served.get("/sessions").ok(200);
        drop(crowd);
        served.delete(&format!("/sessions/{session}")).ok(200);
    });
    assert_eq!(answer.ok(201)["status"], "cancelled", "a client that waits for its answer gets it");
    served.goes_on();
}

#[test]
fn a_crowd_of_kept_connections_keeps_nobody_out() {
    let mut served = Served::start();
    let mut crowd = crowd(&served, CROWD);
    for connection in &mut crowd {
        connection.send("GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for connection in &mut crowd {
        connection.answer().ok(200);
    }
    served.goes_on();
}

#[test]
fn a_daemon_that_has_no_more_files_serves_on() {
    let mut served = Served::start();
    let few = Rlimit { current: Some(64), maximum: Some(64) };
    prlimit(Some(served.pid()), Resource::Nofile, few).unwrap();
    let crowd = crowd(&served, 200);
    served.get("/sessions").ok(200);
    drop(crowd);
    served.has_logged("cannot accept connections");
    served.goes_on();
}
