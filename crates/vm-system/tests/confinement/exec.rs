//! The module `exec`: where commands run, which may be run, and what they get of the daemon.

use std::fs;

use serde_json::json;

use crate::{daemon::Daemon, http::text, world::World};

#[test]
fn commands_run_in_the_worktree_whatever_they_are_given() {
    let world = World::new();
    let session = world.session(&json!({}), &["exec"]);
    let worktree = fs::canonicalize(world.work()).unwrap();
    for arguments in [
        "'pwd', ['-P']",
        "'pwd', ['-P'], { cwd: '/' }",
        "'pwd', ['-P'], { cwd: '..', env: { PWD: '/' } }",
        "'sh', ['-c', 'pwd -P']",
        "'readlink', ['/proc/self/cwd']",
    ] {
        let code = format!("require('exec').run({arguments})");
        assert_eq!(world.daemon.preview(&session, &code).trim_end(), worktree.to_str().unwrap(), "{arguments}");
    }
    let files = world.daemon.preview(&session, "require('exec').run('ls', ['-l', '/proc/self/fd'])");
    assert!(!files.contains("x.db") && !files.contains("socket:"), "the daemon's files are not a command's: {files}");
}

#[test]
fn what_is_no_command_is_an_error_that_says_so() {
    let world = World::new();
    let session = world.session(&json!({}), &["exec"]);
    for (arguments, said) in [
        ("''", "the argument \"cmd\" names no command"),
        ("'ls\\0'", "has a NUL character"),
        ("'ls', ['..\\0']", "has a NUL character"),
        ("['ls', '..']", "\"cmd\" must be a string, not an array"),
        ("'ls', '..'", "\"args\" must be an array of strings, not a string"),
        ("'ls', [['..']]", "\"args\" must be an array of strings; it has an array in it"),
        ("'ls .. | cat'", "spawn ls .. | cat ENOENT"),
        ("'$(ls)'", "ENOENT"),
        ("'inside.js'", "spawn inside.js ENOENT"),
        ("'./inside.js'", "spawn ./inside.js EACCES"),
        ("'./sub'", "spawn ./sub EACCES"),
        ("'./fifo.js'", "EACCES"),
        ("'./dangling.js'", "ENOENT"),
        ("'./loop.js'", "ELOOP"),
    ] {
        world.fails(&session, &format!("require('exec').run({arguments})"), said);
    }
}

/// A session that may run `allow` alone; its worktree has a program of that name.
#[track_caller]
fn narrowed(daemon: &Daemon, allow: &str) -> String {
    let template = daemon.template("narrowed", &json!({}));
    let new = json!({"kind": "module", "name": "exec", "config": {"allow": [allow]}});
    daemon.post(&format!("/templates/{template}/capabilities"), &new).ok(201);
    daemon.session_of(&template)
}

#[test]
fn a_list_of_commands_cannot_be_got_around() {
    let world = World::new();
    let session = narrowed(&world.daemon, "echo");
    assert_eq!(world.daemon.preview(&session, "require('exec').run('echo', ['; ls /'])"), "; ls /\n");
    for command in [
        "ls",
        "/bin/echo",
        "./echo",
        "../echo",
        "sub/../echo",
        "ECHO",
        "echo ",
        " echo",
        "echo;ls",
        "echo\\n",
        "env",
        "sh",
    ] {
        let said = "is not among those that the session may run: echo";
        world.fails(&session, &format!("require('exec').run('{command}')"), said);
    }
    for code in [
        "Array.prototype.includes = () => true; require('exec').run('ls')",
        "require('exec').run('echo', { allow: ['ls'] })",
        "var run = require('exec').run; run.call({ allow: ['ls'] }, 'ls')",
    ] {
        world.judge(&session, code, "", &world.daemon.repl(&session, code));
    }
}

#[test]
fn a_program_of_the_worktree_does_not_take_the_place_of_a_command() {
    let world = World::new();
    let session = narrowed(&world.daemon, "echo");
    let program = world.daemon.worktree().join("echo");
    fs::copy("/bin/false", &program).unwrap();
    assert_eq!(world.daemon.preview(&session, "require('exec').run('echo', ['the system'])"), "the system\n");
    let session = world.daemon.session_with(&["exec"]);
    world.daemon.write("path.js", "process.env.PATH = '.'; console.log(require('exec').run('echo', ['the system']))");
    let body = json!({"session_id": session, "path": "path.js", "env": {"PATH": ".", "LD_PRELOAD": "./x.so"}});
    let ran = world.daemon.post("/executions/run-file", &body).ok(201);
    assert_eq!(text(&ran["events"][1]["payload"]["text"]), "the system\n", "{ran}");
}
