//! The module `fs`: reading, writing, removing and making folders.

use std::fs;

use serde_json::json;

use crate::world::World;

/// They lead out before their last part is looked at, or by it.
const WAYS_OUT: [&str; 22] = [
    "../secret.txt",
    "./../secret.txt",
    ".//..//secret.txt",
    "sub/../../secret.txt",
    "sub/../sub/../../work-sibling/secret.txt",
    "../into/inside.txt",
    "../work/inside.txt",
    "..",
    "../",
    "$OUT",
    "$OUT/secret.txt",
    "$OUT/new.txt",
    "$OUT//secret.txt",
    "$OUT/into/inside.txt",
    "$WORK/../secret.txt",
    "$WORK-sibling/secret.txt",
    "up/secret.txt",
    "sub/up/secret.txt",
    "folder/secret.txt",
    "absolute-folder/new.txt",
    "sibling/new/deep",
    "back/inside.txt",
];

const OF_THE_SYSTEM: [&str; 10] = [
    "/",
    "/etc/passwd",
    "/proc/self/environ",
    "/proc/self/cwd/secret.txt",
    "/proc/self/root$OUT/secret.txt",
    "/dev/fd/0",
    "root/etc/passwd",
    "proc-root/etc/passwd",
    "proc-cwd/x.db",
    "proc-fd/0",
];

/// Every call of `fs`, with `PATH` for its path.
const CALLS: [&str; 9] = [
    "readFileSync(PATH)",
    "readdirSync(PATH)",
    "statSync(PATH)",
    "writeFileSync(PATH, 'x')",
    "appendFileSync(PATH, 'x')",
    "mkdirSync(PATH)",
    "mkdirSync(PATH, { recursive: true })",
    "rmSync(PATH)",
    "rmSync(PATH, { recursive: true, force: true })",
];

/// A call of `fs` with this path.
fn call(world: &World, call: &str, path: &str) -> String {
    format!("require('fs').{}", call.replace("PATH", &json!(world.fill(path)).to_string()))
}

#[test]
fn no_call_follows_a_path_out_and_each_says_so() {
    let world = World::new();
    let session = world.session(&json!({}), &["fs"]);
    for path in WAYS_OUT.iter().chain(&OF_THE_SYSTEM) {
        let said = "EACCES: the path leads out of the worktree (a capability of kind fs opens more folders), ";
        for template in CALLS {
            let message = world.fails(&session, &call(&world, template, path), said);
            assert!(message.ends_with(&format!(" '{}'", world.fill(path))), "{template}: {message}");
        }
        assert_eq!(world.daemon.preview(&session, &call(&world, "existsSync(PATH)", path)), "false", "{path}");
    }
}

#[test]
fn no_call_follows_a_symlink_to_a_file() {
    let world = World::new();
    let session = world.session(&json!({}), &["fs"]);
    for path in
        ["link.txt", "absolute.txt", "chain.txt", "dangling.txt", "and-back.txt", "$WORK/link.txt", "up", "dangling"]
    {
        for template in &CALLS[..5] {
            world.fails(&session, &call(&world, template, path), "leads out of the worktree");
        }
        world.fails(&session, &call(&world, "mkdirSync(PATH)", path), "EEXIST: file already exists, mkdir");
        world.fails(&session, &call(&world, "mkdirSync(PATH, { recursive: true })", path), "mkdir '");
        assert_eq!(world.daemon.preview(&session, &call(&world, "existsSync(PATH)", path)), "false", "{path}");
    }
}

#[test]
fn removing_a_symlink_removes_nothing_else() {
    let world = World::new();
    let session = world.session(&json!({}), &["fs"]);
    for path in [
        "link.txt",
        "absolute.txt",
        "chain.txt",
        "dangling.txt",
        "folder",
        "absolute-folder",
        "up",
        "root",
        "proc-root",
    ] {
        let code = call(&world, "rmSync(PATH, { recursive: true })", path);
        world.untouched(path, &world.daemon.preview(&session, &code));
        assert!(fs::symlink_metadata(world.work().join(path)).is_err(), "{path}");
    }
    for path in ["link.js", "sub/up", "back"] {
        let code = call(&world, "rmSync(PATH)", path);
        world.untouched(path, &world.daemon.preview(&session, &code));
    }
}

