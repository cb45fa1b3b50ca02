//! Calls that meet: none of them sees a session that is between two states.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::json;

use crate::{
    daemon::{Daemon, NOBODY, wait_for},
    http::{Answer, text},
};

/// Calls the session from many threads at once, and does `meanwhile`; what they were answered.
fn called(daemon: &Daemon, session: &str, input: &str, meanwhile: impl FnOnce()) -> Vec<Answer> {
    thread::scope(|scope| {
        let call = || (0..12).map(|_| daemon.repl(session, input)).collect::<Vec<_>>();
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(call)).collect();
        meanwhile();
        calls.into_iter().flat_map(|call| call.join().unwrap()).collect()
    })
}

fn number(answer: &Answer) -> u64 {
    answer.body["result"]["json"].as_u64().unwrap()
}

#[test]
fn a_session_that_is_called_while_it_is_closed_stays_closed() {
    let daemon = Daemon::start();
    let template = daemon.template("plain", &json!({}));
    for round in 0..30 {
        let session = daemon.session_of(&template);
        daemon.repl(&session, "let n = 0").ok(201);
        if round % 2 == 0 {
            daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
        }
        let mut closed = json!(null);
        let answers = called(&daemon, &session, "++n", || {
            closed = daemon.delete(&format!("/sessions/{session}")).ok(200);
        });
        daemon.repl(&session, "n").refused(409, "SESSION_NOT_READY");
        assert_eq!(daemon.get(&format!("/sessions/{session}")).ok(200), closed);
        // each that was answered counted once, whichever machine it ran in
        let mut numbers: Vec<_> = answers.iter().filter(|answer| answer.body["status"] == "ok").map(number).collect();
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    }
    let summary = daemon.get("/runtime/summary").ok(200);
    assert_eq!(summary["resident_sessions"], 0, "{summary}");
}

#[test]
fn a_fork_of_a_session_in_use_is_a_session_of_its_own_whatever_its_durability() {
    let daemon = Daemon::start();
    for durability in ["none", "execution", "full"] {
        let template = daemon.template(durability, &json!({"runtime": {"durability": durability}}));
        let session = daemon.session_of(&template);
        daemon.repl(&session, "let n = 0").ok(201);
        let mut forks = Vec::new();
        called(&daemon, &session, "++n", || {
            for _ in 0..20 {
                let fork = daemon.post_nothing(&format!("/sessions/{session}/fork"));
                match fork.status {
                    201 => forks.push(text(&fork.body["id"])),
                    _ => drop(fork.refused(409, "SESSION_BUSY")),
                }
            }
        });
        let mut before = 0;
        for fork in forks {
            let held = number(&daemon.repl(&fork, "n"));
            assert!(held >= before, "{durability}: a fork is older than the one before it");
            before = held;
        }
    }
}

#[test]
fn only_a_session_that_is_there_is_busy() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.delete(&format!("/sessions/{session}")).ok(200);
    for (session, status, code) in [(NOBODY, 404, "SESSION_NOT_FOUND"), (&session, 409, "SESSION_NOT_READY")] {
        for answer in called(&daemon, session, "1", || ()) {
            answer.refused(status, code);
        }
    }
}

#[test]
fn what_the_daemon_does_with_a_session_makes_it_busy_for_nobody() {
    let daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template("none", &json!({"runtime": {"durability": "none"}})));
    let (details, is_over) = (format!("/sessions/{session}"), AtomicBool::new(false));
    let meddle = |act: &dyn Fn() -> Answer| {
        while !is_over.load(Ordering::Relaxed) {
            act().ok(200);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| meddle(&|| daemon.get(&details)));
        scope.spawn(|| meddle(&|| daemon.get("/runtime/summary")));
        scope.spawn(|| meddle(&|| daemon.post_nothing(&format!("{details}/hibernate"))));
        let answers: Vec<_> = (0..100)
            .flat_map(|n| [daemon.repl(&session, &n.to_string()), daemon.post_nothing(&format!("{details}/fork"))])
            .collect();
        is_over.store(true, Ordering::Relaxed);
        answers.into_iter().for_each(|answer| drop(answer.ok(201)));
    });
}

#[test]
fn a_session_that_is_closed_while_it_starts_is_closed() {
    let daemon = Daemon::start();
    daemon.write("short.js", "for (let i = 0; i < 20000; i++);");
    for round in 0..30 {
        // each is the first of its template, and makes an image
        let template = daemon.template(&format!("template {round}"), &json!({"limits": {"mem_mb": 100 + round}}));
        daemon.post(&format!("/templates/{template}/startup-files"), &json!({"path": "short.js"})).ok(201);
        thread::scope(|scope| {
            let creating = scope.spawn(|| daemon.post("/sessions", &daemon.new_session(&template)));
            let list = format!("/sessions?template_id={template}");
            let session = wait_for(|| Some(text(&daemon.get(&list).ok(200).get(0)?["id"])));
            daemon.delete(&format!("/sessions/{session}")).ok(200);
            let created = creating.join().unwrap();
            if created.status != 201 {
                created.refused(409, "SESSION_NOT_READY");
            }
            assert_eq!(daemon.get(&format!("/sessions/{session}")).ok(200)["status"], "closed");
        });
    }
}
