//! The walk of the founding document, command by command.

use crate::daemon::Daemon;

/// What follows `prefix` on a line of its own.
#[track_caller]
fn after(prefix: &str, output: &str) -> String {
    let line = output.lines().find_map(|line| line.strip_prefix(prefix));
    line.unwrap_or_else(|| panic!("no {prefix:?} in {output}")).to_owned()
}

#[track_caller]
fn template(daemon: &Daemon) -> String {
    let created = daemon.cli(&["template", "create", "--name", "etl-runner", "--engine", "goja"]).ok();
    let template = after("Created template: etl-runner (ID: ", &created).replace(')', "");
    assert_eq!(created, format!("Created template: etl-runner (ID: {template})\n"));
    template
}

#[track_caller]
fn session(daemon: &Daemon, template: &str) -> String {
    let worktree = daemon.worktree();
    let worktree = worktree.to_str().unwrap();
    let created = daemon
        .cli(&[
            "session",
            "create",
            "--template-id",
            template,
            "--workspace-id",
            "etl-ws",
            "--base-commit",
            "abc123",
            "--worktree-path",
            worktree,
        ])
        .ok();
    let session = after("Created session: ", &created);
    assert_eq!(
        created,
        format!(
            "Created session: {session}\nStatus: ready\nTemplate ID: {template}\nWorkspace ID: etl-ws\n\
             Base Commit: abc123\nWorktree Path: {worktree}\n"
        )
    );
    session
}

#[test]
fn the_whole_walk() {
    let daemon = Daemon::start();
    let template = template(&daemon);

    // Added in the wrong order on purpose: the second needs what the first has made.
    daemon.write("runtime/globals.js", "var seed = base * 4;");
    daemon.write("runtime/init.js", "globalThis.base = 10;");
    for (path, order) in [("runtime/globals.js", "20"), ("runtime/init.js", "10")] {
        let added = daemon
            .cli(&["template", "add-startup", &template, "--path", path, "--order", order, "--mode", "eval"])
            .ok();
        assert_eq!(added, format!("Added startup file: {path} (order: {order}) to template {template}\n"));
    }
    let session = session(&daemon, &template);

    let sum = daemon.cli(&["exec", "repl", &session, "seed + 2"]).ok();
    let execution = after("Execution ID: ", &sum);
    assert_eq!(
        sum,
        format!(
            "Execution ID: {execution}\nStatus: ok\nResult: {{\"type\":\"number\",\"preview\":\"42\",\"json\":42}}\n\n\
             Events:\n[1] input_echo: {{\"text\":\"seed + 2\"}}\n\
             [2] value: {{\"type\":\"number\",\"preview\":\"42\",\"json\":42}}\n"
        )
    );

    daemon.write("transforms/normalize.js", "var runs = (globalThis.runs ?? 0) + 1; console.log('run', runs); runs;");
    for runs in ["1", "2"] {
        let ran = daemon.cli(&["exec", "run-file", &session, "transforms/normalize.js"]).ok();
        assert!(ran.contains("\nStatus: ok\n"), "{ran}");
        assert!(ran.contains("\n[1] input_echo: {\"text\":\"transforms/normalize.js\"}\n"), "{ran}");
        assert!(ran.contains(&format!("\n[2] console: {{\"level\":\"log\",\"text\":\"run {runs}\"}}\n")), "{ran}");
        assert!(ran.contains(&format!("\"preview\":\"{runs}\"")), "{ran}");
    }

    let listed = daemon.cli(&["exec", "list", &session]).ok();
    let kinds: Vec<_> = listed.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(kinds, ["KIND", "run_file", "run_file", "repl", "startup", "startup"]);

    let events = daemon.cli(&["exec", "events", &execution, "--after-seq", "1"]).ok();
    assert_eq!(events, "[2] value: {\"type\":\"number\",\"preview\":\"42\",\"json\":42}\n");

    let closed = daemon.cli(&["session", "close", &session]).ok();
    assert_eq!(closed, format!("Closed session: {session}\n"));
    let got = daemon.cli(&["session", "get", &session]).ok();
    assert_eq!(after("Status: ", &got), "closed");
}

#[test]
fn a_snippet_that_logs_and_returns_has_exactly_the_documented_three_events() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let ran = daemon.cli(&["exec", "repl", &session, "console.log('hi'); 42"]).ok();
    let events = ran.split_once("\nEvents:\n").unwrap().1;
    assert_eq!(
        events,
        "[1] input_echo: {\"text\":\"console.log('hi'); 42\"}\n\
         [2] console: {\"level\":\"log\",\"text\":\"hi\"}\n\
         [3] value: {\"type\":\"number\",\"preview\":\"42\",\"json\":42}\n"
    );
    let again = daemon.cli(&["exec", "events", &after("Execution ID: ", &ran), "--after-seq", "0"]).ok();
    assert_eq!(again, events);
}
