//! Sessions made from sessions.

use serde_json::json;

use crate::{
    daemon::{Daemon, NOBODY},
    http::text,
};

fn fork(daemon: &Daemon, session: &str) -> String {
    text(&daemon.post_nothing(&format!("/sessions/{session}/fork")).ok(201)["id"])
}

#[test]
fn a_fork_begins_where_its_parent_is_and_goes_its_own_way() {
    let daemon = Daemon::start();
    let parent = daemon.session();
    daemon.repl(&parent, "let n = 1; const add = m => n += m").ok(201);
    let child = fork(&daemon, &parent);
    assert_eq!(daemon.get(&format!("/sessions/{child}")).ok(200)["parent_session_id"], parent.as_str());
    assert_eq!(daemon.preview(&parent, "add(10)"), "11");
    assert_eq!(daemon.preview(&child, "add(100)"), "101");
    let grandchild = fork(&daemon, &child);
    daemon.post_nothing(&format!("/sessions/{parent}/close")).ok(200);
    daemon.post_nothing(&format!("/sessions/{child}/close")).ok(200);
    assert_eq!(daemon.preview(&grandchild, "add(0)"), "101");
    assert_eq!(daemon.executions(&grandchild).len(), 1);
}

#[test]
fn the_parent_may_be_hibernated_running_or_without_durability() {
    let daemon = Daemon::start();
    let hibernated = daemon.session();
    daemon.repl(&hibernated, "let n = 1").ok(201);
    daemon.post_nothing(&format!("/sessions/{hibernated}/hibernate")).ok(200);
    assert_eq!(daemon.preview(&fork(&daemon, &hibernated), "n"), "1");

    let running = daemon.session_of(&daemon.template("running", &json!({"limits": {"wall_ms": 2000, "cpu_ms": 2000}})));
    daemon.repl(&running, "let n = 2").ok(201);
    daemon.while_running(&running, "n = 3; for (;;);", || {
        assert_eq!(daemon.preview(&fork(&daemon, &running), "n"), "2");
    });

    let fleeting = daemon.session_of(&daemon.template("none", &json!({"runtime": {"durability": "none"}})));
    daemon.repl(&fleeting, "let n = 4").ok(201);
    assert_eq!(daemon.preview(&fork(&daemon, &fleeting), "n"), "4");
    assert_eq!(daemon.preview(&fleeting, "n"), "4");
}

#[test]
fn there_are_no_forks_of_what_is_closed_or_unknown() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.post_nothing(&format!("/sessions/{session}/close")).ok(200);
    assert_eq!(daemon.post_nothing(&format!("/sessions/{session}/fork")).status, 409);
    assert_eq!(daemon.post_nothing(&format!("/sessions/{NOBODY}/fork")).status, 404);
}

#[test]
fn the_command_line_forks_and_hibernates() {
    let daemon = Daemon::start();
    let parent = daemon.session();
    daemon.repl(&parent, "let n = 5").ok(201);
    let forked = daemon.cli(&["session", "fork", &parent]);
    assert!(forked.stdout.contains(&format!("Parent Session: {parent}\n")), "{}", forked.stdout);
    let child = forked.stdout.lines().next().unwrap().strip_prefix("Created session: ").unwrap().to_string();
    assert_eq!(daemon.preview(&child, "n"), "5");
    let hibernated = daemon.cli(&["session", "hibernate", &child]);
    assert!(hibernated.stdout.contains("Memory: hibernated, "), "{}", hibernated.stdout);
}
