//! The module `exec`: what a command answers, and its end.

use std::path::Path;

use serde_json::json;

use crate::{
    daemon::{Daemon, wait_for},
    http::text,
};

/// Starts a child, a child in a session of its own, and waits; each has written its number into a file.
const FAMILY: &str = "echo $$ > parent.pid; sh -c 'echo $$ > child.pid; exec sleep 1000' & \
                      setsid sh -c 'echo $$ > far.pid; exec sleep 1000' & wait";

fn number(daemon: &Daemon, name: &str) -> Option<u32> {
    let file = daemon.worktree().join(format!("{name}.pid"));
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// The numbers of the family, as soon as all run.
fn family(daemon: &Daemon) -> Vec<u32> {
    ["parent", "child", "far"].map(|name| wait_for(|| number(daemon, name))).to_vec()
}

#[track_caller]
fn assert_gone(numbers: &[u32]) {
    for number in numbers {
        assert!(!Path::new(&format!("/proc/{number}")).exists(), "{number} is still there");
    }
}

/// A new session of a new template with `exec` and these limits; its id.
#[track_caller]
fn limited(daemon: &Daemon, limits: &serde_json::Value) -> String {
    daemon.session_of(&daemon.template_with("limited", &json!({"limits": limits}), &["exec"]))
}

#[test]
fn run_answers_both_streams_as_one_string_and_runs_in_the_worktree() {
    let daemon = Daemon::start();
    let session = daemon.session_with(&["exec"]);
    daemon.write("here.txt", "");
    let code = "require('exec').run('sh', ['-c', 'ls; echo error >&2; echo \"$1\"', 'sh', 'an argument'])";
    assert_eq!(daemon.preview(&session, code), "here.txt\nerror\nan argument\n");
    assert_eq!(daemon.preview(&session, "require('exec').run('true')"), "");
}

#[test]
fn a_non_zero_exit_throws_with_code_status_and_output() {
    let daemon = Daemon::start();
    let session = daemon.session_with(&["exec"]);
    let fails = "require('exec').run('sh', ['-c', 'echo out; echo err >&2; exit 3'])";
    assert_eq!(daemon.failure(&session, fails), "Error: exit status 3");
    let caught = format!("try {{ {fails} }} catch (e) {{ JSON.stringify([e.code, e.status, e.output]) }}");
    assert_eq!(daemon.preview(&session, &caught), r#"["ERR_CHILD_PROCESS_STATUS",3,"out\nerr\n"]"#);
}

#[test]
fn at_the_wall_limit_the_whole_process_group_is_killed() {
    let daemon = Daemon::start();
    let session = limited(&daemon, &json!({"wall_ms": 3000}));
    let details = daemon.repl(&session, &format!("require('exec').run('sh', ['-c', {}])", json!(FAMILY)));
    assert_eq!(details.refused(422, "OUTPUT_LIMIT_EXCEEDED")["limit"], "wall_ms");
    assert_gone(&family(&daemon));
    assert_eq!(daemon.preview(&session, "require('exec').run('echo', ['on'])"), "on\n");
}

#[test]
fn what_commands_compute_counts_against_the_cpu_limit() {
    let daemon = Daemon::start();
    let session = limited(&daemon, &json!({"cpu_ms": 300, "wall_ms": 60_000}));
    daemon.repl(&session, "var kept = 1").ok(201);
    for script in ["while :; do :; done", "sh -c 'while :; do :; done' & sh -c 'while :; do :; done'; wait"] {
        let details = daemon.repl(&session, &format!("require('exec').run('sh', ['-c', {}])", json!(script)));
        let details = details.refused(422, "OUTPUT_LIMIT_EXCEEDED");
        assert_eq!((&details["limit"], &details["configured"]), (&json!("cpu_ms"), &json!(300)));
        let execution = daemon.get(&format!("/executions/{}", text(&details["execution_id"]))).ok(200);
        assert_eq!(execution["status"], "timeout");
        assert!(execution["metrics"]["cpu_ms"].as_f64().unwrap() >= 290.0, "{execution}");
    }
    assert_eq!(daemon.preview(&session, "kept"), "1");
    assert_eq!(daemon.preview(&session, "require('exec').run('echo', ['on'])"), "on\n");
}

#[test]
fn a_command_that_prints_too_much_is_killed_at_the_output_limit() {
    let daemon = Daemon::start();
    let session = limited(&daemon, &json!({"max_output_kb": 64}));
    let details = daemon.repl(&session, "require('exec').run('sh', ['-c', 'echo $$ > parent.pid; exec yes'])");
    assert_eq!(details.refused(422, "OUTPUT_LIMIT_EXCEEDED")["limit"], "max_output_kb");
    assert_gone(&[number(&daemon, "parent").unwrap()]);
    assert_eq!(daemon.preview(&session, "require('exec').run('echo', ['on'])"), "on\n");
}

#[test]
fn closing_the_session_kills_what_runs_in_it() {
    let daemon = Daemon::start();
    let session = daemon.session_with(&["exec"]);
    let code = format!("require('exec').run('sh', ['-c', {}])", json!(FAMILY));
    let answer = daemon.while_running(&session, &code, || {
        let numbers = family(&daemon);
        daemon.delete(&format!("/sessions/{session}")).ok(200);
        assert_gone(&numbers);
    });
    assert_eq!(answer.ok(201)["status"], "cancelled");
}

#[test]
fn nothing_that_a_command_leaves_behind_survives_the_execution() {
    let daemon = Daemon::start();
    let session = daemon.session_with(&["exec"]);
    for leave in
        ["sleep 1000 &", "setsid sleep 1000 &", "(setsid sleep 1000 &) &", "nohup sleep 1000 > /dev/null 2>&1 &"]
    {
        let code = format!("require('exec').run('sh', ['-c', '{leave} echo $! $$'])");
        let numbers = daemon.preview(&session, &code);
        let numbers: Vec<u32> = numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
        assert_gone(&numbers);
    }
    daemon.preview(&session, "require('exec').run('sh', ['-c', 'setsid sh -c \"echo \\\\$\\\\$ > far.pid; sleep 1000\" & while ! [ -s far.pid ]; do :; done'])");
    assert_gone(&[number(&daemon, "far").unwrap()]);
}

#[test]
fn a_capability_narrows_the_commands() {
    let daemon = Daemon::start();
    let template = daemon.template_with("a", &json!({}), &["exec"]);
    let narrow = json!({"kind": "module", "name": "exec", "config": {"allow": ["echo"]}});
    daemon.post(&format!("/templates/{template}/capabilities"), &narrow).ok(201);
    let session = daemon.session_of(&template);
    assert_eq!(daemon.preview(&session, "require('exec').run('echo', ['allowed'])"), "allowed\n");
    let failed = daemon.repl(&session, "require('exec').run('ls')").ok(201);
    let message = text(&failed["error"]["message"]);
    assert!(message.contains("\"ls\"") && message.contains("echo"), "{message}");
}
