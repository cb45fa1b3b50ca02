//! SQLite works as scripts expect it, and keeps to the worktree.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod support;

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use rmpv::Value;
use rusqlite::Connection;
use support::{Session, list, options, property, text};
use vm_modules::{DatabaseGrant, FsGrant, Grants, NativeError};

fn grants(read_only: bool) -> Grants {
    Grants { database: Some(DatabaseGrant { read_only }), fs: Some(FsGrant::default()), ..Grants::default() }
}

fn session() -> Session {
    Session::new(grants(false))
}

fn configure(session: &mut Session, dsn: &str) -> Result<Value, NativeError> {
    session.call("database.configure", &[text("sqlite3"), text(dsn)])
}

/// With a database that is configured.
fn with(dsn: &str) -> Session {
    let mut session = session();
    configure(&mut session, dsn).unwrap();
    session
}

fn exec(session: &mut Session, sql: &str) -> Result<Value, NativeError> {
    session.call("database.exec", &[text(sql)])
}

fn query(session: &mut Session, sql: &str) -> Result<Value, NativeError> {
    session.call("database.query", &[text(sql)])
}

/// The only value of the only row.
fn value(session: &mut Session, sql: &str) -> Value {
    let rows = query(session, sql).unwrap();
    rows[0].as_map().unwrap()[0].1.clone()
}

