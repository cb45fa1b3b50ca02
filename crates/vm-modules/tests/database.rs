//! SQLite works as scripts expect it.

mod support;

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicU32, Ordering},
};

use rmpv::Value;
use rusqlite::Connection;
use support::{
    database::{configure, exec, foreign, query, session, value, with},
    list, options, property, text,
};

#[test]
fn rows_come_back_as_they_went_in() {
    let mut session = with("data.db");
    exec(&mut session, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)").unwrap();
    let values = [
        Value::Nil,
        true.into(),
        7.into(),
        i64::MAX.into(),
        i64::MIN.into(),
        1.5.into(),
        (-0.0).into(),
        text("é\n"),
        Value::Binary(vec![0, 255]),
        Value::Binary(vec![]),
        f64::INFINITY.into(),
        f64::NAN.into(),
    ];
    for value in &values {
        session.call("database.exec", &[text("INSERT INTO t (v) VALUES (?)"), value.clone()]).unwrap();
    }
    let rows = query(&mut session, "SELECT v FROM t ORDER BY id").unwrap();
    let found: Vec<Value> = rows.as_array().unwrap().iter().map(|row| property(row, "v").clone()).collect();
    let mut expected = values.to_vec();
    expected[1] = 1.into();
    expected[11] = Value::Nil;
    assert_eq!(found, expected);
}

#[test]
fn the_outcome_says_what_was_changed() {
    let mut session = with(":memory:");
    let outcome =
        exec(&mut session, "CREATE TABLE t (v); INSERT INTO t VALUES (1), (2); INSERT INTO t VALUES (3);").unwrap();
    assert_eq!(property(&outcome, "rowsAffected"), &3.into());
    assert_eq!(property(&outcome, "lastInsertId"), &3.into());
    assert_eq!(property(&outcome, "success"), &true.into());
    let outcome = exec(&mut session, "DELETE FROM t WHERE v > 1").unwrap();
    assert_eq!(property(&outcome, "rowsAffected"), &2.into());
    for nothing in ["DROP TABLE t", "SELECT 1", "", " ; ;", "-- nothing", "/* nothing */"] {
        assert_eq!(property(&exec(&mut session, nothing).unwrap(), "rowsAffected"), &0.into(), "{nothing}");
    }
    assert_eq!(query(&mut session, "-- nothing").unwrap(), list(vec![]));
    let returned = query(&mut session, "SELECT 1 AS b, 2 AS a, 3 AS b").unwrap();
    assert_eq!(returned, list(vec![options(&[("b", 3.into()), ("a", 2.into())])]));
}

#[test]
fn parameters_are_spread_one_level_and_counted() {
    let mut session = with(":memory:");
    let sql = text("SELECT ? || ? || ? AS v");
    for parameters in [vec![text("a"), text("b"), text("c")], vec![list(vec![text("a"), text("b")]), text("c")]] {
        let rows = session.call("database.query", &[vec![sql.clone()], parameters].concat()).unwrap();
        assert_eq!(property(&rows[0], "v"), &text("abc"));
    }
    for (parameters, code) in [
        (vec![text("a")], "SQLITE_RANGE"),
        (vec![list(vec![text("a"); 4])], "SQLITE_RANGE"),
        (vec![list(vec![list(vec![])]), text("b"), text("c")], "ERR_INVALID_ARG_TYPE"),
        (vec![options(&[("a", 1.into())]), text("b"), text("c")], "ERR_INVALID_ARG_TYPE"),
        (vec![u64::MAX.into(), text("b"), text("c")], "ERR_OUT_OF_RANGE"),
    ] {
        let error = session.call("database.query", &[vec![sql.clone()], parameters].concat()).unwrap_err();
        assert_eq!(error.code, code, "{error}");
    }
    let several = [text("SELECT ?; SELECT ?"), 1.into(), 2.into()];
    assert_eq!(session.call("database.exec", &several).unwrap_err().code, "ERR_INVALID_ARG_VALUE");
    assert_eq!(query(&mut session, "SELECT 1; SELECT 2").unwrap_err().code, "ERR_INVALID_ARG_VALUE");
    assert_eq!(exec(&mut session, "SELECT 1; SELECT ?").unwrap_err().code, "SQLITE_RANGE");
}

#[test]
fn errors_have_sqlites_names_and_messages() {
    let mut session = session();
    let error = query(&mut session, "SELECT 1").unwrap_err();
    assert_eq!(error.message, "database not configured, call require('database').configure(...) first");
    assert!(configure(&mut session, "").is_err());
    let error = session.call("database.configure", &[text("postgres"), text("x")]).unwrap_err();
    assert!(error.message.contains("sqlite3 and sqlite"), "{error}");
    session.call("database.configure", &[text("sqlite"), text(":memory:")]).unwrap();
    exec(&mut session, "CREATE TABLE t (v UNIQUE); INSERT INTO t VALUES (1)").unwrap();
    for (sql, code, message) in [
        ("SELEC 1", "SQLITE_ERROR", "near \"SELEC\": syntax error"),
        ("SELECT * FROM u", "SQLITE_ERROR", "no such table: u"),
        ("INSERT INTO t VALUES (1)", "SQLITE_CONSTRAINT", "UNIQUE constraint failed: t.v"),
    ] {
        let error = exec(&mut session, sql).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code, message));
    }
    session.write("text.db", &"no database ".repeat(100));
    assert_eq!(configure(&mut session, "text.db").unwrap_err().code, "SQLITE_NOTADB");
    session.call("database.close", &[]).unwrap();
    session.call("database.close", &[]).unwrap();
    assert_eq!(query(&mut session, "SELECT 1").unwrap_err().code, "ERR_DATABASE_NOT_CONFIGURED");
}

