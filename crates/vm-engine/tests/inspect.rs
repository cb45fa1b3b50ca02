//! How values look: like Node's, and whatever they are.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod support;

use support::Session;

/// Code and the preview of its value, as Node 20 shows it.
const LIKE_NODE: &[(&str, &str)] = &[
    ("1", "1"),
    ("-0", "-0"),
    ("10n", "10n"),
    ("'text'", "text"),
    ("null", "null"),
    ("undefined", "undefined"),
    ("Symbol('x')", "Symbol(x)"),
    ("({})", "{}"),
    ("[]", "[]"),
    ("({ a: 1, b: [1, 2] })", "{ a: 1, b: [ 1, 2 ] }"),
    ("[1, , 3]", "[ 1, <1 empty item>, 3 ]"),
    ("({ a: { b: { c: { d: 1 } } } })", "{ a: { b: { c: [Object] } } }"),
    ("[[[[1]]]]", "[ [ [ [Array] ] ] ]"),
    ("new Map([['a', 1], [{ x: 1 }, 2]])", "Map(2) { 'a' => 1, { x: 1 } => 2 }"),
    ("new Set([1, 'a'])", "Set(2) { 1, 'a' }"),
    ("(class A {})", "[class A]"),
    ("(class B extends Map {})", "[class B extends Map]"),
    ("(function f() {})", "[Function: f]"),
    ("(() => {})", "[Function (anonymous)]"),
    ("(async () => {})", "[AsyncFunction (anonymous)]"),
    ("(function* g() {})", "[GeneratorFunction: g]"),
    ("Object.assign(function f() {}, { a: 1 })", "[Function: f] { a: 1 }"),
    ("({ m() {} }).m", "[Function: m]"),
    ("Math.max", "[Function: max]"),
    ("new Date(0)", "1970-01-01T00:00:00.000Z"),
    ("new Date(NaN)", "Invalid Date"),
    ("/x/gi", "/x/gi"),
    ("new (class Foo { x = 1 })()", "Foo { x: 1 }"),
    ("Object.create(null)", "[Object: null prototype] {}"),
    ("new Uint8Array(3)", "Uint8Array(3) [ 0, 0, 0 ]"),
    ("new ArrayBuffer(2)", "ArrayBuffer { [Uint8Contents]: <00 00>, byteLength: 2 }"),
    ("({ get a() { return 1 }, set b(v) {} })", "{ a: [Getter], b: [Setter] }"),
    ("({ 'a-b': 1, [Symbol('k')]: 2 })", "{ 'a-b': 1, [Symbol(k)]: 2 }"),
    ("({ s: \"it's\" })", "{ s: \"it's\" }"),
    ("({ s: 'a\\nb' })", "{ s: 'a\\nb' }"),
    ("new Number(3)", "[Number: 3]"),
    ("new String('ab')", "[String: 'ab']"),
    ("var c = { a: 1 }; c.self = c; c", "<ref *1> { a: 1, self: [Circular *1] }"),
    ("Promise.reject(1).catch(() => 0), new Promise(() => {})", "Promise { <pending> }"),
    ("new WeakMap()", "WeakMap { <items unknown> }"),
    ("[1.5, 2.25, -3]", "[ 1.5, 2.25, -3 ]"),
    ("(function* () {})()", "Object [Generator] {}"),
    ("new Proxy({ a: 1 }, { get() { throw 1 }, ownKeys() { throw 2 } })", "{ a: 1 }"),
    ("var r = Proxy.revocable({}, {}); r.revoke(); r.proxy", "<Revoked Proxy>"),
    ("Array.from({ length: 8 }, (_, i) => i)", "[\n  0, 1, 2, 3,\n  4, 5, 6, 7\n]"),
    (
        "({ aaaaaaaaaaaaaaaaaaaaaaa: 'bbbbbbbbbbbbbbbbbbbbbbbbbbb', ccccccccccccccccc: 'dddddddddddddddddddddddd' })",
        "{\n  aaaaaaaaaaaaaaaaaaaaaaa: 'bbbbbbbbbbbbbbbbbbbbbbbbbbb',\n  ccccccccccccccccc: 'dddddddddddddddddddddddd'\n}",
    ),
];

#[test]
fn values_look_as_in_node() {
    let mut session = Session::new();
    for (code, preview) in LIKE_NODE {
        assert_eq!(session.preview(code), *preview, "{code}");
    }
}

