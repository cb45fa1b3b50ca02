//! A session's state as bytes: what is kept of it, where it leads, and what becomes of it when it is damaged.

mod support;

use std::{
    collections::HashSet,
    time::{Duration, UNIX_EPOCH},
};

use vm_engine::{Engine, EngineError, Mode, Origin, Program, ProgramKind, QuickJs, Setup, StopReason};
use vm_model::{LimitKind, Limits};

use support::{ENGINE, Session};

/// Sets something up, and asks for it later: what is to be seen then.
const SURVIVORS: &[(&str, &str, &str)] = &[
    ("let n = 40; function add(m) { return n += m }", "add(2)", "42"),
    ("const counter = (() => { let n = 0; return () => ++n })(); counter()", "counter()", "2"),
    ("class Account { #sum = 7; get sum() { return this.#sum } } const account = new Account()", "account.sum", "7"),
    ("function* steps() { yield 1; yield 2 } const at = steps(); at.next()", "at.next().value", "2"),
    ("const key = {}, map = new Map([[key, 'found']])", "map.get(key)", "found"),
    ("const mark = Symbol('mark'), marked = { [mark]: 5 }", "marked[mark]", "5"),
    ("const same = Symbol.for('shared')", "same === Symbol.for('shared')", "true"),
    ("const weak = new WeakMap(), held = {}; weak.set(held, 3)", "weak.get(held)", "3"),
    ("let settle; const pending = new Promise(resolve => settle = resolve); 1", "settle(9); pending", "9"),
    (
        "let seen = 0; const waits = new Promise(r => globalThis.go = r).then(v => seen = v); 1",
        "go(6); waits.then(() => seen)",
        "6",
    ),
    ("const view = new Uint8Array([1, 2, 3]).subarray(1)", "view.join()", "2,3"),
    ("const big = 2n ** 200n", "big % 1000n", "376n"),
    ("const pattern = /a(b+)/g; pattern.exec('abbabbb')", "pattern.exec('abbabbb')[1]", "bbb"),
    ("const spy = new Proxy({}, { get: (_, name) => name.length })", "spy.seven", "5"),
    ("const long = 'x'.repeat(3e6)", "long.length", "3000000"),
    ("async function later() { await null; return this === undefined } let isStrict = 1", "typeof later", "function"),
    ("Object.freeze(Array.prototype)", "Object.isFrozen([].__proto__)", "true"),
];

#[test]
fn everything_that_a_program_leaves_behind_survives() {
    for (before, after, expected) in SURVIVORS {
        let mut session = Session::new();
        assert!(session.repl(before).record.error.is_none(), "{before}");
        let mut restored = Session::at(Origin { image: None, changes: &session.changes }, Limits::default()).unwrap();
        assert_eq!(restored.preview(after), *expected, "{before}");
        // what was restored is the session's own again
        let state = restored.instance().state().unwrap();
        let mut again = Session::at(Origin { image: None, changes: &[state] }, Limits::default()).unwrap();
        assert_eq!(again.preview("1 + 1"), "2", "{before}");
    }
}

#[test]
fn an_instance_that_was_made_ahead_is_like_any_other() {
    let mut first = Session::new();
    first.repl("let n = 1; const table = Array.from({ length: 1000 }, (_, at) => ({ at }))");
    let image = ENGINE.image(&first.instance().state().unwrap()).unwrap();
    let origin = Origin { image: Some(&image), changes: &[] };
    let small = Limits { mem_mb: 8, ..Limits::default() };
    for round in 1..=5_u64 {
        ENGINE.prepare(Some(&image)).unwrap();
        ENGINE.prepare(Some(&image)).unwrap();
        // the limits of one are none of the other's
        let (mut one, mut other) =
            (Session::at(origin, small.clone()).unwrap(), Session::at(origin, Limits::default()).unwrap());
        for session in [&mut one, &mut other] {
            assert_eq!(session.preview("++n + table[999].at"), "1001");
        }
        assert_eq!(one.repl("'x'.repeat(20e6).length").stopped(), Some(StopReason::Limit(LimitKind::MemMb)));
        assert_eq!(other.preview("'x'.repeat(20e6).length"), "20000000");
        assert_eq!(one.preview("n"), "2");

        ENGINE.prepare(None).unwrap();
        let created_at = UNIX_EPOCH + Duration::from_secs(round);
        let setup = Setup { created_at, ..Setup::plain(&small) };
        let mut plain = Session::set_up(Origin::default(), &setup).unwrap();
        assert_eq!(plain.preview("performance.timeOrigin"), (round * 1000).to_string());
        assert_eq!(plain.preview("typeof table"), "undefined");
        // its states mean the same
        plain.repl("let n = 5");
        let mut again = Session::at(Origin { image: None, changes: &plain.changes }, Limits::default()).unwrap();
        assert_eq!(again.preview("n"), "5");
    }
}

