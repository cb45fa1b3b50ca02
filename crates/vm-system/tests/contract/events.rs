//! Events: their shape, their types, their order.

use serde_json::json;

use crate::{daemon::Daemon, http::text};

#[test]
fn events_are_numbered_from_one_without_gaps_and_read_on_from_any() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let ran = daemon.repl(&session, "for (let i = 0; i < 5; i++) console.log(i)").ok(201);
    let id = text(&ran["id"]);
    let seqs = |after: u64| -> Vec<u64> {
        let list = daemon.get(&format!("/executions/{id}/events?after_seq={after}")).ok(200);
        list.as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(seqs(0), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(seqs(4), [5, 6, 7]);
    assert!(seqs(7).is_empty());
    assert!(seqs(1_000_000).is_empty());
}

#[test]
fn an_event_has_the_documented_shape() {
    let daemon = Daemon::start();
    let ran = daemon.repl(&daemon.session(), "1").ok(201);
    for event in ran["events"].as_array().unwrap() {
        let fields: Vec<_> = event.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["execution_id", "seq", "ts", "type", "payload"]);
        assert_eq!(event["execution_id"], ran["id"]);
    }
}

#[test]
fn a_console_event_has_the_level_that_was_called() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for level in ["log", "warn", "error", "info", "debug"] {
        let ran = daemon.repl(&session, &format!("console.{level}('a', 1, {{ b: [2] }})")).ok(201);
        assert_eq!(ran["events"][1]["type"], "console");
        assert_eq!(ran["events"][1]["payload"], json!({"level": level, "text": "a 1 { b: [ 2 ] }"}));
    }
}

#[test]
fn console_formats_as_node_does() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for (arguments, text) in [
        ("'%s is %d', 'x', 4.5", "x is 4.5"),
        ("'%j', { a: [1] }", "{\"a\":[1]}"),
        ("'%o and %O', { a: 1 }, [2]", "{ a: 1 } and [ 2 ]"),
        ("'100%', 'x'", "100% x"),
        ("{ a: { b: { c: { d: 1 } } } }", "{ a: { b: { c: [Object] } } }"),
        ("null, undefined, true, 10n, Symbol('s')", "null undefined true 10n Symbol(s)"),
        ("'text', ['text']", "text [ 'text' ]"),
        ("", ""),
    ] {
        let ran = daemon.repl(&session, &format!("console.log({arguments})")).ok(201);
        assert_eq!(ran["events"][1]["payload"], json!({"level": "log", "text": text}), "{arguments}");
    }
}

#[test]
fn an_exception_says_name_and_message_and_what_is_no_error_its_text() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("bad.js", "throw new TypeError('no')");
    for (code, message, has_stack) in [
        ("x", "ReferenceError: x is not defined", true),
        ("null.a", "TypeError: cannot read property 'a' of null", true),
        ("throw new Error('')", "Error", true),
        ("throw new (class MyError extends Error { name = 'MyError' })('mine')", "MyError: mine", true),
        ("throw 'text'", "text", false),
        ("throw 42", "42", false),
        ("throw null", "null", false),
        ("throw undefined", "undefined", false),
        ("throw { a: 1 }", "{ a: 1 }", false),
        ("Promise.reject(new RangeError('later'))", "RangeError: later", true),
    ] {
        let ran = daemon.repl(&session, code).ok(201);
        assert_eq!((&ran["status"], &ran["error"]["message"]), (&json!("error"), &json!(message)), "{code}");
        assert_eq!(ran["error"]["stack"].is_string(), has_stack, "{code}: {ran}");
        let last = ran["events"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["type"], &last["payload"]), (&json!("exception"), &ran["error"]), "{code}");
        assert!(ran.get("result").is_none(), "{ran}");
    }
}
