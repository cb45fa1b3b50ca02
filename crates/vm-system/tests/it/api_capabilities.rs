//! `/templates/{id}/capabilities`

use serde_json::{Value, json};

use crate::{
    daemon::{Daemon, NOBODY},
    http::{Answer, text},
};

/// The route of a new template's capabilities, and that template.
#[track_caller]
fn capabilities(daemon: &Daemon) -> (String, String) {
    let template = daemon.template("a", &json!({}));
    (format!("/templates/{template}/capabilities"), template)
}

/// The refusal has this status and code, and its message this text.
#[track_caller]
fn refused(answer: Answer, status: u16, code: &str, part: &str) {
    let message = text(&answer.body["error"]["message"]);
    assert!(message.contains(part), "no {part:?} in {message:?}");
    answer.refused(status, code);
}

#[test]
fn a_capability_has_the_documented_shape_and_defaults() {
    let daemon = Daemon::start();
    let (path, template) = capabilities(&daemon);
    assert_eq!(daemon.get(&path).ok(200), json!([]));
    let added = daemon.post(&path, &json!({"kind": "module", "name": "exec"})).ok(201);
    let expected = json!({
        "id": added["id"], "vm_id": template, "kind": "module", "name": "exec", "enabled": true, "config": {},
    });
    assert_eq!(added, expected);
    assert_eq!(text(&added["id"]).as_bytes()[14], b'7', "{added} has no UUID v7");
    assert_eq!(daemon.get(&path).ok(200), json!([added]));
    assert_eq!(daemon.get(&format!("/templates/{template}")).ok(200)["capabilities"], json!([added]));
}

#[test]
fn every_kind_is_kept_as_it_was_given_and_listed_in_the_order_of_creation() {
    let daemon = Daemon::start();
    let (path, _) = capabilities(&daemon);
    let given = [
        json!({"kind": "net", "name": "z", "config": {"hosts": ["api.example.com", "*.example.com", "[::1]:80"]}}),
        json!({"kind": "global", "name": "config", "config": {"value": {"deep": [1, 0.1, null]}}}),
        json!({"kind": "module", "name": "exec", "config": {"allow": ["git"]}}),
        json!({"kind": "module", "name": "database", "config": {"read_only": true}, "enabled": false}),
        json!({"kind": "module", "name": "fs"}),
        json!({"kind": "fs", "name": "shared data", "config": {"roots": ["/srv/data"], "write": true}}),
        json!({"kind": "env", "name": "home", "config": {"allow": ["HOME"]}}),
    ];
    let added: Vec<Value> = given.iter().map(|new| daemon.post(&path, new).ok(201)).collect();
    for (given, added) in given.iter().zip(&added) {
        for (field, value) in given.as_object().unwrap() {
            assert_eq!(&added[field], value, "{added}");
        }
    }
    assert_eq!(daemon.get(&path).ok(200), json!(added));
}

#[test]
fn what_says_nothing_is_refused_with_the_name_of_the_field() {
    let daemon = Daemon::start();
    let (path, _) = capabilities(&daemon);
    for (new, part) in [
        (json!({}), "kind is required"),
        (json!({"name": "fs"}), "kind is required"),
        (json!({"kind": "cpu", "name": "a"}), "module, global, fs, net, env"),
        (json!({"kind": "Module", "name": "fs"}), "module, global, fs, net, env"),
        (json!({"kind": "module"}), "name is required"),
        (json!({"kind": "fs", "name": " \t", "config": {"roots": ["/a"]}}), "name is required"),
        (json!({"kind": "fs", "name": "a\0", "config": {"roots": ["/a"]}}), "control characters"),
        (json!({"kind": "module", "name": "fs", "config": {"write": true}}), "config.write"),
        (json!({"kind": "module", "name": "exec", "config": {"allow": "git"}}), "config.allow"),
        (json!({"kind": "module", "name": "database", "config": {"read_only": "yes"}}), "config.read_only"),
        (json!({"kind": "global", "name": "a"}), "config.value is required"),
        (json!({"kind": "global", "name": "a b", "config": {"value": 1}}), "identifier"),
        (json!({"kind": "global", "name": "while", "config": {"value": 1}}), "reserved"),
        (json!({"kind": "fs", "name": "a"}), "config.roots is required"),
        (json!({"kind": "fs", "name": "a", "config": {"roots": ["data"]}}), "config.roots"),
        (json!({"kind": "fs", "name": "a", "config": {"roots": ["/a"], "mode": 1}}), "config.mode"),
        (json!({"kind": "env", "name": "a", "config": {"allow": ["A=1"]}}), "config.allow"),
        (json!({"kind": "net", "name": "a", "config": {"hosts": ["http://a"]}}), "config.hosts"),
    ] {
        refused(daemon.post(&path, &new), 400, "VALIDATION_ERROR", part);
    }
    for new in [
        json!({"kind": "fs", "name": "a", "config": []}),
        json!({"kind": "fs", "name": "a", "enabled": "yes"}),
        json!({"kind": 1, "name": "a"}),
        json!({"kind": "fs", "name": "a", "mode": "rw"}),
    ] {
        daemon.post(&path, &new).refused(400, "INVALID_REQUEST");
    }
    assert_eq!(daemon.get(&path).ok(200), json!([]));
}

