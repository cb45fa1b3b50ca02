//! The module `database`.

use serde_json::json;

use crate::daemon::Daemon;

/// A session with a database in memory, which is `db`, and a table `t (id, v)`.
#[track_caller]
fn session(daemon: &Daemon) -> String {
    let session = daemon.session_with(&["database"]);
    let code = "var db = require('database'); db.configure('sqlite3', ':memory:'); \
                db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v)'); 0";
    daemon.preview(&session, code);
    session
}

#[test]
fn before_configure_the_error_says_to_configure() {
    let daemon = Daemon::start();
    let session = daemon.session_with(&["database"]);
    for call in ["query('SELECT 1')", "exec('SELECT 1')"] {
        let message = daemon.failure(&session, &format!("require('database').{call}"));
        assert_eq!(message, "Error: database not configured, call require('database').configure(...) first");
    }
    daemon.preview(&session, "require('database').close()");
    assert!(daemon.failure(&session, "require('database').configure('postgres', 'x')").contains("sqlite3"));
}

#[test]
fn query_answers_an_array_of_row_objects() {
    let daemon = Daemon::start();
    let session = session(&daemon);
    assert_eq!(daemon.repl(&session, "db.query('SELECT * FROM t')").ok(201)["result"]["json"], json!([]));
    let code = "db.query(\"SELECT 1 AS one, 'two' AS two, 3.5 AS three, NULL AS four\")";
    let rows = daemon.repl(&session, code).ok(201)["result"].clone();
    assert_eq!(rows["json"], json!([{"one": 1, "two": "two", "three": 3.5, "four": null}]));
    assert_eq!(rows["type"], "array");
}

#[test]
fn exec_answers_what_it_has_done() {
    let daemon = Daemon::start();
    let session = session(&daemon);
    for (sql, affected, last) in [
        ("INSERT INTO t (v) VALUES ('a'), ('b')", 2, 2),
        ("UPDATE t SET v = 'c'", 2, 2),
        ("DELETE FROM t WHERE id = 1", 1, 2),
        ("CREATE TABLE other (v)", 0, 2),
    ] {
        let done = daemon.repl(&session, &format!("db.exec({})", json!(sql))).ok(201)["result"]["json"].clone();
        assert_eq!(done, json!({"rowsAffected": affected, "lastInsertId": last, "success": true}), "{sql}");
    }
}

#[test]
fn an_array_argument_is_spread_one_level() {
    let daemon = Daemon::start();
    let session = session(&daemon);
    for arguments in ["1, 'a', 2", "[1, 'a', 2]", "1, ['a', 2]", "[1], 'a', [2]", "[], 1, ['a'], 2"] {
        let code = format!("JSON.stringify(db.query('SELECT ? AS x, ? AS y, ? AS z', {arguments}))");
        assert_eq!(daemon.preview(&session, &code), r#"[{"x":1,"y":"a","z":2}]"#, "{arguments}");
    }
    let message = daemon.failure(&session, "db.query('SELECT ?', [[1]])");
    assert!(message.contains("a parameter is an array"), "{message}");
}

#[test]
fn null_and_undefined_are_null() {
    let daemon = Daemon::start();
    let session = session(&daemon);
    daemon.preview(&session, "db.exec('INSERT INTO t (v) VALUES (?), (?), (?)', null, undefined, [null]); 0");
    let code = "JSON.stringify(db.query('SELECT count(*) AS n FROM t WHERE v IS NULL'))";
    assert_eq!(daemon.preview(&session, code), r#"[{"n":3}]"#);
    assert_eq!(daemon.preview(&session, "db.query('SELECT v FROM t').every(row => row.v === null)"), "true");
}

#[test]
fn a_uint8array_is_a_blob_and_comes_back_as_one() {
    let daemon = Daemon::start();
    let session = session(&daemon);
    daemon.preview(&session, "db.exec('INSERT INTO t (v) VALUES (?)', new Uint8Array([0, 1, 128, 255])); 0");
    let code = "const { v, kind } = db.query('SELECT v, typeof(v) AS kind FROM t')[0]; \
                [kind, v instanceof Uint8Array, v.length, [...v].join()].join(' ')";
    assert_eq!(daemon.preview(&session, code), "blob true 4 0,1,128,255");
    let empty = "db.query('SELECT ? AS v', new Uint8Array())[0].v";
    assert_eq!(
        daemon.preview(&session, &format!("var e = {empty}; (e instanceof Uint8Array) + ' ' + e.length")),
        "true 0"
    );
}

#[test]
fn an_open_database_lives_across_executions_until_it_is_closed() {
    let daemon = Daemon::start();
    let session = session(&daemon);
    daemon.preview(&session, "db.exec('INSERT INTO t (v) VALUES (?)', 'kept'); 0");
    assert_eq!(daemon.preview(&session, "db.query('SELECT v FROM t')[0].v"), "kept");
    daemon.write("step.js", "console.log(require('database').query('SELECT v FROM t')[0].v)");
    assert_eq!(daemon.console(&session, "step.js"), ["kept"]);
    daemon.preview(&session, "db.close()");
    assert!(daemon.failure(&session, "db.query('SELECT v FROM t')").contains("not configured"));
}

#[test]
fn files_are_in_the_worktree_also_through_attach() {
    let daemon = Daemon::start();
    let session = session(&daemon);
    for driver in ["sqlite3", "sqlite"] {
        daemon.preview(&session, &format!("db.configure('{driver}', 'data.db'); 0"));
    }
    daemon.preview(&session, "db.exec('CREATE TABLE a (v)'); db.exec('ATTACH ? AS other', 'other.db'); 0");
    daemon.preview(&session, "db.exec('CREATE TABLE other.b (v)'); db.exec('INSERT INTO b VALUES (7)'); 0");
    assert_eq!(daemon.preview(&session, "db.query('SELECT v FROM other.b')[0].v"), "7");
    assert!(daemon.worktree().join("data.db").exists() && daemon.worktree().join("other.db").exists());
    for call in ["configure('sqlite3', '../x.db')", "exec(\"ATTACH '../x.db' AS x\")"] {
        assert!(daemon.failure(&session, &format!("db.{call}")).contains("leads out of the worktree"), "{call}");
    }
}

#[test]
fn no_extension_is_loaded() {
    let daemon = Daemon::start();
    let session = session(&daemon);
    daemon.write("ext.so", "");
    let message = daemon.failure(&session, "db.query(\"SELECT load_extension('./ext.so')\")");
    assert!(message.contains("not authorized to use function: load_extension"), "{message}");
}

#[test]
fn a_startup_file_configures_the_database_for_what_follows() {
    let daemon = Daemon::start();
    daemon.write(
        "runtime/setup-db.js",
        "var db = require('database'); db.configure('sqlite3', 'etl.db'); db.exec('CREATE TABLE users (id)')",
    );
    let template = daemon.template_with("etl-runner", &json!({}), &["database"]);
    let startup = json!({"path": "runtime/setup-db.js", "order_index": 10, "mode": "eval"});
    daemon.post(&format!("/templates/{template}/startup-files"), &startup).ok(201);
    let session = daemon.session_of(&template);
    assert_eq!(daemon.preview(&session, "db.query('SELECT count(*) FROM users')"), "[ { 'count(*)': 0 } ]");
}
