//! What an execution is to its engine: the program that it runs, and the record that the run leaves.

use std::{sync::Arc, time::Duration};

use vm_engine::{Mode, Outcome, Program, ProgramKind, Run, StopReason};
use vm_model::{Execution, ExecutionKind, ExecutionStatus, Metrics, Payload, Runtime, Timestamp};

const SNIPPET_NAME: &str = "<repl>";

/// The first event repeats what is run.
pub(crate) fn echo(execution: &Execution, run: &Arc<Run>) {
    let text = execution.input.as_ref().or(execution.path.as_ref()).cloned().unwrap_or_default();
    run.report(Payload::InputEcho { text });
}

pub(crate) fn program<'a>(execution: &'a Execution, source: &'a [u8], runtime: &Runtime) -> Program<'a> {
    let kind = match execution.kind {
        ExecutionKind::Repl => ProgramKind::Repl,
        _ => ProgramKind::File { args: &execution.args, env: &execution.env },
    };
    let name = execution.path.as_deref().unwrap_or(SNIPPET_NAME);
    Program { name, source, kind, mode: mode(execution, runtime) }
}

/// Snippets are scripts, and so are startup files: both are there for what they leave behind. Other files are modules where
/// the template says so, and `.mjs` always.
fn mode(execution: &Execution, runtime: &Runtime) -> Mode {
    let path = execution.path.as_deref().unwrap_or_default();
    if path.ends_with(".mjs") || (runtime.esm && execution.kind == ExecutionKind::RunFile) {
        Mode::Module
    } else if runtime.strict {
        Mode::Strict
    } else {
        Mode::Sloppy
    }
}

/// The execution as it is at the end of its run, which took so long and waited so long for its turn.
pub(crate) fn record(begun: &Execution, run: &Run, outcome: &Outcome, wall: Duration, queued: Duration) -> Execution {
    let record = run.take_record();
    let status = match outcome.stopped {
        Some(StopReason::Limit(_)) => ExecutionStatus::Timeout,
        Some(StopReason::Cancelled) => ExecutionStatus::Cancelled,
        None if record.error.is_some() || outcome.lost.is_some() => ExecutionStatus::Error,
        None => ExecutionStatus::Ok,
    };
    let metrics = Metrics {
        cpu_ms: run.cpu_ms(),
        wall_ms: milliseconds(wall),
        queued_ms: milliseconds(queued),
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
        ..begun.clone()
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}
