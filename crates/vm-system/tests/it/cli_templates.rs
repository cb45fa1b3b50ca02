//! The commands that change templates.

use serde_json::{Value, json};

use crate::daemon::{Daemon, NOBODY};

#[test]
fn update_changes_what_its_flags_name() {
    let daemon = Daemon::start();
    let template = daemon.template("before", &json!({}));
    let updated = daemon
        .cli(&[
            "template",
            "update",
            &template,
            "--name",
            "after",
            "--active",
            "false",
            "--limits",
            r#"{"wall_ms":250}"#,
            "--resolver",
            r#"{"roots":["src"]}"#,
            "--runtime",
            r#"{"esm":true}"#,
        ])
        .ok();
    assert_eq!(updated, format!("Updated template: after (ID: {template})\n"));
    let detail = daemon.get(&format!("/templates/{template}")).ok(200);
    assert_eq!(detail["template"]["is_active"], false);
    let settings = &detail["settings"];
    let changed = json!([settings["limits"]["wall_ms"], settings["resolver"]["roots"], settings["runtime"]["esm"]]);
    assert_eq!((changed, &settings["limits"]["cpu_ms"]), (json!([250, ["src"], true]), &json!(5000)));

    let updated = daemon.cli(&["template", "update", &template]).ok();
    assert_eq!(updated, format!("Updated template: after (ID: {template})\n"));
    let shown = daemon.cli(&["template", "update", &template, "--active", "true", "--json"]).ok();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown, daemon.get(&format!("/templates/{template}")).ok(200));
}

#[test]
fn capabilities_are_added_listed_and_removed() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let list = || daemon.cli(&["template", "list-capabilities", &template]).ok();
    assert_eq!(list(), "No capabilities found\n");
    let config = r#"{"allow":["git"]}"#;
    let added = daemon
        .cli(&["template", "add-capability", &template, "--kind", "module", "--name", "exec", "--config", config])
        .ok();
    assert_eq!(added, format!("Added capability: module:exec to template {template}\n"));
    let added = daemon
        .cli(&["template", "add-capability", &template, "--kind", "module", "--name", "fs", "--enabled", "false"])
        .ok();
    assert_eq!(added, format!("Added capability: module:fs to template {template}\n"));

    let table = list();
    let cells: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(cells[0], ["ID", "KIND", "NAME", "ENABLED", "CONFIG"]);
    assert_eq!(cells[1][1..], ["module", "exec", "true", config]);
    assert_eq!(cells[2][1..], ["module", "fs", "false", "{}"]);
    let shown = daemon.cli(&["template", "get", &template]).ok();
    for line in table.lines() {
        assert!(shown.lines().any(|shown| shown == format!("  {line}")), "no {line:?} in {shown}");
    }

    let removed = daemon.cli(&["template", "remove-capability", &template, cells[1][0]]).ok();
    assert_eq!(removed, format!("Removed capability: module:exec from template {template}\n"));
    let removed = daemon.cli(&["template", "remove-capability", &template, cells[2][0], "--json"]).ok();
    let expected = json!({"status": "ok", "template_id": template, "capability_id": cells[2][0]});
    assert_eq!(serde_json::from_str::<Value>(&removed).unwrap(), expected);
    assert_eq!(list(), "No capabilities found\n");
}

#[test]
fn modules_and_libraries_are_added_listed_and_removed() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    for (noun, plural, names) in
        [("module", "modules", ["exec", "database"]), ("library", "libraries", ["ramda", "lodash-4.17.21"])]
    {
        let run = |verb: &str, name: &str| {
            daemon.cli(&["template", &format!("{verb}-{noun}"), &template, "--name", name]).ok()
        };
        let list = || daemon.cli(&["template", &format!("list-{plural}"), &template]).ok();
        assert_eq!(list(), format!("No {plural} found\n"));
        for name in names {
            assert_eq!(run("add", &name.to_uppercase()), format!("Added {noun}: {name} to template {template}\n"));
        }
        assert_eq!(list(), format!("{}\n{}\n", names[0], names[1]));
        for _ in 0..2 {
            assert_eq!(run("remove", names[0]), format!("Removed {noun}: {} from template {template}\n", names[0]));
        }
        assert_eq!(list(), format!("{}\n", names[1]));
    }
}

