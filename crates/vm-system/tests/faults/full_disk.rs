//! No more room for the database: what cannot be recorded is refused and has not happened, and when there is room again the
//! daemon goes on.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use reqwest::Method;
use rustix::process::{Resource, Rlimit, getuid, prlimit};
use serde_json::json;

use crate::{
    binary,
    daemon::{Daemon, wait_for},
    http::Answer,
    served::Served,
};

/// Whatever may be tried on a full disk, it does not end sooner.
const MANY: usize = 1000;

/// Makes every write of the daemon fail that makes a file longer than its database's log is now.
fn limit_files(daemon: &Daemon) {
    let log = fs::metadata(daemon.folder.path().join("x.db-wal")).unwrap().len();
    set_limit(daemon, Some(log));
}

fn set_limit(daemon: &Daemon, bytes: Option<u64>) {
    prlimit(Some(daemon.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

/// Does all that writes until none of it works any more, and looks at each refusal.
#[track_caller]
fn exhaust(served: &mut Served, status: u16, code: &str) {
    for number in 0..MANY {
        let counted = served.count();
        let template = json!({"name": format!("template {number}")});
        let template = Answer::to(served.request(Method::POST, "/templates").json(&template));
        let session = served.post("/sessions", &served.new_session(&served.template));
        let refused = (counted.is_err(), template.status != 201, session.status != 201);
        if let Err(counted) = counted {
            assert_eq!(counted, (status, code.to_string()));
        }
        for answer in [template, session].into_iter().filter(|answer| answer.status != 201) {
            answer.refused(status, code);
        }
        if refused == (true, true, true) {
            return;
        }
    }
    panic!("the disk is not full");
}

#[track_caller]
fn refuses_and_changes_nothing(served: &mut Served, status: u16, code: &str) {
    let refused = served.repl(&served.session, "count = 'lost'; console.log('x'.repeat(100_000))");
    let message = refused.body["error"]["message"].to_string();
    assert!(message.contains("before this execution"), "{message}");
    let details = refused.refused(status, code);
    assert_eq!(details["session_id"], served.session.as_str());
    let path = format!("/executions/{}", details["execution_id"].as_str().unwrap());
    served.get(&path).refused(404, "EXECUTION_NOT_FOUND");
    served.has_its_history();
    let sessions = served.get("/sessions?status=ready").ok(200);
    served.delete(&format!("/sessions/{}", served.session)).refused(status, code);
    assert_eq!(served.get("/sessions?status=ready").ok(200), sessions, "what cannot be closed stays open");
    served.has_logged("request failed");
}

#[track_caller]
fn goes_on(served: &mut Served) {
    served.goes_on();
    // Those whose creation could not be completed are marked as soon as that can be recorded.
    wait_for(|| served.get("/sessions?status=starting").ok(200).as_array().unwrap().is_empty().then_some(()));
    let summary = served.get("/runtime/summary").ok(200);
    let ready = served.get("/sessions?status=ready").ok(200);
    assert_eq!(summary["active_sessions"], ready.as_array().unwrap().len(), "{summary} {ready}");
}

#[test]
fn what_a_file_has_no_room_for_has_not_happened() {
    let mut served = Served::start();
    for _ in 0..3 {
        limit_files(&served);
        exhaust(&mut served, 503, "STORAGE_UNAVAILABLE");
        refuses_and_changes_nothing(&mut served, 503, "STORAGE_UNAVAILABLE");
        set_limit(&served, None);
        goes_on(&mut served);
    }
    served.has_logged("disk I/O error");

    let Served { daemon, template, session, recorded } = served;
    let mut daemon = daemon;
    daemon.signal("KILL");
    Served { daemon: daemon.restart(), template, session, recorded }.has_its_history();
}

#[test]
fn what_was_recorded_as_running_and_has_no_room_for_its_end_is_called_off() {
    let mut served = Served::start();
    let session = served.session_of(&served.template);
    served.repl(&session, "var kept = [1]").ok(201);
    let code = "kept = 0; const end = Date.now() + 1000; while (Date.now() < end); console.log('x'.repeat(400_000))";
    let refused = served.while_running(&session, code, || {
        // An execution that takes so long is recorded before its end.
        thread::sleep(Duration::from_millis(300));
        limit_files(&served);
    });
    let details = refused.refused(503, "STORAGE_UNAVAILABLE");
    let path = format!("/executions/{}", details["execution_id"].as_str().unwrap());
    let is_forgotten = |served: &Served| {
        served.get(&path).refused(404, "EXECUTION_NOT_FOUND");
        served.get(&format!("{path}/events")).refused(404, "EXECUTION_NOT_FOUND");
        assert_eq!(served.executions(&session).len(), 1);
    };
    is_forgotten(&served);
    set_limit(&served, None);
    served.goes_on();
    is_forgotten(&served);
    assert_eq!(served.repl(&session, "kept").ok(201)["result"]["json"], json!([1]));
}

/// A disk of its own for the daemon, of two MiB.
struct Disk(PathBuf);

impl Disk {
    /// Words for `unshare`: a process of its own disks, which anybody may have where users may have namespaces.
    const MOUNT: &str = "mkdir disk && mount -t tmpfs -o size=2m tmpfs disk && exec \"$0\" \"$@\"";

    fn words() -> Vec<&'static str> {
        let user: &[_] = if getuid().is_root() { &[] } else { &["--user", "--map-root-user"] };
        [user, &["--mount", "sh", "-c", Self::MOUNT]].concat()
    }

    /// Whether this machine lets us have one.
    fn is_allowed(folder: &Path) -> bool {
        let mut command = Command::new("unshare");
        let tried = command.args(Self::words()).arg("true").current_dir(folder).output();
        tried.is_ok_and(|output| output.status.success())
    }

    /// Seen through the process that has it.
    fn of(daemon: &Daemon) -> Self {
        let root = PathBuf::from(format!("/proc/{}/root", daemon.pid().as_raw_nonzero()));
        Self(root.join(daemon.folder.path().strip_prefix("/").unwrap()).join("disk"))
    }

    fn fill(&self) {
        let mut filler = fs::File::create(self.0.join("filler")).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

#[test]
fn a_full_disk_is_named_and_what_it_has_no_room_for_has_not_happened() {
    let probe = tempfile::tempdir().unwrap();
    if !Disk::is_allowed(probe.path()) {
        // What follows from a write that fails is tested above, whatever this machine allows.
        eprintln!("this machine allows no mount in a namespace, so no disk of two MiB was filled");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let command = binary::command_by(folder.path(), "unshare", &Disk::words());
    let mut served = Served::start_by(command, folder, &["--db", "disk/x.db"]);
    let disk = Disk::of(&served);
    for _ in 0..3 {
        disk.fill();
        exhaust(&mut served, 507, "STORAGE_FULL");
        refuses_and_changes_nothing(&mut served, 507, "STORAGE_FULL");
        disk.free();
        goes_on(&mut served);
    }
    served.has_logged("database or disk is full");
}
