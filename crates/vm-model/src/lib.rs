//! The words everyone in vm-system uses, in the exact shape in which they travel over the wire.
//!
//! | module | what it names |
//! |---|---|
//! | [`id`] | the ids of templates, startup files, capabilities, sessions and executions (UUID v7) |
//! | [`time`] | [`Timestamp`]: UTC microseconds, RFC 3339 on the wire |
//! | [`settings`] | what a template decides: limits, resolver, runtime |
//! | [`template`] | templates and their startup files, and the requests that make them |
//! | [`capability`] | permissions that a template gives or narrows, and the request that adds one |
//! | [`grant`] | what capabilities say: their configs, checked and typed |
//! | `host` | how hosts of the network are named in a capability |
//! | [`extension`] | modules and libraries of a template, and the request that adds one |
//! | [`catalog`] | what templates can be configured with |
//! | [`path`] | paths of the worktree |
//! | [`session`] | sessions, and the request that creates one |
//! | [`execution`] | executions, their metrics, and the requests that start one |
//! | [`event`] | the recorded events of an execution and their payloads |
//! | `event_schema`, `settings_patch` | how the OpenAPI document describes what travels as free JSON |
//! | [`runtime`] | what the daemon says of itself |
//! | [`token`] | [`Token`]: what a caller may have to prove that it knows |
//! | [`error`] | error codes and the error envelope |
//!
//! This crate decides nothing and does no I/O: it is the ground floor that every other crate stands on.

pub mod capability;
pub mod catalog;
pub mod error;
pub mod event;
mod event_schema;
pub mod execution;
pub mod extension;
pub mod grant;
mod host;
pub mod id;
pub mod path;
pub mod runtime;
pub mod session;
pub mod settings;
mod settings_patch;
pub mod template;
pub mod time;
pub mod token;

pub use capability::{Capability, CapabilityDeleted, CapabilityKind, NewCapability};
pub use catalog::{EngineEntry, LibraryEntry, ModuleEntry};
pub use error::{ErrorBody, ErrorCode, ErrorEnvelope};
pub use event::{ConsoleLevel, Event, EventType, ExceptionPayload, Payload, ValuePayload};
pub use execution::{Execution, ExecutionKind, ExecutionStatus, Metrics, ReplRequest, RunFileRequest};
pub use extension::{Extension, ExtensionAdded, ExtensionRemoved, NewExtension};
pub use grant::{CapabilityError, Grant, ModuleGrant};
pub use id::{CapabilityId, ExecutionId, IdError, SessionId, StartupFileId, TemplateId};
pub use path::normalise;
pub use runtime::{Collected, Health, RuntimeSummary};
pub use session::{NewSession, Residency, RuntimeMeta, Session, SessionFilter, SessionMemory, SessionStatus};
pub use settings::{Durability, LimitKind, Limits, Resolver, Runtime, Settings, SettingsError};
pub use template::{
    NewStartupFile, NewTemplate, StartupFile, StartupFileDeleted, Template, TemplateDeleted, TemplateDetail,
    TemplatePatch, TemplateSettings,
};
pub use time::Timestamp;
pub use token::{Token, TokenError};
