//! SQLite keeps to the worktree and to the execution, whatever SQL and files say.

mod support;

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use rusqlite::Connection;
use support::{
    Session,
    database::{configure, exec, foreign, grants, query, session, value, with},
    list, text,
};

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
    let stop = AtomicBool::new(false);
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
fn a_folder_that_leads_out_later_has_no_journal_behind_it() {
    let mut session = session();
    fs::create_dir(session.path("sub")).unwrap();
    fs::create_dir(session.outside("other")).unwrap();
    configure(&mut session, "sub/a.db").unwrap();
    exec(&mut session, "CREATE TABLE t (v)").unwrap();
    // SQLite removes a journal that is left over, before it reads
    let journal = session.outside("other/a.db-journal");
    fs::write(&journal, "left over").unwrap();
    fs::write(session.outside("other/a.db"), "").unwrap();
    fs::rename(session.path("sub"), session.path("kept")).unwrap();
    symlink("../other", session.path("sub")).unwrap();
    for sql in ["SELECT * FROM t", "INSERT INTO t VALUES (1)"] {
        assert_eq!(exec(&mut session, sql).unwrap_err().code, "SQLITE_CANTOPEN", "{sql}");
    }
    assert_eq!(fs::read_to_string(&journal).unwrap(), "left over");
    session.call("database.close", &[]).unwrap();
    assert_eq!(fs::read_dir(session.outside("other")).unwrap().count(), 2);
}

#[test]
fn what_sqlite_needs_of_the_system_is_there() {
    let outer = tempfile::tempdir().unwrap();
    fs::create_dir(outer.path().join("work")).unwrap();
    foreign(&outer.path().join("work/a.db"), "CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    let mut session = Session::within(outer, &grants(true));
    configure(&mut session, "a.db").unwrap();
    // far more than its cache
    let numbers = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 10000)";
    let sorted =
        format!("{numbers} SELECT max(length(y)) FROM (SELECT hex(zeroblob(500)) || x AS y FROM c ORDER BY y)");
    assert_eq!(value(&mut session, &sorted), 1005.into());
    assert_eq!(value(&mut session, "SELECT random() != random()"), 1.into());
    let zone = "SELECT strftime('%s', '2000-06-01', 'utc') - strftime('%s', '2000-06-01')";
    let expected: i64 = Connection::open_in_memory().unwrap().query_row(zone, [], |row| row.get(0)).unwrap();
    assert_eq!(value(&mut session, zone), expected.into());
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
    let many = format!("SELECT 1{}", ";SELECT 1".repeat(5000));
    assert_eq!(query(&mut session, &many).unwrap_err().code, "ERR_INVALID_ARG_VALUE");
}

#[test]
fn statements_that_would_take_long_to_be_read_are_refused() {
    let mut session = with(":memory:");
    exec(&mut session, "CREATE TABLE t (v)").unwrap();
    let list = |count: usize, item: fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
    for (sql, code) in [
        (format!("SELECT v IN ({}) FROM t", list(8000, |i| format!("v+{i}"))), "SQLITE_NOMEM"),
        (format!("SELECT v IN ({}) FROM t", list(6000, |i| format!(":p{i}"))), "SQLITE_ERROR"),
        (format!("WITH {} SELECT 1", list(10_000, |i| format!("c{i} AS (SELECT 1)"))), "SQLITE_TOOBIG"),
        (format!("SELECT 1 FROM t a JOIN t b USING ({})", list(100_000, |_| "v".into())), "SQLITE_TOOBIG"),
    ] {
        assert_eq!(query(&mut session, &sql).unwrap_err().code, code, "{sql:.60}");
        assert_eq!(exec(&mut session, &sql).unwrap_err().code, code, "{sql:.60}");
    }
}

#[test]
fn a_script_may_be_longer_than_a_statement() {
    let mut session = with(":memory:");
    let trigger = "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET v = v || ';' WHERE v = 'a'; SELECT 1; END;";
    let inserts = "INSERT INTO t VALUES ('a');\n-- it's one;\n".repeat(5000);
    exec(&mut session, &format!("CREATE TABLE t (v); {trigger} {inserts}")).unwrap();
    assert_eq!(value(&mut session, "SELECT count(*) FROM t WHERE v = 'a;'"), 5000.into());
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
    exec(&mut session, &table("v0", 10)).unwrap();
    exec(&mut session, "INSERT INTO v0 (a0) VALUES (0); CREATE VIEW v1 AS SELECT a10 AS a FROM v0").unwrap();
    for view in 2..=90 {
        exec(&mut session, &format!("CREATE VIEW v{view} AS SELECT a{deep} AS a FROM v{}", view - 1)).unwrap();
    }
    assert_eq!(value(&mut session, "SELECT a FROM v90"), ((10 + 89) * 95).into());
    // SQLite finds that the program would be too long
    assert_eq!(exec(&mut session, &table("wide", 150)).unwrap_err().code, "SQLITE_NOMEM");
    let error = query(&mut session, &format!("SELECT {}1{}", "(".repeat(30_000), ")".repeat(30_000))).unwrap_err();
    assert_eq!(error.code, "SQLITE_ERROR");
}
