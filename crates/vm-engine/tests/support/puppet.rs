//! Guests that answer nonsense and ask for it, and what comes of them.

use std::{path::Path, sync::LazyLock, thread, time::Instant};

use vm_engine::{
    Engine, EngineError, HostFunctions, Instance, Mode, Origin, Program, ProgramKind, QuickJs, Run, Setup, Step,
    StopReason, engine::STACK_SIZE,
};
use vm_model::{ExecutionId, LimitKind, Limits};

/// What the guests have in common.
pub const COMMON: &str = include_str!("puppet.wat");

/// The exports of a guest that is in order: their types and what they do.
const EXPORTS: [(&str, &str, &str); 10] = [
    ("vm_init", "(result i32)", "(i32.const 0)"),
    ("vm_configure", "(param i32 i32)", ""),
    ("vm_set_heap_limit", "(param i32)", ""),
    ("vm_stop_flag", "(result i32)", "(i32.const 16)"),
    ("vm_heap_used", "(result i32)", "(global.get $heap_used)"),
    ("vm_clear_free", "", ""),
    ("vm_alloc", "(param i32) (result i32)", "(global.get $alloc)"),
    (
        "vm_run",
        "(param $buffer i32) (param $flags i32) (param $name i32) (param $given i32) (param $size i32) (result i64)",
        "(call $play (i32.add (i32.add (local.get $buffer) (local.get $name))
            (i32.add (local.get $given) (i32.const 2))) (local.get $size))",
    ),
    ("vm_resume", "(result i64)", "(global.get $resume)"),
    ("vm_give_up", "", ""),
];

/// What comes of a guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    NoSession,
    /// The session cannot go on.
    Lost,
    /// The execution failed, and the session is back in the state before it.
    RolledBack,
    /// The execution was stopped at a limit of time.
    OutOfTime,
    /// The execution was stopped at this limit.
    Limit(LimitKind),
    /// Nonsense that does no harm.
    Over,
}

/// One move of the player.
pub type Move = [i32; 8];

pub const ANSWER: i32 = 0;
pub const REPORT: i32 = 1;
pub const CALL: i32 = 2;
pub const TAKE: i32 = 3;
pub const RANDOM: i32 = 4;
pub const UTC_OFFSET: i32 = 5;
pub const GROW: i32 = 6;
pub const STORE: i32 = 7;
pub const EXHAUST: i32 = 9;

/// A guest whose exports do something else.
pub fn guest(changes: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("(module {COMMON}");
    for (name, kind, usual) in EXPORTS {
        let body = changes.iter().find(|(changed, _)| *changed == name).map_or(usual, |(_, body)| body);
        text.push_str(&format!("(func (export \"{name}\") {kind} {body})"));
    }
    wat::parse_str(text + ")").unwrap()
}

pub fn engine(module: &[u8]) -> Result<QuickJs, EngineError> {
    QuickJs::with_guest(module, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("garbage"))
}

pub const LIMITS: Limits = Limits { cpu_ms: 100, wall_ms: 2000, mem_mb: 16, max_events: 20, max_output_kb: 4 };

/// Answers something that nobody can decode.
fn functions() -> HostFunctions {
    Box::new(|name, request, _| if name == "refuse" { Err(vec![0xc1; 100]) } else { Ok(request.to_vec()) })
}

/// Plays programs one after the other in a new session; what came of each.
pub fn play(engine: &QuickJs, setup: &Setup<'_>, programs: &[Vec<Move>]) -> Vec<End> {
    let Ok(mut instance) = engine.create(Origin::default(), setup, functions()) else { return vec![End::NoSession] };
    programs.iter().map(|program| play_one(&mut *instance, program, setup.limits)).collect()
}

fn play_one(instance: &mut dyn Instance, moves: &[Move], limits: &Limits) -> End {
    let source: Vec<u8> = moves.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
    let program = Program { name: "p", source: &source, kind: ProgramKind::Repl, mode: Mode::Sloppy };
    let run = Run::new(ExecutionId::new(), limits);
    let mut step = instance.start(&program, &run);
    let outcome = loop {
        match step {
            Step::Done(outcome) => break outcome,
            Step::Wait(until) => thread::sleep(until.saturating_duration_since(Instant::now())),
        }
        step = instance.resume(&run);
    };
    let record = run.take_record();
    assert!(record.output_bytes <= limits.max_output_kb << 10 || outcome.rolled_back);
    match outcome.stopped {
        _ if outcome.lost.is_some() => End::Lost,
        Some(StopReason::Limit(LimitKind::CpuMs | LimitKind::WallMs)) => End::OutOfTime,
        Some(StopReason::Limit(limit)) => End::Limit(limit),
        Some(StopReason::Cancelled) => panic!("nobody cancelled it"),
        None if outcome.rolled_back => End::RolledBack,
        None => End::Over,
    }
}

/// On a thread with the stack that the engine asks for.
pub fn on_a_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

/// A guest that is in order, for programs that are not.
pub static PUPPET: LazyLock<QuickJs> = LazyLock::new(|| engine(&guest(&[])).unwrap());