#[test]
fn console_arguments_are_formatted_as_in_node() {
    let cases = [
        ("'%s is %d and %i', 'x', '4.5', 4.5", "x is 4.5 and 4"),
        ("'%j %O', { a: 1 }, [1]", r#"{\"a\":1} [ 1 ]"#),
        ("'a%%b', 1", "a%b 1"),
        ("'%s'", "%s"),
        ("'x', 1, 'y', null", "x 1 y null"),
        ("'x', 1, 'y', -2147483648", "x 1 y -2147483648"),
        ("1, '%s', 2", "1 %s 2"),
        ("'x', -0, 1.5, true, 3n", "x -0 1.5 true 3n"),
        ("'', ''", " "),
        ("''", ""),
        ("", ""),
        ("'\\ud800', '\\udc00'", "\u{fffd} \u{fffd}"),
        ("{ a: 'b' }, [undefined]", "{ a: 'b' } [ undefined ]"),
    ];
    let mut session = Session::new();
    for (arguments, text) in cases {
        let done = session.repl(&format!("console.log({arguments})"));
        assert_eq!(done.events()[0], format!(r#"console {{"level":"log","text":"{text}"}}"#), "{arguments}");
    }
}

#[test]
fn a_line_of_any_length_is_whole() {
    let mut session = Session::new();
    for length in (0..40).chain(490..530).chain([100_000]) {
        let done = session.repl(&format!("console.log('x'.repeat({length}), 7, 'é')"));
        let text = format!("{} 7 é", "x".repeat(length));
        assert_eq!(done.events()[0], format!(r#"console {{"level":"log","text":"{text}"}}"#), "{length}");
    }
}

/// Values that try to break whoever looks at them.
const HOSTILE: &[&str] = &[
    "globalThis",
    "({ get a() { throw 1 }, toJSON() { throw 2 } })",
    "({ get [Symbol.toStringTag]() { throw 1 } })",
    "({ __proto__: new Proxy({}, { getPrototypeOf() { throw 1 } }) })",
    "var deep = []; for (let i = 0; i < 1e5; i++) deep = [deep]; deep",
    "Array(2 ** 32 - 1)",
    "var sparse = []; sparse[4e9] = 1; sparse",
    "Array.from({ length: 1e5 }, (_, i) => i)",
    "Object.fromEntries(Array.from({ length: 20000 }, (_, i) => ['k' + i, 1]))",
    "Object.defineProperty(function () {}, 'name', { get() { throw 1 } })",
    "new (class extends Array { static get [Symbol.species]() { throw 1 } })(3)",
    "'\\ud800'",
    "({ constructor: { name: {} } })",
    "({ __proto__: { constructor: new Proxy(function () {}, { get() { throw 1 } }) } })",
    "Object.create(Error.prototype)",
    "new (class extends Error { get message() { throw 1 } get name() { throw 2 } })()",
    "Object.defineProperty(new Error('m'), 'stack', { get() { throw 1 } })",
    "new Uint8Array(new ArrayBuffer(8)).subarray(2)",
    "new Proxy(new Proxy([1], {}), {})",
    "var m = new Map(); m.set(m, m); m",
];

#[test]
fn no_value_breaks_the_recorder() {
    let mut session = Session::new();
    session.limits.max_output_kb = 1 << 20;
    session.repl("var kept = 42");
    for code in HOSTILE {
        let preview = session.preview(code);
        assert!(!preview.is_empty() && preview != "[not inspectable]", "{code}: {preview}");
        let done = session.repl(&format!("throw ({})", code.rsplit("; ").next().unwrap()));
        assert!(done.record.error.is_some(), "throw {code}: {done:?}");
        assert_eq!(session.preview("kept"), "42", "{code}");
    }
}

#[test]
fn tampering_with_everything_does_not_fool_the_recorder() {
    let mut session = Session::new();
    session.repl(
        "JSON.stringify = JSON.parse = Object.keys = Array.prototype.push = Array.prototype.map = String.prototype.replace \
         = RegExp.prototype.exec = Map.prototype.forEach = Function.prototype.call = null; Reflect.ownKeys = () => { throw \
         1 }; Object.defineProperty(Array.prototype, '0', { set() { throw 1 } }); Object.defineProperty(Object.prototype, \
         'value', { set() {} , configurable: true })",
    );
    assert_eq!(
        session.preview("({ a: [1, { b: 2 }], m: new Map([[1, 2]]) })"),
        "{ a: [ 1, { b: 2 } ], m: Map(1) { 1 => 2 } }"
    );
    let done = session.repl("console.log({ a: 1 }, [2])");
    assert_eq!(done.events()[0], r#"console {"level":"log","text":"{ a: 1 } [ 2 ]"}"#);
}
