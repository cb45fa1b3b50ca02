//! What is not needed any longer gives its space back.

use std::fs;

use serde_json::json;

use crate::daemon::Daemon;

fn file_bytes(daemon: &Daemon) -> u64 {
    fs::metadata(daemon.folder.path().join("x.db")).unwrap().len()
}

#[test]
fn closed_sessions_give_their_state_back_and_the_file_shrinks() {
    let daemon = Daemon::start();
    let template = daemon.template("plain", &json!({}));
    let kept = daemon.session_of(&template);
    daemon.repl(&kept, "let kept = 1").ok(201);
    for _ in 0..10 {
        let session = daemon.session_of(&template);
        // random bytes cannot be packed
        let fill = "const bytes = new Uint8Array(1 << 20); for (let i = 0; i < 16; i++) crypto.getRandomValues(bytes.subarray(i << 16, (i + 1) << 16)); 1";
        daemon.repl(&session, fill).ok(201);
        daemon.post_nothing(&format!("/sessions/{session}/close")).ok(200);
    }
    let collected = daemon.cli(&["ops", "gc"]).ok();
    assert!(collected.starts_with("Deleted Sessions: 0\nDeleted Executions: 0\n"), "{collected}");
    assert!(file_bytes(&daemon) < 2 << 20, "{} bytes after {collected}", file_bytes(&daemon));
    assert_eq!(daemon.preview(&kept, "kept"), "1");
}

#[test]
fn a_session_s_storage_follows_its_state_and_not_its_history() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let stored = || daemon.get(&format!("/sessions/{session}")).ok(200)["memory"]["stored_bytes"].as_u64().unwrap();
    daemon.repl(&session, "let n = 0, text = ''").ok(201);
    for _ in 0..200 {
        daemon.repl(&session, "n++; text = 'round ' + n; [n, text]").ok(201);
    }
    assert!(stored() < 250_000, "{} bytes", stored());
    daemon.repl(&session, "let big = new Uint8Array(4 << 20); for (let i = 0; i < 64; i++) crypto.getRandomValues(big.subarray(i << 16, (i + 1) << 16)); 1").ok(201);
    assert!(stored() > 4 << 20);
    daemon.repl(&session, "big = null").ok(201);
    daemon.repl(&session, "n").ok(201);
    assert!(stored() < 1 << 20, "{} bytes", stored());
}

#[test]
fn a_session_leaves_the_memory_as_a_whole() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let stored = || daemon.get(&format!("/sessions/{session}")).ok(200)["memory"]["stored_bytes"].as_u64().unwrap();
    for n in 0..20 {
        // what is written over again and again is in each change
        daemon.repl(&session, &format!("var n = {n}, noise = crypto.getRandomValues(new Uint8Array(1000)); n")).ok(201);
    }
    let before = stored();
    assert!(before > 20_000, "{before}");
    daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
    assert!(stored() < before / 2, "{} of {before} bytes", stored());
    assert_eq!(daemon.preview(&session, "n"), "19");
}

#[test]
fn history_beyond_what_is_retained_is_deleted_and_ready_sessions_stay() {
    let daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &["--retain", "1MiB,30d"]);
    let session = daemon.session();
    // Hard to pack.
    daemon.repl(&session, "let n = 0; const some = () => Math.random().toString(36).slice(2)").ok(201);
    for _ in 0..40 {
        daemon.repl(&session, "n++; console.log(Array.from({ length: 6000 }, some).join(''))").ok(201);
    }
    let collected = daemon.post_nothing("/runtime/gc").ok(200);
    let (deleted, left) = (collected["executions"].as_u64().unwrap(), daemon.executions(&session).len() as u64);
    assert!(deleted > 10 && left > 0 && deleted + left == 41, "{deleted} deleted, {left} left");
    assert_eq!(daemon.preview(&session, "n"), "40");
    assert!(file_bytes(&daemon) < 2 << 20, "{}", file_bytes(&daemon));
}
