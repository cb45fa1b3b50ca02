//! What the commands print.

use serde_json::{Value, json};

use crate::{binary, daemon::Daemon, http::text};

#[track_caller]
fn parse(line: &str) -> Value {
    assert_eq!(line.lines().count(), 1, "{line}");
    serde_json::from_str(line).unwrap()
}

#[test]
fn empty_lists_say_so() {
    let daemon = Daemon::start();
    assert_eq!(daemon.cli(&["template", "list"]).ok(), "No templates found\n");
    assert_eq!(daemon.cli(&["session", "list"]).ok(), "No sessions found\n");
    let session = daemon.session();
    assert_eq!(daemon.cli(&["exec", "list", &session]).ok(), "No executions found\n");
    let template = text(&daemon.get("/templates").ok(200)[0]["id"]);
    assert_eq!(daemon.cli(&["template", "list-startup", &template]).ok(), "No startup files found\n");
    let execution = text(&daemon.repl(&session, "1").ok(201)["id"]);
    assert_eq!(daemon.cli(&["exec", "events", &execution, "--after-seq", "9"]).ok(), "No events found\n");
}

#[test]
fn lists_are_tables_with_a_header_and_the_id_first() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.repl(&session, "1").ok(201);
    let template = text(&daemon.get("/templates").ok(200)[0]["id"]);
    daemon.cli(&["template", "add-startup", &template, "--path", "a.js"]).ok();
    for args in [
        vec!["template", "list"],
        vec!["template", "list-startup", &template],
        vec!["session", "list", "--status", "ready", "--template-id", &template, "--limit", "5"],
        vec!["exec", "list", &session, "--limit", "5"],
    ] {
        let table = daemon.cli(&args).ok();
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 2, "{table}");
        assert!(lines[0].starts_with("ID  ") && lines[1].as_bytes()[36..38] == *b"  ", "{table}");
        assert!(lines.iter().all(|line| line.trim_end() == *line), "{table}");
    }
}

#[test]
fn a_name_cannot_forge_a_line() {
    let daemon = Daemon::start();
    let template = daemon.template("evil\u{202e}gnp", &json!({}));
    let listed = daemon.cli(&["template", "list"]).ok();
    assert!(listed.lines().count() == 2 && listed.contains("  evil\\u202egnp  "), "{listed}");
    let mut new = daemon.new_session(&template);
    new["workspace_id"] = json!("evil\nStatus: closed\u{1b}[2J");
    let session = text(&daemon.post("/sessions", &new).ok(201)["id"]);
    let shown = daemon.cli(&["session", "get", &session]).ok();
    assert!(shown.contains("\nWorkspace ID: evil\\nStatus: closed\\u001b[2J\n"), "{shown}");
    assert_eq!(daemon.cli(&["session", "list"]).ok().lines().count(), 2);
    assert_eq!(parse(&daemon.cli(&["session", "list", "--json"]).ok())[0]["workspace_id"], new["workspace_id"]);
}

#[test]
fn json_is_the_answer_of_the_api_on_one_line() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let execution = text(&daemon.repl(&session, "console.log('hi'); 42").ok(201)["id"]);
    let template = text(&daemon.get("/templates").ok(200)[0]["id"]);
    for (args, path) in [
        (vec!["ops", "health"], "/health".into()),
        (vec!["ops", "runtime-summary"], "/runtime/summary".into()),
        (vec!["template", "list"], "/templates".into()),
        (vec!["template", "get", &template], format!("/templates/{template}")),
        (vec!["template", "list-startup", &template], format!("/templates/{template}/startup-files")),
        (vec!["session", "list"], "/sessions".into()),
        (vec!["session", "get", &session], format!("/sessions/{session}")),
        (vec!["exec", "list", &session], format!("/executions?session_id={session}")),
        (vec!["exec", "get", &execution], format!("/executions/{execution}")),
        (vec!["exec", "events", &execution], format!("/executions/{execution}/events")),
    ] {
        let printed = daemon.cli(&[args, vec!["--json"]].concat()).ok();
        assert_eq!(parse(&printed), daemon.get(&path).ok(200));
    }
}

