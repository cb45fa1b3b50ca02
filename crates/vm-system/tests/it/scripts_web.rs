//! The globals that scripts find besides the language itself.

use crate::daemon::Daemon;

/// Evaluates each expression in one session, and compares its preview.
#[track_caller]
fn previews(cases: &[(&str, &str)]) {
    let daemon = Daemon::start();
    let session = daemon.session();
    for (code, expected) in cases {
        assert_eq!(daemon.preview(&session, code), *expected, "{code}");
    }
}

/// Evaluates each expression in one session, and compares what it throws.
#[track_caller]
fn failures(cases: &[(&str, &str)]) {
    let daemon = Daemon::start();
    let session = daemon.session();
    for (code, expected) in cases {
        let message = daemon.failure(&session, code);
        assert!(message.starts_with(expected), "{code}: {message}");
    }
}

#[test]
fn urls_are_parsed_changed_and_shown() {
    previews(&[
        ("new URL('../x?a=1#h', 'https://u:p@EXAMPLE.com:8080/a/b/c').href", "https://u:p@example.com:8080/a/x?a=1#h"),
        ("var u = new URL('http://a/?x=1'); u.searchParams.append('y', '2 3'); u.href", "http://a/?x=1&y=2+3"),
        ("u.search = '?z=ä'; [...u.searchParams].join()", "z,ä"),
        ("u.port = '81'; u.hash = 'top'; u.protocol = 'https'; u + ''", "https://a:81/?z=%C3%A4#top"),
        ("u.origin = 'http://b'; u.port = 'x'; u.host", "a:81"),
        ("URL.canParse('nope') + ' ' + URL.canParse('/x', 'http://a') + ' ' + URL.parse('nope')", "false true null"),
        ("JSON.stringify({ u: new URL('http://a') })", r#"{"u":"http://a/"}"#),
        ("new URLSearchParams({ a: 1, b: 'x y' }).toString()", "a=1&b=x+y"),
        ("new URLSearchParams('?a=1&a=2&b=3').getAll('a').join()", "1,2"),
        (
            "var p = new URLSearchParams([['b', '2'], ['a', '1'], ['b', '3']]); p.sort(); p.set('b', 'x'); p + ''",
            "a=1&b=x",
        ),
        ("p.delete('a'); p.has('b', 'x') + ' ' + p.size + ' ' + p.get('none')", "true 1 null"),
        ("p", "URLSearchParams { 'b' => 'x' }"),
        ("u instanceof URL && Object.prototype.toString.call(u)", "[object URL]"),
        ("new URL('http://a/b').pathname = 'c', new URL('http://a').searchParams.size", "0"),
    ]);
    failures(&[
        ("new URL('nope')", "TypeError: Invalid URL: nope"),
        ("new URL()", "TypeError: Invalid URL: undefined"),
        ("URL('http://a')", "TypeError"),
        ("new URLSearchParams([['a']])", "TypeError"),
        ("u = new URL('http://a'); u.href = 'nope'", "TypeError: Invalid URL: nope"),
    ]);
}

#[test]
fn text_is_encoded_and_decoded() {
    previews(&[
        ("new TextEncoder().encode('€\\ud800').join()", "226,130,172,239,191,189"),
        ("new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 104, 105]))", "hi"),
        ("new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 104])).length", "2"),
        ("new TextDecoder('latin1').encoding", "windows-1252"),
        ("new TextDecoder('utf-16le').decode(new Uint16Array([104, 105]))", "hi"),
        ("new TextDecoder('shift_jis').decode(new Uint8Array([0x82, 0xa0]))", "あ"),
        (
            "var d = new TextDecoder(); [[226], [130], [172, 65]].map(b => d.decode(new Uint8Array(b), { stream: true })).join('|')",
            "||€A",
        ),
        ("d.decode()", ""),
        (
            "var o = new Uint8Array(4), r = new TextEncoder().encodeInto('a€b', o); [r.read, r.written, ...o].join()",
            "2,4,97,226,130,172",
        ),
        ("new TextDecoder().decode(new TextEncoder().encode('x'.repeat(1e6))).length", "1000000"),
        ("atob(btoa('hi')) + ' ' + btoa('\\xff')", "hi /w=="),
    ]);
    failures(&[
        ("new TextDecoder('utf-17')", "RangeError: \"utf-17\""),
        ("new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff]))", "TypeError"),
        ("new TextDecoder().decode('text')", "TypeError"),
        ("atob('*')", "InvalidCharacterError"),
    ]);
}

#[test]
fn values_are_cloned_by_the_rules_of_the_web() {
    previews(&[
        (
            "structuredClone({ a: [1, , 3], d: new Date(0), m: new Map([[{}, new Set([1])]]), r: /x/gi })",
            "{\n  a: [ 1, <1 empty item>, 3 ],\n  d: 1970-01-01T00:00:00.000Z,\n  m: Map(1) { {} => Set(1) { 1 } },\n  r: /x/gi\n}",
        ),
        ("var c = { n: 1 }; c.self = c; var k = structuredClone(c); k !== c && k.self === k", "true"),
        (
            "var e = structuredClone(new RangeError('x', { cause: 1 })); [e instanceof RangeError, e.message, e.cause].join()",
            "true,x,1",
        ),
        ("class A { x = 1; get y() { return 2 } }; JSON.stringify(structuredClone(new A()))", r#"{"x":1}"#),
        ("var b = new Uint8Array([1, 2, 3]).subarray(1); var s = structuredClone(b); s.join() + s.byteOffset", "2,31"),
        (
            "var t = new ArrayBuffer(8); var moved = structuredClone({ t }, { transfer: [t] }); t.detached + ' ' + moved.t.byteLength",
            "true 8",
        ),
        ("structuredClone(Object(1n)) == 1n", "true"),
        ("structuredClone(null)", "null"),
    ]);
    failures(&[
        ("structuredClone(() => 1)", "DataCloneError: "),
        ("structuredClone({ s: Symbol('x') })", "DataCloneError: Symbol(x)"),
        ("structuredClone(new WeakMap())", "DataCloneError: "),
        ("structuredClone(Promise.resolve())", "DataCloneError: "),
        ("structuredClone(1, { transfer: [{}] })", "DataCloneError: "),
        ("structuredClone({ get x() { throw new TypeError('mine') } })", "TypeError: mine"),
    ]);
}

#[test]
fn randomness_and_time_are_the_sessions_own() {
    previews(&[
        ("/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())", "true"),
        ("crypto.randomUUID() !== crypto.randomUUID()", "true"),
        ("crypto.getRandomValues(new Uint32Array(4)).some(x => x > 65535)", "true"),
        ("crypto.getRandomValues(new Uint8Array(65536)).length", "65536"),
        ("var now = performance.now(); now >= 0 && performance.now() >= now", "true"),
        ("Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000", "true"),
    ]);
    failures(&[
        ("crypto.getRandomValues(new Uint8Array(65537))", "QuotaExceededError: "),
        ("crypto.getRandomValues(new Float64Array(1))", "TypeMismatchError: "),
    ]);
    let daemon = Daemon::start();
    let template = daemon.template("plain", &serde_json::json!({}));
    let draw = || daemon.preview(&daemon.session_of(&template), "crypto.randomUUID() + Math.random()");
    assert_ne!(draw(), draw());
}

#[test]
fn microtasks_and_timers_run_in_their_order_and_what_they_throw_is_reported() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write(
        "order.js",
        "setTimeout(() => console.log('timer')); queueMicrotask(() => console.log('microtask')); \
         Promise.resolve().then(() => console.log('promise')); console.log('script')",
    );
    assert_eq!(daemon.console(&session, "order.js"), ["script", "microtask", "promise", "timer"]);
    for code in
        ["queueMicrotask(() => { throw new Error('late') }); 1", "setTimeout(() => { throw new Error('late') }); 1"]
    {
        let execution = daemon.repl(&session, code).ok(201);
        assert_eq!((&execution["status"], &execution["error"]["message"]), (&"error".into(), &"Error: late".into()));
    }
}

#[test]
fn the_globals_are_there_and_not_listed() {
    previews(&[
        (
            "['URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'crypto', 'performance', 'structuredClone', 'atob', \
             'btoa', 'queueMicrotask', 'setTimeout', 'require', 'console', 'process', 'DOMException'] \
             .filter(name => !(name in globalThis)).join()",
            "",
        ),
        ("typeof fetch + typeof module + typeof exports + typeof host", "undefinedundefinedundefinedundefined"),
        ("Object.keys(process.env).length", "0"),
    ]);
}
