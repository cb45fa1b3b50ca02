//! No script goes on for ever, none takes more memory than it may, and the session goes on.

mod support;

use std::{
    thread,
    time::{Duration, Instant},
};

use support::{Done, Session};
use vm_engine::{Mode, Program, ProgramKind, Run, StopReason};
use vm_model::{ExecutionId, LimitKind, Limits};

/// Memory is soon exhausted, time is not.
fn small() -> Limits {
    Limits { mem_mb: 32, ..Limits::default() }
}

/// Runs code under a short wall limit, which holds for this execution alone: a slow machine fails no other.
fn runaway(session: &mut Session, code: &str) -> Done {
    let usual = std::mem::replace(&mut session.limits.wall_ms, 150);
    let done = session.repl(code);
    session.limits.wall_ms = usual;
    done
}

const WALL: Option<StopReason> = Some(StopReason::Limit(LimitKind::WallMs));
const CPU: Option<StopReason> = Some(StopReason::Limit(LimitKind::CpuMs));
const MEMORY: Option<StopReason> = Some(StopReason::Limit(LimitKind::MemMb));

#[test]
fn ordinary_loops_stop_when_asked_and_keep_what_they_did() {
    for code in [
        "while (true) {}",
        "for (;;) { try { for (;;) {} } catch {} }",
        "(function f() { Promise.resolve().then(f) })()",
    ] {
        let mut session = Session::with(small());
        session.repl("var kept = 1");
        let done = runaway(&mut session, &format!("kept++; {code}"));
        assert_eq!(done.stopped(), WALL, "{code}");
        assert!(!done.outcome.rolled_back, "{code}");
        assert_eq!(session.preview("kept"), "2", "{code}");
    }
}

#[test]
fn what_has_changed_much_by_then_is_set_back_and_what_was_there_before_does_not_count() {
    const FILL: &str = "var big = new Uint8Array(24 << 20).fill(1)";
    let mut session = Session::with(Limits { mem_mb: 64, ..Limits::default() });
    session.repl("var kept = 1");
    let done = runaway(&mut session, &format!("kept++; {FILL}; for (;;) ;"));
    assert_eq!(done.stopped(), WALL);
    assert!(done.outcome.rolled_back);
    assert_eq!(session.preview("kept"), "1");
    session.repl(FILL);
    let done = runaway(&mut session, "kept++; for (;;) ;");
    assert_eq!(done.stopped(), WALL);
    assert!(!done.outcome.rolled_back);
    assert_eq!(session.preview("[kept, big.length].join()"), "2,25165824");
}

#[test]
fn what_cannot_be_asked_is_forced_and_the_session_is_set_back() {
    for code in [
        "'a'.repeat(2e6).indexOf('a'.repeat(1e6) + 'b')",
        "Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)",
        "(3n ** (2n ** 19n)).toString().length",
    ] {
        let mut session = Session::with(small());
        session.repl("var kept = { a: [1, 2, 3] }; let other = 'x'.repeat(100000)");
        let begin = Instant::now();
        let done = runaway(&mut session, &format!("kept = 0; {code}"));
        assert_eq!(done.stopped(), WALL, "{code}");
        assert!(begin.elapsed() < Duration::from_secs(10), "{code}");
        assert_eq!(done.outcome.rolled_back, session.preview("kept") != "0", "{code}");
        assert_eq!(session.preview("other.length"), "100000", "{code}");
    }
}

#[test]
fn what_exceeds_an_output_limit_and_cannot_be_asked_is_forced_too() {
    for limits in [Limits { max_events: 20, ..small() }, Limits { max_output_kb: 1, ..small() }] {
        let mut session = Session::with(limits);
        session.repl("var hay = 'a'.repeat(2e6), needle = 'a'.repeat(1e6) + 'b', kept = 1");
        // the search is the engine's own, and what it searches for is too much to say
        let done = session.repl(
            "kept = 2; for (let i = 0; i < 20; i++) console.log('x'.repeat(20));
             hay.indexOf({ toString() { console.log('x'.repeat(1000)); return needle } })",
        );
        assert!(matches!(done.stopped(), Some(StopReason::Limit(LimitKind::MaxEvents | LimitKind::MaxOutputKb))));
        assert!(done.outcome.rolled_back, "{done:?}");
        assert_eq!(session.preview("kept"), "1");
    }
}

