//! The library cache, and filling it through npm.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::binary::{self, Output};

/// Each file of the catalog, as `libs list` shows it.
pub const FILES: [(&str, &str, &str, usize); 6] = [
    ("lodash", "4.17.21", "_", 73015),
    ("moment", "2.29.4", "moment", 58103),
    ("axios", "1.6.0", "axios", 32316),
    ("ramda", "0.29.0", "R", 52543),
    ("dayjs", "1.11.10", "dayjs", 7160),
    ("zustand", "4.4.7", "zustand", 1874),
];

pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = binary::command(folder);
    command.arg("libs").args(args);
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    binary::run(&mut command(folder, args), "")
}

/// The same with the developer's own environment, in which npm knows its registry.
pub fn run_with_npm(folder: &Path, args: &[&str]) -> Output {
    let own = env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("VM_SYSTEM_"));
    binary::run(command(folder, args).envs(own), "")
}

/// A folder with the files of the whole catalog, which is filled once for all tests.
pub fn catalog_files() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libraries");
    let filled = run_with_npm(Path::new("/"), &["download", "--via", "npm", "--cache-dir", folder.to_str().unwrap()]);
    assert_eq!(filled.code, Some(0), "npm and its registry are needed:\n{}{}", filled.stdout, filled.stderr);
    folder
}

/// What `libs list` says about each library of the default folder: NAME-VERSION and status.
#[track_caller]
pub fn statuses(folder: &Path) -> Vec<(String, String)> {
    let list: Vec<Value> = serde_json::from_str(&run(folder, &["list", "--json"]).ok()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.iter()
        .map(|line| (format!("{}-{}", text(&line["name"]), text(&line["version"])), text(&line["status"])))
        .collect()
}

/// All of the catalog with this status.
pub fn all(status: &str) -> Vec<(String, String)> {
    FILES.iter().map(|(name, version, ..)| (format!("{name}-{version}"), status.into())).collect()
}

#[test]
fn npm_brings_the_whole_catalog_and_every_hash_holds() {
    let folder = tempfile::tempdir().unwrap();
    let first = run_with_npm(folder.path(), &["download", "--via", "npm"]);
    let mut expected: String = FILES
        .iter()
        .map(|(name, version, _, bytes)| format!("Downloaded {name}-{version} ({bytes} bytes, npm)\n"))
        .collect();
    expected += "6 of 6 libraries are in .vm-cache/libraries\n";
    assert_eq!(first.stdout, expected, "npm and its registry are needed:\n{}", first.stderr);
    assert_eq!(first.code, Some(0));
    assert!(first.stderr.contains("lodash-4.17.21: getting npm package lodash@4.17.21\n"), "{}", first.stderr);
    assert_eq!(statuses(folder.path()), all("cached"));

    let again = run(folder.path(), &["download"]).ok();
    let mut expected: String =
        FILES.iter().map(|(name, version, ..)| format!("Already cached: {name}-{version}\n")).collect();
    expected += "6 of 6 libraries are in .vm-cache/libraries\n";
    assert_eq!(again, expected);
}

#[test]
fn a_damaged_library_is_listed_as_such_and_downloaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join(".vm-cache/libraries");
    fs::create_dir_all(&cache).unwrap();
    fs::write(cache.join("zustand-4.4.7.js"), "half a fi").unwrap();
    assert_eq!(statuses(folder.path())[5], ("zustand-4.4.7".into(), "damaged".into()));
    let repaired = run_with_npm(folder.path(), &["download", "zustand", "--via", "npm"]);
    assert!(repaired.stdout.starts_with("Downloaded zustand-4.4.7 (1874 bytes, npm)\n"), "{}", repaired.stdout);
    assert_eq!(statuses(folder.path())[5], ("zustand-4.4.7".into(), "cached".into()));
}

#[test]
fn an_empty_cache_has_everything_missing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(statuses(folder.path()), all("missing"));
    assert_eq!(
        run(folder.path(), &["cache-info"]).ok(),
        "Path: .vm-cache/libraries\nLibraries Cached: 0 of 6\nFiles: 0\nBytes: 0\n"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "looking makes nothing");
}

#[test]
fn the_list_shows_the_catalog_and_what_else_is_cached() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::copy(catalog_files().join("dayjs-1.11.10.js"), cache.join("dayjs-1.11.10.js")).unwrap();
    fs::write(cache.join("lodash-4.17.21.js"), "evil()").unwrap();
    fs::write(cache.join("mine-1.0.js"), "var mine").unwrap();
    fs::write(cache.join("notes.txt"), "not a library").unwrap();
    let table = "\
NAME     VERSION  GLOBAL   STATUS   SIZE
lodash   4.17.21  _        damaged  6
moment   2.29.4   moment   missing  -
axios    1.6.0    axios    missing  -
ramda    0.29.0   R        missing  -
dayjs    1.11.10  dayjs    cached   7160
zustand  4.4.7    zustand  missing  -
mine     1.0      -        cached   8
";
    assert_eq!(run(folder.path(), &["list", "--cache-dir", "cache"]).ok(), table);
    let json = |args: &[&str]| serde_json::from_str::<Value>(&run(folder.path(), args).ok()).unwrap();
    let list = json(&["list", "--cache-dir", "cache", "--json"]);
    assert_eq!(
        list[0],
        json!({"name": "lodash", "version": "4.17.21", "global": "_", "status": "damaged", "bytes": 6})
    );
    assert_eq!(list[6], json!({"name": "mine", "version": "1.0", "global": null, "status": "cached", "bytes": 8}));
    assert_eq!(
        run(folder.path(), &["cache-info", "--cache-dir", "cache"]).ok(),
        "Path: cache\nLibraries Cached: 1 of 6\nFiles: 3\nBytes: 7174\n"
    );
    assert_eq!(
        json(&["cache-info", "--cache-dir", "cache", "--json"]),
        json!({"path": "cache", "cached": 1, "catalog": 6, "files": 3, "bytes": 7174})
    );
}

