//! Sessions that begin with an image cannot be told from those that ran their startup themselves.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::{daemon::Daemon, http::text};

/// A template with these startup files, which are written into the worktree.
fn template(daemon: &Daemon, modules: &[&str], files: &[(&str, &str)]) -> String {
    let template = daemon.template_with("with startup", &json!({}), modules);
    for (at, (path, source)) in files.iter().enumerate() {
        daemon.write(path, source);
        let file = json!({"path": path, "order_index": at, "mode": "eval"});
        daemon.post(&format!("/templates/{template}/startup-files"), &file).ok(201);
    }
    template
}

fn startup_events(daemon: &Daemon, session: &str) -> Vec<Value> {
    let mut executions = daemon.executions(session);
    executions.reverse();
    let events = |execution: &Value| {
        assert_eq!(execution["kind"], "startup");
        assert_eq!(execution["status"], "ok");
        daemon.get(&format!("/executions/{}/events", text(&execution["id"]))).ok(200)
    };
    executions.iter().map(events).collect()
}

#[test]
fn each_session_has_its_own_state_and_its_own_record_of_the_startup() {
    let daemon = Daemon::start();
    let files = [("a.js", "var seen = []; console.log('a ran')"), ("b.js", "seen.push('b'); seen.length")];
    let template = template(&daemon, &[], &files);
    let sessions: Vec<_> = (0..4).map(|_| daemon.session_of(&template)).collect();
    let mut ids = HashSet::new();
    for (at, session) in sessions.iter().enumerate() {
        let startup = startup_events(&daemon, session);
        assert_eq!(startup.len(), 2);
        assert_eq!(startup[0][1]["payload"]["text"], "a ran");
        assert_eq!(startup[1][1]["payload"]["preview"], "1");
        for execution in daemon.executions(session) {
            assert!(ids.insert(text(&execution["id"])));
        }
        assert_eq!(daemon.preview(session, &format!("seen.push({at}); seen.join()")), format!("b,{at}"));
    }
    let random = |session| daemon.preview(session, "Math.random() + crypto.randomUUID()");
    assert_eq!(sessions.iter().map(|session| random(session)).collect::<HashSet<_>>().len(), 4);
    let origin = |session| daemon.preview(session, "performance.timeOrigin");
    assert_eq!(sessions.iter().map(|session| origin(session)).collect::<HashSet<_>>().len(), 4);
}

#[test]
fn what_would_not_be_the_same_another_time_runs_in_each_session() {
    let daemon = Daemon::start();
    for (at, (modules, source)) in [
        (&[][..], "var mine = Math.random()"),
        (&[], "var mine = Date.now() + ' ' + performance.now()"),
        (&[], "var mine = crypto.randomUUID()"),
        (&[], "var mine; setTimeout(() => mine = performance.timeOrigin, 1)"),
        (&["exec"], "var mine = require('exec').run('cat', ['/proc/sys/kernel/random/uuid'])"),
        (&["fs"], "var fs = require('fs'); var mine = fs.existsSync('n') ? Number(fs.readFileSync('n', 'utf8')) : 0; fs.writeFileSync('n', String(mine + 1))"),
        (&["database"], "var db = require('database'); db.configure('sqlite3', 'n.db'); db.exec('CREATE TABLE IF NOT EXISTS t (n)'); db.exec('INSERT INTO t VALUES (1)'); var mine = db.query('SELECT count(*) AS n FROM t')[0].n"),
    ].into_iter().enumerate() {
        let first = format!("first{at}.js");
        let second = format!("second{at}.js");
        let template = daemon.template_with(&format!("t{at}"), &json!({}), modules);
        for (order, (path, source)) in [(&first, "var before = 1"), (&second, source)].into_iter().enumerate() {
            daemon.write(path, source);
            let file = json!({"path": path, "order_index": order, "mode": "eval"});
            daemon.post(&format!("/templates/{template}/startup-files"), &file).ok(201);
        }
        let values: HashSet<_> = (0..3).map(|_| daemon.preview(&daemon.session_of(&template), "before + ' ' + mine")).collect();
        assert_eq!(values.len(), 3, "{source}: {values:?}");
    }
}

#[test]
fn a_change_of_what_startup_saw_is_seen_by_the_next_session() {
    let daemon = Daemon::start();
    let read = "var fs = require('fs'); var config = fs.readFileSync('config.txt', 'utf8'); var names = fs.readdirSync('.').length";
    daemon.write("config.txt", "one");
    daemon.write("lib/part.js", "exports.part = 'one'");
    let template = template(&daemon, &["fs"], &[("a.js", read), ("b.js", "var part = require('./lib/part.js').part")]);
    let ask = || daemon.preview(&daemon.session_of(&template), "[config, part, names].join()");
    assert_eq!(ask(), "one,one,4");
    assert_eq!(ask(), "one,one,4");
    daemon.write("config.txt", "two");
    assert_eq!(ask(), "two,one,4");
    daemon.write("lib/part.js", "exports.part = 'two'");
    assert_eq!(ask(), "two,two,4");
    daemon.write("more.txt", "");
    assert_eq!(ask(), "two,two,5");
    daemon.write("b.js", "var part = 'three'");
    assert_eq!(ask(), "two,three,5");
    daemon.write("config.txt", "one");
    assert_eq!(ask(), "one,three,5");
}

