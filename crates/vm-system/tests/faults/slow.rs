//! Clients that take their time, also those that do it on purpose: they are cut off in the end, and hold nobody up before.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    daemon::wait_for,
    raw::{Connection, JSON, ask},
    served::Served,
};

#[test]
fn heads_that_come_byte_by_byte_are_cut_off() {
    let mut served = Served::start();
    let silent = Connection::open(&served);
    let mut slow: Vec<_> = (0..50).map(|_| Connection::open(&served)).collect();
    for connection in &mut slow {
        connection.send("GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    }
    wait_for(|| {
        thread::sleep(Duration::from_millis(500));
        served.get("/health").ok(200);
        slow.retain_mut(|connection| connection.send("x"));
        slow.is_empty().then_some(())
    });
    assert_eq!(silent.rest(), "");
    served.goes_on();
}

#[test]
fn bodies_that_come_byte_by_byte_are_answered_with_408() {
    let mut served = Served::start();
    let mut slow: Vec<_> = (0..50).map(|_| Connection::open(&served)).collect();
    for connection in &mut slow {
        connection.send(format!("POST /api/v1/templates HTTP/1.1\r\n{JSON}Content-Length: 100000\r\n\r\n"));
    }
    let sending: Vec<_> = slow.iter().map(Connection::another).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut sending = sending;
            while !sending.is_empty() {
                sending.retain_mut(|connection| connection.send(" "));
                thread::sleep(Duration::from_millis(500));
            }
        });
        served.goes_on();
        for mut connection in slow {
            connection.answer().refused(408, "REQUEST_TIMEOUT");
            connection.close();
        }
    });
    served.goes_on();
}

#[test]
fn clients_that_stop_in_the_middle_of_a_body_disturb_nobody() {
    let mut served = Served::start();
    let stopped: Vec<_> = (0..50)
        .map(|_| {
            let mut connection = Connection::open(&served);
            connection.send(format!("POST /api/v1/templates HTTP/1.1\r\n{JSON}Content-Length: 12\r\n\r\n{{"));
            connection
        })
        .collect();
    served.goes_on();
    for mut connection in stopped {
        assert!(connection.send(r#""name":"" }"#), "the daemon waits for it");
        connection.answer().refused(400, "VALIDATION_ERROR");
    }
    served.goes_on();
}

#[test]
fn they_do_not_hold_up_the_end() {
    let mut served = Served::start();
    let mut clients: Vec<_> = (0..4).map(|_| Connection::open(&served)).collect();
    clients[1].send("GET /api/v1/hea");
    clients[2].send(format!("POST /api/v1/templates HTTP/1.1\r\n{JSON}Content-Length: 9\r\n\r\n{{"));
    clients[3].send("GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ask(&served, &["GET /api/v1/health HTTP/1.1", "Host: localhost"]).ok(200);
    let start = Instant::now();
    let (status, _) = served.daemon.signal("TERM");
    assert_eq!(status.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    served.is_calm();
}