#[test]
fn the_folder_may_come_from_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path(), &["cache-info"]);
    let info = binary::run(command.env("VM_SYSTEM_CACHE_DIR", "elsewhere"), "").ok();
    assert!(info.starts_with("Path: elsewhere\n"), "{info}");
}

#[test]
fn what_is_not_in_the_catalog_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["left-pad", "lodash-4.17.20", "../lodash", ""] {
        let stderr = run(folder.path(), &["download", name]).failed(2);
        assert!(stderr.contains("lodash, moment, axios, ramda, dayjs, zustand"), "{stderr}");
    }
    for (flag, value) in [("--via", "ftp"), ("--cdn", "cdn.jsdelivr.net")] {
        let stderr = run(folder.path(), &["download", flag, value]).failed(2);
        assert!(stderr.contains(value) && stderr.contains(flag), "{stderr}");
    }
}

#[test]
fn a_library_that_is_named_twice_is_one_library() {
    let folder = tempfile::tempdir().unwrap();
    let files = catalog_files();
    let args = ["download", "dayjs", "dayjs-1.11.10", "--cache-dir", files.to_str().unwrap()];
    let stdout = run(folder.path(), &args).ok();
    assert_eq!(stdout, format!("Already cached: dayjs-1.11.10\n1 of 1 libraries are in {}\n", files.display()));
}

/// Runs a download through an npm that is this shell script; what the report says.
#[track_caller]
fn download_with_npm(folder: &Path, script: Option<&str>) -> String {
    let programs = folder.join("bin");
    fs::create_dir_all(&programs).unwrap();
    if let Some(script) = script {
        fs::write(programs.join("npm"), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(programs.join("npm"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let output = binary::run(command(folder, &["download", "dayjs", "--via", "npm"]).env("PATH", &programs), "");
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    assert!(output.stderr.ends_with("Error: 1 of 1 libraries could not be downloaded\n"), "{}", output.stderr);
    assert!(output.stdout.ends_with("\n0 of 1 libraries are in .vm-cache/libraries\n"), "{}", output.stdout);
    assert_eq!(statuses(folder), all("missing"));
    output.stdout.lines().next().unwrap().to_owned()
}

#[test]
fn where_npm_is_of_no_use_the_report_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        download_with_npm(folder.path(), None),
        "Failed: dayjs-1.11.10: npm is not installed; install Node.js with npm, or get it with --via cdn"
    );
    for (script, reason) in [
        ("echo 'npm ERR! code E401' >&2; exit 1", "npm pack dayjs@1.11.10 failed: code E401; check npm's registry"),
        ("exit 3", "npm pack dayjs@1.11.10 failed: exit status: 3; check npm's registry"),
        ("exit 0", "npm left no tarball"),
        ("echo garbage >dayjs-1.11.10.tgz", "is unusable: "),
    ] {
        let failed = download_with_npm(folder.path(), Some(script));
        assert!(failed.starts_with("Failed: dayjs-1.11.10: ") && failed.contains(reason), "{failed}");
        assert!(failed.ends_with("or get it with --via cdn"), "{failed}");
    }
}

#[test]
fn another_file_from_npm_is_not_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let script = "PATH=/usr/bin:/bin; mkdir package; echo 'evil()' >package/dayjs.min.js; tar czf x.tgz package";
    let failed = download_with_npm(folder.path(), Some(script));
    assert!(
        failed.contains("what came from npm is not dayjs-1.11.10 as it was published: expected sha256 "),
        "{failed}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody can make a folder there, root included.
    let output = run_with_npm(folder.path(), &["download", "zustand", "--via", "npm", "--cache-dir", "/sys/libraries"]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stdout.starts_with("Failed: zustand-4.4.7: cannot write /sys/libraries/zustand-4.4.7.js: "),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("choose another with --cache-dir\n"), "{}", output.stdout);
    fs::write(folder.path().join("file"), "").unwrap();
    for args in [["list", "--cache-dir", "file"], ["cache-info", "--cache-dir", "file"]] {
        let stderr = run(folder.path(), &args).failed(1);
        assert!(stderr.starts_with("Error: cannot read file: "), "{stderr}");
    }
}
