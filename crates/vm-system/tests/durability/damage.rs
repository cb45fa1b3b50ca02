//! What is stored is damaged between two daemons: the session concerned says so, and all others go on.

use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{daemon::Daemon, http::text};

/// Sessions of every origin, all with a state of their own.
struct Sessions {
    plain: String,
    stamped: String,
    fork: String,
    /// What the first session of the template has made its image for.
    template: String,
}

fn start() -> (Daemon, Sessions) {
    let daemon = Daemon::start();
    daemon.write("start.js", "var table = Array.from({ length: 500 }, (_, at) => 'row ' + at)");
    let template = daemon.template("with startup", &json!({}));
    let file = json!({"path": "start.js", "order_index": 0, "mode": "eval"});
    daemon.post(&format!("/templates/{template}/startup-files"), &file).ok(201);
    // the first one makes the image
    daemon.session_of(&template);
    let (plain, stamped) = (daemon.session(), daemon.session_of(&template));
    for session in [&plain, &stamped] {
        daemon.repl(session, "var n = 1").ok(201);
    }
    let fork = text(&daemon.post_nothing(&format!("/sessions/{plain}/fork")).ok(201)["id"]);
    for session in [&plain, &stamped, &fork] {
        assert_eq!(daemon.preview(session, "++n"), "2");
    }
    (daemon, Sessions { plain, stamped, fork, template })
}

/// Ends the daemon, lets `damage` change its database, and starts the next one. `?1` is the session's id.
fn damaged(mut daemon: Daemon, session: &str, damage: &str) -> Daemon {
    // so that all of it is in the database, and not beside it
    daemon.get(&format!("/sessions/{session}")).ok(200);
    daemon.signal("KILL");
    let db = Connection::open(daemon.folder.path().join("x.db")).unwrap();
    db.pragma_update(None, "foreign_keys", false).unwrap();
    let id = session.replace('-', "");
    let changed =
        db.execute(&damage.replace("?1", &format!("(SELECT n FROM sessions WHERE id = x'{id}')")), []).unwrap();
    assert!(changed > 0, "{damage}");
    drop(db);
    daemon.restart()
}

#[track_caller]
fn is_crashed(daemon: &Daemon, session: &str, why: &str) -> Value {
    let refused = daemon.repl(session, "n").refused(409, "SESSION_NOT_READY");
    assert_eq!(refused["status"], "crashed", "{why}");
    let row = daemon.get(&format!("/sessions/{session}")).ok(200);
    assert_eq!(row["status"], "crashed", "{why}: {row}");
    let reason = text(&row["last_error"]);
    assert!(reason.to_lowercase().contains("create a new session"), "{why}: {reason}");
    daemon.repl(session, "n").refused(409, "SESSION_NOT_READY");
    daemon.post_nothing(&format!("/sessions/{session}/close")).ok(200)
}

#[test]
fn a_session_whose_state_is_damaged_crashes_with_the_reason_and_the_others_go_on() {
    for damage in [
        "UPDATE session_changes SET memory = substr(memory, 1, length(memory) - 1) WHERE session = ?1 AND seq = 1",
        "UPDATE session_changes SET memory = substr(memory, 2) WHERE session = ?1 AND seq = 2",
        "UPDATE session_changes SET memory = x'' WHERE session = ?1",
        "UPDATE session_changes SET memory = zeroblob(length(memory)) WHERE session = ?1",
        "UPDATE session_changes SET checksum = checksum + 1 WHERE session = ?1 AND seq = 2",
        "DELETE FROM session_changes WHERE session = ?1 AND seq = 1",
        "DELETE FROM session_changes WHERE session = ?1 AND seq = 2",
        "DELETE FROM session_changes WHERE session = ?1",
        "UPDATE session_changes SET seq = 3 - seq + 2 WHERE session = ?1",
        "UPDATE sessions SET guest = zeroblob(32) WHERE n = ?1",
        "UPDATE sessions SET guest = x'01' WHERE n = ?1",
        "UPDATE sessions SET guest = NULL WHERE n = ?1",
        "UPDATE sessions SET image = 999 WHERE n = ?1",
        "UPDATE sessions SET template = '{' WHERE n = ?1",
        "UPDATE sessions SET is_stale = 1 WHERE n = ?1",
        "UPDATE sessions SET has_host = 1 WHERE n = ?1",
        "INSERT INTO session_hosts SELECT n, 1, x'00' FROM sessions WHERE n = ?1",
    ] {
        let (daemon, sessions) = start();
        let daemon = damaged(daemon, &sessions.plain, damage);
        is_crashed(&daemon, &sessions.plain, damage);
        for session in [&sessions.stamped, &sessions.fork] {
            assert_eq!(daemon.preview(session, "++n"), "3", "{damage}");
        }
        assert_eq!(daemon.preview(&daemon.session_of(&sessions.template), "table[3]"), "row 3");
    }
}

