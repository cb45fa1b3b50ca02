//! What becomes of the database file while a daemon has it open. Nothing is confirmed that would be lost with the file; when
//! the file is as it was, the same daemon goes on.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{daemon::Daemon, served::Served};

/// The file, beside it a second name of it, and what was in it.
struct Database {
    path: PathBuf,
    second: PathBuf,
    content: Vec<u8>,
}

impl Database {
    fn of(daemon: &Daemon) -> Self {
        let path = daemon.folder.path().join("x.db");
        let second = path.with_file_name("second.db");
        fs::hard_link(&path, &second).unwrap();
        Self { content: fs::read(&path).unwrap(), path, second }
    }

    /// The very file, under its own name again.
    fn put_back(&self) {
        fs::rename(&self.second, &self.path).unwrap();
        if !self.second.exists() {
            fs::hard_link(&self.path, &self.second).unwrap();
        }
    }

    /// What was in it, in the same file.
    fn write_back(&self) {
        fs::write(&self.path, &self.content).unwrap();
    }

    fn open(&self) -> File {
        File::options().write(true).open(&self.path).unwrap()
    }

    fn overwrite(&self, from: usize, to: usize) {
        let garbage: Vec<u8> = (from..to).map(|at| (at * 7919 % 251) as u8).collect();
        self.open().write_all_at(&garbage, from as u64).unwrap();
    }
}

/// A daemon whose database file has a history in it, and not only the log beside it.
fn served() -> Served {
    let mut first = Served::start();
    for _ in 0..20 {
        first.count().unwrap();
    }
    Served::new(first.daemon.restart())
}

fn write_elsewhere(path: &Path, content: &[u8]) {
    let other = path.with_file_name("other.db");
    fs::write(&other, content).unwrap();
    fs::rename(other, path).unwrap();
}

type Act = fn(&Database);

const FAULTS: &[(&str, Act, Act)] = &[
    ("deleted", |database| fs::remove_file(&database.path).unwrap(), Database::put_back),
    ("replaced by a copy", |database| write_elsewhere(&database.path, &database.content), Database::put_back),
    ("replaced by garbage", |database| write_elsewhere(&database.path, &[7; 100_000]), Database::put_back),
    ("replaced by nothing", |database| write_elsewhere(&database.path, &[]), Database::put_back),
    ("emptied", |database| database.open().set_len(0).unwrap(), Database::write_back),
    ("cut off", |database| database.open().set_len(database.content.len() as u64 / 2).unwrap(), Database::write_back),
    ("overwritten", |database| database.overwrite(0, database.content.len()), Database::write_back),
    ("overwritten in the middle", |database| database.overwrite(8192, 60_000), Database::write_back),
];

#[test]
fn nothing_is_confirmed_that_would_be_lost_and_with_the_file_the_daemon_is_back() {
    let mut served = served();
    let database = Database::of(&served);
    for (name, break_it, mend) in FAULTS {
        break_it(&database);
        assert_eq!(served.count(), Err((503, "STORAGE_UNAVAILABLE".into())), "{name}");
        served.post("/templates", &json!({"name": name})).refused(503, "STORAGE_UNAVAILABLE");
        served.post("/sessions", &served.new_session(&served.template));
        served.get("/health").ok(200);
        let read = served.get("/templates").status;
        assert!([200, 503].contains(&read), "{name}: {read}");
        mend(&database);
        served.goes_on();
    }
    served.has_logged("was moved, deleted or replaced");
    served.has_logged("another program has written to the database");

    let Served { mut daemon, template, session, recorded } = served;
    daemon.signal("TERM");
    Served { daemon: daemon.restart(), template, session, recorded }.has_its_history();
}

#[test]
fn a_daemon_that_ends_meanwhile_leaves_what_the_file_does_not_have() {
    for (name, break_it, mend) in FAULTS {
        let mut served = served();
        let database = Database::of(&served);
        served.count().unwrap();
        break_it(&database);
        let Served { mut daemon, template, session, recorded } = served;
        daemon.signal("TERM");
        mend(&database);
        eprintln!("{name}");
        Served { daemon: daemon.restart(), template, session, recorded }.has_its_history();
    }
}

#[test]
fn another_program_may_write_to_the_database() {
    let mut served = served();
    // As a backup does that folds the log into the file.
    let database = Database::of(&served);
    database.write_back();
    served.goes_on();
}
