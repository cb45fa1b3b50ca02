//! The guest is not trusted: whatever it answers and asks for, its own session ends, and nothing else.
//!
//! One thing no guest of these does, because nothing here would stop it: a loop that neither touches its memory nor calls
//! the host.
#![allow(clippy::unwrap_used)] // helpers of tests, where a failure is a failed test

mod support;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use proptest::{prelude::*, test_runner::TestRunner};
use support::{Session, puppet::*};
use vm_engine::Setup;
use vm_model::{LimitKind, Limits};

/// A session of the real engine answers before, meanwhile and after.
fn beside_a_healthy_session<T>(work: impl FnOnce() -> T) -> T {
    let mut session = Session::new();
    session.repl("var n = 0");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let healthy = scope.spawn(|| {
            let mut count = 0;
            while !is_over.load(Ordering::Relaxed) || count == 0 {
                count += 1;
                assert_eq!(session.preview("++n"), count.to_string());
            }
            assert_eq!(session.preview("n"), count.to_string());
        });
        let result = catch_unwind(AssertUnwindSafe(work));
        is_over.store(true, Ordering::Relaxed);
        healthy.join().unwrap();
        result.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

#[test]
fn what_is_no_guest_makes_no_engine() {
    let usual = guest(&[]);
    let with = |what: &str| wat::parse_str(format!("(module {COMMON} {what})")).unwrap();
    let bulk = "(memory.fill (i32.const 0) (i32.const 0) (i32.const 1))";
    let start = |body: &str| with(&format!("(func $s {body}) (start $s)"));
    let modules = [
        ("nothing", vec![]),
        ("half a header", usual[..6].to_vec()),
        ("half a guest", usual[..usual.len() / 2].to_vec()),
        ("text", b"(module)".to_vec()),
        ("no exports", with("")),
        ("an import that the host has not", wat::parse_str("(module (import \"vm\" \"x\" (func)))").unwrap()),
        ("an import of another type", wat::parse_str("(module (import \"vm\" \"take\" (func)))").unwrap()),
        ("a memory of somebody else", wat::parse_str("(module (import \"vm\" \"memory\" (memory 1)))").unwrap()),
        ("two memories", with("(memory 1)")),
        ("4 GiB at first", wat::parse_str("(module (memory 65536))").unwrap()),
        ("addresses of 64 bits", wat::parse_str("(module (memory i64 0x1000000000000))").unwrap()),
        ("data outside of the memory", with("(data (i32.const -1) \"x\")")),
        ("instructions for bulk memory", guest(&[("vm_give_up", bulk)])),
        ("a table that grows", with("(table 1 funcref) (func (drop (table.grow (ref.null func) (i32.const -1))))")),
        ("a trap at the start", start("(unreachable)")),
        ("a call to the host at the start", start("(call $take (i32.const -1))")),
        ("no end of the start", start("(call $for_ever)")),
        ("no runtime", guest(&[("vm_init", "(i32.const -1)")])),
        ("a trap in vm_init", guest(&[("vm_init", "(unreachable)")])),
        ("no end of vm_init", guest(&[("vm_init", "(call $for_ever) (i32.const 0)")])),
        ("vm_init calls too deep", guest(&[("vm_init", "(call $dive) (i32.const 0)")])),
        (
            "vm_init calls the host",
            guest(&[(
                "vm_init",
                "(drop (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))) (i32.const 0)",
            )]),
        ),
        ("vm_init reports", guest(&[("vm_init", "(call $report_for_ever) (i32.const 0)")])),
        ("vm_init exhausts its memory", guest(&[("vm_init", "(call $memory_exhausted) (i32.const 0)")])),
        ("a trap in vm_stop_flag", guest(&[("vm_stop_flag", "(unreachable)")])),
        ("no end of vm_stop_flag", guest(&[("vm_stop_flag", "(call $for_ever) (i32.const 0)")])),
    ];
    beside_a_healthy_session(|| {
        for (what, module) in modules {
            on_a_large_stack(|| assert!(engine(&module).is_err(), "{what}"));
        }
    });
}

#[test]
fn an_export_that_answers_nonsense_ends_its_own_session_at_most() {
    use End::*;
    let rows = [
        ("vm_configure", "(unreachable)", NoSession),
        ("vm_configure", "(call $for_ever)", NoSession),
        ("vm_configure", "(call $ask_for_ever)", NoSession),
        ("vm_configure", "(call $dive)", NoSession),
        ("vm_configure", "(call $memory_exhausted)", NoSession),
        ("vm_configure", "(drop (memory.grow (i32.const 65535)))", Over),
        ("vm_set_heap_limit", "(unreachable)", RolledBack),
        ("vm_set_heap_limit", "(call $for_ever)", OutOfTime),
        ("vm_stop_flag", "(i32.const -1)", Over),
        ("vm_heap_used", "(i32.const -1)", Over),
        ("vm_heap_used", "(unreachable)", RolledBack),
        ("vm_heap_used", "(call $for_ever) (i32.const 0)", RolledBack),
        ("vm_heap_used", "(call $report_for_ever) (i32.const 0)", RolledBack),
        ("vm_clear_free", "(unreachable)", RolledBack),
        ("vm_clear_free", "(call $dive)", RolledBack),
        ("vm_alloc", "(i32.const -1)", RolledBack),
        ("vm_alloc", "(i32.const 0)", Over),
        ("vm_alloc", "(i32.const 0x3ffff)", RolledBack),
        ("vm_alloc", "(i32.const 13)", Over),
        ("vm_alloc", "(unreachable)", RolledBack),
        ("vm_alloc", "(call $for_ever) (i32.const 0)", OutOfTime),
        ("vm_alloc", "(call $take (i32.const -1)) (i32.const 0)", RolledBack),
        ("vm_run", "(i64.const -3)", RolledBack),
        ("vm_run", "(i64.const 0x8000000000000000)", RolledBack),
        ("vm_run", "(i64.const 0x7fffffffffffffff)", OutOfTime),
        ("vm_run", "(i64.const -2)", Over),
        ("vm_run", "(call $for_ever) (i64.const -1)", OutOfTime),
        ("vm_run", "(call $ask_for_ever) (i64.const -1)", OutOfTime),
        ("vm_run", "(call $report_for_ever) (i64.const -1)", Limit(LimitKind::MaxEvents)),
        ("vm_run", "(call $dive) (i64.const -1)", RolledBack),
        ("vm_run", "(i64.const 0)", Over),
    ];
    let waits = ("vm_run", "(i64.const 0)");
    let gives_up = ("vm_run", "(i64.const -2)");
    let later = [
        (waits, ("vm_resume", "(i64.const 0)"), OutOfTime),
        (waits, ("vm_resume", "(i64.const -9)"), RolledBack),
        (waits, ("vm_resume", "(call $for_ever) (i64.const 0)"), OutOfTime),
        (gives_up, ("vm_give_up", "(unreachable)"), RolledBack),
        (gives_up, ("vm_give_up", "(call $for_ever)"), OutOfTime),
        (gives_up, ("vm_give_up", "(call $report_for_ever)"), Limit(LimitKind::MaxEvents)),
        (gives_up, ("vm_give_up", "(call $dive)"), RolledBack),
    ];
    let rows = rows.map(|(export, body, end)| (vec![(export, body)], end));
    let later = later.map(|(first, then, end)| (vec![first, then], end));
    beside_a_healthy_session(|| {
        thread::scope(|scope| {
            for (changes, expected) in rows.into_iter().chain(later) {
                scope.spawn(move || {
                    on_a_large_stack(|| {
                        // without anything unusual the guest is not configured at all
                        let fetch = changes.iter().any(|(export, _)| *export == "vm_configure");
                        let setup = Setup { fetch, ..Setup::plain(&LIMITS) };
                        let ends = play(&engine(&guest(&changes)).unwrap(), &setup, &[vec![], vec![]]);
                        assert!(ends.iter().all(|end| *end == expected), "{changes:?}: {ends:?}");
                    });
                });
            }
        });
    });
}

#[test]
fn a_call_with_nonsense_ends_its_own_execution_at_most() {
    use End::*;
    const PAST: i32 = 4 << 16;
    const NAN: i32 = 0x7ff8_0000;
    let rows: Vec<(&[Move], End)> = vec![
        (&[[REPORT, 7, 0, 0, 0, 0, 0, 0]], RolledBack),
        (&[[REPORT, -1, 0, 0, 0, 0, 0, 0]], RolledBack),
        (&[[REPORT, 0, -1, 1, 0, 0, 0, 0]], RolledBack),
        (&[[REPORT, 5, 0, 9, PAST, 1, 0, 0]], RolledBack),
        (&[[REPORT, 5, 0, 9, 0, 9, PAST - 1, 2]], RolledBack),
        // "as long as 4 GiB", "as long as the whole memory"
        (&[[REPORT, 0, 0, -1, 0, 0, 0, 0]], Limit(LimitKind::MaxOutputKb)),
        (&[[REPORT, 5, -1, -1, -1, -1, -1, -1]], Limit(LimitKind::MaxOutputKb)),
        (&[[REPORT, 0, 0, PAST, 0, 0, 0, 0]], Limit(LimitKind::MaxOutputKb)),
        // texts that overlap, are no UTF-8 and no JSON
        (&[[REPORT, 5, 0, 50, 7, 50, 9, 50]], Over),
        (&[[STORE, 101, -1, 0, 0, 0, 0, 0], [REPORT, 6, 99, 7, 101, 4, 0, -1]], Limit(LimitKind::MaxOutputKb)),
        (&[[STORE, 101, -1, 0, 0, 0, 0, 0], [REPORT, 6, 99, 7, 101, 4, 0, 0]], Over),
        (&[[STORE, 100, 0x004e_614e, 0, 0, 0, 0, 0], [REPORT, 5, 100, 3, 100, 3, 100, 3]], Over),
        (&[[CALL, 0, -1, 0, 0, 0, 0, 0]], RolledBack),
        (&[[CALL, -1, 4, 0, 0, 0, 0, 0]], RolledBack),
        (&[[CALL, 0, 4, 0, -1, 0, 0, 0]], RolledBack),
        (&[[CALL, 0, 4, PAST, 1, 0, 0, 0]], RolledBack),
        (&[[CALL, 0, 4, 2, 9, 0, 0, 0]], Over),
        (&[[CALL, 0, 0, 0, PAST, 0, 0, 0], [TAKE, 0, 0, 0, 0, 0, 0, 0]], Over),
        (&[[CALL, 0, 0, 0, 10, 0, 0, 0], [TAKE, PAST - 9, 0, 0, 0, 0, 0, 0]], RolledBack),
        (&[[TAKE, 0, 0, 0, 0, 0, 0, 0], [TAKE, PAST, 0, 0, 0, 0, 0, 0]], Over),
        (&[[TAKE, -1, 0, 0, 0, 0, 0, 0]], RolledBack),
        (&[[RANDOM, 0, -1, 0, 0, 0, 0, 0]], Over),
        (&[[RANDOM, -1, 1, 0, 0, 0, 0, 0]], RolledBack),
        (&[[RANDOM, PAST - 1, 2, 0, 0, 0, 0, 0]], RolledBack),
        (&[[UTC_OFFSET, 0, NAN, 0, 0, 0, 0, 0]], Over),
        (&[[UTC_OFFSET, -1, i32::MAX, 0, 0, 0, 0, 0]], Over),
        (&[[GROW, -1, 0, 0, 0, 0, 0, 0], [GROW, 0, 0, 0, 0, 0, 0, 0], [GROW, 1, 0, 0, 0, 0, 0, 0]], Over),
        (&[[GROW, 3, 0, 0, 0, 0, 0, 0], [STORE, PAST + (3 << 16) - 5, 1, 0, 0, 0, 0, 0]], Over),
        (&[[STORE, -1, 1, 0, 0, 0, 0, 0]], RolledBack),
        (&[[EXHAUST, 0, 0, 0, 0, 0, 0, 0]], Limit(LimitKind::MemMb)),
        (&[[ANSWER, -3, -1, 0, 0, 0, 0, 0]], RolledBack),
        (&[[ANSWER, 0, 0, 0, 0, 0, 0, 0]], Over),
    ];
    beside_a_healthy_session(|| {
        for (moves, expected) in rows {
            let ends =
                on_a_large_stack(|| play(&PUPPET, &Setup::plain(&LIMITS), &[moves.to_vec(), vec![], moves.to_vec()]));
            assert_eq!(ends, [expected, Over, expected], "{moves:?}");
        }
    });
}

fn any_move() -> impl Strategy<Value = Move> {
    let odd = vec![-1, -2, i32::MAX, i32::MIN, 0x1_0000, 0x3_ffff, 0x4_0000, 0x4_0001];
    let word = prop_oneof![prop::sample::select(odd), 0..300_i32, any::<i32>()];
    (ANSWER..=EXHAUST, prop::array::uniform7(word)).prop_map(|(kind, words)| {
        let mut all = [kind; 8];
        all[1..].copy_from_slice(&words);
        all
    })
}

#[test]
fn any_moves_end_their_own_session_at_most() {
    let program = || prop::collection::vec(any_move(), 0..8);
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    // most of what waits would wait for ever
    let limits = Limits { wall_ms: 20, ..LIMITS };
    beside_a_healthy_session(|| {
        let any = (program(), program(), program());
        TestRunner::new(config)
            .run(&any, |(first, second, third)| {
                let ends = on_a_large_stack(|| play(&PUPPET, &Setup::plain(&limits), &[first, second, third]));
                prop_assert_eq!(ends.len(), 3, "{:?}", ends);
                prop_assert!(!ends.contains(&End::Lost), "{:?}", ends);
                Ok(())
            })
            .unwrap();
    });
}