#[test]
fn a_session_whose_last_execution_is_damaged_in_the_redo_log_crashes_and_the_others_lose_nothing() {
    let (mut daemon, sessions) = start();
    daemon.get("/sessions").ok(200);
    // What is answered from now on stays in the redo log.
    let db = Connection::open(daemon.folder.path().join("x.db")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(daemon.preview(&sessions.plain, "++n"), "3");
    assert_eq!(daemon.preview(&sessions.stamped, "++n"), "3");
    daemon.signal("KILL");
    drop(db);
    let log = daemon.folder.path().join("x.db-redo");
    let mut bytes = fs::read(&log).unwrap();
    bytes[100] ^= 1;
    fs::write(&log, bytes).unwrap();
    let daemon = daemon.restart();
    let row = is_crashed(&daemon, &sessions.plain, "damage in the redo log");
    assert!(text(&row["last_error"]).contains("in the redo log"), "{row}");
    assert_eq!(daemon.preview(&sessions.stamped, "++n"), "4");
    assert_eq!(daemon.preview(&sessions.fork, "++n"), "3");
}

#[test]
fn a_session_whose_row_is_damaged_under_the_daemon_crashes_with_the_reason_and_the_others_go_on() {
    let (daemon, sessions) = start();
    let db = Connection::open(daemon.folder.path().join("x.db")).unwrap();
    let id = sessions.plain.replace('-', "");
    daemon.get("/sessions").ok(200);
    db.execute_batch(&format!("UPDATE sessions SET status = 'damaged' WHERE id = x'{id}'")).unwrap();
    assert_eq!(daemon.preview(&sessions.plain, "++n"), "3");
    // which needs what was answered to be in the database
    daemon.get("/sessions").ok(200);
    let refused = daemon.repl(&sessions.plain, "n").refused(409, "SESSION_NOT_READY");
    assert_eq!(refused["status"], "crashed");
    let row = daemon.get(&format!("/sessions/{}", sessions.plain)).ok(200);
    assert!(text(&row["last_error"]).contains("sessions.status cannot be read"), "{row}");
    for session in [&sessions.stamped, &sessions.fork] {
        assert_eq!(daemon.preview(session, "++n"), "3");
    }
    daemon.post_nothing(&format!("/sessions/{}/close", sessions.plain)).ok(200);
}

#[test]
fn without_their_image_its_sessions_crash_and_new_ones_make_another() {
    for damage in [
        "DELETE FROM images",
        "DELETE FROM image_contents",
        "UPDATE images SET checksum = 0",
        "UPDATE images SET guest = zeroblob(32)",
        "UPDATE image_contents SET content = substr(content, 100)",
        "UPDATE image_contents SET content = zeroblob(length(content))",
        "UPDATE image_contents SET recipe = x'7b7d'",
    ] {
        let (daemon, sessions) = start();
        let daemon = damaged(daemon, &sessions.plain, damage);
        is_crashed(&daemon, &sessions.stamped, damage);
        for session in [&sessions.plain, &sessions.fork] {
            assert_eq!(daemon.preview(session, "++n"), "3", "{damage}");
        }
        for _ in 0..2 {
            assert_eq!(daemon.preview(&daemon.session_of(&sessions.template), "table[3]"), "row 3", "{damage}");
        }
    }
}

#[test]
fn a_session_whose_worktree_is_away_says_so_and_goes_on_when_it_is_back() {
    let (mut daemon, sessions) = start();
    let (project, away) = (daemon.folder.path().join("project"), daemon.folder.path().join("away"));
    fs::create_dir(&project).unwrap();
    fs::copy(daemon.worktree().join("start.js"), project.join("start.js")).unwrap();
    let mut new = daemon.new_session(&sessions.template);
    new["worktree_path"] = json!(project);
    let session = text(&daemon.post("/sessions", &new).ok(201)["id"]);
    daemon.repl(&session, "var n = 1").ok(201);
    daemon.signal("KILL");
    fs::rename(&project, &away).unwrap();
    let daemon = daemon.restart();
    for _ in 0..2 {
        let refused = daemon.repl(&session, "n");
        assert!(text(&refused.body["error"]["message"]).contains("project is not a folder"), "{}", refused.body);
        refused.refused(400, "VALIDATION_ERROR");
    }
    assert_eq!(daemon.get(&format!("/sessions/{session}")).ok(200)["status"], "ready");
    assert_eq!(daemon.preview(&sessions.plain, "++n"), "3");
    fs::rename(&away, &project).unwrap();
    assert_eq!(daemon.preview(&session, "++n + table[2]"), "2row 2");
}

#[test]
fn a_session_does_not_need_the_library_that_it_has_loaded() {
    let libraries = tempfile::tempdir().unwrap();
    fs::write(libraries.path().join("mine-1.0.js"), "var mine = { n: 7 }").unwrap();
    let flags = ["--cache-dir", libraries.path().to_str().unwrap()];
    let mut daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &flags);
    let template = daemon.template("with library", &json!({}));
    daemon.post(&format!("/templates/{template}/libraries"), &json!({"name": "mine-1.0"})).ok(201);
    let sessions = [daemon.session_of(&template), daemon.session_of(&template)];
    for session in &sessions {
        assert_eq!(daemon.preview(session, "++mine.n"), "8");
    }
    daemon.signal("KILL");
    fs::remove_file(libraries.path().join("mine-1.0.js")).unwrap();
    let daemon = Daemon::start_with(daemon.into_folder(), &flags);
    for session in &sessions {
        assert_eq!(daemon.preview(session, "++mine.n"), "9");
    }
    let details = daemon.post("/sessions", &daemon.new_session(&template)).refused(500, "INTERNAL");
    assert_eq!(details["reason"], "LIBRARY_NOT_CACHED");
}
