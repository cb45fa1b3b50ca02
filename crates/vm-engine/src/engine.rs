//! What the floors above see of an engine.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use vm_model::{Limits, RuntimeMeta};

use crate::{EngineError, Run, StopReason};

/// Makes instances.
pub trait Engine: Send + Sync {
    /// What it is, for `runtime_meta`.
    fn meta(&self) -> RuntimeMeta;

    /// A fresh instance with these limits; microseconds, no code is run.
    ///
    /// # Errors
    /// The machine has no memory for it.
    fn create(&self, limits: &Limits) -> Result<Box<dyn Instance>, EngineError>;
}

/// One live JavaScript world. It runs one program at a time, on the calling thread, which needs a stack of
/// [`STACK_SIZE`] bytes.
pub trait Instance: Send {
    /// Begins a program. Its events go to `run`, which also bounds and stops it.
    fn start(&mut self, program: &Program<'_>, run: &Arc<Run>) -> Step;

    /// Goes on with the program after [`Step::Wait`], when its time has come or its run was stopped.
    fn resume(&mut self, run: &Arc<Run>) -> Step;
}

/// The stack, in bytes, of a thread that calls an [`Instance`]: guest frames and the host's own.
pub const STACK_SIZE: usize = 16 << 20;

/// A piece of code to run as a global script.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// What stack traces call it.
    pub name: &'a str,
    /// Its source, in UTF-8.
    pub source: &'a [u8],
    /// How its declarations behave and what it is given.
    pub kind: ProgramKind<'a>,
    /// In strict mode.
    pub strict: bool,
}

/// How a program's declarations behave and what it is given.
#[derive(Clone, Copy, Debug)]
pub enum ProgramKind<'a> {
    /// May declare anew what an earlier program declared.
    Repl,
    /// A file.
    File {
        /// `__ARGS__`
        args: &'a [String],
        /// `__ENV__` and `process.env`
        env: &'a BTreeMap<String, String>,
    },
}

/// Where a program is after a turn.
#[derive(Debug)]
pub enum Step {
    /// It waits; call [`Instance::resume`] at this time.
    Wait(Instant),
    /// It is over.
    Done(Outcome),
}

/// How a program ended. Its value and exceptions are in the run.
#[derive(Debug)]
pub struct Outcome {
    /// Why it was stopped, if it was.
    pub stopped: Option<StopReason>,
    /// The instance is back in the state before the program.
    pub rolled_back: bool,
    /// Bytes of JavaScript memory in use.
    pub mem_bytes: u64,
    /// The instance could not be set back, for this reason, and is of no more use.
    pub lost: Option<String>,
}
