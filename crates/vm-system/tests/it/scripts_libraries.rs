//! Libraries in sessions: the scenarios of the founding tests, and the whole catalog as npm has it.

use std::{fs, path::Path, thread};

use serde_json::{Value, json};

use crate::{
    cdn::{Cdn, Reply},
    daemon::{Daemon, wait_for},
    http::text,
    libs::catalog_files,
};

/// What the founding tests put into the cache.
const SHIM: &str = "var _ = { chunk: function (list, size) { var out = []; for (var i = 0; i < list.length; i += size) \
                    out.push(list.slice(i, i + size)); return out; } };";

/// A daemon whose default cache folder has these files.
fn daemon_with(files: &[(&str, &str)]) -> Daemon {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join(".vm-cache/libraries");
    fs::create_dir_all(&cache).unwrap();
    for (name, content) in files {
        fs::write(cache.join(name), content).unwrap();
    }
    Daemon::start_with(folder, &[])
}

#[track_caller]
fn template_with(daemon: &Daemon, libraries: &[&str]) -> String {
    let template = daemon.template("libraries", &json!({}));
    for library in libraries {
        daemon.post(&format!("/templates/{template}/libraries"), &json!({"name": library})).ok(201);
    }
    template
}

#[test]
fn a_configured_and_cached_lodash_is_there() {
    let daemon = daemon_with(&[("lodash-4.17.21.js", SHIM)]);
    let session = daemon.session_of(&template_with(&daemon, &["lodash-4.17.21"]));
    assert_eq!(daemon.preview(&session, "_.chunk([1, 2, 3, 4, 5], 2).length"), "3");
}

#[test]
fn a_cached_lodash_that_is_not_configured_is_not_there() {
    let daemon = daemon_with(&[("lodash-4.17.21.js", SHIM)]);
    let session = daemon.session();
    assert_eq!(daemon.failure(&session, "_.chunk([1], 1)"), "ReferenceError: _ is not defined");
    assert_eq!(daemon.preview(&session, "JSON.stringify({ a: 1 })"), r#"{"a":1}"#);
}

#[test]
fn closing_a_session_stops_a_library_that_does_not_end() {
    let daemon =
        daemon_with(&[("loops-1.0.0.js", "for (;;) {}"), ("waits-1.0.0.js", "setTimeout(() => {}, 3_000_000)")]);
    for library in ["loops-1.0.0", "waits-1.0.0"] {
        let limits = json!({"limits": {"cpu_ms": 3_600_000, "wall_ms": 3_600_000}});
        let template = daemon.template(library, &limits);
        daemon.post(&format!("/templates/{template}/libraries"), &json!({"name": library})).ok(201);
        let answer = thread::scope(|scope| {
            let creating = scope.spawn(|| daemon.post("/sessions", &daemon.new_session(&template)));
            let starting = || daemon.get("/sessions?status=starting").ok(200).as_array().unwrap().first().cloned();
            let session = text(&wait_for(starting)["id"]);
            let closed = daemon.delete(&format!("/sessions/{session}")).ok(200);
            let answer = creating.join().unwrap();
            assert_eq!(daemon.get(&format!("/sessions/{session}")).ok(200), closed);
            answer
        });
        assert_eq!(answer.refused(409, "SESSION_NOT_READY")["status"], "closed");
    }
    assert_eq!(daemon.get("/runtime/summary").ok(200)["active_sessions"], 0);
}

#[test]
fn a_configured_lodash_that_is_not_cached_crashes_the_session() {
    let daemon = Daemon::start();
    for name in ["lodash-4.17.21", "lodash"] {
        let template = text(&daemon.post("/templates", &json!({"name": name})).ok(201)["id"]);
        daemon.post(&format!("/templates/{template}/libraries"), &json!({"name": name})).ok(201);
        let answer = daemon.post("/sessions", &daemon.new_session(&template));
        let expected = format!(
            "failed to load libraries: library {name} not found in cache (run 'vm-system libs download' first)"
        );
        assert_eq!(answer.body["error"]["message"], expected);
        let details = answer.refused(500, "INTERNAL");
        assert_eq!(details["reason"], "LIBRARY_NOT_CACHED");
        let row = daemon.get(&format!("/sessions/{}", text(&details["session_id"]))).ok(200);
        assert_eq!((&row["status"], &row["last_error"]), (&json!("crashed"), &json!(expected)));
    }
    assert_eq!(daemon.get("/runtime/summary").ok(200)["active_sessions"], 0);
}

#[test]
fn libraries_are_there_before_the_startup_files() {
    let daemon = daemon_with(&[("lodash-4.17.21.js", SHIM)]);
    daemon.write("init.js", "globalThis.pairs = _.chunk([1, 2, 3], 2)");
    let template = template_with(&daemon, &["lodash"]);
    daemon.post(&format!("/templates/{template}/startup-files"), &json!({"path": "init.js"})).ok(201);
    let session = daemon.session_of(&template);
    assert_eq!(daemon.preview(&session, "pairs"), "[ [ 1, 2 ], [ 3 ] ]");
    assert_eq!(daemon.executions(&session).len(), 2, "loading a library is nobody's execution");
}

#[test]
fn a_file_put_into_the_cache_by_hand_loads_whatever_it_was_written_for() {
    let daemon = daemon_with(&[
        ("plain-script-1.0.0.js", "var answer = 42"),
        ("left-pad-1.3.0.js", "'use strict'; module.exports = (text, width) => text.padStart(width)"),
        ("named-2.0.js", "exports.one = 1; exports.require = typeof require"),
        (
            "universal-0.1.js",
            "(function (root, make) { if (typeof exports === 'object') module.exports = make(); else root.uni = make() })\
             (this, function () { return { made: true } })",
        ),
    ]);
    let libraries = ["plain-script-1.0.0", "left-pad-1.3.0", "named-2.0", "universal-0.1"];
    let session = daemon.session_of(&template_with(&daemon, &libraries));
    assert_eq!(daemon.preview(&session, "[answer, leftPad('x', 3), named.one, uni.made]"), "[ 42, '  x', 1, true ]");
    assert_eq!(daemon.preview(&session, "typeof module + typeof exports"), "undefinedundefined");
}

#[test]
fn a_library_that_throws_or_does_not_end_crashes_the_session_and_is_named() {
    let daemon = daemon_with(&[("bad-1.js", "throw new Error('no luck')"), ("slow-1.js", "for (;;) {}")]);
    for (name, said) in [("bad-1", "Error: no luck"), ("slow-1", "wall_ms")] {
        let template = daemon.template(name, &json!({"limits": {"wall_ms": 1000}}));
        daemon.post(&format!("/templates/{template}/libraries"), &json!({"name": name})).ok(201);
        let answer = daemon.post("/sessions", &daemon.new_session(&template));
        let message = text(&answer.body["error"]["message"]);
        assert!(message.contains(said) && message.contains(name), "{message}");
        assert_eq!(answer.refused(422, "STARTUP_FAILED")["library"], name);
    }
}

/// A session with the whole catalog, as npm has it.
fn session_with_everything() -> (Daemon, String) {
    let files = catalog_files();
    let cache = Path::to_str(&files).unwrap();
    let daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &["--cache-dir", cache]);
    let template = template_with(&daemon, &["lodash", "moment", "axios", "ramda", "dayjs", "zustand"]);
    let net = json!({"kind": "net", "name": "test", "config": {"hosts": ["127.0.0.1"]}});
    daemon.post(&format!("/templates/{template}/capabilities"), &net).ok(201);
    let session = daemon.session_of(&template);
    (daemon, session)
}