#[test]
fn a_capability_of_a_module_that_does_not_exist_is_refused_with_those_that_do() {
    let daemon = Daemon::start();
    let (path, _) = capabilities(&daemon);
    let new = |name: &str| daemon.post(&path, &json!({"kind": "module", "name": name}));
    refused(new("http"), 422, "MODULE_NOT_ALLOWED", "database, exec and fs");
    refused(new("JSON"), 422, "MODULE_NOT_ALLOWED", "always there");
    assert_eq!(new(" Exec").ok(201)["name"], "exec");
}

#[test]
fn kind_and_name_are_taken_once_per_template() {
    let daemon = Daemon::start();
    let (path, template) = capabilities(&daemon);
    let fs = json!({"kind": "fs", "name": "exec", "config": {"roots": ["/a"]}});
    let added = daemon.post(&path, &fs).ok(201);
    let again = json!({"kind": "fs", "name": " exec ", "enabled": false, "config": {"roots": ["/b"]}});
    assert_eq!(daemon.post(&path, &again).refused(409, "ALREADY_EXISTS")["template_id"], template);
    daemon.post(&path, &json!({"kind": "module", "name": "exec"})).ok(201);
    let other = daemon.template("other", &json!({}));
    daemon.post(&format!("/templates/{other}/capabilities"), &fs).ok(201);
    daemon.delete(&format!("{path}/{}", text(&added["id"]))).ok(200);
    daemon.post(&path, &again).ok(201);
}

#[test]
fn a_removed_capability_is_gone_and_cannot_be_removed_again() {
    let daemon = Daemon::start();
    let (path, template) = capabilities(&daemon);
    let stays = daemon.post(&path, &json!({"kind": "module", "name": "fs"})).ok(201);
    let gone = text(&daemon.post(&path, &json!({"kind": "module", "name": "exec"})).ok(201)["id"]);
    let other = daemon.template("other", &json!({}));
    let elsewhere = format!("/templates/{other}/capabilities/{gone}");
    daemon.delete(&elsewhere).refused(404, "CAPABILITY_NOT_FOUND");
    let expected = json!({"status": "ok", "template_id": template, "capability_id": gone});
    assert_eq!(daemon.delete(&format!("{path}/{gone}")).ok(200), expected);
    assert_eq!(daemon.get(&path).ok(200), json!([stays]));
    let details = daemon.delete(&format!("{path}/{gone}")).refused(404, "CAPABILITY_NOT_FOUND");
    assert_eq!(details, json!({"template_id": template, "capability_id": gone}));
    let details = daemon.delete(&format!("{path}/nonsense")).refused(400, "VALIDATION_ERROR");
    assert_eq!(details, json!({"field": "capability_id", "given": "nonsense"}));
}

#[test]
fn capabilities_of_an_unknown_template_are_404_and_of_a_bad_id_400() {
    let daemon = Daemon::start();
    for (id, status, code) in [(NOBODY, 404, "TEMPLATE_NOT_FOUND"), ("x", 400, "VALIDATION_ERROR")] {
        let path = format!("/templates/{id}/capabilities");
        daemon.get(&path).refused(status, code);
        daemon.post(&path, &json!({"kind": "module", "name": "fs"})).refused(status, code);
        daemon.delete(&format!("{path}/{NOBODY}")).refused(status, code);
    }
}

#[test]
fn a_deleted_template_takes_all_that_belongs_to_it_along_but_not_its_sessions() {
    let daemon = Daemon::start();
    let (path, template) = capabilities(&daemon);
    daemon.post(&path, &json!({"kind": "global", "name": "a", "config": {"value": 1}})).ok(201);
    daemon.write("init.js", "var seed = 40;");
    daemon.post(&format!("/templates/{template}/startup-files"), &json!({"path": "init.js"})).ok(201);
    let session = daemon.session_of(&template);
    daemon.delete(&format!("/templates/{template}")).ok(200);
    daemon.get(&path).refused(404, "TEMPLATE_NOT_FOUND");
    assert_eq!(daemon.repl(&session, "seed + 2").ok(201)["result"]["json"], 42);
    let (path, _) = capabilities(&daemon);
    assert_eq!(daemon.get(&path).ok(200), json!([]), "a new template of the name begins with nothing");
}

#[test]
fn capabilities_outlive_a_restart() {
    let daemon = Daemon::start();
    let (path, _) = capabilities(&daemon);
    daemon.post(&path, &json!({"kind": "global", "name": "a", "config": {"value": [0.1, "ü"]}})).ok(201);
    let before = daemon.get(&path).ok(200);
    assert_eq!(daemon.restart().get(&path).ok(200), before);
}