/// A database that another program made.
fn foreign(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

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
fn no_name_leads_out_of_the_worktree() {
    let mut session = session();
    foreign(&session.outside("out.db"), "CREATE TABLE t (v)");
    symlink("../out.db", session.path("link.db")).unwrap();
    symlink(session.outside("out.db"), session.path("absolute.db")).unwrap();
    symlink("../new.db", session.path("dangling.db")).unwrap();
    symlink("..", session.path("up")).unwrap();
    fs::create_dir(session.path("x")).unwrap();
    for suffix in ["-journal", "-wal", "-shm"] {
        symlink("../victim", session.path(&format!("a{suffix}.db{suffix}"))).unwrap();
    }
    rustix::fs::mknodat(rustix::fs::CWD, session.path("pipe.db"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let absolute = session.outside("out.db").to_str().unwrap().to_string();
    let inside = session.path("x").to_str().unwrap().to_string();
    for dsn in [
        absolute.as_str(),
        &format!("file:{absolute}"),
        &format!("file://localhost{absolute}"),
        &format!("{inside}/../../out.db"),
        "../out.db",
        "file:../out.db",
        "file:%2e%2e/out.db",
        "file:%2E%2E%2Fout.db",
        "file:x/../../out.db",
        "file:out.db?vfs=unix",
        "file:out.db?modeof=/etc/passwd",
        "file://elsewhere/out.db",
        "link.db",
        "absolute.db",
        "dangling.db",
        "up/out.db",
        "file:up/out.db?mode=ro",
        "a-journal.db",
        "a-wal.db",
        "a-shm.db",
        "pipe.db",
        "up",
        ".",
        "..",
        "",
        "file:",
        "a\0b",
        "file:a%00b",
    ] {
        let error = configure(&mut session, dsn).unwrap_err();
        assert!(["EACCES", "EINVAL", "ERR_INVALID_ARG_VALUE"].contains(&error.code), "{dsn}: {error:?}");
    }
    let mut names: Vec<_> =
        fs::read_dir(session.outside("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["out.db", "secret", "work"]);
}

#[test]
fn a_file_that_becomes_a_symlink_never_leads_out() {
    let mut session = session();
    foreign(&session.outside("out.db"), "CREATE TABLE secret (v)");
    foreign(&session.path("in.db"), "CREATE TABLE open (v)");
    let (swap, inner, outer) = (session.path("swap.db"), session.path("in.db"), session.outside("out.db"));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let _ = fs::remove_file(&swap);
                let _ = fs::copy(&inner, &swap);
                let _ = fs::remove_file(&swap);
                symlink(&outer, &swap).unwrap();
            }
        });
        for _ in 0..2000 {
            if configure(&mut session, "file:swap.db?mode=ro").is_ok() {
                let tables = query(&mut session, "SELECT name FROM sqlite_schema WHERE name = 'secret'");
                assert_eq!(tables.unwrap_or(list(vec![])), list(vec![]));
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn sql_cannot_reach_other_files_or_the_daemon() {
    let mut session = with("a.db");
    exec(&mut session, "CREATE TABLE t (v)").unwrap();
    let outside = session.outside("new.db").to_str().unwrap().to_string();
    for sql in [
        format!("ATTACH '{outside}' AS o"),
        format!("ATTACH 'file:{outside}' AS o"),
        "ATTACH '../secret' AS o".into(),
        "ATTACH 'file:%2e%2e/secret' AS o".into(),
        format!("ATTACH '{outside}' || '' AS o"),
        format!("SELECT 1; ATTACH '{outside}' AS o"),
        format!("VACUUM INTO '{outside}'"),
        "VACUUM INTO 'inside.db'".into(),
        format!("VACUUM main INTO 'file:{outside}'"),
        "SELECT load_extension('x')".into(),
        "SELECT fts3_tokenizer('simple')".into(),
        "CREATE VIRTUAL TABLE f USING fts3(tokenize=x); SELECT fts3_tokenizer('x', x'00')".into(),
        "SELECT readfile('/etc/passwd')".into(),
        "SELECT writefile('x', 'y')".into(),
        "PRAGMA writable_schema = ON".into(),
        "PRAGMA journal_mode = WAL".into(),
        "PRAGMA main.journal_mode(wal)".into(),
        "PRAGMA mmap_size = 1000000".into(),
        "PRAGMA temp_store_directory = '/etc'".into(),
        "PRAGMA data_store_directory = '/etc'".into(),
        "PRAGMA hard_heap_limit = 1".into(),
        "PRAGMA cache_size = 100000000".into(),
        "PRAGMA temp_store = MEMORY".into(),
        "PRAGMA locking_mode = EXCLUSIVE".into(),
        "PRAGMA trusted_schema = ON".into(),
        "PRAGMA busy_timeout = 1".into(),
        "PRAGMA wal_checkpoint".into(),
        "PRAGMA page_size = 65536".into(),
        "PRAGMA key = 'x'".into(),
        "PRAGMA no_such_pragma".into(),
    ] {
        let error = exec(&mut session, &sql).unwrap_err();
        let codes = ["SQLITE_AUTH", "EACCES", "SQLITE_ERROR", "ERR_INVALID_ARG_VALUE"];
        assert!(codes.contains(&error.code), "{sql}: {error:?}");
        if sql.starts_with("PRAGMA") {
            assert!(
                error.message.contains(sql.split([' ', '(']).nth(1).unwrap().trim_start_matches("main.")),
                "{error}"
            );
        }
    }
    assert!(!session.outside("new.db").exists() && !session.path("inside.db").exists());
    assert!(exec(&mut session, "UPDATE sqlite_schema SET sql = 'x'").is_err());
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
fn a_read_only_grant_refuses_every_change() {
    let outer = tempfile::tempdir().unwrap();
    fs::create_dir(outer.path().join("work")).unwrap();
    foreign(&outer.path().join("work/a.db"), "CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    foreign(&outer.path().join("work/b.db"), "CREATE TABLE u (v)");
    let before = fs::read(outer.path().join("work/a.db")).unwrap();
    let mut session = Session::within(outer, &grants(true));
    for dsn in ["a.db", "file:a.db?mode=rwc"] {
        configure(&mut session, dsn).unwrap();
        exec(&mut session, "ATTACH 'b.db' AS b").unwrap();
        assert_eq!(value(&mut session, "SELECT v FROM t"), 1.into());
        for sql in [
            "INSERT INTO t VALUES (2)",
            "DELETE FROM t",
            "CREATE TABLE x (v)",
            "DROP TABLE t",
            "INSERT INTO b.u VALUES (1)",
            "PRAGMA user_version = 9",
            "PRAGMA query_only = OFF",
            "VACUUM",
            "ATTACH 'new.db' AS n",
        ] {
            let error = exec(&mut session, sql).unwrap_err();
            assert!(["SQLITE_READONLY", "SQLITE_AUTH", "SQLITE_CANTOPEN"].contains(&error.code), "{sql}: {error:?}");
        }
    }
    assert_eq!(configure(&mut session, "new.db").unwrap_err().code, "SQLITE_CANTOPEN");
    assert_eq!(fs::read(session.path("a.db")).unwrap(), before);
    assert!(!session.path("new.db").exists());
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
fn nobody_can_pull_shared_memory_away_from_under_the_daemon() {
    let mut session = session();
    foreign(&session.path("wal.db"), "PRAGMA journal_mode = WAL; CREATE TABLE t (v); INSERT INTO t VALUES ('wal')");
    configure(&mut session, "wal.db").unwrap();
    assert_eq!(value(&mut session, "SELECT v FROM t"), text("wal"));
    exec(&mut session, "INSERT INTO t VALUES ('more')").unwrap();
    session.call("fs.writeFileSync", &[text("wal.db-shm"), text("")]).unwrap();
    assert_eq!(value(&mut session, "SELECT count(*) FROM t"), 2.into());

    configure(&mut session, "late.db").unwrap();
    exec(&mut session, "CREATE TABLE t (v)").unwrap();
    foreign(&session.path("late.db"), "PRAGMA journal_mode = WAL; INSERT INTO t VALUES (1)");
    let error = query(&mut session, "SELECT * FROM t").unwrap_err();
    assert!(error.message.contains("WAL mode"), "{error}");
    assert_eq!(query(&mut session, "SELECT * FROM t").unwrap_err().code, "ERR_DATABASE_NOT_CONFIGURED");
    configure(&mut session, "late.db").unwrap();
    assert_eq!(value(&mut session, "SELECT v FROM t"), 1.into());

    configure(&mut session, ":memory:").unwrap();
    let error = exec(&mut session, "ATTACH 'late.db' AS late").unwrap_err();
    assert!(error.message.contains("WAL mode"), "{error}");
    assert_eq!(value(&mut session, "SELECT count(*) FROM pragma_database_list"), 1.into());
}

#[test]
fn statements_without_an_end_are_ended() {
    let mut session = with(":memory:");
    exec(&mut session, "CREATE TABLE t (v)").unwrap();
    let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)";
    for (function, sql) in [
        ("database.query", format!("{endless} SELECT count(*) FROM c")),
        ("database.query", format!("{endless} SELECT x FROM c ORDER BY random()")),
        ("database.exec", format!("{endless} SELECT 1 FROM c")),
        ("database.exec", format!("{endless} INSERT INTO t SELECT x FROM c WHERE x < 0")),
        ("database.exec", format!("SELECT 1; {endless} SELECT count(*) FROM c; SELECT 2")),
    ] {
        let asked = AtomicU32::new(0);
        let is_stopped = || asked.fetch_add(1, Ordering::Relaxed) > 50;
        let error = session.call_until(&is_stopped, function, &[text(&sql)]).unwrap_err();
        assert_eq!(error.code, "ERR_CANCELLED", "{sql}");
    }
    assert_eq!(value(&mut session, "SELECT count(*) FROM t"), 0.into());
    let many = "SELECT 1;".repeat(100_000);
    let asked = AtomicU32::new(0);
    let is_stopped = || asked.fetch_add(1, Ordering::Relaxed) > 50;
    assert_eq!(session.call_until(&is_stopped, "database.exec", &[text(&many)]).unwrap_err().code, "ERR_CANCELLED");
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

#[test]
fn what_is_too_large_is_an_error_and_not_the_daemons_memory() {
    let mut session = with(":memory:");
    let numbers = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000000)";
    let error = query(&mut session, &format!("{numbers} SELECT x FROM c")).unwrap_err();
    assert_eq!(error.code, "ERR_BUFFER_TOO_LARGE");
    assert_eq!(query(&mut session, "SELECT zeroblob(100000000)").unwrap_err().code, "SQLITE_TOOBIG");
    exec(&mut session, "CREATE TABLE t (v)").unwrap();
    let error = exec(&mut session, &format!("{numbers} INSERT INTO t SELECT zeroblob(1000000) FROM c")).unwrap_err();
    assert_eq!(error.code, "SQLITE_FULL");
    assert_eq!(value(&mut session, "SELECT count(*) FROM t"), 0.into());
    // so many statements that handling one within the other would exhaust the stack
    exec(&mut session, &";".repeat(1_000_000)).unwrap();
    let many = format!("SELECT 1{}", ";SELECT 1".repeat(20_000));
    assert_eq!(query(&mut session, &many).unwrap_err().code, "ERR_INVALID_ARG_VALUE");
}

#[test]
fn a_damaged_file_is_an_error() {
    let mut session = session();
    foreign(&session.path("a.db"), "CREATE TABLE t (abc); INSERT INTO t VALUES (1)");
    let mut bytes = fs::read(session.path("a.db")).unwrap();
    let name = bytes.windows(5).position(|window| window == b"(abc)").unwrap();
    bytes[name + 2] = 0xff;
    fs::write(session.path("a.db"), &bytes).unwrap();
    configure(&mut session, "a.db").unwrap();
    assert!(query(&mut session, "SELECT * FROM t").is_err());
    bytes[100..200].fill(0xaa);
    fs::write(session.path("a.db"), &bytes).unwrap();
    assert!(configure(&mut session, "a.db").is_err() || query(&mut session, "SELECT * FROM t").is_err());
}

#[test]
fn expressions_that_are_put_into_each_other_do_not_exhaust_the_stack() {
    let mut session = with(":memory:");
    let deep = "+1".repeat(95);
    let table = |name: &str, columns: i32| {
        let computed = (1..=columns).map(|column| format!(", a{column} AS (a{}{deep})", column - 1));
        format!("CREATE TABLE {name} (a0{})", computed.collect::<String>())
    };
    exec(&mut session, &table("v0", 50)).unwrap();
    exec(&mut session, "INSERT INTO v0 (a0) VALUES (0); CREATE VIEW v1 AS SELECT a50 AS a FROM v0").unwrap();
    for view in 2..=90 {
        exec(&mut session, &format!("CREATE VIEW v{view} AS SELECT a{deep} AS a FROM v{}", view - 1)).unwrap();
    }
    assert_eq!(value(&mut session, "SELECT a FROM v90"), ((50 + 89) * 95).into());
    // SQLite finds that the program would be too long
    assert_eq!(exec(&mut session, &table("wide", 150)).unwrap_err().code, "SQLITE_NOMEM");
    let error = query(&mut session, &format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000))).unwrap_err();
    assert_eq!(error.code, "SQLITE_ERROR");
}