#[test]
fn json_of_what_changes_something_is_its_answer_too() {
    let daemon = Daemon::start();
    let worktree = daemon.worktree();
    let created = parse(
        &daemon
            .cli(&["--json", "template", "create", "--name", "a", "--settings", r#"{"limits":{"wall_ms":300}}"#])
            .ok(),
    );
    let template = text(&created["id"]);
    assert_eq!(daemon.get(&format!("/templates/{template}")).ok(200)["settings"]["limits"]["wall_ms"], 300);
    let added = parse(&daemon.cli(&["template", "--json", "add-startup", &template, "--path", "a.js"]).ok());
    assert_eq!(added["path"], "a.js");
    parse(&daemon.cli(&["template", "remove-startup", &template, &text(&added["id"]), "--json"]).ok());
    let session = parse(
        &daemon
            .cli(&[
                "session",
                "create",
                "--template-id",
                &template,
                "--workspace-id",
                "w",
                "--base-commit",
                "c",
                "--worktree-path",
                worktree.to_str().unwrap(),
                "--json",
            ])
            .ok(),
    );
    let ran = parse(&daemon.cli(&["exec", "repl", "--json", &text(&session["id"]), "42"]).ok());
    assert_eq!((&ran["result"]["json"], ran["events"].as_array().unwrap().len()), (&json!(42), 2));
    assert_eq!(parse(&daemon.cli(&["session", "close", &text(&session["id"]), "--json"]).ok())["status"], "closed");
    assert_eq!(parse(&daemon.cli(&["template", "delete", &template, "--json"]).ok())["status"], "ok");
}

#[test]
fn a_single_thing_is_shown_as_lines_of_key_and_value() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let execution = text(&daemon.repl(&session, "1 + 1").ok(201)["id"]);
    let template = text(&daemon.get("/templates").ok(200)[0]["id"]);
    for (args, lines) in [
        (
            ["template", "get", &template],
            vec![
                "Name: plain",
                "Engine: quickjs",
                "  Runtime: {\"esm\":false,\"strict\":false,\"console\":true,\"durability\":\"execution\"}",
            ],
        ),
        (["session", "get", &session], vec!["Status: ready", "Workspace ID: ws", "Base Commit: abc"]),
        (
            ["exec", "get", &execution],
            vec![
                "Kind: repl",
                "Status: ok",
                "Input: 1 + 1",
                "Result: {\"type\":\"number\",\"preview\":\"2\",\"json\":2}",
            ],
        ),
    ] {
        let shown = daemon.cli(&args).ok();
        for line in lines {
            assert!(shown.lines().any(|shown| shown == line), "no {line:?} in {shown}");
        }
    }
}

#[test]
fn the_summary_lists_the_live_sessions() {
    let daemon = Daemon::start();
    assert_eq!(daemon.cli(&["ops", "health"]).ok(), "Status: ok\n");
    let session = daemon.session();
    let summary = daemon.cli(&["ops", "runtime-summary"]).ok();
    let expected =
        "Active Sessions: 1\nRunning Executions: 0\nResident Sessions: 1 (0 bytes)\nHibernated Sessions: 0\n";
    assert_eq!(summary, format!("{expected}Session ID: {session}\n"));
}

#[test]
fn a_snippet_may_come_from_standard_input_and_may_begin_with_a_hyphen() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let ran = daemon.cli_with_input(&["exec", "repl", &session, "-"], "var a = 20;\na + 1\n").ok();
    assert!(ran.contains("\"json\":21}\n"), "{ran}");
    for (code, result) in [("-1", "-1"), ("-a", "-20"), ("--a", "19")] {
        let ran = daemon.cli(&["exec", "repl", &session, code]).ok();
        assert!(ran.contains(&format!("\"json\":{result}}}\n")), "{ran}");
    }
}

#[test]
fn args_and_env_may_be_repeated_or_given_as_json() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("a.js", "JSON.stringify([__ARGS__, __ENV__])");
    let run = |more: &[&str]| {
        let ran = parse(&daemon.cli(&[&["exec", "run-file", &session, "a.js", "--json"], more].concat()).ok());
        serde_json::from_str::<Value>(&text(&ran["result"]["json"])).unwrap()
    };
    let expected = json!([["-v", "x y"], {"A": "1", "B": "b=c"}]);
    assert_eq!(run(&["--args", "-v", "--args", "x y", "--env", "A=1", "--env", "B=b=c"]), expected);
    assert_eq!(run(&["--args", r#"["-v","x y"]"#, "--env", r#"{"A":"1","B":"b=c"}"#]), expected);
    assert_eq!(run(&[]), json!([[], {}]));
}

#[test]
fn every_flag_may_be_a_variable_and_a_typed_one_wins() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let create = |typed: &[&str]| {
        let mut command = binary::command(daemon.folder.path());
        command.env("VM_SYSTEM_SERVER_URL", &daemon.url).env("VM_SYSTEM_JSON", "1");
        command.env("VM_SYSTEM_TEMPLATE_ID", &template).env("VM_SYSTEM_WORKSPACE_ID", "from variable");
        command.env("VM_SYSTEM_BASE_COMMIT", "c").env("VM_SYSTEM_WORKTREE_PATH", daemon.worktree());
        parse(&binary::run(command.args(["session", "create"]).args(typed), "").ok())
    };
    assert_eq!(create(&[])["workspace_id"], "from variable");
    assert_eq!(create(&["--workspace-id", "typed"])["workspace_id"], "typed");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let execution = daemon.repl(&session, "for (let i = 0; i < 900; i++) console.log('x'.repeat(400))").ok(201);
    let command = format!(
        "{} exec events {} | head -1; exit ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_vm-system"),
        text(&execution["id"])
    );
    let mut shell = std::process::Command::new("bash");
    let output = binary::run(shell.args(["-c", &command]).env("VM_SYSTEM_SERVER_URL", &daemon.url), "");
    assert!(output.ok().starts_with("[1] input_echo: "));
}

#[test]
fn a_machine_without_certificates_reaches_its_daemon() {
    let daemon = Daemon::start();
    let mut command = binary::command(daemon.folder.path());
    let nowhere = daemon.folder.path().join("nowhere");
    command.args(["ops", "health", "--server-url", &daemon.url]);
    command.env("SSL_CERT_FILE", &nowhere).env("SSL_CERT_DIR", &nowhere);
    binary::run(&mut command, "").ok();
}
