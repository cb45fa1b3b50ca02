//! A worktree whose path is, or becomes, a symlink: the folder that was opened is the boundary.

use std::{fs, os::unix::fs::symlink};

use serde_json::json;

use crate::world::World;

#[test]
fn a_worktree_behind_a_symlink_is_the_folder_it_leads_to() {
    let world = World::new();
    let template = world.template(&json!({}), &["fs", "database", "exec"]);
    let session = world.session_at(&template, &world.out().join("into"));
    assert_eq!(world.daemon.preview(&session, "require('fs').readFileSync('inside.txt', 'utf8')"), "inside");
    assert_eq!(
        world.daemon.preview(&session, &world.fill("require('fs').readFileSync('$OUT/into/inside.txt', 'utf8')")),
        "inside"
    );
    assert_eq!(world.daemon.run_file(&session, "inside.js").ok(201)["result"]["json"], "inside");
    for (code, said) in [
        ("require('fs').readFileSync('../secret.txt')", "leads out of the worktree"),
        ("require('fs').readFileSync('$WORK/inside.txt')", "leads out of the worktree"),
        ("require('fs').readFileSync('$OUT/into/../secret.txt')", "leads out of the worktree"),
        ("require('fs').writeFileSync('../into', 'x')", "leads out of the worktree"),
        ("require('database').configure('sqlite', '../secret.db')", "leads out of the worktree"),
        ("require('../secret.js')", "it leads out of the worktree"),
        ("import('../secret.mjs')", "it leads out of the worktree"),
    ] {
        world.fails(&session, code, said);
    }
}

#[test]
fn a_worktree_that_is_exchanged_for_a_symlink_stays_what_it_was() {
    let world = World::new();
    let session = world.session(&json!({}), &["fs", "database", "exec"]);
    let (work, aside) = (world.work(), world.daemon.folder.path().join("aside"));
    fs::write(work.join("own.js"), "module.exports = 'own'").unwrap();
    fs::rename(&work, &aside).unwrap();
    symlink(world.out().join("folder"), &work).unwrap();

    for (code, expected) in [
        ("require('fs').readFileSync('inside.txt', 'utf8')", "inside"),
        ("require('fs').existsSync('secret.txt') || require('fs').existsSync('$WORK/secret.txt')", "false"),
        ("require('fs').writeFileSync('new.txt', 'x')", "undefined"),
        ("require('fs').writeFileSync('$WORK/new.txt', 'x')", "undefined"),
        ("require('./own')", "own"),
        ("var db = require('database'); db.configure('sqlite', 'inside.db'); db.query('SELECT * FROM t').length", "1"),
        ("db.configure('sqlite', '$WORK/new.db'); db.exec('CREATE TABLE t (v)').success", "true"),
        ("require('exec').run('cat', ['inside.txt'])", "inside"),
        ("require('exec').run('pwd', ['-P']).trim().split('/').pop()", "aside"),
    ] {
        let said = world.daemon.preview(&session, &world.fill(code));
        assert_eq!(said, expected, "{code}");
        world.unchanged(code, &said);
    }
    for (code, said) in [
        ("require('fs').readFileSync('secret.txt')", "ENOENT"),
        ("require('fs').readFileSync('$WORK/secret.txt')", "ENOENT"),
        ("require('./secret.js')", "no such file; tried"),
        ("import('./secret.mjs')", "no such file; tried"),
        ("require('database').configure('sqlite', 'file:secret.db?mode=rw')", "unable to open database file"),
    ] {
        let answer = world.daemon.repl(&session, &world.fill(code)).ok(201);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(said), "{code}: {answer}");
        world.unchanged(code, &answer.to_string());
    }
    world.daemon.run_file(&session, "secret.js").refused(404, "FILE_NOT_FOUND");
    assert!(aside.join("new.txt").exists() && aside.join("new.db").exists());
}
