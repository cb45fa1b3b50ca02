//! Folders that a capability of kind `fs` grants, and what is around them.

use serde_json::{Value, json};

use crate::world::World;

/// A session with the module `fs` and a capability with this config, in which `$OUT` is filled in.
fn session(world: &World, config: &Value) -> String {
    let template = world.template(&json!({}), &["fs"]);
    let config: Value = serde_json::from_str(&world.fill(&config.to_string())).unwrap();
    let new = json!({"kind": "fs", "name": "granted", "config": config});
    world.daemon.post(&format!("/templates/{template}/capabilities"), &new).ok(201);
    world.session_at(&template, &world.work())
}

#[test]
fn a_folder_that_is_granted_for_reading_is_read_and_not_written() {
    let world = World::new();
    let session = session(&world, &json!({"roots": ["$OUT/work-sibling"]}));
    let read = world.fill("require('fs').readFileSync('$OUT/work-sibling/secret.txt', 'utf8').slice(0, 6)");
    assert_eq!(world.daemon.preview(&session, &read), "secret");
    let list = world.fill("require('fs').readdirSync('$OUT/work-sibling').includes('index.js')");
    assert_eq!(world.daemon.preview(&session, &list), "true");
    for call in [
        "writeFileSync('$OUT/work-sibling/secret.txt', 'x')",
        "writeFileSync('$OUT/work-sibling/new.txt', 'x')",
        "appendFileSync('$OUT/work-sibling/secret.txt', 'x')",
        "mkdirSync('$OUT/work-sibling/new')",
        "mkdirSync('$OUT/work-sibling/new/deep', { recursive: true })",
        "rmSync('$OUT/work-sibling/secret.txt')",
        "rmSync('$OUT/work-sibling', { recursive: true })",
    ] {
        world.fails(&session, &format!("require('fs').{call}"), "EROFS: the folder is granted for reading only");
    }
}

#[test]
fn a_granted_folder_opens_nothing_around_it() {
    let world = World::new();
    let session = session(&world, &json!({"roots": ["$OUT/folder"], "write": true}));
    for path in [
        "$OUT/folder/../secret.txt",
        "$OUT/folder/./../secret.txt",
        "$OUT/folder/../folder/secret.txt",
        "$OUT/folder/..",
        "$OUT/folder2/secret.txt",
        "$OUT/folde",
        "$OUT",
        "$OUT/work-sibling/secret.txt",
        "../folder/secret.txt",
        "folder/secret.txt",
        "absolute-folder/secret.txt",
        "/",
    ] {
        for call in [
            "readFileSync('PATH')",
            "writeFileSync('PATH', 'x')",
            "mkdirSync('PATH')",
            "rmSync('PATH', { recursive: true })",
        ] {
            let code = format!("require('fs').{}", call.replace("PATH", path));
            world.fails(&session, &code, "EACCES: the path leads out of the worktree");
        }
    }
}

#[test]
fn symlinks_in_a_granted_folder_lead_nowhere_else() {
    let world = World::new();
    // The worktree itself is full of symlinks; here it is a granted folder of a session that lives elsewhere.
    let template = world.template(&json!({}), &["fs"]);
    let new = json!({"kind": "fs", "name": "granted", "config": {"roots": [world.work()], "write": true}});
    world.daemon.post(&format!("/templates/{template}/capabilities"), &new).ok(201);
    let session = world.session_at(&template, &world.daemon.worktree());
    for path in
        ["link.txt", "absolute.txt", "chain.txt", "up/secret.txt", "root/etc/passwd", "dangling.txt", "and-back.txt"]
    {
        for call in ["readFileSync('PATH')", "writeFileSync('PATH', 'x')", "statSync('PATH')"] {
            let code = format!("require('fs').{}", call.replace("PATH", &format!("$WORK/{path}")));
            world.fails(&session, &code, "EACCES: the path leads out of the worktree");
        }
    }
}

#[test]
fn a_granted_folder_is_for_fs_alone() {
    let world = World::new();
    let template = world.template(&json!({"resolver": {"allow_absolute_repo_imports": true}}), &["fs", "database"]);
    let new = json!({"kind": "fs", "name": "granted", "config": {"roots": [world.out()], "write": true}});
    world.daemon.post(&format!("/templates/{template}/capabilities"), &new).ok(201);
    let session = world.session_at(&template, &world.work());
    for (code, said) in [
        ("require('$OUT/secret.js')", "Invalid module '$OUT/secret.js'"),
        ("require('../secret.js')", "it leads out of the worktree"),
        ("import('../secret.js')", "it leads out of the worktree"),
        ("import('$OUT/secret.js')", "Cannot find module '$OUT/secret.js'"),
        ("require('database').configure('sqlite', '$OUT/secret.db')", "leads out of the worktree"),
    ] {
        world.fails(&session, code, said);
    }
    world.judge(&session, "run-file", "is absolute", &world.daemon.run_file(&session, &world.fill("$OUT/secret.js")));
}
