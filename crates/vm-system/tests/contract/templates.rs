//! `/templates`

use serde_json::{Value, json};

use crate::{
    daemon::{Daemon, NOBODY},
    http::text,
};

#[test]
fn a_new_template_has_the_documented_shape_and_is_read_back_as_it_was_answered() {
    let daemon = Daemon::start();
    let created = daemon.post("/templates", &json!({"name": "etl", "engine": "goja"})).ok(201);
    let (id, at) = (text(&created["id"]), text(&created["created_at"]));
    let expected = json!({
        "id": id, "name": "etl", "engine": "goja", "is_active": true, "exposed_modules": [], "libraries": [],
        "created_at": at, "updated_at": at,
    });
    assert_eq!(created, expected);
    assert!(at.ends_with('Z') && at.len() >= "2026-02-09T00:49:58.000Z".len(), "{at}");
    assert_eq!(id.as_bytes()[14], b'7', "{id} is no UUID v7");

    let detail = daemon.get(&format!("/templates/{id}")).ok(200);
    let settings = json!({
        "vm_id": id,
        "limits": {"cpu_ms": 5000, "wall_ms": 30000, "mem_mb": 128, "max_events": 1000, "max_output_kb": 512},
        "resolver": {"roots": [], "extensions": [".js", ".mjs"], "allow_absolute_repo_imports": false},
        "runtime": {"esm": false, "strict": false, "console": true, "durability": "execution"},
    });
    let expected = json!({"template": created, "settings": settings, "capabilities": [], "startup_files": []});
    assert_eq!(detail, expected);
    assert_eq!(daemon.get("/templates").ok(200), json!([created]));
}

#[test]
fn quickjs_is_the_default_engine() {
    let daemon = Daemon::start();
    assert_eq!(daemon.post("/templates", &json!({"name": "a"})).ok(201)["engine"], "quickjs");
}

#[test]
fn settings_are_laid_over_the_defaults() {
    let daemon = Daemon::start();
    let id = daemon.template("a", &json!({"limits": {"wall_ms": 300}, "runtime": {"strict": true}}));
    let settings = daemon.get(&format!("/templates/{id}")).ok(200)["settings"].clone();
    assert_eq!((&settings["limits"]["wall_ms"], &settings["limits"]["cpu_ms"]), (&json!(300), &json!(5000)));
    assert_eq!(settings["runtime"], json!({"esm": false, "strict": true, "console": true, "durability": "execution"}));
}

#[test]
fn templates_are_listed_newest_first_and_none_are_an_empty_list() {
    let daemon = Daemon::start();
    assert_eq!(daemon.get("/templates").ok(200), json!([]));
    for name in ["a", "b", "c"] {
        daemon.template(name, &json!({}));
    }
    let names: Vec<Value> =
        daemon.get("/templates").ok(200).as_array().unwrap().iter().map(|t| t["name"].clone()).collect();
    assert_eq!(names, ["c", "b", "a"]);
}

#[test]
fn a_template_needs_a_name() {
    let daemon = Daemon::start();
    for body in [json!({}), json!({"name": ""}), json!({"name": " \t"})] {
        daemon.post("/templates", &body).refused(400, "VALIDATION_ERROR");
    }
    assert_eq!(daemon.get("/templates").ok(200), json!([]));
}

#[test]
fn a_name_has_no_control_characters() {
    let daemon = Daemon::start();
    for name in ["a\0", "a\u{1b}[2J", "a\nb", "a\u{85}b"] {
        daemon.post("/templates", &json!({"name": name})).refused(400, "VALIDATION_ERROR");
    }
    assert_eq!(daemon.get("/templates").ok(200), json!([]));
    assert_eq!(daemon.post("/templates", &json!({"name": "\tü 🦀\n"})).ok(201)["name"], "ü 🦀");
}

#[test]
fn a_name_is_taken_once_and_free_again_after_deletion() {
    let daemon = Daemon::start();
    let id = daemon.template("a", &json!({}));
    daemon.post("/templates", &json!({"name": "a"})).refused(409, "ALREADY_EXISTS");
    daemon.delete(&format!("/templates/{id}")).ok(200);
    daemon.template("a", &json!({}));
}

#[test]
fn an_unknown_engine_is_refused() {
    let daemon = Daemon::start();
    daemon.post("/templates", &json!({"name": "a", "engine": "v8"})).refused(422, "ENGINE_UNSUPPORTED");
    assert_eq!(daemon.get("/templates").ok(200), json!([]));
}

#[test]
fn settings_with_unknown_keys_or_numbers_out_of_range_are_refused() {
    let daemon = Daemon::start();
    for settings in [
        json!({"limits": {"wall_ms": 0}}),
        json!({"limits": {"mem_mb": 1_000_000_000}}),
        json!({"limits": {"wall": 1}}),
        json!({"limit": {}}),
        json!([]),
    ] {
        let answer = daemon.post("/templates", &json!({"name": "a", "settings": settings}));
        answer.refused(400, "VALIDATION_ERROR");
    }
}

#[test]
fn deleting_a_template_answers_its_id_once() {
    let daemon = Daemon::start();
    let id = daemon.template("a", &json!({}));
    assert_eq!(daemon.delete(&format!("/templates/{id}")).ok(200), json!({"status": "ok", "template_id": id}));
    daemon.delete(&format!("/templates/{id}")).refused(404, "TEMPLATE_NOT_FOUND");
    daemon.get(&format!("/templates/{id}")).refused(404, "TEMPLATE_NOT_FOUND");
    daemon.get(&format!("/templates/{id}/startup-files")).refused(404, "TEMPLATE_NOT_FOUND");
}

#[test]
fn sessions_outlive_their_template() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let session = daemon.session_of(&template);
    daemon.delete(&format!("/templates/{template}")).ok(200);
    assert_eq!(daemon.repl(&session, "1 + 1").ok(201)["result"]["json"], 2);
    let kept = daemon.get(&format!("/sessions/{session}")).ok(200);
    assert_eq!((&kept["status"], &kept["template_id"]), (&json!("ready"), &json!(template)));
}

#[test]
fn an_unknown_template_is_404_with_its_id_and_a_bad_id_400() {
    let daemon = Daemon::start();
    for answer in [daemon.get(&format!("/templates/{NOBODY}")), daemon.delete(&format!("/templates/{NOBODY}"))] {
        assert_eq!(answer.refused(404, "TEMPLATE_NOT_FOUND")["template_id"], NOBODY);
    }
    for id in ["nonsense", "%20", "..%2f..", &NOBODY.replace('-', "")] {
        daemon.get(&format!("/templates/{id}")).refused(400, "VALIDATION_ERROR");
        daemon.delete(&format!("/templates/{id}")).refused(400, "VALIDATION_ERROR");
    }
}
