//! What differs when the output is a terminal: tables fit, topics are laid out.

use std::{fs, path::Path, process::Command};

use serde_json::json;

use crate::{binary, daemon::Daemon, pty};

const ESCAPE: char = '\u{1b}';

/// `vm-system help getting-started` on a terminal that can show bold type.
fn topic() -> Command {
    let mut command = binary::command(Path::new("/"));
    command.args(["help", "getting-started"]).env("TERM", "xterm");
    command
}

#[test]
fn tables_are_no_wider_than_the_terminal_and_whole_elsewhere() {
    let daemon = Daemon::start();
    let template = daemon.template(&"long name ".repeat(20), &json!({}));
    let config = json!({"value": "x".repeat(200)});
    let capability = json!({"kind": "global", "name": "LONG", "config": config});
    daemon.post(&format!("/templates/{template}/capabilities"), &capability).ok(201);
    for args in
        [&["template", "list"][..], &["template", "list-capabilities", &template], &["template", "get", &template]]
    {
        let mut command = binary::command(daemon.folder.path());
        let lines = pty::run(command.args(args).env("VM_SYSTEM_SERVER_URL", &daemon.url), 60);
        let rows: Vec<_> = lines.iter().filter(|line| line.ends_with('…')).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.chars().count() == 60), "{args:?}: {lines:?}");
        let whole = daemon.cli(args).ok();
        assert!(!whole.contains('…') && whole.lines().any(|line| line.len() > 200), "{whole}");
    }
}

#[test]
fn a_payload_is_whole_on_a_terminal_too() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let mut command = binary::command(daemon.folder.path());
    command.args(["exec", "repl", &session, "'x'.repeat(300)"]).env("VM_SYSTEM_SERVER_URL", &daemon.url);
    let lines = pty::run(&mut command, 60);
    assert!(lines.iter().any(|line| line.starts_with("Result: ") && line.len() > 300), "{lines:?}");
}

#[test]
fn a_topic_is_wrapped_to_the_width_and_its_headings_are_bold() {
    for columns in [40, 80] {
        let lines = pty::run(&mut topic(), columns);
        assert!(lines[0].contains("\u{1b}[1mGetting"), "{lines:?}");
        let is_text = |line: &&String| !line.starts_with(' ') && !line.contains([ESCAPE, '(']);
        let text: Vec<_> = lines.iter().filter(is_text).collect();
        assert!(text.len() > 20 && text.iter().all(|line| line.chars().count() <= columns.into()), "{text:?}");
        assert!(lines.contains(&"    vm-system serve &".into()), "code is indented and whole: {lines:?}");
    }
}

#[test]
fn no_styles_where_they_are_not_wanted_or_cannot_be_shown() {
    for (variable, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "")] {
        let lines = pty::run(topic().env(variable, value), 80);
        assert_eq!(lines[0], "# Getting started", "{variable}={value}");
        assert!(lines.iter().all(|line| !line.contains(ESCAPE)), "{variable}={value}: {lines:?}");
    }
    assert!(pty::run(topic().env("NO_COLOR", ""), 80)[0].contains(ESCAPE), "an empty NO_COLOR means nothing");
}

#[test]
fn every_word_of_every_topic_is_shown() {
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).unwrap() {
        let path = entry.unwrap().path();
        let mut command = binary::command(Path::new("/"));
        let shown = pty::run(command.args(["help", path.file_stem().unwrap().to_str().unwrap()]), 80).join(" ");
        let document = fs::read_to_string(&path).unwrap();
        for word in document.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2) {
            let is_of_a_fence = ["bash", "text", "json", "fails"].contains(&word);
            assert!(is_of_a_fence || shown.contains(word), "{path:?} is shown without {word:?}");
        }
    }
}
