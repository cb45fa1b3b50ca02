//! `POST /executions/run-file`

use std::{os::unix::fs::symlink, process::Command};

use serde_json::json;

use crate::{
    daemon::{Daemon, NOBODY},
    http::{events, text},
};

#[test]
fn a_file_is_run_and_echoed_by_its_path() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("scripts/sum.js", "var sum = 1 + 2; console.log('sum', sum); sum");
    let ran = daemon.run_file(&session, "scripts/sum.js").ok(201);
    assert_eq!(
        (&ran["kind"], &ran["path"], &ran["status"]),
        (&json!("run_file"), &json!("scripts/sum.js"), &json!("ok"))
    );
    let expected = json!([
        [1, "input_echo", {"text": "scripts/sum.js"}],
        [2, "console", {"level": "log", "text": "sum 3"}],
        [3, "value", {"type": "number", "preview": "3", "json": 3}],
    ]);
    assert_eq!(events(&ran["events"]), expected);
    assert_eq!(daemon.repl(&session, "sum").ok(201)["result"]["json"], 3, "what a file defines is there afterwards");
}

#[test]
fn args_and_env_are_there_for_that_execution_only() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("a.js", "[__ARGS__, __ENV__, process.env.B]");
    let request = json!({"session_id": session, "path": "a.js", "args": ["x", "y z"], "env": {"A": "1", "B": "2"}});
    let ran = daemon.post("/executions/run-file", &request).ok(201);
    assert_eq!(ran["result"]["json"], json!([["x", "y z"], {"A": "1", "B": "2"}, "2"]));
    assert_eq!((&ran["args"], &ran["env"]), (&request["args"], &request["env"]));
    let later = daemon.repl(&session, "[globalThis.__ARGS__?.length ?? 0, globalThis.process?.env?.A]").ok(201);
    assert_eq!(later["result"]["json"], json!([0, null]));
}

#[test]
fn a_file_that_throws_is_201_with_status_error_and_its_name_in_the_stack() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("bad.js", "\nthrow new RangeError('too far')");
    let ran = daemon.run_file(&session, "bad.js").ok(201);
    assert_eq!((&ran["status"], &ran["error"]["message"]), (&json!("error"), &json!("RangeError: too far")));
    assert!(text(&ran["error"]["stack"]).contains("bad.js:2"), "{ran}");
}

#[test]
fn a_path_that_leaves_the_worktree_is_invalid() {
    let daemon = Daemon::start();
    let session = daemon.session();
    std::fs::write(daemon.folder.path().join("outside.js"), "'outside'").unwrap();
    let outside = daemon.folder.path().join("outside.js");
    daemon.write("in/here.js", "1");
    symlink(&outside, daemon.worktree().join("link.js")).unwrap();
    symlink("../outside.js", daemon.worktree().join("relative-link.js")).unwrap();
    symlink(daemon.folder.path(), daemon.worktree().join("folder-link")).unwrap();
    for path in [
        outside.to_str().unwrap(),
        "/etc/passwd",
        "../outside.js",
        "in/../../outside.js",
        "in/../in/here.js",
        "..",
        "link.js",
        "relative-link.js",
        "folder-link/outside.js",
    ] {
        daemon.run_file(&session, path).refused(422, "INVALID_PATH");
    }
    assert!(daemon.executions(&session).iter().all(|execution| execution["status"] != "running"));
    assert_eq!(daemon.repl(&session, "1").ok(201)["status"], "ok");
}

#[test]
fn a_symlink_that_stays_in_the_worktree_is_followed() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("real/a.js", "'inside'");
    symlink("real/a.js", daemon.worktree().join("link.js")).unwrap();
    assert_eq!(daemon.run_file(&session, "link.js").ok(201)["result"]["json"], "inside");
}

#[test]
fn what_is_not_a_regular_file_is_not_found() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("folder/a.js", "1");
    let fifo = daemon.worktree().join("fifo.js");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for path in ["missing.js", "folder/missing.js", "missing/a.js", "folder", "folder/a.js/b.js", "fifo.js"] {
        daemon.run_file(&session, path).refused(404, "FILE_NOT_FOUND");
    }
    assert!(daemon.executions(&session).iter().all(|execution| execution["status"] != "running"));
    assert_eq!(daemon.repl(&session, "1").ok(201)["status"], "ok");
}

#[test]
fn a_path_is_checked_after_the_session() {
    let daemon = Daemon::start();
    daemon.run_file(NOBODY, "../x.js").refused(404, "SESSION_NOT_FOUND");
}
