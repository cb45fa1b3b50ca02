//! `POST /executions/run-file`.

use serde_json::json;

use crate::world::World;

/// Paths with status, code, and what is said about each.
const PATHS: [(&str, u16, &str, &str); 46] = [
    ("../secret.js", 422, "INVALID_PATH", "path \"../secret.js\" has '..'"),
    ("./../secret.js", 422, "INVALID_PATH", "has '..'"),
    (".//..//secret.js", 422, "INVALID_PATH", "has '..'"),
    ("sub/../../secret.js", 422, "INVALID_PATH", "has '..'"),
    ("sub/../inside.js", 422, "INVALID_PATH", "has '..'"),
    ("inside.js/../../secret.js", 422, "INVALID_PATH", "has '..'"),
    ("nothing/../../secret.js", 422, "INVALID_PATH", "has '..'"),
    ("../into/inside.js", 422, "INVALID_PATH", "has '..'"),
    ("../work/inside.js", 422, "INVALID_PATH", "has '..'"),
    ("..", 422, "INVALID_PATH", "has '..'"),
    ("../", 422, "INVALID_PATH", "has '..'"),
    ("sub/..", 422, "INVALID_PATH", "has '..'"),
    ("$OUT/secret.js", 422, "INVALID_PATH", "is absolute"),
    ("$WORK/inside.js", 422, "INVALID_PATH", "is absolute"),
    ("$WORK/../secret.js", 422, "INVALID_PATH", "is absolute"),
    ("$WORK-sibling/secret.js", 422, "INVALID_PATH", "is absolute"),
    ("//secret.js", 422, "INVALID_PATH", "is absolute"),
    ("/", 422, "INVALID_PATH", "is absolute"),
    ("/etc/passwd", 422, "INVALID_PATH", "is absolute"),
    ("/proc/self/cwd/x.db", 422, "INVALID_PATH", "is absolute"),
    (".", 422, "INVALID_PATH", "names no file"),
    ("./", 422, "INVALID_PATH", "names no file"),
    ("inside.js\0", 422, "INVALID_PATH", "has a NUL character"),
    ("inside.js\0/../../secret.js", 422, "INVALID_PATH", "has a NUL character"),
    ("link.js", 422, "INVALID_PATH", "leads out of the worktree"),
    ("link.txt", 422, "INVALID_PATH", "leads out of the worktree"),
    ("absolute.js", 422, "INVALID_PATH", "leads out of the worktree"),
    ("chain.mjs", 422, "INVALID_PATH", "leads out of the worktree"),
    ("dangling.js", 422, "INVALID_PATH", "leads out of the worktree"),
    ("and-back.js", 422, "INVALID_PATH", "leads out of the worktree"),
    ("up/secret.js", 422, "INVALID_PATH", "leads out of the worktree"),
    ("sub/up/secret.js", 422, "INVALID_PATH", "leads out of the worktree"),
    ("folder/secret.js", 422, "INVALID_PATH", "leads out of the worktree"),
    ("absolute-folder/secret.js", 422, "INVALID_PATH", "leads out of the worktree"),
    ("back/inside.js", 422, "INVALID_PATH", "leads out of the worktree"),
    ("root/etc/passwd", 422, "INVALID_PATH", "leads out of the worktree"),
    ("proc-root/etc/passwd", 422, "INVALID_PATH", "leads out of the worktree"),
    ("proc-fd/0", 422, "INVALID_PATH", "leads out of the worktree"),
    ("%2e%2e/secret.js", 404, "FILE_NOT_FOUND", "file \"%2e%2e/secret.js\" not found in the worktree"),
    ("..%2fsecret.js", 404, "FILE_NOT_FOUND", "not found"),
    ("..\\secret.js", 404, "FILE_NOT_FOUND", "not found"),
    ("file://$OUT/secret.js", 404, "FILE_NOT_FOUND", "not found"),
    ("inside.js/inside.js", 404, "FILE_NOT_FOUND", "not found"),
    ("sub", 404, "FILE_NOT_FOUND", "not found"),
    ("fifo.js", 404, "FILE_NOT_FOUND", "not found"),
    ("socket.js", 404, "FILE_NOT_FOUND", "not found"),
];

#[test]
fn no_path_leads_out_and_none_is_recorded() {
    let world = World::new();
    let session = world.session(&json!({}), &[]);
    for (path, status, code, said) in PATHS {
        let answer = world.daemon.run_file(&session, &world.fill(path));
        world.judge(&session, path, said, &answer);
        answer.refused(status, code);
    }
    assert!(world.daemon.executions(&session).iter().all(|execution| execution["kind"] == "repl"));
}

#[test]
fn paths_beyond_all_measure_are_refused() {
    let world = World::new();
    let session = world.session(&json!({}), &[]);
    for path in ["sub/../".repeat(1000) + "../secret.js", "../".repeat(100_000), "/".repeat(100_000)] {
        let answer = world.daemon.run_file(&session, &path);
        world.judge(&session, "a long path", "path ", &answer);
        answer.refused(422, "INVALID_PATH");
    }
    for path in ["x".repeat(300), "x/".repeat(5000), "loop.js".into()] {
        let answer = world.daemon.run_file(&session, &path);
        world.judge(&session, "a long path", "file ", &answer);
        answer.refused(404, "FILE_NOT_FOUND");
    }
}
