//! Runs snippets in an instance of the real engine and hands back what was recorded.

#![allow(dead_code)] // each test file uses its part
#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

pub mod puppet;

use std::{
    path::Path,
    sync::{Arc, LazyLock},
    thread,
    time::Instant,
};

use vm_engine::{
    Engine, EngineError, Instance, Mode, Origin, Outcome, Program, ProgramKind, QuickJs, Run, Setup, Step, StopReason,
    engine::STACK_SIZE, run::Record,
};
use vm_model::{Event, ExecutionId, Limits};

/// One engine for all tests of a file; the compiled code is shared by all files.
pub static ENGINE: LazyLock<QuickJs> =
    LazyLock::new(|| QuickJs::new(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("code")).unwrap());

pub struct Session {
    instance: Option<Box<dyn Instance>>,
    pub limits: Limits,
    /// What each execution changed.
    pub changes: Vec<Vec<u8>>,
}

#[derive(Debug)]
pub struct Done {
    pub record: Record,
    pub outcome: Outcome,
    pub cpu_ms: f64,
}

impl Session {
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        Self::at(Origin::default(), limits).unwrap()
    }

    pub fn at(origin: Origin<'_>, limits: Limits) -> Result<Self, EngineError> {
        Self::set_up(origin, &Setup::plain(&limits))
    }

    pub fn set_up(origin: Origin<'_>, setup: &Setup<'_>) -> Result<Self, EngineError> {
        // no host functions: each call is refused with an empty map
        let instance = ENGINE.create(origin, setup, Box::new(|_, _, _| Err(vec![0x80])))?;
        Ok(Self { instance: Some(instance), limits: setup.limits.clone(), changes: origin.changes.to_vec() })
    }

    pub fn instance(&mut self) -> &mut dyn Instance {
        self.instance.as_mut().unwrap().as_mut()
    }

    pub fn repl(&mut self, source: &str) -> Done {
        self.run(&Program { name: "<repl>", source: source.as_bytes(), kind: ProgramKind::Repl, mode: Mode::Sloppy })
    }

    pub fn run(&mut self, program: &Program<'_>) -> Done {
        let run = Run::new(ExecutionId::new(), &self.limits);
        self.drive(program, &run)
    }

    /// Runs to the end on a thread with the stack that the engine asks for.
    pub fn drive(&mut self, program: &Program<'_>, run: &Arc<Run>) -> Done {
        let mut instance = self.instance.take().unwrap();
        let outcome = thread::scope(|scope| {
            let work = || {
                let mut step = instance.start(program, run);
                loop {
                    match step {
                        Step::Done(outcome) => return outcome,
                        Step::Wait(until) => thread::sleep(until.saturating_duration_since(Instant::now())),
                    }
                    step = instance.resume(run);
                }
            };
            thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, work).unwrap().join().unwrap()
        });
        self.changes.extend(instance.change());
        self.instance = Some(instance);
        Done { record: run.take_record(), outcome, cpu_ms: run.cpu_ms() }
    }

    /// The preview of the value, which the code must have.
    pub fn preview(&mut self, source: &str) -> String {
        let done = self.repl(source);
        done.record.result.clone().unwrap_or_else(|| panic!("{source}: {done:?}")).preview
    }

    /// The message of what the code throws, which it must.
    pub fn message(&mut self, source: &str) -> String {
        let done = self.repl(source);
        done.record.error.clone().unwrap_or_else(|| panic!("{source}: {done:?}")).message
    }
}

impl Done {
    /// `type payload` of each event.
    pub fn events(&self) -> Vec<String> {
        self.record.events.iter().map(|event: &Event| format!("{} {}", event.kind, event.payload)).collect()
    }

    pub fn stopped(&self) -> Option<StopReason> {
        self.outcome.stopped
    }
}
