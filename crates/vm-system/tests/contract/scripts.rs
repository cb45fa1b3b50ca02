//! What scripts see: state, completion values, and when an execution ends.

use serde_json::json;

use crate::{daemon::Daemon, http::events};

#[test]
fn var_let_const_functions_classes_and_promises_live_on_in_the_session() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.preview(
        &session,
        "var a = 1; let b = 2; const c = 3; function d() { return 4 } class E { five = 5 } globalThis.f = 6; \
         var go, waiting = new Promise(done => { go = done }).then(x => x + 1); 0",
    );
    assert_eq!(daemon.preview(&session, "[a, b, c, d(), new E().five, f].join()"), "1,2,3,4,5,6");
    daemon.preview(&session, "b += 10; go(6)");
    assert_eq!(daemon.preview(&session, "b + await waiting"), "19");
    daemon.write("more.js", "var fromFile = b; let alsoFromFile = c");
    daemon.console(&session, "more.js");
    assert_eq!(daemon.preview(&session, "fromFile + alsoFromFile"), "15");
}

#[test]
fn the_completion_value_is_the_result() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for (code, preview) in [
        ("var x = 1", "undefined"),
        ("var x = 1; x", "1"),
        ("1; 2; ;", "2"),
        ("if (true) 'yes'; else 'no'", "yes"),
        ("for (var i = 0; i < 3; i++) i * 10", "20"),
        ("try { 'tried' } finally { 'last' }", "tried"),
        ("function f() { return 1 }", "undefined"),
        ("({ a: 1 })", "{ a: 1 }"),
        ("// nothing", "undefined"),
        ("'use strict'", "use strict"),
        ("typeof Math.random()", "number"),
    ] {
        assert_eq!(daemon.preview(&session, code), preview, "{code}");
    }
}

#[test]
fn scripts_are_global_and_sloppy() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("a.js", "undeclared = 1; var declared = this === globalThis; declared");
    assert_eq!(daemon.run_file(&session, "a.js").ok(201)["result"]["json"], true);
    assert_eq!(
        daemon.preview(&session, "undeclared + ' ' + globalThis.declared + ' ' + (this === globalThis)"),
        "1 true true"
    );
    assert_eq!(daemon.preview(&session, "(function () { return this === globalThis })()"), "true");
}

#[test]
fn await_works_at_the_top_level_and_what_it_declares_stays() {
    let daemon = Daemon::start();
    let session = daemon.session();
    assert_eq!(daemon.preview(&session, "const five = await Promise.resolve(5); let six = five + 1; six"), "6");
    assert_eq!(daemon.preview(&session, "five * six"), "30");
    assert_eq!(daemon.preview(&session, "var n = 0; for await (const x of [1, Promise.resolve(2)]) n += x; n"), "3");
    assert_eq!(daemon.failure(&session, "await Promise.reject(new TypeError('no'))"), "TypeError: no");
}

#[test]
fn a_completion_value_that_is_a_promise_is_awaited_and_its_outcome_recorded() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let ran = daemon.repl(&session, "new Promise(done => setTimeout(done, 20, { late: true }))").ok(201);
    assert_eq!(ran["result"], json!({"type": "object", "preview": "{ late: true }", "json": {"late": true}}));
    assert_eq!(daemon.preview(&session, "(async () => 'done')()"), "done");
    assert_eq!(daemon.failure(&session, "Promise.reject(new Error('late'))"), "Error: late");
}

#[test]
fn an_execution_ends_when_its_value_is_known_and_the_event_loop_is_idle() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let code = "setTimeout(() => { console.log('first'); setTimeout(() => console.log('second'), 10) }, 10); \
                Promise.resolve().then(() => console.log('microtask')); 'value'";
    let ran = daemon.repl(&session, code).ok(201);
    let console: Vec<_> = ran["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["type"] == "console")
        .map(|event| event["payload"]["text"].clone())
        .collect();
    assert_eq!(console, ["microtask", "first", "second"]);
    assert_eq!(ran["result"]["json"], "value");
    assert_eq!(
        daemon.failure(&session, "setTimeout(() => { throw new Error('in a timer') }, 5); 1"),
        "Error: in a timer"
    );
}

#[test]
fn what_is_still_pending_when_nothing_is_left_to_wait_for_ends_the_execution_at_once() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let never = daemon.repl(&session, "new Promise(() => {})").ok(201);
    assert_eq!((&never["status"], &never["result"]["preview"]), (&json!("ok"), &json!("Promise { <pending> }")));
    let code = "var go; const got = await new Promise(done => { go = done }); console.log('after', got)";
    let waits = daemon.repl(&session, code).ok(201);
    assert_eq!((&waits["status"], &waits["result"]["preview"]), (&json!("ok"), &json!("Promise { <pending> }")));
    let settles = daemon.repl(&session, "go(7); 'settled'").ok(201);
    assert_eq!(settles["status"], "ok", "{settles}");
    let recorded = events(&settles["events"]);
    let console = json!([2, "console", {"level": "log", "text": "after 7"}]);
    assert!(
        recorded.as_array().unwrap().contains(&console),
        "what follows runs in the execution that settles it: {recorded}"
    );
    assert_eq!(daemon.preview(&session, "got"), "7");
}

#[test]
fn javascript_built_ins_are_always_there() {
    let daemon = Daemon::start();
    let session = daemon.session();
    assert_eq!(
        daemon.preview(&session, "JSON.stringify({ a: Math.max(1, 2), d: new Date(0) })"),
        r#"{"a":2,"d":"1970-01-01T00:00:00.000Z"}"#
    );
    let missing = "['Object', 'Promise', 'Map', 'WeakRef', 'Proxy', 'Reflect', 'Symbol', 'BigInt', 'Atomics', \
                    'setTimeout', 'setInterval', 'queueMicrotask', 'structuredClone', 'TextEncoder', 'TextDecoder', 'URL', \
                    'atob', 'btoa', 'performance', 'crypto'].filter(name => !(name in globalThis)).join()";
    assert_eq!(daemon.preview(&session, missing), "");
}
