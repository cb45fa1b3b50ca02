//! An instance that goes back to its checkpoint when its machine is lost.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use vm_model::{ExceptionPayload, LimitKind, Payload};
use wasmtime::InstancePre;

use super::{
    QuickJs,
    host::{Host, Outside},
    machine::{Machine, Turn},
    spares::{Spare, Spares},
};
use crate::{
    EngineError, Run, StopReason,
    engine::{HostFunctions, Instance, Mode, Origin, Outcome, Program, ProgramKind, Setup, Step},
    memory::{Checkpoint, Delta, Reader, Written},
    turn::Target,
};

/// So large a part of the heap is kept back.
const KEPT_BACK: u32 = 32;
/// Beside JavaScript's heap the memory holds the engine's stack and data, and what the allocator cannot use.
const BESIDE_THE_HEAP: usize = 16 << 20;
/// What exceeded a limit and has changed more bytes loses its effects: to keep them would exceed the limit by much more.
const MOST_AFTER_A_LIMIT: u64 = 16 << 20;
/// A session that has so many times more memory of its own than it uses gets its free memory cleared.
const LOOSE: u64 = 2;
const FLAG_REPL: u32 = 1;
const FLAG_STRICT: u32 = 2;
const FLAG_MODULE: u32 = 4;
const FLAG_LIBRARY: u32 = 8;

pub(super) struct QuickJsInstance {
    module: InstancePre<Host>,
    checkpoint: Checkpoint,
    outside: Arc<Outside>,
    /// What the last program changed.
    last_change: Option<Delta>,
    /// Bytes that it had for itself when free memory was cleared.
    own_when_cleared: u64,
    heap_limit: u32,
    /// At the end of the last program; `None`: nobody has asked yet.
    heap_used: Option<u32>,
    /// Where the guest looks for the wish to stop.
    stop_flag: u32,
    /// What `process.env` shows in every execution.
    env: BTreeMap<String, String>,
    /// Where a program is likely to write that begins with a machine in the state of the checkpoint: page indexes, in order.
    first_written: Vec<usize>,
    /// To be told where the first program really wrote; for sessions that wake.
    wakes: Option<Arc<Spares>>,
    /// What the checkpoint holds, packed, while the instance rests.
    resting: Option<Option<Vec<u8>>>,
    /// `None` only while it is being replaced or rests, and after that failed.
    machine: Option<Machine>,
}

impl QuickJsInstance {
    pub fn new(
        engine: &QuickJs,
        origin: Origin<'_>,
        setup: &Setup<'_>,
        host: HostFunctions,
    ) -> Result<Self, EngineError> {
        let image = origin.image.unwrap_or(&engine.image);
        let heap_limit = u32::try_from(setup.limits.mem_mb << 20).unwrap_or(u32::MAX);
        let mut instance = Self {
            module: engine.module.clone(),
            checkpoint: Checkpoint::of(image),
            outside: Outside::new(host, setup.created_at),
            last_change: None,
            own_when_cleared: 0,
            heap_limit,
            heap_used: None,
            stop_flag: engine.stop_flag,
            env: setup.env.clone(),
            first_written: Vec::new(),
            wakes: (!origin.changes.is_empty()).then(|| engine.spares.clone()),
            resting: None,
            machine: None,
        };
        for change in origin.changes {
            instance.checkpoint.apply(Reader::new(change)?, instance.max_memory())?;
        }
        let (spare, first_written) = engine.spares.take(image, instance.checkpoint.pages());
        instance.first_written = first_written;
        let mut machine = match spare {
            Some(spare) => instance.take_over(spare),
            None => instance.stamp(),
        }?;
        let is_fresh = origin.image.is_none() && origin.changes.is_empty();
        if let Some(configuration) = configuration(setup).filter(|_| is_fresh) {
            machine.configure(&configuration)?;
            let mapping = &machine.host().mapping;
            let updated = instance.checkpoint.update(mapping, &Written::of(mapping));
            updated.map_err(|error| EngineError::Guest(error.to_string()))?;
        }
        instance.machine = Some(machine);
        Ok(instance)
    }

    /// What the next program may use. One that begins with little room gets what is kept back from others, so that what they
    /// have filled can be cleared.
    fn granted_heap(&mut self) -> wasmtime::Result<u32> {
        let kept_back = self.heap_limit / KEPT_BACK;
        let is_full = self.heap_used()? > self.heap_limit - 2 * kept_back;
        Ok(if is_full { self.heap_limit } else { self.heap_limit - kept_back })
    }

    /// Not asked before it is needed: the first call of a guest makes the kernel bring some pages of its memory.
    fn heap_used(&mut self) -> wasmtime::Result<u32> {
        match (self.heap_used, &mut self.machine) {
            (None, Some(machine)) => Ok(*self.heap_used.insert(machine.heap_used()?)),
            (known, _) => Ok(known.unwrap_or_default()),
        }
    }