#[test]
fn a_trapped_instance_is_dropped_and_the_session_continues_from_its_last_checkpoint() {
    let mut session = Session::with(small());
    session.repl(
        "var counter = 0; const log = []; function step() { counter++; log.push('step ' + counter); return counter }",
    );
    for round in 1..=5 {
        assert_eq!(session.preview("step()"), round.to_string());
        // the memory limit is a trap: nothing of this execution stays
        let done = session
            .repl("step(); counter = -1; log.length = 0; for (let big = []; ; ) big.push(new Array(1000).fill(1))");
        assert_eq!(done.stopped(), MEMORY);
        assert!(done.outcome.rolled_back);
    }
    assert_eq!(session.preview("log.join()"), "step 1,step 2,step 3,step 4,step 5");
}

#[test]
fn the_memory_limit_holds_however_memory_is_asked_for() {
    for code in [
        "var keep = []; for (;;) keep.push(new ArrayBuffer(1 << 20))",
        "new Uint8Array(1 << 30)",
        "var s = 'x'; for (;;) s += s + 'y'",
        "try { new ArrayBuffer(1 << 28) } catch {} 'went on'",
        "var m = new Map(); for (let i = 0; ; i++) m.set(i, [i])",
        "new Array(1e8).fill(0)",
    ] {
        let mut session = Session::with(Limits { mem_mb: 32, ..Limits::default() });
        session.repl("var kept = 41");
        let done = session.repl(code);
        // a string that is too long is an error of the language
        let threw = done.record.error.as_ref().is_some_and(|error| error.message.contains("string"));
        assert!(done.stopped() == MEMORY || threw, "{code}: {done:?}");
        assert_eq!(session.preview("kept + 1"), "42", "{code}");
    }
}

#[test]
fn memory_within_the_limit_is_had() {
    let mut session = Session::with(Limits { mem_mb: 64, ..Limits::default() });
    assert_eq!(session.preview("new Uint8Array(50 << 20).length"), "52428800");
}

#[test]
fn a_full_session_keeps_room_for_clearing_it() {
    let mut session = Session::with(small());
    let used = session.repl("var all = []").outcome.mem_bytes;
    let fill = |mib: f64| format!("all.push(new ArrayBuffer({})); 1", (mib * f64::from(1 << 20)) as u64 - used);
    assert_eq!(session.repl(&fill(31.5)).stopped(), MEMORY, "the rest is kept back");
    assert_eq!(session.repl(&fill(30.9)).stopped(), None);
    assert_eq!(session.preview("all.push(new ArrayBuffer(500 << 10)); all.length"), "2");
    assert_eq!(session.preview("all = []; all.length"), "0");
    assert_eq!(session.repl(&fill(31.5)).stopped(), MEMORY, "it is kept back again");
}

#[test]
fn recursion_ends_in_an_error_that_can_be_caught() {
    let mut session = Session::new();
    for code in [
        "(function f() { return f() + 1 })()",
        "var a = []; for (let i = 0; i < 200000; i++) a = [a]; JSON.stringify(a)",
        "eval('('.repeat(500000))",
        "eval('['.repeat(500000))",
        "new RegExp('('.repeat(100000))",
        "JSON.parse('['.repeat(1000000))",
    ] {
        let caught = format!("try {{ {code}; 'no error' }} catch (e) {{ e.name + ': ' + e.message }}");
        let done = session.repl(&caught);
        assert!(!done.outcome.rolled_back, "{code}: {done:?}");
        let preview = done.record.result.unwrap().preview;
        assert!(preview.contains("Error"), "{code}: {preview}");
    }
    assert_eq!(session.preview("1 + 1"), "2");
}

