//! What every id and every time is like.

use serde_json::{Value, json};

use crate::{daemon::Daemon, http::text};

/// RFC 3339, UTC, with milliseconds at least.
#[track_caller]
fn assert_time(time: &Value) {
    let time = text(time);
    let (date, fraction) =
        time.strip_suffix('Z').unwrap_or_else(|| panic!("{time} is not UTC")).split_once('.').unwrap();
    let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00", "{time}");
    assert!(fraction.len() >= 3 && fraction.bytes().all(|digit| digit.is_ascii_digit()), "{time}");
}

#[test]
fn a_time_is_the_same_value_in_the_create_response_and_in_every_later_read() {
    let daemon = Daemon::start();
    let template = daemon.post("/templates", &json!({"name": "a"})).ok(201);
    let template_path = format!("/templates/{}", text(&template["id"]));
    let session = daemon.post("/sessions", &daemon.new_session(&text(&template["id"]))).ok(201);
    let session_path = format!("/sessions/{}", text(&session["id"]));
    let execution = daemon.repl(&text(&session["id"]), "console.log('x'); 1").ok(201);
    let execution_path = format!("/executions/{}", text(&execution["id"]));
    let closed = daemon.delete(&session_path).ok(200);

    let check = |daemon: &Daemon| {
        let read = daemon.get(&template_path).ok(200)["template"].clone();
        let listed = daemon.get("/templates").ok(200)[0].clone();
        for field in ["created_at", "updated_at"] {
            assert_time(&template[field]);
            assert_eq!((&read[field], &listed[field]), (&template[field], &template[field]));
        }
        let (read, listed) = (daemon.get(&session_path).ok(200), daemon.get("/sessions").ok(200)[0].clone());
        assert_time(&session["created_at"]);
        assert_time(&closed["closed_at"]);
        for read in [read, listed] {
            assert_eq!((&read["created_at"], &read["closed_at"]), (&session["created_at"], &closed["closed_at"]));
        }
        let listed = daemon.executions(&text(&session["id"]))[0].clone();
        for field in ["started_at", "ended_at"] {
            assert_time(&execution[field]);
            assert_eq!(daemon.get(&execution_path).ok(200)[field], execution[field]);
            assert_eq!(listed[field], execution[field]);
        }
        let events = daemon.get(&format!("{execution_path}/events")).ok(200);
        for (event, read) in execution["events"].as_array().unwrap().iter().zip(events.as_array().unwrap()) {
            assert_time(&event["ts"]);
            assert_eq!(read["ts"], event["ts"]);
        }
    };
    check(&daemon);
    check(&daemon.restart());
}

#[test]
fn ids_are_uuids_of_version_7_so_they_sort_by_time() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let session = daemon.session_of(&template);
    let of = |path: String, new: Value| text(&daemon.post(&path, &new).ok(201)["id"]);
    let mut all = Vec::new();
    for n in 0..3 {
        all.push(daemon.template(&n.to_string(), &json!({})));
        all.push(daemon.session_of(&template));
        all.push(text(&daemon.repl(&session, "1").ok(201)["id"]));
        let global = json!({"kind": "global", "name": format!("g{n}"), "config": {"value": n}});
        all.push(of(format!("/templates/{template}/capabilities"), global));
        all.push(of(format!("/templates/{template}/startup-files"), json!({"path": format!("{n}.js")})));
        daemon.write(&format!("{n}.js"), "");
    }
    for id in &all {
        let shape: String = id.chars().map(|c| if matches!(c, '0'..='9' | 'a'..='f') { 'x' } else { c }).collect();
        assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "{id}");
        assert!(&id[14..15] == "7" && "89ab".contains(&id[19..20]), "{id} is no UUID of version 7");
    }
    assert!(all.is_sorted(), "{all:?}");
}