#[test]
fn the_catalogs_are_printed_as_json() {
    let daemon = Daemon::start();
    for of in ["modules", "libraries"] {
        let printed = daemon.cli(&["template", &format!("list-available-{of}")]).ok();
        let catalog = daemon.get(&format!("/catalog/{of}")).ok(200);
        assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), catalog);
        assert_eq!(daemon.cli(&["template", &format!("list-available-{of}"), "--json"]).ok(), printed);
    }
}

#[test]
fn json_is_the_answer_of_the_api() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let run = |args: &[&str]| -> Value {
        let printed = daemon.cli(&[&["--json", "template"], args].concat()).ok();
        serde_json::from_str(&printed).unwrap()
    };
    let added = run(&["add-capability", &template, "--kind", "module", "--name", "fs"]);
    assert_eq!(run(&["list-capabilities", &template]), json!([added]));
    let expected = json!({"name": "fs", "template_id": template});
    assert_eq!(run(&["add-module", &template, "--name", "fs"]), expected);
    assert_eq!(run(&["list-modules", &template]), json!(["fs"]));
    let expected = json!({"status": "ok", "template_id": template, "name": "fs"});
    assert_eq!(run(&["remove-module", &template, "--name", "fs"]), expected);
    assert_eq!(run(&["list-libraries", &template]), json!([]));
}

#[test]
fn refusals_are_one_line_with_status_and_code() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    daemon.template("taken", &json!({}));
    for (args, status, code) in [
        (vec!["update", &template, "--name", "taken"], 409, "ALREADY_EXISTS"),
        (vec!["update", &template, "--limits", "7"], 400, "VALIDATION_ERROR"),
        (vec!["update", NOBODY], 404, "TEMPLATE_NOT_FOUND"),
        (vec!["add-capability", &template, "--kind", "cpu", "--name", "a"], 400, "VALIDATION_ERROR"),
        (vec!["add-capability", &template, "--kind", "module", "--name", "http"], 422, "MODULE_NOT_ALLOWED"),
        (vec!["remove-capability", &template, NOBODY], 404, "CAPABILITY_NOT_FOUND"),
        (vec!["remove-capability", NOBODY, NOBODY], 404, "TEMPLATE_NOT_FOUND"),
        (vec!["add-module", &template, "--name", "JSON"], 422, "MODULE_NOT_ALLOWED"),
        (vec!["add-library", &template, "--name", "../x-1"], 400, "VALIDATION_ERROR"),
        (vec!["list-modules", NOBODY], 404, "TEMPLATE_NOT_FOUND"),
        (vec!["list-libraries", "nonsense"], 400, "VALIDATION_ERROR"),
    ] {
        let stderr = daemon.cli(&[vec!["template"], args].concat()).failed(1);
        assert!(stderr.starts_with(&format!("Error: api error (status={status}, code={code}): ")), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn wrong_usage_exits_2() {
    let daemon = Daemon::start();
    for args in [
        vec!["update"],
        vec!["update", NOBODY, "--active", "perhaps"],
        vec!["update", NOBODY, "--limits", "{"],
        vec!["add-capability", NOBODY, "--kind", "fs"],
        vec!["add-capability", NOBODY, "--kind", "fs", "--name", "a", "--config", "[]"],
        vec!["add-capability", NOBODY, "--kind", "fs", "--name", "a", "--enabled", "1"],
        vec!["remove-capability", NOBODY],
        vec!["add-module", NOBODY],
        vec!["list-libraries"],
        vec!["list-available-modules", NOBODY],
    ] {
        assert!(!daemon.cli(&[vec!["template"], args].concat()).failed(2).is_empty());
    }
}
