//! Native modules in general: deny by default, one instance per session, errors with a code.

use serde_json::json;

use crate::daemon::Daemon;

#[test]
fn a_module_that_is_not_configured_cannot_be_required() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for module in ["database", "exec", "fs"] {
        let message = daemon.failure(&session, &format!("require('{module}')"));
        assert!(message.contains("Invalid module") && message.contains("add-module"), "{message}");
        assert_eq!(daemon.preview(&session, &format!("typeof {module}")), "undefined");
    }
    let message = daemon.failure(&daemon.session_with(&["fs"]), "require('fs'); require('exec')");
    assert!(message.contains("Invalid module 'exec'"), "{message}");
}

#[test]
fn configured_modules_work() {
    let daemon = Daemon::start();
    let session = daemon.session_with(&["database", "exec"]);
    assert_eq!(daemon.preview(&session, "require('exec').run('/bin/echo', ['exec-module-ok'])"), "exec-module-ok\n");
    let code = "(() => { const db = require('database'); db.configure('sqlite3', ':memory:'); \
                db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)'); \
                db.exec('INSERT INTO t (name) VALUES (?)', 'alpha'); return db.query('SELECT id, name FROM t') })()";
    assert_eq!(daemon.repl(&session, code).ok(201)["result"]["json"], json!([{"id": 1, "name": "alpha"}]));
}

#[test]
fn a_module_is_one_instance_per_session() {
    let daemon = Daemon::start();
    let (one, other) = (daemon.session_with(&["database"]), daemon.session_with(&["database", "fs"]));
    daemon.write("helper.js", "exports.database = require('database')");
    assert_eq!(daemon.preview(&one, "require('database') === require('./helper').database"), "true");
    daemon.preview(&one, "require('database').configure('sqlite3', ':memory:')");
    assert!(daemon.failure(&other, "require('database').query('SELECT 1')").contains("not configured"));
}

#[test]
fn errors_of_the_host_are_errors_with_a_code() {
    let daemon = Daemon::start();
    let session = daemon.session_with(&["database", "exec", "fs"]);
    for (code, expected) in [
        ("require('fs').readFileSync('nothing')", "ENOENT"),
        ("require('fs').readFileSync('../x')", "EACCES"),
        ("require('fs').readFileSync(1)", "ERR_INVALID_ARG_TYPE"),
        ("require('exec').run('no-such-command')", "ENOENT"),
        ("require('exec').run('false')", "ERR_CHILD_PROCESS_STATUS"),
        ("require('database').query('SELECT 1')", "ERR_DATABASE_NOT_CONFIGURED"),
        ("require('./nothing')", "MODULE_NOT_FOUND"),
    ] {
        let caught = format!("try {{ {code}; 'no error' }} catch (e) {{ (e instanceof Error) + ' ' + e.code }}");
        assert_eq!(daemon.preview(&session, &caught), format!("true {expected}"), "{code}");
    }
}