#[test]
fn waiting_counts_towards_the_wall_limit() {
    let mut session = Session::with(small());
    let done = runaway(&mut session, "setTimeout(() => {}, 1e6); 1");
    assert_eq!(done.stopped(), WALL);
    let done = runaway(&mut session, "setInterval(() => {}, 1); 1");
    assert_eq!(done.stopped(), WALL);
    // neither the timeout nor the interval is still there
    let done = session.repl("1 + 1");
    assert_eq!((done.stopped(), done.record.result.unwrap().preview), (None, "2".into()));
}

#[test]
fn the_cpu_limit_counts_what_was_computed_and_not_what_was_waited() {
    let mut session = Session::with(Limits { cpu_ms: 150, ..small() });
    session.repl("var kept = 1");
    for code in [
        "while (true) {}",
        "'a'.repeat(2e6).indexOf('a'.repeat(1e6) + 'b')",
        "setInterval(() => { const end = Date.now() + 20; while (Date.now() < end); }, 1)",
        "(function again() { Promise.resolve().then(again) })()",
    ] {
        let done = session.repl(code);
        assert_eq!(done.stopped(), CPU, "{code}");
        assert!(done.cpu_ms >= 100.0, "{code}: {done:?}");
        assert_eq!(session.preview("kept"), "1", "{code}");
    }
    let done = session.repl("await new Promise(resolve => setTimeout(resolve, 400)); 'waited'");
    assert_eq!((done.stopped(), done.record.result.unwrap().preview), (None, "waited".into()));
    assert!(done.cpu_ms < 150.0, "{}", done.cpu_ms);
}

#[test]
fn a_deadline_that_comes_at_any_moment_stops_no_later_execution() {
    let mut session = Session::with(small());
    for round in 0..300 {
        let usual = std::mem::replace(&mut session.limits.wall_ms, 1 + round % 3);
        // ends by itself about when the limit is reached, or waits until then
        session.repl(["setTimeout(() => {}, 1e6)", "for (let i = 0; i < 30000; i++);"][round as usize % 2]);
        session.limits.wall_ms = usual;
        assert_eq!(session.preview("1 + 1"), "2", "round {round}");
    }
}

#[test]
fn cancelling_ends_computing_code_at_once() {
    for code in ["while (true) {}", "Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)"] {
        let mut session = Session::new();
        let run = Run::new(ExecutionId::new(), &session.limits);
        let other = run.clone();
        let canceller = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            other.cancel();
        });
        let begin = Instant::now();
        let program = Program { name: "<repl>", source: code.as_bytes(), kind: ProgramKind::Repl, mode: Mode::Sloppy };
        let done = session.drive(&program, &run);
        canceller.join().unwrap();
        assert_eq!(done.stopped(), Some(StopReason::Cancelled));
        assert!(begin.elapsed() < Duration::from_secs(10));
        assert_eq!(session.preview("1 + 1"), "2");
    }
}

#[test]
fn hundreds_of_forced_stops_leave_the_process_and_the_session_well() {
    let unbounded = Limits { wall_ms: 5000, max_events: u64::MAX, max_output_kb: u64::MAX >> 10, ..Limits::default() };
    let mut session = Session::with(unbounded);
    session.repl("var kept = 'here'");
    let codes = [
        "while (true) {}",
        "for (;;) JSON.parse(JSON.stringify({ a: [1, 2, 3], b: 'xyz'.repeat(10) }))",
        "for (;;) console.log('x')",
        "Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)",
        "for (;;) 'abc'.repeat(1000).replace(/b/g, 'cc')",
    ];
    for round in 0..100 {
        session.limits.wall_ms = 1 + round % 3;
        let done = session.repl(codes[round as usize % codes.len()]);
        assert_eq!(done.stopped(), WALL, "round {round}");
    }
    session.limits.wall_ms = 5000;
    assert_eq!(session.preview("kept"), "here");
}
