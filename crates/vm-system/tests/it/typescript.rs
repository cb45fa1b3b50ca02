//! The OpenAPI document as others use it: a validator, and a TypeScript client that is made from it.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::daemon::Daemon;

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/typescript");

/// Runs npm with the developer's own environment, in which it knows its registry; what it said.
#[track_caller]
fn npm(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("npm is needed, `make setup` installs it: {error}"));
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "npm {arguments:?}: {said}");
    said
}

#[test]
fn the_document_is_valid_and_a_client_that_is_made_from_it_performs_the_walk() {
    let daemon = Daemon::start();
    daemon.write("runtime/globals.js", "var seed = base * 4;");
    daemon.write("runtime/init.js", "globalThis.base = 10;");
    daemon.write("transforms/normalize.js", "var runs = (globalThis.runs ?? 0) + 1; runs;");

    let project = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = project.path();
    for file in fs::read_dir(PROJECT).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    fs::write(folder.join("openapi.json"), daemon.get("/openapi.json").ok(200).to_string()).unwrap();

    npm(folder, &["ci", "--no-audit", "--no-fund"]);
    npm(folder, &["run", "validate"]);
    npm(folder, &["run", "generate"]);
    npm(folder, &["run", "build"]);
    let url = format!("{}/api/v1", daemon.url);
    let walk = npm(folder, &["run", "walk", "--", &url, daemon.worktree().to_str().unwrap()]);
    assert!(walk.contains("\nthe walk is done\n"), "{walk}");
}

#[test]
fn the_lock_file_names_no_registry() {
    let lock = fs::read_to_string(format!("{PROJECT}/package-lock.json")).unwrap();
    assert!(lock.contains("\"integrity\""));
    assert!(!lock.contains("\"resolved\""), "write it with npm install --omit-lockfile-registry-resolved");
}
