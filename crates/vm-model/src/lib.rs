//! The words everyone in vm-system uses, in the exact shape in which they travel over the wire.
//!
//! | module | what it names |
//! |---|---|
//! | [`id`] | the ids of templates, startup files, sessions and executions (UUID v7) |
//! | [`time`] | [`Timestamp`]: UTC microseconds, RFC 3339 on the wire |
//! | [`settings`] | what a template decides: limits, resolver, runtime |
//! | [`template`] | templates and their startup files, and the requests that make them |
//! | [`session`] | sessions, and the request that creates one |
//! | [`execution`] | executions, their metrics, and the requests that start one |
//! | [`event`] | the recorded events of an execution and their payloads |
//! | [`runtime`] | what the daemon says of itself |
//! | [`token`] | [`Token`]: what a caller may have to prove that it knows |
//! | [`error`] | error codes and the error envelope |
//!
//! This crate decides nothing and does no I/O: it is the ground floor that every other crate stands on.

pub mod error;
pub mod event;
pub mod execution;
pub mod id;
pub mod runtime;
pub mod session;
pub mod settings;
pub mod template;
pub mod time;
pub mod token;

pub use error::{ErrorBody, ErrorCode, ErrorEnvelope};
pub use event::{ConsoleLevel, Event, EventType, ExceptionPayload, Payload, ValuePayload};
pub use execution::{Execution, ExecutionKind, ExecutionStatus, Metrics, ReplRequest, RunFileRequest};
pub use id::{ExecutionId, IdError, SessionId, StartupFileId, TemplateId};
pub use runtime::{Health, RuntimeSummary};
pub use session::{NewSession, RuntimeMeta, Session, SessionFilter, SessionStatus};
pub use settings::{LimitKind, Limits, Resolver, Runtime, Settings, SettingsError};
pub use template::{
    Capability, NewStartupFile, NewTemplate, StartupFile, StartupFileDeleted, Template, TemplateDeleted,
    TemplateDetail, TemplateSettings,
};
pub use time::Timestamp;
pub use token::{Token, TokenError};
