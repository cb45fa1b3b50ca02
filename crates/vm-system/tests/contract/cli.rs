//! The commands, their flags and their defaults.

use std::path::Path;

use crate::binary;

/// What `--help` says of a command, in one line.
#[track_caller]
fn help(line: &str) -> String {
    let mut command = binary::command(Path::new("/"));
    let help = binary::run(command.args(line.split(' ')).arg("--help"), "").ok();
    help.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_command_of_the_contract_is_there() {
    for line in [
        "serve",
        "template create",
        "template list",
        "template get",
        "template update",
        "template delete",
        "template add-startup",
        "template list-startup",
        "template remove-startup",
        "template add-capability",
        "template list-capabilities",
        "template remove-capability",
        "template add-module",
        "template remove-module",
        "template list-modules",
        "template add-library",
        "template remove-library",
        "template list-libraries",
        "template list-available-modules",
        "template list-available-libraries",
        "session create",
        "session list",
        "session get",
        "session close",
        "exec repl",
        "exec run-file",
        "exec list",
        "exec get",
        "exec events",
        "ops health",
        "ops runtime-summary",
        "libs download",
        "libs list",
        "libs cache-info",
    ] {
        let help = help(line);
        assert!(help.contains(&format!("Usage: vm-system {line}")), "{line}: {help}");
        for flag in ["--db", "--server-url", "--log-level", "--json"] {
            assert!(help.contains(flag), "{line} has no {flag}: {help}");
        }
    }
}

#[test]
fn commands_have_the_flags_of_the_contract() {
    for (line, flags) in [
        ("serve", "--listen --cache-dir"),
        ("template create", "--name --engine --settings"),
        ("template update", "--name --limits --resolver --runtime"),
        ("template add-startup", "--path --order --mode"),
        ("template add-capability", "--kind --name --config --enabled"),
        ("template add-module", "--name"),
        ("template remove-module", "--name"),
        ("template add-library", "--name"),
        ("template remove-library", "--name"),
        ("session create", "--template-id --workspace-id --base-commit --worktree-path"),
        ("session list", "--status --limit"),
        ("exec run-file", "--args --env"),
        ("exec list", "--limit"),
        ("exec events", "--after-seq"),
        ("libs download", "--via"),
    ] {
        let help = help(line);
        for flag in flags.split(' ') {
            assert!(help.contains(&format!("{flag} <")), "{line} has no {flag}: {help}");
            let variable = format!("VM_SYSTEM_{}", flag[2..].replace('-', "_").to_uppercase());
            assert!(help.contains(&format!("[env: {variable}")), "{line} {flag} has no {variable}: {help}");
        }
    }
}

#[test]
fn defaults_are_those_of_the_contract() {
    for (line, defaults) in [
        ("template list", vec!["[default: vm-system.db]", "[default: http://127.0.0.1:3210]"]),
        ("serve", vec!["[default: 127.0.0.1:3210]", "[default: .vm-cache/libraries]"]),
        ("exec events", vec!["[default: 0]"]),
        ("template add-startup", vec!["[default: 0]", "[default: eval]"]),
    ] {
        let help = help(line);
        for default in defaults {
            assert!(help.contains(default), "{line}: no {default} in {help}");
        }
    }
}
