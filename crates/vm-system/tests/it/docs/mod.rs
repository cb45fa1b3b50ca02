//! Every command of the help topics and of the README, run as it stands.
//!
//! A document's `bash` blocks are run one after the other, in one shell, in an empty folder. A `text` or `json` block shows
//! what the commands before it print at the end. A block of `bash fails` ends with a command that fails, and `sh` is for
//! what cannot be run here: it needs the network or the user's password.
//!
//! | module | what it holds |
//! |---|---|
//! | `blocks` | a document's blocks |
//! | `shell` | running the commands of a document |
//! | `compare` | what was printed against what is shown |

mod blocks;
mod compare;
mod shell;

use std::{fs, path::PathBuf};

use vm_model::Settings;

use self::blocks::{Block, blocks};
use crate::{binary, document::DOCUMENT};

/// The folder of the whole source.
fn source() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(source().join(path)).unwrap()
}

/// Runs a document and compares what it shows.
#[track_caller]
fn check(path: &str) {
    let document = read(path);
    let blocks = blocks(&document);
    let mut printed = shell::run(path, &document, &blocks).into_iter();
    let mut last = None;
    for Block { language, line, content, .. } in &blocks {
        let place = format!("{path}:{line}");
        match *language {
            "bash" => last = printed.next(),
            "text" | "json" => {
                let Some(printed) = last.take() else { panic!("{place}: nothing before this block has printed it") };
                let agrees = if *language == "text" { compare::text } else { compare::json };
                assert!(agrees(content, &printed), "{place} shows\n{content}\nand this was printed:\n{printed}");
            }
            // a drawing, and what is not run
            "" | "sh" | "console" => last = None,
            other => panic!("{place}: no kind of block is called {other:?}"),
        }
    }
    assert!(!blocks.is_empty(), "{path} has no blocks");
}

#[test]
fn readme() {
    check("README.md");
}

#[test]
fn getting_started() {
    check("docs/getting-started.md");
}

#[test]
fn templates_and_sessions() {
    check("docs/templates-and-sessions.md");
}

#[test]
fn api_reference() {
    check("docs/api-reference.md");
}

#[test]
fn cli_command_reference() {
    check("docs/cli-command-reference.md");
}

#[test]
fn architecture() {
    check("docs/architecture.md");
}

#[test]
fn examples() {
    check("docs/examples.md");
}

#[test]
fn benchmarks() {
    check("docs/benchmarks.md");
}

#[test]
fn contributing() {
    check("docs/contributing.md");
}

#[test]
fn every_document_is_a_topic_and_is_printed_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let list = binary::run(binary::command(folder.path()).arg("help"), "").ok();
    let mut documents = 0;
    for entry in fs::read_dir(source().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        let topic = path.file_stem().unwrap().to_str().unwrap();
        assert!(list.contains(&format!("\n  {topic} ")), "{list}");
        let shown = binary::run(binary::command(folder.path()).args(["help", topic]), "").ok();
        assert_eq!(shown, fs::read_to_string(&path).unwrap());
        documents += 1;
    }
    assert_eq!(documents, 8);
}

#[test]
fn every_route_and_every_error_code_is_in_the_reference() {
    let reference = read("docs/api-reference.md");
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            let route = format!("`{} {}", method.to_uppercase(), path.trim_start_matches("/api/v1"));
            assert!(["`", "?"].iter().any(|end| reference.contains(&format!("{route}{end}"))), "no {route}`");
        }
    }
    let codes = DOCUMENT["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
    for code in codes {
        assert!(reference.contains(&format!("`{}`", code.as_str().unwrap())), "no {code}");
    }
}

#[test]
fn every_setting_is_explained_with_its_default() {
    let topic = read("docs/templates-and-sessions.md");
    let settings = serde_json::to_value(Settings::default()).unwrap();
    for (group, settings) in settings.as_object().unwrap() {
        for (name, default) in settings.as_object().unwrap() {
            let default = if default.is_number() { default.to_string() } else { format!("`{default}`") };
            assert!(topic.contains(&format!("| `{group}.{name}` | {default} |")), "no {group}.{name} with {default}");
        }
    }
}

#[test]
fn every_function_of_a_native_module_is_explained() {
    let topic = read("docs/templates-and-sessions.md");
    for module in vm_core::catalog::modules() {
        for function in module.functions {
            assert!(
                topic.contains(&format!("`{function}(")) || topic.contains(&format!("`{function}`")),
                "no {function}"
            );
        }
    }
}
