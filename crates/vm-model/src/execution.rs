//! Executions: recorded runs of code in a session.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Event, ExceptionPayload, ExecutionId, SessionId, Timestamp, ValuePayload};

/// An execution. `result` and `error` repeat the payloads of its last `value` and first `exception` event.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// The session it ran in.
    pub session_id: SessionId,
    /// What kind of code.
    pub kind: ExecutionKind,
    /// The snippet, for `repl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub input: Option<String>,
    /// The file, relative to the worktree, for `run_file` and `startup`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub path: Option<String>,
    /// What the code saw as `__ARGS__`.
    pub args: Vec<String>,
    /// What the code saw as `__ENV__`.
    pub env: BTreeMap<String, String>,
    /// Where it is in its life.
    pub status: ExecutionStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ended_at: Option<Timestamp>,
    /// Its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub result: Option<ValuePayload>,
    /// What it threw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<ExceptionPayload>,
    /// What it used.
    pub metrics: Metrics,
    /// Its events, in the answer to the call that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub events: Option<Vec<Event>>,
}

/// What an execution used.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Metrics {
    /// CPU time, in milliseconds.
    #[schema(required)]
    pub cpu_ms: f64,
    /// Time from start to end, in milliseconds.
    #[schema(required)]
    pub wall_ms: f64,
    /// The session's JavaScript memory at the end, in bytes.
    #[schema(required)]
    pub mem_bytes: u64,
    /// How many events were recorded.
    #[schema(required)]
    pub events: u64,
    /// The bytes of their payloads.
    #[schema(required)]
    pub output_bytes: u64,
    /// How long it waited for its turn to compute, which is no part of `wall_ms`, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub queued_ms: f64,
    /// The session was set back to its state before this execution, because this one could not be ended in another way.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rolled_back: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature is serde's
fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

/// What kind of code an execution ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionKind {
    /// A snippet.
    Repl,
    /// A file of the worktree.
    RunFile,
    /// A startup file, during the creation of the session.
    Startup,
}

/// `running → ok | error | timeout | cancelled`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionStatus {
    /// Not ended yet.
    Running,
    /// The code came to its end.
    Ok,
    /// The code threw.
    Error,
    /// A resource limit was exceeded.
    Timeout,
    /// It was stopped from outside.
    Cancelled,
}

macro_rules! names {
    ($type:ident: $($variant:ident = $name:literal),+) => {
        impl $type {
            /// As on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(format!("{text:?} is none of {:?}", [$($name),+])),
                }
            }
        }
    };
}
pub(crate) use names;

names!(ExecutionKind: Repl = "repl", RunFile = "run_file", Startup = "startup");
names!(ExecutionStatus: Running = "running", Ok = "ok", Error = "error", Timeout = "timeout", Cancelled = "cancelled");

/// `POST /executions/repl`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplRequest {
    /// A session's id; required.
    #[schema(value_type = SessionId, required)]
    pub session_id: String,
    /// The snippet; required, not empty.
    #[schema(required)]
    pub input: String,
}

/// `POST /executions/run-file`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunFileRequest {
    /// A session's id; required.
    #[schema(value_type = SessionId, required)]
    pub session_id: String,
    /// Relative to the session's worktree; required.
    #[schema(required)]
    pub path: String,
    /// The global `__ARGS__` of this execution.
    pub args: Vec<String>,
    /// The global `__ENV__` and `process.env` of this execution.
    pub env: BTreeMap<String, String>,
}
