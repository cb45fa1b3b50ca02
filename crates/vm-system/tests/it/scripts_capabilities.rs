//! What scripts see of a template's runtime settings and capabilities.

use serde_json::{Value, json};

use crate::{
    cdn::{Cdn, Reply},
    daemon::Daemon,
};

/// A session of a template with these capabilities: kind, name, config.
#[track_caller]
fn session(daemon: &Daemon, capabilities: &[(&str, &str, Value)]) -> String {
    let template = daemon.template(&format!("{capabilities:?}"), &json!({}));
    for (kind, name, config) in capabilities {
        let new = json!({"kind": kind, "name": name, "config": config});
        daemon.post(&format!("/templates/{template}/capabilities"), &new).ok(201);
    }
    daemon.session_of(&template)
}

#[test]
fn a_global_holds_its_value_and_is_each_sessions_own() {
    let daemon = Daemon::start();
    let config = json!({"value": {"list": [1, "two", null], "deep": {"ok": true}}});
    let template = daemon.template("globals", &json!({}));
    for (name, config) in [("CONFIG", &config), ("$limit", &json!({"value": 10}))] {
        let new = json!({"kind": "global", "name": name, "config": config});
        daemon.post(&format!("/templates/{template}/capabilities"), &new).ok(201);
    }
    let (one, other) = (daemon.session_of(&template), daemon.session_of(&template));
    assert_eq!(
        daemon.preview(&one, "CONFIG.list.push($limit); JSON.stringify(CONFIG)"),
        r#"{"list":[1,"two",null,10],"deep":{"ok":true}}"#
    );
    assert_eq!(daemon.preview(&other, "CONFIG.list.length"), "3");
}

#[test]
fn process_env_shows_the_variables_of_the_daemon_that_are_named_and_no_others() {
    let daemon = Daemon::start();
    let session = session(&daemon, &[("env", "some", json!({"allow": ["PATH", "NOT_SET_ANYWHERE"]}))]);
    assert_eq!(daemon.preview(&session, "Object.keys(process.env).join()"), "PATH");
    daemon.write("show.js", "console.log(Object.keys(process.env).sort().join(), process.env.MODE, __ENV__.PATH)");
    let body = json!({"session_id": session, "path": "show.js", "env": {"MODE": "fast"}});
    let events = daemon.post("/executions/run-file", &body).ok(201)["events"].clone();
    assert_eq!(events[1]["payload"]["text"], "MODE,PATH fast undefined");
    assert_eq!(daemon.preview(&session, "Object.keys(process.env).join()"), "PATH");
}

#[test]
fn without_console_there_is_none() {
    let daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template("quiet", &json!({"runtime": {"console": false}})));
    assert_eq!(daemon.preview(&session, "typeof console"), "undefined");
    assert_eq!(daemon.failure(&session, "console.log(1)"), "ReferenceError: console is not defined");
}

#[test]
fn strict_mode_holds_for_snippets_and_files() {
    let daemon = Daemon::start();
    daemon.write("a.js", "undeclared = 1");
    let strict = daemon.session_of(&daemon.template("strict", &json!({"runtime": {"strict": true}})));
    assert!(daemon.failure(&strict, "undeclared = 1").starts_with("ReferenceError"));
    assert!(daemon.failure_of_file(&strict, "a.js").starts_with("ReferenceError"));
    let sloppy = daemon.session();
    assert_eq!(daemon.preview(&sloppy, "undeclared = 1"), "1");
}

#[test]
fn a_disabled_capability_does_nothing() {
    let daemon = Daemon::start();
    let template = daemon.template("disabled", &json!({}));
    for (kind, name, config) in [
        ("global", "SECRET", json!({"value": 1})),
        ("module", "exec", json!({})),
        ("env", "e", json!({"allow": ["PATH"]})),
        ("net", "n", json!({"hosts": ["127.0.0.1"]})),
    ] {
        let new = json!({"kind": kind, "name": name, "config": config, "enabled": false});
        daemon.post(&format!("/templates/{template}/capabilities"), &new).ok(201);
    }
    let session = daemon.session_of(&template);
    let code = "[typeof SECRET, typeof fetch, Object.keys(process.env).length]";
    assert_eq!(daemon.preview(&session, code), "[ 'undefined', 'undefined', 0 ]");
    assert!(daemon.failure(&session, "require('exec')").contains("Invalid module"));
}

#[test]
fn a_capability_of_kind_module_enables_its_module() {
    let daemon = Daemon::start();
    let session = session(&daemon, &[("module", "fs", json!({}))]);
    assert_eq!(daemon.preview(&session, "require('fs').existsSync('nothing')"), "false");
}

