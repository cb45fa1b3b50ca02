//! Startup files: when they are added to a template, and when a session is created.

use serde_json::json;

use crate::{http::text, world::World};

#[test]
fn a_path_that_leads_out_cannot_be_added() {
    let world = World::new();
    let template = world.template(&json!({}), &[]);
    let session = world.session_at(&template, &world.work());
    for (path, said) in [
        ("../secret.js", "path \"../secret.js\" has '..'"),
        ("./../secret.js", "has '..'"),
        (".//..//secret.js", "has '..'"),
        ("sub/../../secret.js", "has '..'"),
        ("sub/../inside.js", "has '..'"),
        ("inside.js/../../secret.js", "has '..'"),
        ("../into/inside.js", "has '..'"),
        ("..", "has '..'"),
        ("$OUT/secret.js", "is absolute"),
        ("$WORK/inside.js", "is absolute"),
        ("$WORK/../secret.js", "is absolute"),
        ("//secret.js", "is absolute"),
        ("/", "is absolute"),
        ("/etc/passwd", "is absolute"),
        (".", "names no file"),
        ("./", "names no file"),
        ("inside.js\0", "has a NUL character"),
        ("inside.js\0/../../secret.js", "has a NUL character"),
    ] {
        let new = json!({"path": world.fill(path)});
        let answer = world.daemon.post(&format!("/templates/{template}/startup-files"), &new);
        world.judge(&session, path, said, &answer);
        answer.refused(422, "INVALID_PATH");
    }
    assert_eq!(world.daemon.get(&format!("/templates/{template}/startup-files")).ok(200), json!([]));
}

/// A session whose startup file is at this path does not come to be, and what is left of it tells nothing.
#[track_caller]
fn crashes(world: &World, free: &str, path: &str, said: &str) {
    let template = world.template(&json!({}), &[]);
    let path = world.fill(path);
    world.daemon.post(&format!("/templates/{template}/startup-files"), &json!({"path": path})).ok(201);
    let answer = world.daemon.post("/sessions", &world.new_session(&template));
    world.judge(free, &path, said, &answer);
    let session = text(&answer.refused(422, "STARTUP_FAILED")["session_id"]);
    let crashed = world.daemon.get(&format!("/sessions/{session}")).ok(200);
    assert_eq!(crashed["status"], "crashed", "{crashed}");
    let mut told = crashed.to_string();
    for execution in world.daemon.executions(&session) {
        told += &execution.to_string();
        told += &world.daemon.get(&format!("/executions/{}/events", text(&execution["id"]))).ok(200).to_string();
    }
    world.untouched(&path, &told);
}

#[test]
fn a_path_that_leads_out_when_the_session_is_created_crashes_it() {
    let world = World::new();
    let free = world.session(&json!({}), &[]);
    for path in [
        "link.js",
        "link.mjs",
        "link.txt",
        "absolute.js",
        "chain.js",
        "dangling.js",
        "and-back.js",
        "up/secret.js",
        "sub/up/secret.js",
        "folder/secret.js",
        "absolute-folder/index.js",
        "sibling/secret.js",
        "back/inside.js",
        "root/etc/passwd",
        "proc-root/etc/passwd",
        "proc-cwd/x.db",
        "proc-fd/0",
    ] {
        crashes(&world, &free, path, "leads out of the worktree");
    }
    for path in [
        "%2e%2e/secret.js",
        "..%2fsecret.js",
        "..\\secret.js",
        "file:$OUT/secret.js",
        "inside.js/inside.js",
        "sub",
        "fifo.js",
        "socket.js",
        "loop.js",
    ] {
        crashes(&world, &free, path, "not found");
    }
}

#[test]
fn what_a_startup_file_asks_for_leads_no_further_than_what_a_session_asks_for() {
    let world = World::new();
    let free = world.session(&json!({}), &[]);
    for (name, source, said) in [
        ("a.js", "require('../secret.js')", "it leads out of the worktree"),
        ("b.js", "require('./link.js')", "leads out of the worktree"),
        ("c.mjs", "import '../secret.mjs'", "it leads out of the worktree"),
        ("d.mjs", "import './up/secret.mjs'", "leads out of the worktree"),
        ("e.js", "await import('../secret.mjs')", "it leads out of the worktree"),
        ("sub/f.js", "require('../../secret.js')", "it leads out of the worktree"),
    ] {
        std::fs::write(world.work().join(name), source).unwrap();
        crashes(&world, &free, name, said);
    }
}
