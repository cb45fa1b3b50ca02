//! Whatever comes in, the daemon answers what its document says, and never with a defect of its own.

use proptest::{prelude::*, test_runner::TestRunner};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    daemon::{Daemon, NOBODY},
    http::Answer,
};

/// Answers are compared with the document as they are read; a connection that is dropped has none.
fn check(answer: &Answer) -> Result<(), TestCaseError> {
    prop_assert!(answer.status < 500, "{} {}", answer.status, answer.body);
    Ok(())
}

fn run<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    runner.run(&strategy, test).unwrap();
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!(NOBODY)),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "name",
            "session_id",
            "input",
            "path",
            "settings",
            "limits",
            "kind",
            "config",
            "env",
            "args"
        ])
        .prop_map(String::from),
        any::<String>(),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

#[test]
fn any_json_to_any_route_is_answered_as_documented() {
    let daemon = Daemon::start();
    let template = daemon.template("any", &json!({}));
    let session = daemon.session_of(&template);
    let routes = [
        (Method::POST, "/templates".into()),
        (Method::PATCH, format!("/templates/{template}")),
        (Method::POST, format!("/templates/{template}/capabilities")),
        (Method::POST, format!("/templates/{template}/startup-files")),
        (Method::POST, format!("/templates/{template}/modules")),
        (Method::POST, format!("/templates/{template}/libraries")),
        (Method::POST, "/sessions".into()),
        (Method::POST, "/executions/repl".into()),
        (Method::POST, "/executions/run-file".into()),
    ];
    run(300, (any_json(), prop::sample::select(routes.to_vec())), |(body, (method, path))| {
        check(&Answer::to(daemon.request(method, &path).json(&body)))
    });
    assert_eq!(daemon.preview(&session, "6 * 7"), "42");
}

#[test]
fn any_bytes_as_a_body_are_answered_as_documented() {
    let daemon = Daemon::start();
    run(200, prop::collection::vec(any::<u8>(), 0..200), |body| {
        let request = daemon.request(Method::POST, "/executions/repl").header("content-type", "application/json");
        check(&Answer::to(request.body(body)))
    });
}

#[test]
fn any_path_in_the_worktree_is_answered_as_documented() {
    let daemon = Daemon::start();
    daemon.write("a.js", "1");
    let session = daemon.session();
    let part = prop::sample::select(vec!["a.js", "..", ".", "/", "\\", "%2e%2e", "\0", "~", "", "é", "\u{202e}", "x"]);
    let parts = prop::collection::vec(part, 0..8).prop_map(|parts| parts.join("/"));
    run(300, prop_oneof![parts, any::<String>()], |path| check(&daemon.run_file(&session, &path)));
}

#[test]
fn any_text_as_a_snippet_is_answered_as_documented() {
    let daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template("any", &json!({"limits": {"cpu_ms": 500, "mem_mb": 32}})));
    let word = prop::sample::select(vec![
        "let",
        "x",
        "=",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "=>",
        "await",
        "yield",
        "class",
        "function*",
        "`",
        "${",
        "'",
        "/",
        "*",
        "\\",
        "1n",
        "0x",
        ".",
        "?.",
        "...",
        "#p",
        "import",
        "export",
        "new",
        "this",
        "super",
        ";",
        "\n",
        "//",
        "/*",
        "\u{2028}",
        "return",
        "throw",
        "Symbol()",
        "new Proxy({}, {})",
        "globalThis",
        "null",
        "Promise.reject(1)",
        "-0",
        "eval",
    ]);
    let soup = prop::collection::vec(word, 1..20).prop_map(|words| words.join(" "));
    run(400, prop_oneof![soup, "\\PC{1,60}", any::<String>()], |input| check(&daemon.repl(&session, &input)));
}

#[test]
fn any_value_as_a_result_is_answered_as_documented() {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "null",
            "undefined",
            "NaN",
            "-0",
            "1e400",
            "10n ** 40n",
            "Symbol('é')",
            "() => 1",
            "class A {}",
            "/x/g",
            "new Date(NaN)",
            "new Proxy([], {})",
            "Object.create(null)",
            "new (class extends Map {})",
            "new Uint8Array(3)",
            "Promise.resolve(1)",
            "new Error('x')",
            "'\\ud800'",
            "globalThis",
            "new WeakMap()",
            "(function () { return arguments })(1)",
            "new Array(9)",
        ])
        .prop_map(String::from),
        any::<i32>().prop_map(|number| format!("({number})")),
        any::<String>().prop_map(|text| json!(text).to_string()),
    ];
    let value = leaf.prop_recursive(5, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec((any::<String>(), inner.clone()), 0..5).prop_map(|fields| {
                let fields: Vec<_> = fields.iter().map(|(name, value)| format!("[{}]: {value}", json!(name))).collect();
                format!("({{ {} }})", fields.join(", "))
            }),
            prop::collection::vec((inner.clone(), inner.clone()), 0..3).prop_map(|pairs| {
                let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("[{key}, {value}]")).collect();
                format!("new Map([{}])", pairs.join(", "))
            }),
            inner.clone().prop_map(|value| format!("({{ get x() {{ return {value} }} }})")),
            inner.prop_map(|value| format!("Object.assign([1], {{ extra: {value} }})")),
        ]
    });
    let daemon = Daemon::start();
    let session = daemon.session();
    run(300, value, |code| {
        let answer = daemon.repl(&session, &code);
        check(&answer)?;
        prop_assert_eq!(answer.status, 201, "{} {}", code, answer.body);
        Ok(())
    });
}
