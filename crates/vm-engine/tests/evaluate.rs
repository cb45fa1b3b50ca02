//! What scripts come to: values, exceptions, console, promises, timers.

mod support;

use std::collections::BTreeMap;

use support::Session;
use vm_engine::{Mode, Program, ProgramKind};

#[test]
fn state_carries_over() {
    let mut session = Session::new();
    session.repl("var a = 1; let b = 2; const c = 3; function f() { return a + b + c } globalThis.d = 4; class K {}");
    assert_eq!(session.preview("a = 10; f() + d + typeof K"), "19function");
}

#[test]
fn the_completion_value_is_the_result() {
    let mut session = Session::new();
    assert_eq!(session.preview("var x = 1"), "undefined");
    assert_eq!(session.preview("var x = 1; x"), "1");
    assert_eq!(session.preview("if (x) { 'yes' } else { 'no' }"), "yes");
}

#[test]
fn console_calls_come_before_the_value() {
    let done = Session::new().repl("console.log('hi'); console.warn('w', 1); console.error({ a: 1 }); 42");
    assert_eq!(
        done.events(),
        [
            r#"console {"level":"log","text":"hi"}"#,
            r#"console {"level":"warn","text":"w 1"}"#,
            r#"console {"level":"error","text":"{ a: 1 }"}"#,
            r#"value {"type":"number","preview":"42","json":42}"#,
        ]
    );
}

#[test]
fn exceptions_say_name_and_message_and_where() {
    let mut session = Session::new();
    assert_eq!(session.message("nothing.at.all"), "ReferenceError: nothing is not defined");
    assert_eq!(session.message("throw 42"), "42");
    assert_eq!(session.message("throw { a: 1 }"), "{ a: 1 }");
    assert_eq!(session.message("throw null"), "null");
    let done = session.repl("function deep() { null.x }\n\ndeep()");
    let stack = done.record.error.unwrap().stack.unwrap();
    assert!(stack.contains("deep") && stack.contains("<repl>:3"), "{stack}");
    assert!(session.message("let let = 1").starts_with("SyntaxError: "));
}

#[test]
fn promises_and_await_are_waited_for() {
    let mut session = Session::new();
    assert_eq!(session.preview("Promise.resolve(5)"), "5");
    assert_eq!(session.preview("const five = await Promise.resolve(5); five + 1"), "6");
    assert_eq!(session.preview("five"), "5");
    assert_eq!(session.preview("new Promise(done => setTimeout(done, 5, 'late'))"), "late");
    assert_eq!(session.preview("await new Promise(done => setTimeout(done, 5, 'later'))"), "later");
    assert_eq!(session.message("Promise.reject(new TypeError('no'))"), "TypeError: no");
    assert_eq!(session.message("await Promise.reject('text')"), "text");
    assert_eq!(session.preview("var await = 3; await + 1"), "4");
}

#[test]
fn what_nothing_will_settle_ends_at_once_and_goes_on_when_it_is_settled() {
    let mut session = Session::new();
    assert_eq!(session.preview("var go; new Promise(done => { go = done })"), "Promise { <pending> }");
    let done = session.repl("var got = await new Promise(done => { go = done }); console.log('on with', got)");
    assert_eq!(done.record.result.unwrap().preview, "Promise { <pending> }");
    let done = session.repl("go(7); 'settled'");
    assert_eq!(
        done.events(),
        [
            r#"console {"level":"log","text":"on with 7"}"#,
            r#"value {"type":"string","preview":"settled","json":"settled"}"#
        ]
    );
}

#[test]
fn timers_run_in_order_before_the_end() {
    let mut session = Session::new();
    let done = session.repl(
        "setTimeout(() => console.log('20'), 20); setTimeout(a => console.log(a), 10, '10'); setImmediate(() => \
         console.log('now')); clearTimeout(setTimeout(() => console.log('never'), 1)); var n = 0; var i = setInterval(() \
         => { if (++n == 3) clearInterval(i) }, 1); queueMicrotask?.(() => console.log('micro')); 1",
    );
    let texts: Vec<_> = done.events().into_iter().filter(|event| event.starts_with("console")).collect();
    let order: Vec<_> = texts.iter().map(|text| text.split('"').nth(7).unwrap()).collect();
    assert_eq!(order, ["micro", "now", "10", "20"]);
    assert_eq!(session.preview("n"), "3");
}

