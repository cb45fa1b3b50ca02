//! `/templates/{id}/startup-files`, and what they do when a session is created.

use serde_json::{Value, json};

use crate::{
    daemon::{Daemon, NOBODY},
    http::{events, text},
};

/// A new template with these startup files, in this order; its id.
#[track_caller]
fn template_with(daemon: &Daemon, files: &[&str]) -> String {
    let template = daemon.template("with startup", &json!({}));
    for (order, path) in files.iter().enumerate() {
        let new = json!({"path": path, "order_index": order});
        daemon.post(&format!("/templates/{template}/startup-files"), &new).ok(201);
    }
    template
}

#[track_caller]
fn paths(files: &Value) -> Vec<String> {
    files.as_array().unwrap().iter().map(|file| text(&file["path"])).collect()
}

#[test]
fn a_startup_file_has_the_documented_shape_and_defaults() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let files = format!("/templates/{template}/startup-files");
    assert_eq!(daemon.get(&files).ok(200), json!([]));
    let added = daemon.post(&files, &json!({"path": "init.js"})).ok(201);
    let expected = json!({"id": added["id"], "vm_id": template, "path": "init.js", "order_index": 0, "mode": "eval"});
    assert_eq!(added, expected);
    assert_eq!(daemon.get(&files).ok(200), json!([added]));
    assert_eq!(daemon.get(&format!("/templates/{template}")).ok(200)["startup_files"], json!([added]));
}

#[test]
fn startup_files_are_listed_by_order_then_by_creation() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let files = format!("/templates/{template}/startup-files");
    for (path, order) in [("c.js", 20), ("b.js", 10), ("a.js", 20), ("z.js", -1)] {
        daemon.post(&files, &json!({"path": path, "order_index": order})).ok(201);
    }
    assert_eq!(paths(&daemon.get(&files).ok(200)), ["z.js", "b.js", "c.js", "a.js"]);
}

#[test]
fn a_path_is_normalised_and_taken_once_per_template() {
    let daemon = Daemon::start();
    let template = template_with(&daemon, &["runtime/init.js"]);
    let files = format!("/templates/{template}/startup-files");
    for path in ["runtime/init.js", "./runtime/init.js", "runtime//init.js"] {
        daemon.post(&files, &json!({"path": path})).refused(409, "ALREADY_EXISTS");
    }
    assert_eq!(daemon.post(&files, &json!({"path": "./a/./b.js"})).ok(201)["path"], "a/b.js");
    let other = daemon.template("other", &json!({}));
    daemon.post(&format!("/templates/{other}/startup-files"), &json!({"path": "runtime/init.js"})).ok(201);
}

#[test]
fn what_cannot_be_a_startup_file_is_refused() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let files = format!("/templates/{template}/startup-files");
    daemon.post(&files, &json!({})).refused(400, "VALIDATION_ERROR");
    daemon.post(&files, &json!({"path": ""})).refused(400, "VALIDATION_ERROR");
    for path in ["/etc/passwd", "../x.js", "a/../../x.js"] {
        daemon.post(&files, &json!({"path": path})).refused(422, "INVALID_PATH");
    }
    for mode in ["import", "EVAL"] {
        daemon.post(&files, &json!({"path": "a.js", "mode": mode})).refused(422, "STARTUP_MODE_UNSUPPORTED");
    }
    assert_eq!(daemon.get(&files).ok(200), json!([]));
}

#[test]
fn a_removed_startup_file_is_gone_and_cannot_be_removed_again() {
    let daemon = Daemon::start();
    let template = template_with(&daemon, &["a.js", "b.js"]);
    let files = format!("/templates/{template}/startup-files");
    let first = text(&daemon.get(&files).ok(200)[0]["id"]);
    daemon.delete(&format!("{files}/{first}")).ok(200);
    assert_eq!(paths(&daemon.get(&files).ok(200)), ["b.js"]);
    daemon.delete(&format!("{files}/{first}")).refused(404, "STARTUP_FILE_NOT_FOUND");
    daemon.delete(&format!("{files}/nonsense")).refused(400, "VALIDATION_ERROR");
}

#[test]
fn startup_files_of_an_unknown_template_are_404_and_of_a_bad_id_400() {
    let daemon = Daemon::start();
    for (id, status, code) in [(NOBODY, 404, "TEMPLATE_NOT_FOUND"), ("x", 400, "VALIDATION_ERROR")] {
        let files = format!("/templates/{id}/startup-files");
        daemon.get(&files).refused(status, code);
        daemon.post(&files, &json!({"path": "a.js"})).refused(status, code);
        daemon.delete(&format!("{files}/{NOBODY}")).refused(status, code);
    }
}

#[test]
fn startup_files_run_in_order_as_executions_with_their_events() {
    let daemon = Daemon::start();
    daemon.write("one.js", "var trace = ['one']; console.log('from one');");
    daemon.write("two.js", "trace.push('two'); trace.length");
    let session = daemon.session_of(&template_with(&daemon, &["one.js", "two.js"]));
    assert_eq!(daemon.repl(&session, "trace").ok(201)["result"]["json"], json!(["one", "two"]));

    let executions = daemon.executions(&session);
    let startup: Vec<_> = executions.iter().filter(|execution| execution["kind"] == "startup").collect();
    let paths: Vec<_> = startup.iter().map(|execution| &execution["path"]).collect();
    assert_eq!(paths, ["two.js", "one.js"]);
    let recorded = daemon.get(&format!("/executions/{}/events", text(&startup[1]["id"]))).ok(200);
    let expected = json!([
        [1, "input_echo", {"text": "one.js"}],
        [2, "console", {"level": "log", "text": "from one"}],
        [3, "value", {"type": "undefined", "preview": "undefined"}],
    ]);
    assert_eq!(events(&recorded), expected);
}

#[test]
fn a_session_whose_startup_file_throws_is_crashed_and_holds_no_runtime() {
    let daemon = Daemon::start();
    daemon.write("bad.js", "throw new TypeError('no such thing')");
    daemon.write("never.js", "1");
    let template = template_with(&daemon, &["bad.js", "never.js"]);
    let details = daemon.post("/sessions", &daemon.new_session(&template)).refused(422, "STARTUP_FAILED");
    let session = text(&details["session_id"]);

    let crashed = daemon.get(&format!("/sessions/{session}")).ok(200);
    assert_eq!(crashed["status"], "crashed");
    assert!(text(&crashed["last_error"]).contains("TypeError: no such thing"), "{crashed}");
    assert_eq!(daemon.get("/runtime/summary").ok(200)["active_sessions"], 0);
    daemon.repl(&session, "1").refused(409, "SESSION_NOT_READY");
    let executions = daemon.executions(&session);
    assert_eq!(executions.len(), 1, "{executions:?}");
    assert_eq!((&executions[0]["kind"], &executions[0]["status"]), (&json!("startup"), &json!("error")));
}

#[test]
fn a_session_whose_startup_file_is_missing_is_crashed() {
    let daemon = Daemon::start();
    let template = template_with(&daemon, &["missing.js"]);
    let details = daemon.post("/sessions", &daemon.new_session(&template)).refused(422, "STARTUP_FAILED");
    let crashed = daemon.get(&format!("/sessions/{}", text(&details["session_id"]))).ok(200);
    assert_eq!(crashed["status"], "crashed");
    assert!(text(&crashed["last_error"]).contains("missing.js"), "{crashed}");
}
