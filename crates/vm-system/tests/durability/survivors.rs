//! State of every kind, set up by one daemon and asked for by the next one, which follows a kill.

use serde_json::json;

use crate::daemon::Daemon;

/// What is set up, and later asked for, and what it is then.
const SURVIVORS: &[(&str, &str, &str)] = &[
    ("const counter = (() => { let n = 0; return () => ++n })(); counter()", "counter()", "2"),
    ("class Account { #sum = 7; get sum() { return this.#sum } } const account = new Account()", "account.sum", "7"),
    ("function* steps() { yield 1; yield 2 } const at = steps(); at.next()", "at.next().value", "2"),
    ("const key = {}, byKey = new Map([[key, 'found']])", "byKey.get(key)", "found"),
    ("const mark = Symbol('mark'), marked = { [mark]: 5 }", "marked[mark]", "5"),
    ("let settle; const pending = new Promise(resolve => settle = resolve); 1", "settle(9); pending", "9"),
    ("let seen = 0; const waits = new Promise(r => globalThis.go = r).then(v => seen = v); 1", "go(6); waits", "6"),
    (
        "const sleep = ms => new Promise(done => setTimeout(done, ms)); await sleep(5); let slept = 1",
        "sleep(5).then(() => ++slept)",
        "2",
    ),
    ("globalThis.tick = 0; setTimeout(() => tick++, 5)", "tick", "1"),
    ("const spy = new Proxy({}, { get: (_, name) => name.length })", "spy.seven", "5"),
    ("const mod = await import('./counter.js'); mod.next()", "mod.next()", "2"),
    ("(await import('./counter.js')).next()", "(await import('./counter.js')).next()", "2"),
    ("const { add } = require('./lib/add.js'); add(1)", "add(1)", "2"),
    ("const fs = require('fs'); fs.writeFileSync('note.txt', 'kept')", "fs.readFileSync('note.txt', 'utf8')", "kept"),
    ("const origin = performance.timeOrigin", "origin === performance.timeOrigin", "true"),
    ("const before = performance.now()", "performance.now() > before", "true"),
    ("const abort = new AbortController(); let aborted = 0", "typeof abort.abort", "function"),
    ("const when = new Date(0)", "when.toISOString()", "1970-01-01T00:00:00.000Z"),
    ("const url = new URL('https://example.org/a?b=1')", "url.searchParams.get('b')", "1"),
    ("let again = 1", "let again = 2; again", "2"),
];

fn start() -> (Daemon, Vec<String>) {
    let daemon = Daemon::start();
    daemon.write("counter.js", "let n = 0; export const next = () => ++n;");
    daemon.write("lib/add.js", "let sum = 0; exports.add = n => sum += n;");
    let net = json!({"kind": "net", "name": "fetch", "config": {"hosts": ["example.org"]}});
    let template = daemon.template_with("all", &json!({}), &["fs"]);
    daemon.post(&format!("/templates/{template}/capabilities"), &net).ok(201);
    let sessions = SURVIVORS.iter().map(|_| daemon.session_of(&template)).collect();
    (daemon, sessions)
}

fn ask(daemon: &Daemon, sessions: &[String]) {
    for ((before, after, expected), session) in SURVIVORS.iter().zip(sessions) {
        assert_eq!(daemon.preview(session, after), *expected, "{before}");
    }
}

fn set_up(daemon: &Daemon, sessions: &[String]) {
    for ((before, _, _), session) in SURVIVORS.iter().zip(sessions) {
        let execution = daemon.repl(session, before).ok(201);
        assert_eq!(execution["status"], "ok", "{before}: {execution}");
    }
}

#[test]
fn every_kind_of_state_survives_a_kill() {
    let (mut daemon, sessions) = start();
    set_up(&daemon, &sessions);
    daemon.signal("KILL");
    ask(&daemon.restart(), &sessions);
}

#[test]
fn every_kind_of_state_survives_hibernation() {
    let (daemon, sessions) = start();
    set_up(&daemon, &sessions);
    for session in &sessions {
        let answer = daemon.post_nothing(&format!("/sessions/{session}/hibernate")).ok(200);
        assert_eq!(answer["memory"]["residency"], "hibernated");
    }
    ask(&daemon, &sessions);
}

#[test]
fn every_kind_of_state_is_in_a_fork() {
    let (daemon, sessions) = start();
    set_up(&daemon, &sessions);
    let fork =
        |session: &String| crate::http::text(&daemon.post_nothing(&format!("/sessions/{session}/fork")).ok(201)["id"]);
    let forks: Vec<_> = sessions.iter().map(fork).collect();
    ask(&daemon, &sessions);
    // timeOrigin is a session's own
    let is_origin = |(before, _, _): &&(&str, &str, &str)| before.contains("performance");
    for ((row, fork), (_, after, expected)) in
        SURVIVORS.iter().zip(&forks).zip(SURVIVORS).filter(|((row, _), _)| !is_origin(row))
    {
        assert_eq!(daemon.preview(fork, after), *expected, "{}", row.0);
    }
}
