//! One execution, from its first turn to its record.
//!
//! A turn blocks the thread that it is on; between turns the task waits and holds none. The record, with all events, is stored as
//! a whole (but for most of many events, which go ahead unseen) before anybody is told that the execution is over.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use vm_engine::{Outcome, Run, Step, StopReason};
use vm_model::{
    ConsoleLevel, Durability, Execution, ExecutionId, ExecutionKind, LimitKind, Limits, Payload, SessionStatus,
};
use vm_store::StoreError;

use crate::{
    Error,
    amends::Amend,
    core::Parts,
    live::{Current, LiveSession, Turn},
    machine::Machine,
    program::{echo, program, record},
    slots::Slot,
};

pub(crate) struct Task {
    parts: Arc<Parts>,
    session: Arc<LiveSession>,
    turn: Turn,
    current: Arc<Current>,
    source: Vec<u8>,
    began: Instant,
    /// How long it has waited for a slot.
    queued: Duration,
    started: bool,
    recorded: Arc<Mutex<Recorded>>,
}

/// What the database has of an execution.
#[derive(Default, PartialEq, Eq)]
enum Recorded {
    #[default]
    Nothing,
    /// That it is running.
    Running,
    /// All, from this moment on.
    All,
}

/// How an execution ended.
pub(crate) struct Ended {
    /// With its events.
    pub execution: Execution,
    /// The limit it exceeded.
    pub limit: Option<LimitKind>,
    /// Whether it would have been the same another time.
    pub is_repeatable: bool,
}

enum After {
    Wait(Box<Task>, Instant),
    /// What others wait for is not done at a low priority.
    Finish(Box<Task>, Outcome),
    Ended(Box<Result<Ended, Error>>),
}

impl Task {
    /// Makes the execution visible and stoppable. `execution` is as it will be recorded, still `running`.
    pub fn begin(
        parts: &Arc<Parts>,
        session: &Arc<LiveSession>,
        turn: Turn,
        execution: Execution,
        source: Vec<u8>,
    ) -> Result<Self, Error> {
        let machine = turn.as_ref().ok_or_else(|| gone(session))?;
        let run = Run::new(execution.id, &machine.template.settings.limits);
        echo(&execution, &run);
        let current = Arc::new(Current { run, execution });
        session.begin(&current)?;
        Ok(Self {
            parts: parts.clone(),
            session: session.clone(),
            turn,
            current,
            source,
            began: Instant::now(),
            queued: Duration::ZERO,
            started: false,
            recorded: Arc::default(),
        })
    }

    pub fn limits(&self) -> &Limits {
        self.current.run.limits()
    }

    /// Runs to the end.
    pub async fn run(self) -> Result<Ended, Error> {
        let (parts, session) = (self.parts.clone(), self.session.clone());
        let mut task = Box::new(self);
        loop {
            let slot = match task.wait_for_slot().await {
                Ok(slot) => slot,
                Err(error) => return Err(error),
            };
            let failed = match parts.executor.run(move || task.take_turn(slot)).await {
                Ok(After::Wait(waiting, until)) => {
                    task = waiting;
                    tokio::select! {
                        () = tokio::time::sleep_until(until.into()) => {}
                        () = session.wake.notified() => {}
                    }
                    continue;
                }
                Ok(After::Ended(ended)) => return *ended,
                Ok(After::Finish(task, outcome)) => match parts.executor.run(move || task.end(outcome)).await {
                    Ok(ended) => return ended,
                    Err(error) => error,
                },
                Err(error) => error,
            };
            return Err(crash(&parts, &session, failed));
        }
    }

    /// The right to compute; nothing for an execution that is only to be ended.
    async fn wait_for_slot(&mut self) -> Result<Option<Slot>, Error> {
        let slots = &self.parts.slots;
        if let Some(slot) = slots.try_take() {
            return Ok(Some(slot));
        }
        let begin = Instant::now();
        let slot = loop {
            tokio::select! {
                slot = slots.take() => break Some(slot?),
                () = self.session.wake.notified() => if self.current.run.is_stopped() { break None },
            }
        };
        let waited = begin.elapsed();
        self.current.run.postpone(waited);
        self.queued += waited;
        Ok(slot)
    }

    fn take_turn(mut self: Box<Self>, slot: Option<Slot>) -> After {
        let (slot_of_long, note_long) = (slot.clone(), self.note_long());
        self.current.run.when_long(move || {
            if let Some(slot) = slot_of_long {
                slot.step_aside();
            }
            note_long();
        });
        let step = self.step();
        drop(slot);
        match step {
            Ok(Step::Wait(until)) => {
                self.note_long()();
                After::Wait(self, until)
            }
            Ok(Step::Done(outcome)) if vm_engine::is_lowered() => After::Finish(self, outcome),
            Ok(Step::Done(outcome)) => After::Ended(Box::new(self.end(outcome))),
            Err(error) => After::Ended(Box::new(Err(error))),
        }
    }

