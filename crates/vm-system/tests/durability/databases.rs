//! Open databases of sessions that leave the memory.

use serde_json::json;

use crate::{daemon::Daemon, http::text};

const OPEN: &str = "var db = require('database'); db.configure('sqlite3', ':memory:'); \
    db.exec('CREATE TABLE t (n)'); db.exec('INSERT INTO t VALUES (1), (2)'); \
    db.exec(`ATTACH 'file.db' AS other`); db.exec('CREATE TABLE other.t (n)'); db.exec('INSERT INTO other.t VALUES (10)'); \
    db.exec(`ATTACH ':memory:' AS third`); db.exec('CREATE TABLE third.t (n)'); db.exec('INSERT INTO third.t VALUES (100)')";
const SUM: &str = "db.query('SELECT sum(n) AS n FROM (SELECT n FROM main.t UNION ALL SELECT n FROM other.t \
    UNION ALL SELECT n FROM third.t)')[0].n";

fn add(daemon: &Daemon, session: &str) {
    daemon.preview(
        session,
        "['main', 'other', 'third'].forEach(name => db.exec(`INSERT INTO ${name}.t VALUES (1000)`)); 1",
    );
}

#[test]
fn open_databases_survive_kills_and_hibernation() {
    let mut daemon = Daemon::start();
    let session = daemon.session_with(&["database"]);
    daemon.preview(&session, &format!("{OPEN}; 1"));
    daemon.signal("KILL");
    let daemon = daemon.restart();
    assert_eq!(daemon.preview(&session, SUM), "113");
    add(&daemon, &session);
    for _ in 0..2 {
        daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
        assert_eq!(daemon.preview(&session, SUM), "3113");
    }
    daemon.preview(&session, "db.close(); 1");
    daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
    assert!(daemon.failure(&session, SUM).contains("not configured"));
}

#[test]
fn a_fork_has_its_own_copy_of_databases_in_memory_and_shares_files() {
    let daemon = Daemon::start();
    let parent = daemon.session_with(&["database"]);
    daemon.preview(&parent, &format!("{OPEN}; 1"));
    let child = text(&daemon.post_nothing(&format!("/sessions/{parent}/fork")).ok(201)["id"]);
    add(&daemon, &child);
    assert_eq!(daemon.preview(&child, SUM), "3113");
    assert_eq!(daemon.preview(&parent, SUM), "1113");
}

#[test]
fn a_session_in_a_transaction_stays_in_memory_and_a_kill_rolls_it_back() {
    let mut daemon = Daemon::start();
    let session = daemon.session_with(&["database"]);
    daemon.preview(&session, &format!("{OPEN}; 1"));
    daemon.preview(&session, "db.exec('BEGIN'); 1");
    add(&daemon, &session);
    let row = daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
    assert_eq!(row["memory"]["residency"], "resident");
    assert_eq!(daemon.preview(&session, SUM), "3113");
    daemon.signal("KILL");
    assert_eq!(daemon.restart().preview(&session, SUM), "113");
}

#[test]
fn a_database_whose_file_is_gone_says_so_and_the_session_goes_on() {
    let daemon = Daemon::start();
    let session = daemon.session_with(&["database"]);
    daemon.write("folder/file.db", "");
    daemon
        .preview(&session, "let kept = 1; var db = require('database'); db.configure('sqlite3', 'folder/file.db'); 1");
    daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
    std::fs::remove_dir_all(daemon.worktree().join("folder")).unwrap();
    assert!(daemon.failure(&session, "db.query('SELECT 1')").contains("folder"));
    assert_eq!(daemon.preview(&session, "kept"), "1");
    let again = json!("db.configure('sqlite3', 'new.db'); db.query('SELECT 2 AS n')[0].n");
    assert_eq!(daemon.preview(&session, again.as_str().unwrap()), "2");
}

#[test]
fn what_was_done_to_a_database_survives_although_the_memory_was_set_back() {
    let mut daemon = Daemon::start();
    let template = daemon.template_with("small", &json!({"limits": {"mem_mb": 16}}), &["database"]);
    let session = daemon.session_of(&template);
    daemon.preview(&session, &format!("{OPEN}; 1"));
    let hoard = "db.exec('INSERT INTO t VALUES (1000)'); const hoard = []; for (;;) hoard.push(new Uint8Array(1 << 20).fill(1))";
    daemon.repl(&session, hoard).refused(422, "OUTPUT_LIMIT_EXCEEDED");
    daemon.signal("KILL");
    assert_eq!(daemon.restart().preview(&session, SUM), "1113");
}