#[test]
fn an_instance_is_the_same_whatever_the_one_before_had() {
    let mut first = Session::new();
    first.repl("const rows = Array.from({ length: 5000 }, (_, at) => ({ at })); let more = []");
    let image = ENGINE.image(&first.instance().state().unwrap()).unwrap();
    let lead_to = |program: &str| {
        let mut session = Session::at(Origin { image: Some(&image), changes: &[] }, Limits::default()).unwrap();
        session.repl(program);
        (session.changes.clone(), session.instance().state())
    };
    let few = lead_to("rows[17].at = 1000");
    let many = lead_to("for (const row of rows) row.at += 1000");
    let long = lead_to("more = new Array(200000).fill(7)");
    let none = (Vec::new(), None);
    for one in [&few, &many, &long, &none] {
        for (changes, state) in [&few, &many, &long, &none] {
            for _ in 0..2 {
                Session::at(Origin { image: Some(&image), changes: &one.0 }, Limits::default()).unwrap();
            }
            // made for a third of that kind
            ENGINE.prepare(Some(&image)).unwrap();
            let mut session = Session::at(Origin { image: Some(&image), changes }, Limits::default()).unwrap();
            assert!(session.instance().state() == *state);
            let sum = "rows.reduce((sum, row) => sum + row.at, 0) + more.reduce((sum, n) => sum + n, 0)";
            let mut slow = Session::at(Origin { image: Some(&image), changes }, Limits::default()).unwrap();
            assert_eq!(session.preview(sum), slow.preview(sum));
            session.repl("more.push(1)");
            slow.repl("more.push(1)");
            assert!(session.instance().state() == slow.instance().state());
        }
    }
}

#[test]
fn changes_in_sequence_lead_to_the_same_place_as_the_whole_state() {
    let mut session = Session::new();
    session.repl("let rows = []");
    for round in 0..50 {
        session.repl(&format!(
            "for (let i = 0; i < 100; i++) rows.push({{ at: i, text: 'row' + i * {round} }}); rows.length"
        ));
        let whole = session.instance().state().unwrap();
        for changes in [session.changes.clone(), vec![whole]] {
            let mut restored = Session::at(Origin { image: None, changes: &changes }, Limits::default()).unwrap();
            assert_eq!(restored.preview("rows.length"), ((round + 1) * 100).to_string());
            assert_eq!(restored.preview("rows.at(-1).text"), format!("row{}", 99 * round));
        }
    }
}

#[test]
fn a_memory_that_grew_and_one_that_was_stopped_are_restored() {
    let mut session = Session::with(Limits { wall_ms: 300, ..Limits::default() });
    session.repl("let big = new Uint8Array(20 << 20).fill(7), n = 1");
    assert!(session.repl("n = 2; for (;;) n++").stopped().is_some());
    let changes = session.changes.clone();
    let mut restored = Session::at(Origin { image: None, changes: &changes }, Limits::default()).unwrap();
    assert_eq!(restored.preview("big[big.length - 1]"), "7");
    assert_eq!(restored.preview("n > 2"), "true");
}

#[test]
fn an_execution_can_be_undone() {
    let mut session = Session::new();
    session.repl("let kept = 'as it was', data = [1, 2, 3]");
    let before = session.instance().state();
    session.repl("kept = 'changed'; data = new Array(500000).fill('x')");
    assert!(session.instance().state_before().unwrap() == before, "the state before is another one");
    session.instance().undo().unwrap();
    assert!(session.instance().state() == before, "the state is another one");
    assert_eq!(session.preview("kept + data"), "as it was1,2,3");
}