    /// Records, once, an execution that takes long as running: if the daemon is killed meanwhile, the next one finds it. For
    /// a short one that would double the work.
    fn note_long(&self) -> impl FnOnce() + Send + 'static {
        let (parts, current, recorded) = (self.parts.clone(), self.current.clone(), self.recorded.clone());
        move || {
            if current.execution.kind != ExecutionKind::Startup && *lock(&recorded) == Recorded::Nothing {
                let executor = parts.executor.clone();
                drop(executor.spawn(async move { note_running(&parts, &current, &recorded) }));
            }
        }
    }

    fn step(&mut self) -> Result<Step, Error> {
        let (run, execution) = (&self.current.run, &self.current.execution);
        let Some(machine) = self.turn.as_mut() else { return Err(gone(&self.session)) };
        if self.started {
            return Ok(machine.instance.resume(run));
        }
        self.started = true;
        let program = program(execution, &self.source, &machine.template.settings.runtime);
        Ok(machine.instance.start(&program, run))
    }

    /// Records the execution and what it changed. A startup file is recorded later, together with its session.
    fn end(mut self, outcome: Outcome) -> Result<Ended, Error> {
        *lock(&self.recorded) = Recorded::All;
        self.session.note_end();
        let limit = self.note_stop(&outcome);
        let wall = self.began.elapsed().saturating_sub(self.queued);
        let execution = record(&self.current.execution, &self.current.run, &outcome, wall, self.queued);
        tracing::info!(
            session_id = %execution.session_id,
            execution_id = %execution.id,
            kind = %execution.kind,
            status = %execution.status,
            wall_ms = execution.metrics.wall_ms,
            rolled_back = outcome.rolled_back,
            "execution ended"
        );
        if execution.kind != ExecutionKind::Startup {
            let machine = self.turn.as_mut().ok_or_else(|| gone(&self.session))?;
            if let Err(error) = save(&self.parts, machine, &execution, &outcome) {
                // It may be in the database as one that is running.
                self.parts.amends.make(&self.parts, Amend::CalledOff(execution.id));
                return Err(self.call_off(execution.id, error));
            }
        }
        if let Some(why) = outcome.lost {
            return Err(crash(&self.parts, &self.session, Error::Internal(why)));
        }
        Ok(Ended { execution, limit, is_repeatable: self.current.run.is_repeatable() })
    }

    /// What is not in the history has not happened.
    fn call_off(&mut self, execution_id: ExecutionId, error: StoreError) -> Error {
        let error = match error {
            StoreError::SessionCrashed(_) => error.into(),
            error => Error::NotRecorded { session_id: self.session.id, execution_id, error },
        };
        let Some(machine) = self.turn.as_mut() else { return error };
        if machine.template.settings.runtime.durability != Durability::None {
            // The database may have failed after it took the record. What it has is the truth, and is read by the next call.
            *self.turn = None;
            return error;
        }
        match machine.instance.undo() {
            Ok(()) => error,
            Err(lost) => crash(&self.parts, &self.session, lost.into()),
        }
    }

    /// The last event says why the code was stopped.
    fn note_stop(&self, outcome: &Outcome) -> Option<LimitKind> {
        let (message, limit) = match outcome.stopped? {
            StopReason::Limit(limit) => {
                let configured = self.current.run.limits().get(limit);
                (format!("limit exceeded: {limit} = {configured}"), Some(limit))
            }
            StopReason::Cancelled => ("cancelled".to_string(), None),
        };
        self.current.run.report(Payload::System { message, level: ConsoleLevel::Error });
        limit
    }
}

fn note_running(parts: &Parts, current: &Current, recorded: &Mutex<Recorded>) {
    let mut recorded = lock(recorded);
    if *recorded == Recorded::Nothing {
        match parts.store.begin_execution(&current.execution) {
            Ok(()) => *recorded = Recorded::Running,
            Err(error) => {
                tracing::warn!(execution_id = %current.run.id(), %error, "a running execution could not be recorded");
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An execution and its effect are stored together: either both are there, or none.
fn save(parts: &Parts, machine: &mut Machine, execution: &Execution, outcome: &Outcome) -> Result<(), StoreError> {
    let saving = machine.saving(outcome);
    parts.store.insert_execution(execution, saving.effect()).inspect_err(|_| machine.host.forget_state())?;
    machine.saved(&saving);
    Ok(())
}

pub(crate) fn gone(session: &LiveSession) -> Error {
    Error::SessionNotReady { session_id: session.id, status: session.status() }
}

/// The session cannot go on: says so in its row, and answers why.
pub(crate) fn crash(parts: &Parts, session: &LiveSession, error: Error) -> Error {
    session.stop(SessionStatus::Crashed);
    parts.amends.make(parts, Amend::Crashed(session.id, error.to_string()));
    // Not before its row says so: who finds it neither here nor crashed there would wake it.
    parts.live.remove(session);
    error
}
