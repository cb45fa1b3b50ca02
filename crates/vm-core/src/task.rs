//! One execution, from its first turn to its record.
//!
//! A turn computes on a worker thread; between turns the task waits and holds none. The record, with all events, is one
//! transaction, written before anybody is told that the execution is over.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use vm_engine::{Mode, Outcome, Program, ProgramKind, Run, Step, StopReason};
use vm_model::{
    ConsoleLevel, Execution, ExecutionKind, ExecutionStatus, LimitKind, Metrics, Payload, SessionStatus, Timestamp,
};
use vm_store::Effect;

use crate::{
    Error,
    core::Parts,
    live::{Current, LiveSession, Turn},
    slots::Slot,
};

const SNIPPET_NAME: &str = "<repl>";

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
}

/// How an execution ended.
pub(crate) struct Ended {
    /// With its events.
    pub execution: Execution,
    /// The limit it exceeded.
    pub limit: Option<LimitKind>,
}

enum After {
    Wait(Box<Task>, Instant),
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
        let run = Run::new(execution.id, &session.template.settings.limits);
        let echo = execution.input.as_ref().or(execution.path.as_ref());
        run.report(Payload::InputEcho { text: echo.cloned().unwrap_or_default() });
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
        })
    }

    /// Runs to the end.
    pub async fn run(self) -> Result<Ended, Error> {
        let (parts, session) = (self.parts.clone(), self.session.clone());
        let mut task = Box::new(self);
        let ended = loop {
            let slot = match task.wait_for_slot().await {
                Ok(slot) => slot,
                Err(error) => break Err(error),
            };
            match parts.workers.run(move || task.take_turn(slot)).await {
                Ok(After::Ended(ended)) => break *ended,
                Ok(After::Wait(waiting, until)) => {
                    task = waiting;
                    tokio::select! {
                        () = tokio::time::sleep_until(until.into()) => {}
                        () = session.wake.notified() => {}
                    }
                }
                Err(error) => break Err(crash(&parts, &session, error)),
            }
        };
        session.end();
        ended
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
        if let Some(slot) = &slot {
            let slot = slot.clone();
            self.current.run.when_long(move || slot.step_aside());
        }
        let step = self.step();
        drop(slot);
        match step {
            Ok(Step::Wait(until)) => After::Wait(self, until),
            Ok(Step::Done(outcome)) => After::Ended(Box::new(self.finish(outcome))),
            Err(error) => After::Ended(Box::new(Err(error))),
        }
    }

    fn step(&mut self) -> Result<Step, Error> {
        let (run, execution, mode) = (&self.current.run, &self.current.execution, self.mode());
        let Some(instance) = self.turn.as_mut() else {
            return Err(Error::SessionNotReady { session_id: self.session.id, status: self.session.status() });
        };
        if self.started {
            return Ok(instance.resume(run));
        }
        self.started = true;
        let kind = match execution.kind {
            ExecutionKind::Repl => ProgramKind::Repl,
            _ => ProgramKind::File { args: &execution.args, env: &execution.env },
        };
        let program =
            Program { name: execution.path.as_deref().unwrap_or(SNIPPET_NAME), source: &self.source, kind, mode };
        Ok(instance.start(&program, run))
    }

    /// Snippets are scripts, and so are startup files: both are there for what they leave behind. Other files are modules
    /// where the template says so, and `.mjs` always.
    fn mode(&self) -> Mode {
        let (runtime, execution) = (&self.session.template.settings.runtime, &self.current.execution);
        let path = execution.path.as_deref().unwrap_or_default();
        if path.ends_with(".mjs") || (runtime.esm && execution.kind == ExecutionKind::RunFile) {
            Mode::Module
        } else if runtime.strict {
            Mode::Strict
        } else {
            Mode::Sloppy
        }
    }

    /// Records the execution. A startup file is recorded later, together with its session.
    fn finish(self, outcome: Outcome) -> Result<Ended, Error> {
        let limit = self.note_stop(&outcome);
        let execution = self.record(&outcome);
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
            self.parts.store.insert_execution(&execution, Effect::Unsaved)?;
        }
        if let Some(why) = outcome.lost {
            return Err(crash(&self.parts, &self.session, Error::Internal(why)));
        }
        Ok(Ended { execution, limit })
    }

    /// The last event says why the code was stopped.
    fn note_stop(&self, outcome: &Outcome) -> Option<LimitKind> {
        let (message, limit) = match outcome.stopped? {
            StopReason::Limit(limit) => {
                let configured = self.session.template.settings.limits.get(limit);
                (format!("limit exceeded: {limit} = {configured}"), Some(limit))
            }
            StopReason::Cancelled => ("cancelled".to_string(), None),
        };
        self.current.run.report(Payload::System { message, level: ConsoleLevel::Error });
        limit
    }

    fn record(&self, outcome: &Outcome) -> Execution {
        let record = self.current.run.take_record();
        let status = match outcome.stopped {
            Some(StopReason::Limit(_)) => ExecutionStatus::Timeout,
            Some(StopReason::Cancelled) => ExecutionStatus::Cancelled,
            None if record.error.is_some() || outcome.lost.is_some() => ExecutionStatus::Error,
            None => ExecutionStatus::Ok,
        };
        let metrics = Metrics {
            cpu_ms: self.current.run.cpu_ms(),
            wall_ms: milliseconds(self.began.elapsed().saturating_sub(self.queued)),
            queued_ms: milliseconds(self.queued),
            mem_bytes: outcome.mem_bytes,
            events: record.events.len() as u64,
            output_bytes: record.output_bytes,
            rolled_back: outcome.rolled_back,
        };
        Execution {
            status,
            ended_at: Some(Timestamp::now()),
            result: record.result,
            error: record.error,
            metrics,
            events: Some(record.events),
            ..self.current.execution.clone()
        }
    }
}

/// The session cannot go on: says so in its row, and answers why.
fn crash(parts: &Parts, session: &LiveSession, error: Error) -> Error {
    session.stop(SessionStatus::Crashed);
    parts.live.remove(session.id);
    if let Err(unsaved) = save_crash(parts, session, &error) {
        tracing::error!(session_id = %session.id, error = %unsaved, "a crashed session could not be marked as such");
    }
    error
}

fn save_crash(parts: &Parts, session: &LiveSession, error: &Error) -> Result<(), Error> {
    if let Some(mut row) = parts.store.session(session.id)? {
        row.status = SessionStatus::Crashed;
        row.last_error = Some(error.to_string());
        parts.store.update_session(&row)?;
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}