#[test]
fn what_nobody_catches_is_recorded() {
    let mut session = Session::new();
    assert_eq!(session.message("setTimeout(() => { throw new Error('in a timer') }, 1); 1"), "Error: in a timer");
    assert_eq!(session.message("Promise.reject(new Error('unhandled')); 1"), "Error: unhandled");
    let done = session.repl("var p = Promise.reject(1); setTimeout(() => p.catch(() => 0), 1); 2");
    assert!(done.record.error.is_none(), "{done:?}");
}

#[test]
fn a_snippet_may_declare_anew_and_a_file_may_not() {
    let mut session = Session::new();
    for value in 1..4 {
        assert_eq!(
            session.preview(&format!("let x = {value}; const y = x; class Z {{}} x + y")),
            format!("{}", 2 * value)
        );
    }
    let (args, env) = (Vec::new(), BTreeMap::new());
    let kind = ProgramKind::File { args: &args, env: &env };
    let file = Program { name: "a.js", source: b"let x = 9", kind, mode: Mode::Sloppy };
    let done = session.run(&file);
    assert!(done.record.error.unwrap().message.contains("redeclaration of 'x'"));
    assert_eq!(session.preview("x"), "3");
}

#[test]
fn a_file_is_given_arguments_and_environment_for_itself_alone() {
    let mut session = Session::new();
    let args = vec!["one".to_string(), "it's \"two\"".to_string()];
    let env = BTreeMap::from([("KEY".to_string(), "välue".to_string())]);
    let source = "JSON.stringify([__ARGS__, __ENV__, process.env.KEY])".as_bytes();
    let program =
        Program { name: "a.js", source, kind: ProgramKind::File { args: &args, env: &env }, mode: Mode::Sloppy };
    let done = session.run(&program);
    assert_eq!(done.record.result.unwrap().preview, r#"[["one","it's \"two\""],{"KEY":"välue"},"välue"]"#);
    assert_eq!(
        session.preview("typeof __ARGS__ + typeof __ENV__ + Object.keys(process.env).length"),
        "undefinedundefined0"
    );
}

#[test]
fn strict_mode_is_a_matter_of_the_program() {
    let mut session = Session::new();
    let program =
        |mode| Program { name: "s.js", source: b"(function () { return this })()", kind: ProgramKind::Repl, mode };
    assert_eq!(session.run(&program(Mode::Strict)).record.result.unwrap().kind, "undefined");
    assert_eq!(session.run(&program(Mode::Sloppy)).record.result.unwrap().kind, "object");
}

#[test]
fn sessions_from_one_image_do_not_share_randomness() {
    let draw = || Session::new().preview("[Math.random(), Math.random()].join()");
    assert_ne!(draw(), draw());
}

#[test]
fn numbers_of_every_kind_are_keys_of_a_map() {
    let mut session = Session::new();
    session.repl(
        "var keys = [0, 1, -1, 0.1, 2 ** 31, -(2 ** 31), 2 ** 53, 1.7e12, 1e300, 5e-324, Infinity, -Infinity, NaN, 1n, 2n ** 80n];
         for (let i = 2; i < 5000; i++) keys.push(i, -i, i + 0.5, i * 1000000)
         var map = new Map(keys.map((key, i) => [key, i]))",
    );
    assert_eq!(session.preview("map.size === keys.length && keys.every((key, i) => map.get(key) === i)"), "true");
    // the same number, made in another way
    assert_eq!(
        session.preview("[map.get(-0), map.get(0.5 + 0.5), map.get(0 / 0), map.get(BigInt(1))].join()"),
        "0,1,12,13"
    );
    assert_eq!(session.preview("keys.every(key => map.delete(key)) && map.size"), "0");
}

#[test]
fn source_that_is_no_utf8_is_an_error_of_the_script() {
    let program = Program { name: "b.js", source: b"'\xff\xfe' + \xc3", kind: ProgramKind::Repl, mode: Mode::Sloppy };
    let mut session = Session::new();
    let done = session.run(&program);
    assert!(done.record.error.is_some() || done.record.result.is_some(), "{done:?}");
    assert_eq!(session.preview("1 + 1"), "2");
}

#[test]
fn a_session_of_its_own_sees_nothing_of_another() {
    let (mut one, mut two) = (Session::new(), Session::new());
    one.repl("var secret = 1; Array.prototype.mark = 1");
    assert_eq!(two.preview("typeof secret + typeof [].mark"), "undefinedundefined");
}
