//! What the floors above see of an engine.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Instant, SystemTime},
};

use serde_json::{Map, Value};
use vm_model::{Limits, RuntimeMeta};

pub use crate::memory::Image;
use crate::{EngineError, Run, StopReason};

/// Makes instances.
pub trait Engine: Send + Sync {
    /// What it is, for `runtime_meta`.
    fn meta(&self) -> RuntimeMeta;

    /// What the states of its instances are good for: they mean nothing to an engine of another identity. 32 bytes.
    fn identity(&self) -> [u8; 32];

    /// An instance in the state of its origin; microseconds, no script is run. What scripts ask of the host goes to `host`.
    ///
    /// # Errors
    /// The machine has no memory for it, or the origin is damaged.
    fn create(
        &self,
        origin: Origin<'_>,
        setup: &Setup<'_>,
        host: HostFunctions,
    ) -> Result<Box<dyn Instance>, EngineError>;

    /// Makes ahead most of what the next instance of this image begins with, for when nobody waits. `None`: as in [`Origin`].
    ///
    /// # Errors
    /// The machine has no memory for it.
    fn prepare(&self, image: Option<&Arc<Image>>) -> Result<(), EngineError>;

    /// The image of an instance whose [`Instance::state`] was this, and whose own origin was no image.
    ///
    /// # Errors
    /// The state is damaged.
    fn image(&self, state: &[u8]) -> Result<Arc<Image>, EngineError>;
}

/// Where an instance begins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'a> {
    /// `None`: the engine's own, in which no script has run.
    pub image: Option<&'a Arc<Image>>,
    /// What has changed since, in order: an [`Instance::state`], or nothing, and then each [`Instance::change`].
    pub changes: &'a [Vec<u8>],
}

/// What an instance begins with.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    /// What bounds its executions.
    pub limits: &'a Limits,
    /// When it began for its scripts, which may be before a restart.
    pub created_at: SystemTime,
    /// Whether there is a `console`.
    pub console: bool,
    /// Whether there is a `fetch`.
    pub fetch: bool,
    /// Further globals, by name.
    pub globals: Map<String, Value>,
    /// What `process.env` shows in every execution.
    pub env: BTreeMap<String, String>,
}

impl<'a> Setup<'a> {
    /// A console and nothing that a template could add.
    #[must_use]
    pub fn plain(limits: &'a Limits) -> Self {
        Self {
            limits,
            created_at: SystemTime::now(),
            console: true,
            fetch: false,
            globals: Map::new(),
            env: BTreeMap::new(),
        }
    }
}

/// The functions that scripts, through the prelude, can call: a name, the arguments as one MessagePack array, and the
/// execution that asks. Answers one MessagePack value, or the properties of the `Error` that the script catches.
///
/// A call that takes longer asks [`Run::is_stopped`] every few milliseconds and returns soon after it is true. What it
/// computes on another thread, it computes within [`Run::charge`].
pub type HostFunctions = Box<dyn FnMut(&str, &[u8], &Arc<Run>) -> Result<Vec<u8>, Vec<u8>> + Send>;

/// One live JavaScript world. It runs one program at a time, on the calling thread, which needs a stack of
/// [`STACK_SIZE`] bytes.
pub trait Instance: Send {
    /// Begins a program. Its events go to `run`, which also bounds and stops it.
    fn start(&mut self, program: &Program<'_>, run: &Arc<Run>) -> Step;

    /// Goes on with the program after [`Step::Wait`], when its time has come or its run was stopped.
    fn resume(&mut self, run: &Arc<Run>) -> Step;

    /// All that differs from its image at the end of the last program; `None`: nothing does.
    fn state(&self) -> Option<Vec<u8>>;

    /// The same at the end of the program before the last one.
    ///
    /// # Errors
    /// The memory of the state is damaged, which is a defect.
    fn state_before(&self) -> Result<Option<Vec<u8>>, EngineError>;

    /// Bytes of memory that it has for itself.
    fn own_bytes(&self) -> u64;

    /// Packs the state until the next program, which unpacks it in some ten microseconds. Until then there is nothing to go
    /// back to: for an instance whose last program is recorded.
    fn rest(&mut self);

    /// What the last program changed, for [`Origin::changes`]; `None`: nothing.
    fn change(&self) -> Option<Vec<u8>>;

    /// Goes back to the state before the last program.
    ///
    /// # Errors
    /// The machine has no memory for it; the instance is of no more use.
    fn undo(&mut self) -> Result<(), EngineError>;
}

/// The stack, in bytes, of a thread that calls an [`Instance`]: guest frames and the host's own.
pub const STACK_SIZE: usize = 16 << 20;

/// A piece of code to run.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// What stack traces call it, and relative imports are relative to.
    pub name: &'a str,
    /// Its source, in UTF-8.
    pub source: &'a [u8],
    /// How its declarations behave and what it is given.
    pub kind: ProgramKind<'a>,
    /// How it is to be understood.
    pub mode: Mode,
}

/// How source code is to be understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// As a global script.
    Sloppy,
    /// As a global script in strict mode.
    Strict,
    /// As an ES module; its name is what relative imports are relative to.
    Module,
}

/// How a program's declarations behave and what it is given.
#[derive(Clone, Copy, Debug)]
pub enum ProgramKind<'a> {
    /// May declare anew what an earlier program declared.
    Repl,
    /// Third-party code that runs before anything else and makes a global. Always a sloppy script; one written for
    /// CommonJS is run as such, and lands in the global of this name.
    Library {
        /// Where its exports go.
        global: &'a str,
    },
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