#[test]
fn all_six_libraries_of_the_catalog_load_and_work() {
    let (daemon, session) = session_with_everything();
    for (code, expected) in [
        ("_.VERSION", "4.17.21"),
        ("_(['b', 'a', 'b']).uniq().sortBy().join()", "a,b"),
        ("_.template('hello <%= name %>')({ name: 'you' })", "hello you"),
        ("_.cloneDeep({ a: [new Date(7)] }).a[0].getTime()", "7"),
        ("moment.utc('2026-01-31').add(1, 'month').format('YYYY-MM-DD dddd')", "2026-02-28 Saturday"),
        ("moment.duration(90, 'minutes').humanize()", "2 hours"),
        ("R.pipe(R.filter(n => n % 2), R.map(R.multiply(10)), R.sum)(R.range(1, 6))", "90"),
        ("R.equals({ a: [1] }, { a: [1] })", "true"),
        ("dayjs('2026-03-01').subtract(1, 'day').format('DD/MM/YYYY')", "28/02/2026"),
        (
            "var store = zustand.createStore(set => ({ n: 0, add: () => set(s => ({ n: s.n + 1 })) })); var seen = []; \
             store.subscribe(s => seen.push(s.n)); store.getState().add(); store.getState().add(); seen.join()",
            "1,2",
        ),
        (
            "axios.VERSION + ' ' + axios.create({ baseURL: 'http://a/b' }).getUri({ url: 'c', params: { d: 1 } })",
            "1.6.0 http://a/b/c?d=1",
        ),
    ] {
        assert_eq!(daemon.preview(&session, code), expected, "{code}");
    }
}

#[test]
fn axios_makes_its_requests_with_fetch() {
    let server = Cdn::start(|path, _| match path {
        "/json?a=1" => Reply::File(br#"{"ok":true}"#.to_vec()),
        "/echo" => Reply::Echo,
        "/stall" => Reply::Stall(vec![0; 10]),
        _ => Reply::Status(404),
    });
    let (daemon, session) = session_with_everything();
    let base = Value::from(server.url.clone());
    daemon.repl(&session, &format!("var http = axios.create({{ baseURL: {base} }})")).ok(201);
    let get = "http.get('/json', { params: { a: 1 } }).then(({ status, data }) => status + JSON.stringify(data))";
    assert_eq!(daemon.preview(&session, get), r#"200{"ok":true}"#);
    let echo = daemon.preview(&session, "http.post('/echo', { n: 1 }).then(answer => answer.data)");
    assert!(echo.starts_with("POST /echo HTTP/1.1\n") && echo.ends_with("\n\n{\"n\":1}"), "{echo}");
    assert!(echo.to_lowercase().contains("content-type: application/json"), "{echo}");
    let missing = "http.get('/none').catch(error => [error.isAxiosError, error.response.status, error.code].join())";
    assert_eq!(daemon.preview(&session, missing), "true,404,ERR_BAD_REQUEST");
    let stalls = "http.get('/stall', { timeout: 100 }).catch(error => error.code)";
    assert_eq!(daemon.preview(&session, stalls), "ECONNABORTED");
}