fn server() -> Cdn {
    Cdn::start(|path, _| match path {
        "/text" => Reply::File("héllo".into()),
        "/json" => Reply::File(br#"{"n":[1,2]}"#.to_vec()),
        "/echo" => Reply::Echo,
        "/away" => Reply::Redirect("http://localhost:1/".into()),
        "/home" => Reply::Redirect("/text".into()),
        "/loop" => Reply::Redirect("/loop".into()),
        "/stall" => Reply::Stall(vec![0; 100]),
        "/half" => Reply::Half(vec![0; 100]),
        "/big" => Reply::File(vec![b'x'; 20 << 20]),
        _ => Reply::Status(404),
    })
}

#[test]
fn fetch_reaches_the_hosts_that_are_named() {
    let (daemon, server) = (Daemon::start(), server());
    let session = session(&daemon, &[("net", "local", json!({"hosts": ["127.0.0.1"]}))]);
    daemon.repl(&session, &format!("var base = {:?}", server.url)).ok(201);
    for (code, expected) in [
        ("fetch(base + '/text').then(r => r.text())", "héllo"),
        ("(await (await fetch(base + '/json')).json()).n.length", "2"),
        ("var r = await fetch(base + '/none'); [r.ok, r.status, r.url === base + '/none'].join()", "false,404,true"),
        ("r = await fetch(new URL('/home', base)); [r.redirected, await r.text()].join()", "true,héllo"),
        ("(await fetch(base + '/home', { redirect: 'manual' })).headers.get('Location')", "/text"),
        ("(await Promise.all([1, 2, 3].map(() => fetch(base + '/text')))).every(r => r.ok)", "true"),
        ("r.text().catch(e => e.name + ': ' + e.message)", "TypeError: the body has been read already"),
    ] {
        assert_eq!(daemon.preview(&session, code), expected, "{code}");
    }
    let post =
        "fetch(base + '/echo', { method: 'post', headers: { 'X-Mine': 'a' }, body: 'content' }).then(r => r.text())";
    let echo = daemon.preview(&session, post);
    assert!(echo.starts_with("POST /echo HTTP/1.1\n") && echo.ends_with("\n\ncontent"), "{echo}");
    assert!(echo.contains("x-mine: a\n") && echo.contains("text/plain;charset=UTF-8"), "{echo}");
}

#[test]
fn fetch_reaches_no_other_host_by_any_way() {
    let (daemon, server) = (Daemon::start(), server());
    let session = session(&daemon, &[("net", "n", json!({"hosts": ["127.0.0.1", "*.example.com", "localtest.me"]}))]);
    daemon.repl(&session, &format!("var base = {:?}", server.url)).ok(201);
    for (url, said) in [
        ("'http://localhost:' + new URL(base).port + '/text'", "the host localhost is not among"),
        ("base + '/away'", "the host localhost is not among"),
        ("'http://127.0.0.2/'", "127.0.0.2"),
        ("'http://[::1]/'", "[::1]"),
        ("'http://example.com/'", "example.com"),
        ("'http://a.example.com.evil.test/'", "evil.test"),
        ("'http://a.example.com@evil.test/'", "evil.test"),
        ("'file:///etc/passwd'", "only http and https"),
        ("'nope'", "is no URL"),
        ("base + '/loop'", "redirections"),
        ("base + '/half'", "fetch of"),
    ] {
        let code = format!("fetch({url}).then(() => 'reached', error => error.name + ': ' + error.message)");
        let message = daemon.preview(&session, &code);
        assert!(message.starts_with("TypeError: ") && message.contains(said), "{url}: {message}");
    }
}

#[test]
fn a_request_can_be_given_up() {
    let (daemon, server) = (Daemon::start(), server());
    let session = session(&daemon, &[("net", "local", json!({"hosts": ["127.0.0.1"]}))]);
    daemon.repl(&session, &format!("var base = {:?}", server.url)).ok(201);
    let named = |options: &str| format!("fetch(base + '/stall', {options}).catch(error => error.name)");
    assert_eq!(daemon.preview(&session, &named("{ signal: AbortSignal.timeout(50) }")), "TimeoutError");
    assert_eq!(daemon.preview(&session, &named("{ signal: AbortSignal.abort() }")), "AbortError");
    let later = "var c = new AbortController(); setTimeout(() => c.abort(new RangeError('enough')), 20); ";
    assert_eq!(daemon.preview(&session, &format!("{later}{}", named("{ signal: c.signal }"))), "RangeError");
    let in_time = "fetch(base + '/text', { signal: AbortSignal.timeout(3_600_000) }).then(r => r.text())";
    assert_eq!(daemon.preview(&session, in_time), "héllo");
}

#[test]
fn a_request_that_does_not_end_is_given_up_with_its_execution() {
    let (daemon, server) = (Daemon::start(), server());
    let template = daemon.template("hasty", &json!({"limits": {"wall_ms": 500, "mem_mb": 16}}));
    let net = json!({"kind": "net", "name": "n", "config": {"hosts": ["127.0.0.1"]}});
    daemon.post(&format!("/templates/{template}/capabilities"), &net).ok(201);
    let session = daemon.session_of(&template);
    daemon.repl(&session, &format!("var base = {:?}", server.url)).ok(201);
    let details = daemon.repl(&session, "await fetch(base + '/stall')").refused(422, "OUTPUT_LIMIT_EXCEEDED");
    assert_eq!(details["limit"], "wall_ms");
    assert_eq!(daemon.preview(&session, "fetch(base + '/text').then(r => r.text())"), "héllo");
    let message = daemon.failure(&session, "await fetch(base + '/big')");
    assert!(message.contains("more than 16777216 bytes"), "{message}");
    let details = daemon.repl(&session, "fetch(base + '/stall'); 1").refused(422, "OUTPUT_LIMIT_EXCEEDED");
    assert_eq!(details["limit"], "wall_ms");
}