    fn max_memory(&self) -> usize {
        self.heap_limit as usize + self.heap_limit as usize / 4 + BESIDE_THE_HEAP
    }

    /// [`Self::stamp`], with a machine that was made ahead.
    fn take_over(&self, Spare { mut machine, own }: Spare) -> Result<Machine, EngineError> {
        if self.checkpoint.fill(&machine.host().mapping, &own, &self.first_written).is_err() {
            return self.stamp();
        }
        machine.hand_out(self.max_memory(), self.outside.clone());
        Ok(machine)
    }

    /// A machine in the state of the checkpoint.
    fn stamp(&self) -> Result<Machine, EngineError> {
        let mapping = Arc::new(self.checkpoint.restore(&self.first_written)?);
        Ok(Machine::new(&self.module, mapping, self.max_memory(), self.outside.clone())?)
    }

    /// Ends a rest.
    fn awake(&mut self) -> Result<(), EngineError> {
        if let Some(packed) = &self.resting {
            let mut checkpoint = self.checkpoint.clone();
            if let Some(packed) = packed {
                checkpoint.apply(Reader::new(packed)?, self.max_memory())?;
            }
            (self.checkpoint, self.resting) = (checkpoint, None);
            self.machine = Some(self.stamp()?);
        }
        Ok(())
    }

    /// One turn of the machine, within reach of the watchdog.
    fn turn(&mut self, run: &Arc<Run>, act: impl FnOnce(&mut Machine) -> wasmtime::Result<Turn>) -> Step {
        let Some(machine) = &mut self.machine else { return Step::Done(lost("the session's memory is gone")) };
        let mapping = machine.host().mapping.clone();
        machine.host().run = Some(run.clone());
        let watch = run.enter(Target { mapping: mapping.clone(), stop_flag: self.stop_flag });
        let mut turn = act(machine);
        if matches!(turn, Ok(Turn::Stopped)) || (turn.is_ok() && run.stop_reason().is_some()) {
            turn = machine.give_up().map(|()| Turn::Stopped);
        }
        drop(watch);
        run.leave();
        if run.stop_reason().is_some() {
            // Only now does nobody raise it again. Refused only where the memory is gone, and the flag with it.
            let _ = mapping.write(self.stop_flag, &[0]);
        }
        machine.host().run = None;
        match turn {
            Ok(_) if mapping.is_revoked() => self.roll_back(run, "the memory was taken away"),
            Ok(Turn::Wait(microseconds)) => {
                let due = Instant::now() + Duration::from_micros(microseconds);
                Step::Wait(due.min(run.deadline()))
            }
            Ok(Turn::Finished | Turn::Stopped) => self.keep(run),
            Err(trap) => self.roll_back(run, &format!("{trap:#}")),
        }
    }

    /// The program left the machine in order: its effects stay.
    fn keep(&mut self, run: &Arc<Run>) -> Step {
        let Some(machine) = &mut self.machine else { return Step::Done(lost("the session's memory is gone")) };
        let mapping = machine.host().mapping.clone();
        if matches!(run.stop_reason(), Some(StopReason::Limit(_))) {
            match self.checkpoint.changed_bytes(&mapping, &Written::of(&mapping)) {
                Ok(bytes) if bytes <= MOST_AFTER_A_LIMIT => {}
                _ => return self.roll_back(run, "too much has changed"),
            }
        }
        let heap_used = match machine.heap_used() {
            Ok(bytes) => bytes,
            Err(trap) => return self.roll_back(run, &format!("{trap:#}")),
        };
        self.heap_used = Some(heap_used);
        let mem_bytes = u64::from(heap_used);
        let mut written = Written::of(&mapping);
        if let Some(spares) = self.wakes.take() {
            spares.note_written(self.checkpoint.base(), &written);
        }
        let own = self.checkpoint.own_bytes().max(written.bytes());
        let is_loose = own > LOOSE * mem_bytes.max(self.own_when_cleared);
        if is_loose {
            if let Err(trap) = machine.clear_free() {
                return self.roll_back(run, &trap.to_string());
            }
            written = Written::of(&mapping);
        }
        match self.checkpoint.update(&mapping, &written) {
            Ok(delta) => {
                if is_loose {
                    // what is not given back is only kept in vain
                    let _ = self.checkpoint.trim(&mapping);
                    self.own_when_cleared = self.checkpoint.own_bytes();
                }
                self.last_change = Some(delta);
                Step::Done(Outcome { stopped: run.stop_reason(), rolled_back: false, mem_bytes, lost: None })
            }
            Err(denied) => self.roll_back(run, &denied.to_string()),
        }
    }

