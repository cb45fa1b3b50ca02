//! What changes between a look and a use: a folder or file becomes a symlink out and itself again, as fast as it can.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::json;

use crate::world::World;

/// Runs something while `name` in the worktree is exchanged for a symlink to `target`, and back again.
fn while_swapping<T>(world: &World, name: &str, target: &str, run: impl FnOnce() -> T) -> T {
    let (race, parked, link) =
        (world.work().join(name), world.work().join("parked").join(name), world.work().join("race-link"));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                symlink(target, &link).unwrap();
                // what the script makes in between is in the way, and goes
                let _ = fs::rename(&race, &parked);
                let _ = fs::rename(&link, &race);
                thread::yield_now();
                let _ = fs::remove_file(&race).or_else(|_| fs::remove_dir_all(&race));
                let _ = fs::remove_file(&link);
                let _ = fs::rename(&parked, &race);
                thread::yield_now();
            }
        });
        let result = run();
        stop.store(true, Ordering::Relaxed);
        result
    })
}

/// A world in which `race` is a folder with files `secret.*` that say `inside`, as those of the folder outside do not.
fn world() -> World {
    let world = World::new();
    for (ending, content) in [("txt", "inside"), ("js", "throw 'inside'"), ("mjs", "throw 'inside'")] {
        fs::write(world.work().join(format!("race/secret.{ending}")), content).unwrap();
    }
    fs::copy(world.work().join("inside.db"), world.work().join("race/secret.db")).unwrap();
    world
}

/// A snippet that is run again and again while something is exchanged throws no text but `inside`.
#[track_caller]
fn sees_only_the_inside(modules: &[&str], name: &str, target: &str, code: &str) {
    let world = world();
    let session = world.session(&json!({"limits": {"cpu_ms": 300_000, "wall_ms": 300_000}}), modules);
    let code = format!(
        "var seen = new Set();
         for (let i = 0; i < 3000; i++) {{ try {{ {code} }} catch (e) {{ if (typeof e === 'string') seen.add(e) }} }}
         [...seen].join()"
    );
    let seen = while_swapping(&world, name, target, || world.daemon.preview(&session, &code));
    assert!(["", "inside"].contains(&seen.as_str()), "{seen}");
    world.untouched(&code, &seen);
}

/// The same of a folder.
#[track_caller]
fn sees_only_the_folder_inside(modules: &[&str], code: &str) {
    sees_only_the_inside(modules, "race", "../folder", code);
}

#[test]
fn a_folder_that_becomes_a_symlink_is_not_read_through() {
    sees_only_the_folder_inside(&["fs"], "throw require('fs').readFileSync('race/secret.txt', 'utf8')");
}

#[test]
fn a_folder_that_becomes_a_symlink_is_not_listed_through() {
    sees_only_the_folder_inside(&["fs"], "if (require('fs').readdirSync('race').includes('index.js')) throw 'outside'");
}

#[test]
fn a_folder_that_becomes_a_symlink_is_not_written_through() {
    sees_only_the_folder_inside(&["fs"], "require('fs').writeFileSync('race/new.txt', 'x')");
    sees_only_the_folder_inside(&["fs"], "require('fs').appendFileSync('race/secret.txt', '')");
    sees_only_the_folder_inside(&["fs"], "require('fs').mkdirSync('race/new/deep', { recursive: true })");
}

#[test]
fn a_folder_that_becomes_a_symlink_is_not_removed_through() {
    sees_only_the_folder_inside(&["fs"], "require('fs').rmSync('race/index.js')");
    sees_only_the_folder_inside(&["fs"], "require('fs').rmSync('race', { recursive: true })");
}

#[test]
fn a_database_that_becomes_a_symlink_is_not_opened_through() {
    let code = "const db = require('database'); db.configure('sqlite', 'file:inside.db?mode=rw');
                throw db.query('SELECT name FROM sqlite_schema')[0].name === 't' ? 'inside' : 'outside'";
    sees_only_the_inside(&["database"], "inside.db", "../secret.db", code);
}

#[test]
fn a_folder_that_becomes_a_symlink_has_no_database_behind_it() {
    let code = "const db = require('database'); db.configure('sqlite', 'race/secret.db');
                throw db.query('SELECT name FROM sqlite_schema')[0].name === 't' ? 'inside' : 'outside'";
    sees_only_the_folder_inside(&["database"], code);
}

#[test]
fn a_database_behind_a_folder_that_becomes_a_symlink_is_not_written() {
    let code = "const db = require('database'); db.configure('sqlite', 'race/secret.db');
                db.exec('PRAGMA user_version = 7')";
    sees_only_the_folder_inside(&["database"], code);
}

#[test]
fn a_folder_that_becomes_a_symlink_has_no_module_behind_it() {
    sees_only_the_folder_inside(&[], "require('./race/secret')");
    sees_only_the_folder_inside(&[], "await import('./race/secret.mjs?' + i)");
}

#[test]
fn a_folder_that_becomes_a_symlink_has_no_file_to_run_behind_it() {
    let world = world();
    let session = world.session(&json!({}), &[]);
    let answers = while_swapping(&world, "race", "../folder", || {
        (0..300).map(|_| world.daemon.run_file(&session, "race/secret.js").body.to_string()).collect::<String>()
    });
    world.untouched("run-file", &answers);
}

#[test]
fn a_folder_that_becomes_a_symlink_has_no_startup_file_behind_it() {
    let world = world();
    let template = world.template(&json!({}), &[]);
    world.daemon.post(&format!("/templates/{template}/startup-files"), &json!({"path": "race/secret.js"})).ok(201);
    let answers = while_swapping(&world, "race", "../folder", || {
        (0..100)
            .map(|_| world.daemon.post("/sessions", &world.new_session(&template)).body.to_string())
            .collect::<String>()
    });
    world.untouched("startup", &answers);
    world.untouched("startup", &world.daemon.get("/sessions").ok(200).to_string());
}
