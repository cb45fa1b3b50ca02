//! `exec …`

use std::process::ExitCode;

use clap::Subcommand;
use vm_client::Client;
use vm_model::{Event, Execution, ExecutionStatus, ReplRequest, RunFileRequest};

use crate::{
    error::Error,
    output::{Output, json},
    script_input::{ScriptArgs, ScriptEnv, snippet},
    table::table,
};

/// So much of a snippet is shown in a list.
const LISTED_CHARS: usize = 60;

/// `vm-system exec …`
#[derive(Subcommand)]
pub enum ExecCommand {
    /// Run a snippet in a session
    Repl {
        /// The session
        session: String,
        /// The snippet; - reads it from standard input
        #[arg(allow_hyphen_values = true)]
        code: String,
    },
    /// Run a file of the worktree in a session
    RunFile {
        /// The session
        session: String,
        /// The file, relative to the session's worktree
        path: String,
        /// An argument, which the script sees in __ARGS__; repeatable, or a JSON array of strings
        #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
        args: Vec<ScriptArgs>,
        /// A variable, which the script sees in __ENV__ and process.env; repeatable, or a JSON object of strings
        #[arg(long, value_name = "NAME=VALUE")]
        env: Vec<ScriptEnv>,
    },
    /// List the executions of a session, newest first
    List {
        /// The session
        session: String,
        /// At most so many [default: 50]
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
    },
    /// Show an execution
    Get {
        /// The execution
        #[arg(value_name = "EXECUTION")]
        id: String,
    },
    /// End a running execution at once
    Cancel {
        /// The execution
        #[arg(value_name = "EXECUTION")]
        id: String,
    },
    /// Show the events of an execution
    Events {
        /// The execution
        #[arg(value_name = "EXECUTION")]
        id: String,
        /// Only events after this one
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after_seq: u64,
    },
}

impl ExecCommand {
    /// Makes the call and prints its answer. A script that was run and failed is a failure of the command.
    pub async fn run(self, client: &Client, output: Output) -> Result<ExitCode, Error> {
        match self {
            Self::Repl { session, code } => {
                let request = ReplRequest { session_id: session, input: snippet(code)? };
                return report(&client.repl(&request).await?, output);
            }
            Self::RunFile { session, path, args, env } => {
                let args = args.into_iter().flat_map(|given| given.0).collect();
                let env = env.into_iter().flat_map(|given| given.0).collect();
                let request = RunFileRequest { session_id: session, path, args, env };
                return report(&client.run_file(&request).await?, output);
            }
            Self::List { session, limit } => {
                output.print(&client.executions(session, limit).await?, |executions| execution_table(executions))?;
            }
            Self::Get { id } => output.print(&client.execution(id).await?, execution_block)?,
            Self::Cancel { id } => output.print(&client.cancel_execution(id).await?, |execution| {
                vec![format!("Execution ID: {}", execution.id), format!("Status: {}", execution.status)]
            })?,
            Self::Events { id, after_seq } => {
                output.print(&client.events(id, after_seq).await?, |events| event_lines(events))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn report(execution: &Execution, output: Output) -> Result<ExitCode, Error> {
    output.print(execution, |execution| {
        let mut lines = vec![format!("Execution ID: {}", execution.id), format!("Status: {}", execution.status)];
        lines.extend(outcome(execution));
        lines.extend([String::new(), "Events:".into()]);
        lines.extend(event_lines(execution.events.as_deref().unwrap_or_default()));
        lines
    })?;
    Ok(if execution.status == ExecutionStatus::Ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The `Result:` or `Error:` line, or none.
fn outcome(execution: &Execution) -> impl Iterator<Item = String> {
    let result = execution.result.as_ref().map(|value| format!("Result: {}", json(value)));
    let error = execution.error.as_ref().map(|exception| format!("Error: {}", json(exception)));
    result.into_iter().chain(error)
}

fn event_lines(events: &[Event]) -> Vec<String> {
    if events.is_empty() {
        return vec!["No events found".into()];
    }
    events.iter().map(|event| format!("[{}] {}: {}", event.seq, event.kind, event.payload)).collect()
}

fn execution_table(executions: &[Execution]) -> Vec<String> {
    let row = |execution: &Execution| {
        let Execution { id, kind, status, started_at, metrics, .. } = execution;
        let wall = format!("{:.1}", metrics.wall_ms);
        [id.to_string(), kind.to_string(), status.to_string(), started_at.to_string(), wall, source(execution)]
    };
    let header = ["ID", "KIND", "STATUS", "STARTED", "WALL MS", "SOURCE"];
    table(header, executions.iter().map(row), "No executions found")
}

/// What was run, shortened.
fn source(execution: &Execution) -> String {
    let text = execution.input.as_ref().or(execution.path.as_ref()).map(String::as_str).unwrap_or_default();
    match text.char_indices().nth(LISTED_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

fn execution_block(execution: &Execution) -> Vec<String> {
    let mut lines = vec![
        format!("Execution ID: {}", execution.id),
        format!("Session ID: {}", execution.session_id),
        format!("Kind: {}", execution.kind),
        format!("Status: {}", execution.status),
    ];
    lines.extend(execution.input.as_ref().map(|input| format!("Input: {input}")));
    lines.extend(execution.path.as_ref().map(|path| format!("Path: {path}")));
    lines.push(format!("Args: {}", json(&execution.args)));
    lines.push(format!("Env: {}", json(&execution.env)));
    lines.push(format!("Started: {}", execution.started_at));
    lines.extend(execution.ended_at.map(|at| format!("Ended: {at}")));
    lines.extend(outcome(execution));
    lines.push(format!("Metrics: {}", json(&execution.metrics)));
    lines
}
