//! `help` and `completions`.

use std::{path::Path, process::Command};

use crate::binary::{self, Output};

const TOPICS: [&str; 8] = [
    "getting-started",
    "templates-and-sessions",
    "api-reference",
    "cli-command-reference",
    "architecture",
    "examples",
    "benchmarks",
    "contributing",
];
const COMMANDS: [&str; 8] = ["serve", "template", "session", "exec", "ops", "libs", "help", "completions"];

fn run(args: &[&str]) -> Output {
    binary::run(binary::command(Path::new("/")).args(args), "")
}

#[test]
fn help_lists_the_topics_and_names_the_way_to_the_commands() {
    let list = run(&["help"]).ok();
    let mut lines = list.lines().skip_while(|line| *line != "Topics:").skip(1);
    for topic in TOPICS {
        assert!(lines.next().unwrap().starts_with(&format!("  {topic} ")), "{list}");
    }
    assert!(list.contains("vm-system --help") && list.contains("vm-system help COMMAND"), "{list}");
}

#[test]
fn help_of_a_command_is_what_it_says_of_itself() {
    for command in [&["serve"][..], &["template"], &["template", "create"], &["exec", "run-file"], &["help"]] {
        let asked = run(&[&["help"], command].concat()).ok();
        assert_eq!(asked, run(&[command, &["--help"]].concat()).ok());
        assert!(asked.contains(&format!("Usage: vm-system {}", command.join(" "))), "{asked}");
    }
}

#[test]
fn what_there_is_no_help_about_is_wrong_usage_that_lists_the_topics() {
    for args in [&["help", "nonsense"][..], &["help", "template", "nonsense"], &["help", ""]] {
        let stderr = run(args).failed(2);
        assert!(stderr.contains(&format!("{:?}", args[1..].join(" "))), "{stderr}");
        assert!(stderr.contains(&TOPICS.join(", ")), "{stderr}");
    }
    run(&["help", "examples", "more"]).failed(2);
}

#[test]
fn bash_completes_commands_topics_and_flags() {
    for (line, expected) in [
        ("tem", "template"),
        ("template add-mod", "add-module"),
        ("help getting", "getting-started"),
        ("session create --work", "--workspace-id --worktree-path"),
        ("completions z", "zsh"),
    ] {
        // as bash does it when Tab is pressed behind the line
        let script = format!(
            "source <(vm-system completions bash)
             COMP_WORDS=(vm-system {line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
             function=$(complete -p vm-system | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
             $function vm-system \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"
             echo \"${{COMPREPLY[*]}}\""
        );
        let programs = Path::new(env!("CARGO_BIN_EXE_vm-system")).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let completed = binary::run(Command::new("bash").args(["-c", &script]).env("PATH", path), "").ok();
        assert_eq!(completed.trim_end(), expected, "{line}");
    }
}

#[test]
fn there_are_completions_for_zsh_and_fish_too() {
    for shell in ["zsh", "fish"] {
        let script = run(&["completions", shell]).ok();
        for word in COMMANDS.iter().chain(&TOPICS).chain(&["add-startup", "run-file", "after-seq", "parallel"]) {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    for args in [&["completions"][..], &["completions", "csh"]] {
        assert!(!run(args).failed(2).is_empty());
    }
}