#[test]
fn another_worktree_has_its_own_files() {
    let daemon = Daemon::start();
    let template = template(&daemon, &["fs"], &[("a.js", "var here = require('./name.js')")]);
    let ask = |name: &str| {
        let worktree = daemon.folder.path().join(name);
        std::fs::create_dir_all(&worktree).unwrap();
        std::fs::write(worktree.join("a.js"), "var here = require('./name.js')").unwrap();
        std::fs::write(
            worktree.join("name.js"),
            format!("module.exports = '{name} ' + (__dirname.endsWith('{name}'))"),
        )
        .unwrap();
        let mut new = daemon.new_session(&template);
        new["worktree_path"] = json!(worktree);
        daemon.preview(&text(&daemon.post("/sessions", &new).ok(201)["id"]), "here")
    };
    assert_eq!(ask("one"), "one true");
    assert_eq!(ask("two"), "two true");
    assert_eq!(ask("one"), "one true");
}

#[test]
fn a_startup_that_fails_fails_each_time_and_says_why() {
    let daemon = Daemon::start();
    let template = template(&daemon, &[], &[("a.js", "var n = 1"), ("b.js", "throw new Error('not today')")]);
    for _ in 0..3 {
        let answer = daemon.post("/sessions", &daemon.new_session(&template));
        assert_eq!(answer.status, 422);
        assert!(text(&answer.body["error"]["message"]).contains("not today"), "{}", answer.body);
        let session = text(&answer.body["error"]["details"]["session_id"]);
        assert_eq!(daemon.executions(&session).len(), 2);
    }
    daemon.write("b.js", "n++");
    assert_eq!(daemon.preview(&daemon.session_of(&template), "n"), "2");
}

#[test]
fn a_template_that_changes_makes_other_sessions() {
    let daemon = Daemon::start();
    let template = template(&daemon, &[], &[("a.js", "var kind = (function () { return this === undefined })()")]);
    assert_eq!(daemon.preview(&daemon.session_of(&template), "kind"), "false");
    daemon.patch(&format!("/templates/{template}"), &json!({"settings": {"runtime": {"strict": true}}})).ok(200);
    assert_eq!(daemon.preview(&daemon.session_of(&template), "kind"), "true");
    let global = json!({"kind": "global", "name": "region", "config": {"value": "north"}});
    daemon.post(&format!("/templates/{template}/capabilities"), &global).ok(201);
    assert_eq!(daemon.preview(&daemon.session_of(&template), "region"), "north");
}

#[test]
fn images_and_what_was_made_of_them_are_used_by_the_next_daemon() {
    let mut daemon = Daemon::start();
    let template =
        template(&daemon, &[], &[("a.js", "var table = Array.from({ length: 2000 }, (_, i) => 'row ' + i)")]);
    // the first one makes the image
    daemon.session_of(&template);
    let old = daemon.session_of(&template);
    daemon.repl(&old, "table[7] = 'mine'").ok(201);
    let row = daemon.get(&format!("/sessions/{old}")).ok(200);
    assert!(
        row["memory"]["stored_bytes"].as_u64().unwrap() < 20_000,
        "the image is not stored with the session: {row}"
    );
    daemon.signal("KILL");
    let daemon = daemon.restart();
    let new = daemon.session_of(&template);
    assert_eq!(startup_events(&daemon, &new).len(), 1);
    assert_eq!(daemon.preview(&old, "table[7] + table[8]"), "minerow 8");
    assert_eq!(daemon.preview(&new, "table[7] + table[8]"), "row 7row 8");
}

#[test]
fn a_library_of_the_catalog_may_time_itself_while_it_loads_and_others_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    let library = "var table = Array.from({ length: 3000 }, (_, i) => 'row ' + i), timed = Date.now();";
    for name in ["lodash-4.17.21.js", "other-1.0.0.js"] {
        std::fs::write(cache.join(name), library).unwrap();
    }
    let daemon = Daemon::start_with(folder, &["--cache-dir", cache.to_str().unwrap()]);
    for (library, has_image) in [("lodash", true), ("other-1.0.0", false)] {
        let template = daemon.template(library, &json!({}));
        daemon.post(&format!("/templates/{template}/libraries"), &json!({"name": library})).ok(201);
        daemon.session_of(&template);
        let second = daemon.session_of(&template);
        assert_eq!(daemon.preview(&second, "table[7]"), "row 7");
        let row = daemon.get(&format!("/sessions/{second}")).ok(200);
        assert_eq!(row["memory"]["stored_bytes"].as_u64().unwrap() < 20_000, has_image, "{library}: {row}");
    }
}