    /// The machine is spent: the session goes on from the state before the program.
    fn roll_back(&mut self, run: &Arc<Run>, why: &str) -> Step {
        // The old memory goes first: two at once could be too much for the machine.
        self.machine = None;
        match self.stamp() {
            Ok(machine) => {
                self.machine = Some(machine);
                if run.stop_reason().is_none() {
                    tracing::error!(execution_id = %run.id(), why, "the JavaScript engine failed");
                    run.report(engine_failed());
                }
                let mem_bytes = self.heap_used.unwrap_or_default().into();
                Step::Done(Outcome { stopped: run.stop_reason(), rolled_back: true, mem_bytes, lost: None })
            }
            Err(error) => Step::Done(lost(&error.to_string())),
        }
    }
}

impl Instance for QuickJsInstance {
    fn start(&mut self, program: &Program<'_>, run: &Arc<Run>) -> Step {
        let mode = match program.mode {
            Mode::Sloppy => 0,
            Mode::Strict => FLAG_STRICT,
            Mode::Module => FLAG_MODULE,
        };
        let (flags, given) = match program.kind {
            ProgramKind::Repl if self.env.is_empty() => (FLAG_REPL | mode, String::new()),
            ProgramKind::Repl => (FLAG_REPL | mode, json!({ "process_env": self.env }).to_string()),
            ProgramKind::Library { global } => (FLAG_LIBRARY, global.to_string()),
            ProgramKind::File { args, env } => {
                let process_env: BTreeMap<_, _> = self.env.iter().chain(env).collect();
                (mode, json!({ "args": args, "env": env, "process_env": process_env }).to_string())
            }
        };
        self.last_change = None;
        let asleep = Instant::now();
        if let Err(error) = self.awake() {
            return Step::Done(lost(&error.to_string()));
        }
        // Its rest was not the program's wish.
        run.postpone(asleep.elapsed());
        let heap = match self.granted_heap() {
            Ok(bytes) => bytes,
            Err(trap) => return self.roll_back(run, &format!("{trap:#}")),
        };
        self.turn(run, |machine| {
            machine.set_heap_limit(heap)?;
            machine.run(flags, program.name, &given, program.source)
        })
    }

    fn resume(&mut self, run: &Arc<Run>) -> Step {
        if Instant::now() >= run.deadline() {
            run.ask_to_stop(StopReason::Limit(LimitKind::WallMs));
        }
        self.turn(run, |machine| machine.resume())
    }

    fn state(&self) -> Option<Vec<u8>> {
        match &self.resting {
            Some(packed) => packed.clone(),
            None => self.checkpoint.whole().map(|delta| delta.encode()),
        }
    }

    fn state_before(&self) -> Result<Option<Vec<u8>>, EngineError> {
        if self.resting.is_some() {
            return Ok(self.state());
        }
        let mut before = self.checkpoint.clone();
        if let Some(change) = &self.last_change {
            before.apply(Reader::new(&change.encode())?, self.max_memory())?;
        }
        Ok(before.whole().map(|delta| delta.encode()))
    }

    fn own_bytes(&self) -> u64 {
        match &self.resting {
            Some(packed) => packed.as_ref().map_or(0, |packed| packed.len() as u64),
            // each page is in the memory, and kept
            None => self.checkpoint.own_bytes() + self.checkpoint.kept_bytes(),
        }
    }

    fn rest(&mut self) {
        if self.machine.take().is_some() {
            self.resting = Some(self.state());
            self.checkpoint.forget();
            self.last_change = None;
        }
    }

    fn change(&self) -> Option<Vec<u8>> {
        self.last_change.as_ref().map(Delta::encode)
    }

    fn undo(&mut self) -> Result<(), EngineError> {
        let Some(change) = self.last_change.take() else { return Ok(()) };
        self.machine = None;
        self.checkpoint.apply(Reader::new(&change.encode())?, self.max_memory())?;
        self.machine = Some(self.stamp()?);
        self.heap_used = None;
        Ok(())
    }
}

/// What differs from the image, in which there is a console and nothing else; `None`: nothing does.
fn configuration(setup: &Setup<'_>) -> Option<String> {
    let Setup { console, fetch, globals, .. } = setup;
    let is_usual = *console && !fetch && globals.is_empty();
    (!is_usual).then(|| json!({ "console": console, "fetch": fetch, "globals": globals }).to_string())
}

fn lost(why: &str) -> Outcome {
    Outcome { stopped: None, rolled_back: true, mem_bytes: 0, lost: Some(why.to_string()) }
}

fn engine_failed() -> Payload {
    Payload::Exception(ExceptionPayload {
        message: "InternalError: the JavaScript engine failed; the session is back in the state before this execution"
            .into(),
        stack: None,
    })
}
