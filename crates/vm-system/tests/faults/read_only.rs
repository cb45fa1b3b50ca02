//! A database that may not be written.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
};

use rustix::process::getuid;

use crate::{
    binary,
    daemon::{CODE_CACHE, Daemon},
    served::Served,
};

/// The binary without what lets root write everywhere.
fn command(folder: &Path) -> Command {
    if getuid().is_root() {
        binary::command_by(folder, "setpriv", &["--bounding-set", "-dac_override,-dac_read_search"])
    } else {
        binary::command(folder)
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A daemon's folder after its orderly end.
fn ended(served: Served) -> (tempfile::TempDir, Vec<String>, String) {
    let Served { mut daemon, session, recorded, .. } = served;
    let (status, _) = daemon.signal("TERM");
    assert_eq!(status.code(), Some(0));
    (daemon.into_folder(), recorded, session)
}

#[test]
fn a_database_that_may_not_be_written_is_an_error_that_names_it_and_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let start = command(folder.path());
    let mut served = Served::start_by(start, folder, &[]);
    served.count().unwrap();
    let (folder, recorded, session) = ended(served);
    let database = folder.path().join("x.db");
    let content = fs::read(&database).unwrap();
    for (path, mode) in [(database.as_path(), 0o444), (folder.path(), 0o555)] {
        let usual = fs::metadata(path).unwrap().permissions().mode();
        set_mode(path, mode);
        let mut command = command(folder.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--db", "x.db", "--code-cache", CODE_CACHE]);
        let error = binary::run(&mut command, "").failed(1);
        set_mode(path, usual);
        assert!(error.lines().last().unwrap().starts_with("Error: cannot open the database"), "{error}");
        assert!(error.contains("x.db") && error.contains("writable"), "{error}");
        assert!(!error.contains("panicked"), "{error}");
        assert!(fs::read(&database).unwrap() == content);
    }
    let start = command(folder.path());
    let daemon = Daemon::start_by(start, folder, &[]);
    let mut served = Served::new(daemon);
    served.goes_on();
    let listed = served.executions(&session);
    assert_eq!(listed.len(), recorded.len());
}

#[test]
fn a_database_that_becomes_read_only_stays_open_to_its_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let start = command(folder.path());
    let mut served = Served::start_by(start, folder, &[]);
    let folder = served.folder.path().to_path_buf();
    let files = ["x.db", "x.db-wal", "x.db-shm"].map(|name| folder.join(name));
    for file in &files {
        set_mode(file, 0o444);
    }
    set_mode(&folder, 0o555);
    served.goes_on();
    set_mode(&folder, 0o755);
    for file in files.iter().filter(|file| file.exists()) {
        set_mode(file, 0o644);
    }
    served.goes_on();
}
