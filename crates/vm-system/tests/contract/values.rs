//! The payload of a value: type, preview, JSON.

use serde_json::{Value, json};

use crate::daemon::Daemon;

#[test]
fn the_type_is_what_typeof_says_except_null_and_array_and_json_is_there_where_there_is_one() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for (code, kind, preview, json) in [
        ("42", "number", "42", Some(json!(42))),
        ("1.5", "number", "1.5", Some(json!(1.5))),
        ("NaN", "number", "NaN", None),
        ("-Infinity", "number", "-Infinity", None),
        ("'text'", "string", "text", Some(json!("text"))),
        ("''", "string", "", Some(json!(""))),
        ("true", "boolean", "true", Some(json!(true))),
        ("undefined", "undefined", "undefined", None),
        ("null", "null", "null", Some(Value::Null)),
        ("[1, 'two']", "array", "[ 1, 'two' ]", Some(json!([1, "two"]))),
        ("({ a: 1, b: [1, 2] })", "object", "{ a: 1, b: [ 1, 2 ] }", Some(json!({"a": 1, "b": [1, 2]}))),
        ("new Date(0)", "object", "1970-01-01T00:00:00.000Z", Some(json!("1970-01-01T00:00:00.000Z"))),
        ("'\\ud83d\\ude00 \\ud83d \\\\ud83d'", "string", "😀 \u{fffd} \\ud83d", Some(json!("😀 \u{fffd} \\ud83d"))),
        ("({ '\\udead': '\\ude00' })", "object", "{ '\\uDEAD': '\\uDE00' }", Some(json!({"\u{fffd}": "\u{fffd}"}))),
        ("10n", "bigint", "10n", None),
        ("Symbol('x')", "symbol", "Symbol(x)", None),
        ("(function f() {})", "function", "[Function: f]", None),
        ("(class A {})", "function", "[class A]", None),
        ("var c = { a: 1 }; c.self = c; c", "object", "<ref *1> { a: 1, self: [Circular *1] }", None),
    ] {
        let ran = daemon.repl(&session, code).ok(201);
        let mut expected = json!({"type": kind, "preview": preview});
        if let Some(json) = json {
            expected["json"] = json;
        }
        assert_eq!(ran["result"], expected, "{code}");
        assert_eq!(
            (&ran["events"][1]["type"], &ran["events"][1]["payload"]),
            (&json!("value"), &ran["result"]),
            "{code}"
        );
    }
}

#[test]
fn no_value_breaks_the_recorder() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for code in [
        "({ get a() { throw new Error('read') }, toJSON() { throw new Error('json') } })",
        "({ [Symbol.toStringTag]: 'x', toString() { throw 1 } })",
        "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()",
        "(() => { const { proxy, revoke } = Proxy.revocable(() => 1, {}); revoke(); return [proxy] })()",
        "new Proxy({}, { get() { throw 1 }, ownKeys() { throw 2 }, getPrototypeOf() { throw 3 } })",
        "Object.create(null)",
        "Object.assign(Object.create(null), { [Symbol('k')]: Symbol('v') })",
        "Object.defineProperty(new Error('m'), 'stack', { get() { throw 1 } })",
        "(() => { let deep = []; for (let i = 0; i < 1e5; i++) deep = [deep]; return deep })()",
        "(() => { const a = []; a.push(a, new Map([[a, a]]), new Set([a])); return a })()",
        "new Array(2 ** 32 - 1)",
        "globalThis",
        "'\\ud800'",
    ] {
        let ran = daemon.repl(&session, code).ok(201);
        assert_eq!(ran["status"], "ok", "{code}: {ran}");
        assert!(ran["result"]["preview"].is_string() && ran["result"]["type"].is_string(), "{code}: {ran}");
        let thrown = daemon.repl(&session, &format!("console.log({code}); throw {code}")).ok(201);
        assert_eq!(thrown["status"], "error", "{code}: {thrown}");
        assert!(thrown["error"]["message"].is_string(), "{code}: {thrown}");
        assert_eq!(thrown["events"][1]["type"], "console", "{code}: {thrown}");
    }
    assert_eq!(daemon.preview(&session, "1 + 1"), "2");
}
