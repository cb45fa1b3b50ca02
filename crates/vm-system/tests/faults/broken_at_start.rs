//! A database that is damaged when a daemon starts: it is refused and left as it is, or what is whole of it is served.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    os::unix::fs::FileExt as _,
    path::Path,
    process::Stdio,
};

use crate::{
    binary,
    daemon::{CODE_CACHE, Daemon},
    served::Served,
};

fn overwrite(path: &Path, from: u64, length: usize) {
    let garbage: Vec<u8> = (0..length).map(|at| (at * 7919 % 251) as u8).collect();
    File::options().write(true).open(path).unwrap().write_all_at(&garbage, from).unwrap();
}

fn cut(path: &Path, length: u64) {
    File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// The database of a daemon that has ended, with a history.
fn ended() -> (tempfile::TempDir, Served) {
    let mut served = Served::start();
    for _ in 0..20 {
        served.count().unwrap();
    }
    served.daemon.signal("TERM");
    let copy = tempfile::tempdir().unwrap();
    fs::copy(served.folder.path().join("x.db"), copy.path().join("x.db")).unwrap();
    (copy, served)
}

#[test]
fn what_is_no_whole_database_is_refused_and_left_as_it_is() {
    let (folder, _served) = ended();
    let path = folder.path().join("x.db");
    let whole = fs::read(&path).unwrap();
    let length = whole.len();
    let damages: [(&str, &dyn Fn()); 5] = [
        ("garbage", &|| overwrite(&path, 0, length)),
        ("garbage at its head", &|| overwrite(&path, 0, 100)),
        ("garbage in its first page", &|| overwrite(&path, 100, 3000)),
        ("half of it", &|| cut(&path, length as u64 / 2)),
        ("a few bytes", &|| cut(&path, 50)),
    ];
    for (name, damage) in damages {
        damage();
        let damaged = fs::read(&path).unwrap();
        let mut command = binary::command(folder.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--db", "x.db", "--code-cache", CODE_CACHE]);
        let error = binary::run(&mut command, "").failed(1);
        assert!(error.starts_with("Error: cannot open the database "), "{name}: {error}");
        assert!(error.contains("x.db: ") && error.contains("; "), "{name}: {error}");
        assert!(fs::read(&path).unwrap() == damaged, "{name}: it was changed");
        fs::write(&path, &whole).unwrap();
    }
    Served::new(Daemon::start_with(folder, &[])).goes_on();
}

#[test]
fn what_is_damaged_somewhere_in_the_middle_is_an_error_of_what_needs_it() {
    let (folder, served) = ended();
    let path = folder.path().join("x.db");
    let whole = fs::read(&path).unwrap();
    let mut folder = Some(folder);
    for page in (1..whole.len() as u64 / 4096).step_by(5) {
        overwrite(&path, page * 4096, 4096);
        let own = folder.take().unwrap();
        folder = Some(match start(&own) {
            Err(error) => {
                assert!(error.starts_with("Error: ") && error.contains("; restore the file from a backup"), "{error}");
                own
            }
            Ok(()) => look_around(own, &served),
        });
        fs::write(&path, &whole).unwrap();
        for log in ["x.db-wal", "x.db-shm"] {
            let _ = fs::remove_file(path.with_file_name(log));
        }
    }
    Served::new(Daemon::start_with(folder.unwrap(), &[])).goes_on();
}

/// Whether a daemon starts here; its error, if not. One that does is ended again.
fn start(folder: &tempfile::TempDir) -> Result<(), String> {
    let mut command = binary::command(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--db", "x.db", "--code-cache", CODE_CACHE]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    if line.is_empty() { Err(error.lines().last().unwrap().into()) } else { Ok(()) }
}

/// Asks for all that there is, and makes something new: each works, or says that the database cannot be used.
fn look_around(folder: tempfile::TempDir, before: &Served) -> tempfile::TempDir {
    let daemon = Daemon::start_with(folder, &[]);
    let executions = before.recorded.iter().map(|execution| format!("/executions/{execution}/events"));
    let lists = ["/templates".into(), "/sessions".into(), format!("/executions?session_id={}", before.session)];
    let reads = executions.chain(lists).map(|path| daemon.get(&path));
    let write = daemon.post("/templates", &serde_json::json!({"name": "new"}));
    for answer in reads.chain([write]) {
        if answer.status >= 300 {
            let missing = answer.status == 404;
            assert!(
                missing || (answer.status == 503 && answer.body["error"]["code"] == "STORAGE_UNAVAILABLE"),
                "{}",
                answer.body
            );
        }
    }
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    daemon.into_folder()
}