#[test]
fn sessions_stamped_from_an_image_share_what_it_holds_and_nothing_else() {
    let mut first = Session::new();
    let library = "globalThis.lib = { table: Array.from({ length: 5000 }, (_, i) => i * i), seen: new Set() }";
    let kind = ProgramKind::Library { global: "lib" };
    first.run(&Program { name: "<lib>", source: library.as_bytes(), kind, mode: Mode::Sloppy });
    let image = ENGINE.image(&first.instance().state().unwrap()).unwrap();
    let origin = Origin { image: Some(&image), changes: &[] };
    let mut sessions: Vec<_> = (0..20).map(|_| Session::at(origin, Limits::default()).unwrap()).collect();
    for (at, session) in sessions.iter_mut().enumerate() {
        assert_eq!(session.preview(&format!("lib.seen.add({at}); lib.table[70]")), "4900");
    }
    for (at, session) in sessions.iter_mut().enumerate() {
        assert_eq!(session.preview("[...lib.seen].join()"), at.to_string());
        let own = session.changes.iter().map(Vec::len).sum::<usize>();
        assert!(own < 30_000, "{own} bytes of its own");
        let origin = Origin { image: Some(&image), changes: &session.changes };
        assert_eq!(Session::at(origin, Limits::default()).unwrap().preview("[...lib.seen].join()"), at.to_string());
    }
    let randoms: HashSet<_> = sessions.iter_mut().map(|session| session.preview("Math.random()")).collect();
    assert_eq!(randoms.len(), sessions.len());
}

#[test]
fn two_engines_have_one_identity_and_understand_each_other_s_states() {
    let folder = tempfile::tempdir().unwrap();
    let other = QuickJs::new(folder.path()).unwrap();
    assert_eq!(other.identity(), ENGINE.identity());
}

#[test]
fn a_damaged_state_is_refused_and_says_why() {
    let mut session = Session::new();
    session.repl("let data = Array.from({ length: 1000 }, (_, i) => 'item' + i)");
    let change = session.changes[0].clone();
    for at in (0..change.len()).step_by(change.len() / 50 + 1) {
        let mut flipped = change.clone();
        flipped[at] ^= 0x10;
        for damaged in [flipped, change[..at].to_vec()] {
            let origin = Origin { image: None, changes: &[damaged] };
            let Err(error) = Session::at(origin, Limits::default()) else { panic!("damage at {at} went unnoticed") };
            assert!(matches!(error, EngineError::Damaged(_)), "{error}");
        }
    }
    let small = Limits { mem_mb: 1, ..Limits::default() };
    session.repl("let more = new Uint8Array(100 << 20)");
    let origin = Origin { image: None, changes: &session.changes };
    assert!(Session::at(origin, small).is_err());
}

#[test]
fn what_a_session_has_dropped_costs_it_nothing_any_more() {
    let mut session = Session::new();
    session.repl("let kept = 'yes', big = Array.from({ length: 300000 }, (_, i) => ({ i, text: 'item ' + i }))");
    let full = (session.instance().own_bytes(), session.instance().state().unwrap().len());
    assert!(full.0 > 20 << 20, "{full:?}");
    session.repl("big = null");
    let empty = (session.instance().own_bytes(), session.instance().state().unwrap().len());
    assert!(empty.0 < 3 << 20 && empty.1 < full.1 / 10, "{full:?} {empty:?}");
    let before = session.instance().state().unwrap().len();
    session.repl("Array.from({ length: 300000 }, (_, i) => ({ i, text: 'item ' + i })).length");
    assert!(session.instance().state().unwrap().len() < 2 * before, "garbage is stored");
    assert_eq!(session.preview("kept + Array.from({ length: 1000 }, (_, i) => 'x' + i).length"), "yes1000");
    let changes = session.changes.clone();
    let mut restored = Session::at(Origin { image: None, changes: &changes }, Limits::default()).unwrap();
    assert_eq!(restored.preview("kept"), "yes");
}

#[test]
fn a_rest_takes_little_memory_and_changes_nothing() {
    for (before, after, expected) in SURVIVORS {
        let mut session = Session::new();
        session.repl(before);
        let state = session.instance().state();
        let own = session.instance().own_bytes();
        session.instance().rest();
        session.instance().rest();
        assert_eq!(session.instance().state(), state, "{before}");
        let packed = session.instance().own_bytes();
        assert!(packed < own / 8, "{before}: {packed} of {own}");
        assert_eq!(session.preview(after), *expected, "{before}");
    }
    let mut untouched = Session::new();
    untouched.instance().rest();
    assert_eq!(untouched.instance().state(), None);
    assert_eq!(untouched.preview("1 + 1"), "2");
}
