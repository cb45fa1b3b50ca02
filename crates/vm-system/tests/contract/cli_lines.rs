//! The lines that scripts parse.

use serde_json::{Value, json};

use crate::{daemon::Daemon, http::text};

/// `Execution ID: UUID`, and what follows it.
#[track_caller]
fn execution(output: &str) -> (&str, &str) {
    let (first, rest) = output.split_once('\n').unwrap();
    (first.strip_prefix("Execution ID: ").unwrap_or_else(|| panic!("{output}")), rest)
}

#[test]
fn exec_repl_and_run_file_print_the_same_lines() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("a.js", "console.log('hi'); ({ a: [1] })");
    let value = r#"{"type":"object","preview":"{ a: [ 1 ] }","json":{"a":[1]}}"#;
    for (args, echo) in [
        (["exec", "repl", &session, "console.log('hi'); ({ a: [1] })"], "console.log('hi'); ({ a: [1] })"),
        (["exec", "run-file", &session, "a.js"], "a.js"),
    ] {
        let output = daemon.cli(&args).ok();
        let (id, rest) = execution(&output);
        assert_eq!(daemon.get(&format!("/executions/{id}")).ok(200)["status"], "ok");
        let expected = format!(
            "Status: ok\nResult: {value}\n\nEvents:\n[1] input_echo: {{\"text\":\"{echo}\"}}\n\
             [2] console: {{\"level\":\"log\",\"text\":\"hi\"}}\n[3] value: {value}\n"
        );
        assert_eq!(rest, expected);
    }
}

#[test]
fn a_script_that_threw_has_an_error_line_and_exits_1_after_its_output() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let output = daemon.cli(&["exec", "repl", &session, "console.error('oh'); throw 'no'"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""));
    let (id, rest) = execution(&output.stdout);
    let error = daemon.get(&format!("/executions/{id}")).ok(200)["error"].to_string();
    let expected = format!(
        "Status: error\nError: {error}\n\nEvents:\n[1] input_echo: {{\"text\":\"console.error('oh'); throw 'no'\"}}\n\
         [2] console: {{\"level\":\"error\",\"text\":\"oh\"}}\n[3] exception: {error}\n"
    );
    assert_eq!(rest, expected);
}

#[test]
fn a_result_without_json_has_none() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let output = daemon.cli(&["exec", "repl", &session, "var x = 1"]).ok();
    assert!(output.contains("\nResult: {\"type\":\"undefined\",\"preview\":\"undefined\"}\n"), "{output}");
}

#[test]
fn what_is_added_and_removed_is_said_in_one_line() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let run = |args: &[&str]| daemon.cli(&[&["template", args[0], &template], &args[1..]].concat()).ok();
    for (args, line) in [
        (&["add-module", "--name", "database"][..], format!("Added module: database to template {template}\n")),
        (&["remove-module", "--name", "database"], format!("Removed module: database from template {template}\n")),
        (
            &["add-library", "--name", "lodash-4.17.21"],
            format!("Added library: lodash-4.17.21 to template {template}\n"),
        ),
        (
            &["remove-library", "--name", "lodash-4.17.21"],
            format!("Removed library: lodash-4.17.21 from template {template}\n"),
        ),
        (
            &["add-capability", "--kind", "env", "--name", "home", "--config", r#"{"allow":["HOME"]}"#],
            format!("Added capability: env:home to template {template}\n"),
        ),
        (
            &["add-startup", "--path", "runtime/init.js", "--order", "10", "--mode", "eval"],
            format!("Added startup file: runtime/init.js (order: 10) to template {template}\n"),
        ),
        (&["add-startup", "--path", "b.js"], format!("Added startup file: b.js (order: 0) to template {template}\n")),
    ] {
        assert_eq!(run(args), line);
    }
    let file = text(&daemon.get(&format!("/templates/{template}/startup-files")).ok(200)[0]["id"]);
    assert_eq!(run(&["remove-startup", &file]), format!("Removed startup file: {file} from template {template}\n"));
    let capability = text(&daemon.get(&format!("/templates/{template}/capabilities")).ok(200)[0]["id"]);
    assert_eq!(
        run(&["remove-capability", &capability]),
        format!("Removed capability: env:home from template {template}\n")
    );
    assert_eq!(run(&["delete"]), format!("Deleted template: {template}\n"));
}

#[test]
fn a_failure_prints_status_code_and_message_to_standard_error_and_exits_1() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let failed = daemon.cli(&["template", "add-module", &template, "--name", "JSON"]).failed(1);
    let answer = daemon.post(&format!("/templates/{template}/modules"), &json!({"name": "JSON"}));
    let message = text(&answer.body["error"]["message"]);
    assert_eq!(failed, format!("Error: api error (status=422, code=MODULE_NOT_ALLOWED): {message}\n"));
    let session = daemon.session_of(&template);
    let failed = daemon.cli(&["exec", "run-file", &session, "../secret.js"]).failed(1);
    assert!(failed.starts_with("Error: api error (status=422, code=INVALID_PATH): "), "{failed}");
    let failed = daemon.cli(&["exec", "run-file", &session, "missing.js"]).failed(1);
    assert!(failed.starts_with("Error: api error (status=404, code=FILE_NOT_FOUND): "), "{failed}");
}

#[test]
fn global_flags_are_accepted_before_and_after_the_command() {
    let daemon = Daemon::start();
    let health = json!({"status": "ok"});
    for args in [["--json", "ops", "health"], ["ops", "--json", "health"], ["ops", "health", "--json"]] {
        let printed: Value = serde_json::from_str(&daemon.cli(&args).ok()).unwrap();
        assert_eq!(printed, health, "{args:?}");
    }
    for args in [["--server-url", &daemon.url, "ops", "health"], ["ops", "health", "--server-url", &daemon.url]] {
        assert_eq!(daemon.cli(&args).ok(), "Status: ok\n", "{args:?}");
    }
}
