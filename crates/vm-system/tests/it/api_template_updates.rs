//! `PATCH /templates/{id}`, and what an inactive template refuses.

use std::thread;

use serde_json::json;

use crate::{
    daemon::{Daemon, NOBODY},
    http::text,
};

#[test]
fn a_patch_changes_what_it_names_and_answers_the_whole_template() {
    let daemon = Daemon::start();
    let id = daemon.template("before", &json!({"limits": {"cpu_ms": 7}}));
    let path = format!("/templates/{id}");
    let mut expected = daemon.get(&path).ok(200);
    let patch = json!({
        "name": " after ", "is_active": false,
        "settings": {"limits": {"wall_ms": 250}, "runtime": {"esm": true}, "resolver": {"roots": ["./src/", "."]}},
    });
    let patched = daemon.patch(&path, &patch).ok(200);
    assert!(text(&patched["template"]["updated_at"]) > text(&expected["template"]["updated_at"]), "{patched}");
    expected["template"]["name"] = json!("after");
    expected["template"]["is_active"] = json!(false);
    expected["template"]["updated_at"] = patched["template"]["updated_at"].clone();
    expected["settings"]["limits"]["wall_ms"] = json!(250);
    expected["settings"]["runtime"]["esm"] = json!(true);
    expected["settings"]["resolver"]["roots"] = json!(["src", "."]);
    assert_eq!(patched, expected);
    assert_eq!(daemon.get(&path).ok(200), expected);
}

#[test]
fn an_empty_patch_and_ones_own_name_are_fine() {
    let daemon = Daemon::start();
    let path = format!("/templates/{}", daemon.template("a", &json!({})));
    let before = daemon.get(&path).ok(200);
    for patch in [json!({}), json!({"name": "a"}), json!({"settings": {}}), json!({"settings": {"limits": {}}})] {
        let patched = daemon.patch(&path, &patch).ok(200);
        assert_eq!(patched["settings"], before["settings"]);
        assert_eq!(patched["template"]["name"], "a");
    }
}

#[test]
fn a_patch_that_is_not_acceptable_in_one_thing_changes_nothing() {
    let daemon = Daemon::start();
    daemon.template("taken", &json!({}));
    let path = format!("/templates/{}", daemon.template("a", &json!({})));
    let before = daemon.get(&path).ok(200);
    for (mut patch, status, code) in [
        (json!({"name": "taken"}), 409, "ALREADY_EXISTS"),
        (json!({"name": " "}), 400, "VALIDATION_ERROR"),
        (json!({"name": "a\0b"}), 400, "VALIDATION_ERROR"),
        (json!({"settings": {"limits": {"wall_ms": 0}}}), 400, "VALIDATION_ERROR"),
        (json!({"settings": {"limits": {"wall": 1}}}), 400, "VALIDATION_ERROR"),
        (json!({"settings": {"runtime": {"esm": 1}}}), 400, "VALIDATION_ERROR"),
        (json!({"settings": {"resolver": {"roots": ["/src"]}}}), 400, "VALIDATION_ERROR"),
        (json!({"settings": {"resolver": {"roots": ["src/../.."]}}}), 400, "VALIDATION_ERROR"),
        (json!({"settings": {"resolver": {"extensions": ["js"]}}}), 400, "VALIDATION_ERROR"),
        (json!({"settings": {"resolver": {"extensions": ["./js"]}}}), 400, "VALIDATION_ERROR"),
        (json!({"settings": []}), 400, "VALIDATION_ERROR"),
        (json!({"engine": "goja"}), 400, "INVALID_REQUEST"),
        (json!({"is_active": "false"}), 400, "INVALID_REQUEST"),
        (json!({"name": 1}), 400, "INVALID_REQUEST"),
        (json!([]), 400, "INVALID_REQUEST"),
    ] {
        // Beside something that is acceptable.
        if let Some(patch) = patch.as_object_mut() {
            patch.entry("is_active").or_insert(json!(false));
        }
        daemon.patch(&path, &patch).refused(status, code);
        assert_eq!(daemon.get(&path).ok(200), before, "{patch}");
    }
}

#[test]
fn an_unknown_template_is_404_and_a_bad_id_400() {
    let daemon = Daemon::start();
    let details = daemon.patch(&format!("/templates/{NOBODY}"), &json!({})).refused(404, "TEMPLATE_NOT_FOUND");
    assert_eq!(details["template_id"], NOBODY);
    daemon.patch("/templates/x", &json!({})).refused(400, "VALIDATION_ERROR");
}

#[test]
fn patches_at_the_same_time_lose_nothing() {
    const ROUNDS: u64 = 60;
    let daemon = Daemon::start();
    let path = format!("/templates/{}", daemon.template("a", &json!({})));
    // Each field has one writer, who must therefore always find what it wrote last.
    let write = |limit: &str| {
        for round in 1..=ROUNDS {
            let answer = daemon.patch(&path, &json!({"settings": {"limits": {limit: round}}})).ok(200);
            let read = daemon.get(&path).ok(200);
            for detail in [answer, read] {
                assert_eq!(detail["settings"]["limits"][limit], round, "{limit} was lost");
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| write("wall_ms"));
        scope.spawn(|| write("max_events"));
    });
    let limits = daemon.get(&path).ok(200)["settings"]["limits"].clone();
    assert_eq!((&limits["wall_ms"], &limits["max_events"]), (&json!(ROUNDS), &json!(ROUNDS)));
}

#[test]
fn an_inactive_template_refuses_new_sessions_until_it_is_active_again() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let path = format!("/templates/{template}");
    let before = daemon.session_of(&template);
    daemon.patch(&path, &json!({"is_active": false})).ok(200);
    let refused = daemon.post("/sessions", &daemon.new_session(&template));
    assert!(text(&refused.body["error"]["message"]).contains("not active"), "{}", refused.body);
    refused.refused(400, "VALIDATION_ERROR");
    assert_eq!(daemon.get("/sessions").ok(200).as_array().unwrap().len(), 1, "a refused session has no row");
    assert_eq!(daemon.repl(&before, "1 + 1").ok(201)["result"]["json"], 2);
    daemon.patch(&path, &json!({"is_active": true})).ok(200);
    daemon.session_of(&template);
}

#[test]
fn a_session_keeps_the_settings_that_it_was_created_with() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let (before, chatty) = (daemon.session_of(&template), "for (let i = 0; i < 9; i++) console.log(i)");
    daemon.patch(&format!("/templates/{template}"), &json!({"settings": {"limits": {"max_events": 5}}})).ok(200);
    assert_eq!(daemon.repl(&before, chatty).ok(201)["status"], "ok");
    daemon.repl(&daemon.session_of(&template), chatty).refused(422, "OUTPUT_LIMIT_EXCEEDED");
}