#[test]
fn files_of_the_worktree_are_found_however_they_are_named() {
    let mut session = session();
    fs::create_dir(session.path("sub")).unwrap();
    symlink("sub", session.path("link")).unwrap();
    let absolute = session.path("sub/a b.db").to_str().unwrap().to_string();
    configure(&mut session, "sub/a b.db").unwrap();
    exec(&mut session, "CREATE TABLE t (v); INSERT INTO t VALUES ('here')").unwrap();
    for dsn in [
        absolute.as_str(),
        &format!("file:{absolute}?mode=rw&cache=shared"),
        &format!("file://{absolute}"),
        "file:sub/a%20b.db?mode=ro",
        "./sub/../sub/a b.db",
        "link/a b.db",
    ] {
        configure(&mut session, dsn).unwrap();
        assert_eq!(value(&mut session, "SELECT v FROM t"), text("here"), "{dsn}");
    }
    assert_eq!(configure(&mut session, "file:none.db?mode=rw").unwrap_err().code, "SQLITE_CANTOPEN");
    configure(&mut session, "file:name?mode=memory").unwrap();
    assert!(!session.path("name").exists());
}

#[test]
fn harmless_pragmas_and_vacuum_work() {
    let mut session = with("a.db");
    exec(&mut session, "PRAGMA user_version = 7; PRAGMA foreign_keys = OFF; PRAGMA synchronous = NORMAL").unwrap();
    exec(&mut session, "CREATE TABLE t (v); VACUUM; PRAGMA optimize").unwrap();
    assert_eq!(value(&mut session, "PRAGMA user_version"), 7.into());
    assert_eq!(value(&mut session, "PRAGMA journal_mode"), text("delete"));
    assert_eq!(value(&mut session, "PRAGMA integrity_check"), text("ok"));
    assert_eq!(property(&query(&mut session, "PRAGMA table_info(t)").unwrap()[0], "name"), &text("v"));
    assert_eq!(value(&mut session, "SELECT name FROM pragma_table_info('t')"), text("v"));
}

#[test]
fn databases_of_the_worktree_can_be_attached() {
    let mut session = with("a.db");
    foreign(&session.path("b.db"), "CREATE TABLE u (v); INSERT INTO u VALUES ('b')");
    exec(&mut session, "ATTACH 'b.db' AS b").unwrap();
    session.call("database.exec", &[text("ATTACH DATABASE ? AS m;"), text(":memory:")]).unwrap();
    assert_eq!(value(&mut session, "SELECT v FROM b.u"), text("b"));
    exec(&mut session, "CREATE TABLE m.w AS SELECT * FROM b.u; DETACH b").unwrap();
    assert_eq!(value(&mut session, "SELECT v FROM m.w"), text("b"));
    assert_eq!(value(&mut session, "PRAGMA m.max_page_count"), (64 * 256).into());
}

#[test]
fn other_programs_and_sessions_use_the_same_file_at_the_same_time() {
    let mut session = with("a.db");
    exec(&mut session, "CREATE TABLE t (v); INSERT INTO t VALUES (1)").unwrap();
    foreign(&session.path("a.db"), "INSERT INTO t VALUES (2); ALTER TABLE t ADD COLUMN w");
    let rows = query(&mut session, "SELECT * FROM t").unwrap();
    assert_eq!((rows.as_array().unwrap().len(), rows[1].as_map().unwrap().len()), (2, 2));
    foreign(&session.path("a.db"), "ALTER TABLE t ADD COLUMN x");
    assert_eq!(query(&mut session, "SELECT * FROM t").unwrap()[1].as_map().unwrap().len(), 3);
}

#[test]
fn a_locked_database_is_waited_for_until_the_execution_ends() {
    let mut session = with("a.db");
    exec(&mut session, "CREATE TABLE t (v)").unwrap();
    let other = Connection::open(session.path("a.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let asked = AtomicU32::new(0);
    let is_stopped = || asked.fetch_add(1, Ordering::Relaxed) > 5;
    let insert = [text("INSERT INTO t VALUES (1)")];
    assert_eq!(session.call_until(&is_stopped, "database.exec", &insert).unwrap_err().code, "ERR_CANCELLED");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(30));
            other.execute_batch("COMMIT").unwrap();
        });
        session.call("database.exec", &insert).unwrap();
    });
}