#[test]
fn removing_a_tree_with_symlinks_in_it_stays_in_the_tree() {
    let world = World::new();
    let session = world.session(&json!({}), &["fs"]);
    let code =
        "for (const name of fs.readdirSync('.')) fs.rmSync(name, { recursive: true }); fs.readdirSync('.').length";
    let left = world.daemon.preview(&session, &format!("var fs = require('fs'); {code}"));
    assert_eq!(left, "0");
    world.untouched("removing all", &left);
    world.fails(&session, "fs.rmSync('.', { recursive: true })", "EBUSY: resource busy or locked, rm '.'");
    world.fails(&session, "fs.rmSync('$WORK', { recursive: true })", "EBUSY");
}

#[test]
fn what_only_looks_like_a_way_out_is_a_name_in_the_worktree() {
    let world = World::new();
    let session = world.session(&json!({}), &["fs"]);
    for (code, said) in [
        ("readFileSync('%2e%2e/secret.txt')", "ENOENT: no such file or directory, open '%2e%2e/secret.txt'"),
        ("readFileSync('..%2fsecret.txt')", "ENOENT"),
        ("readFileSync('%2e%2e%2fsecret.txt')", "ENOENT"),
        ("readFileSync('..%c0%afsecret.txt')", "ENOENT"),
        ("readFileSync('..\\\\secret.txt')", "ENOENT"),
        ("readFileSync('\\u002e\\u002e\\uff0fsecret.txt')", "ENOENT"),
        ("readFileSync('\\uff0e\\uff0e/secret.txt')", "ENOENT"),
        ("readFileSync('.../secret.txt')", "ENOENT"),
        ("readFileSync('.. /secret.txt')", "ENOENT"),
        ("readFileSync('~/secret.txt')", "ENOENT"),
        ("readFileSync('$HOME/secret.txt')", "ENOENT"),
        ("readFileSync('file://$OUT/secret.txt')", "ENOENT"),
        ("readFileSync('inside.txt/../../secret.txt')", "ENOTDIR"),
        ("readFileSync('nothing/../../secret.txt')", "ENOENT"),
        ("readFileSync('inside.txt/')", "ENOTDIR"),
        ("readFileSync('')", "ENOENT: no such file or directory, open ''"),
        ("readFileSync('../secret.txt\\0')", "readFileSync: the argument \"path\" has a NUL character"),
        ("readFileSync('inside.txt\\0/../../secret.txt')", "has a NUL character"),
        ("writeFileSync('\\0../new.txt', 'x')", "has a NUL character"),
        ("mkdirSync('\\0')", "has a NUL character"),
        ("rmSync('inside.txt\\0../secret.txt')", "has a NUL character"),
        ("readFileSync('sub/../'.repeat(700) + '../secret.txt')", "ENAMETOOLONG"),
        ("readFileSync('x'.repeat(256))", "ENAMETOOLONG: name too long, open 'xxx"),
        ("mkdirSync('x/'.repeat(5000), { recursive: true })", "ENAMETOOLONG"),
        ("readFileSync(['../secret.txt'])", "\"path\" must be a string, not an array"),
        ("readFileSync({ path: '../secret.txt' })", "\"path\" must be a string, not an object"),
        ("readFileSync({ toString: () => '../secret.txt' })", "a function cannot be passed to the host"),
        ("readFileSync(new URL('file://$OUT/secret.txt'))", "\"path\" must be a string"),
        ("readFileSync(new TextEncoder().encode('../secret.txt'))", "\"path\" must be a string, not a Uint8Array"),
        ("readFileSync(0)", "\"path\" must be a string, not a number"),
        ("readFileSync('loop.txt')", "ELOOP: too many symbolic links encountered, open 'loop.txt'"),
        ("writeFileSync('loop.txt', 'x')", "ELOOP"),
        ("readFileSync('fifo.txt')", "EINVAL: invalid argument: a pipe, device or socket"),
        ("writeFileSync('fifo.txt', 'x')", "ENXIO"),
        ("readFileSync('socket.js')", "ENXIO"),
        ("readFileSync('sub')", "EISDIR: illegal operation on a directory, read 'sub'"),
    ] {
        world.fails(&session, &format!("require('fs').{code}"), said);
    }
}
