//! Everything that can go wrong, as the caller needs to know it.

use std::{io, path::PathBuf};

use vm_engine::EngineError;
use vm_model::{
    CapabilityError, CapabilityId, ExecutionId, IdError, LimitKind, SessionId, SessionStatus, SettingsError,
    StartupFileId, TemplateId,
};
use vm_modules::{
    catalog::ModuleNameError,
    libraries::{LibraryError, LibraryNameError},
};
use vm_store::{AlreadyExists, StoreError};

/// Why a call failed. The message is for a person: what happened, to which thing, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field is missing or not acceptable.
    #[error("{0}")]
    Validation(String),
    /// The settings are not acceptable.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// An id is no UUID.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A capability's name or config is not acceptable.
    #[error(transparent)]
    Capability(#[from] CapabilityError),
    /// No library can have this name.
    #[error(transparent)]
    LibraryName(#[from] LibraryNameError),
    /// No module has this name.
    #[error(transparent)]
    ModuleNotAllowed(#[from] ModuleNameError),
    /// A session cannot have what its template grants.
    #[error(transparent)]
    Grant(#[from] vm_modules::GrantError),
    /// No engine has this name.
    #[error("unknown engine {0:?}; use \"quickjs\" or its alias \"goja\"")]
    EngineUnsupported(String),
    /// A startup file runs in no other mode than `eval`.
    #[error("startup mode {0:?} is not supported; use \"eval\"")]
    StartupModeUnsupported(String),
    /// A name, or a path within its template, is taken.
    #[error(transparent)]
    AlreadyExists(#[from] AlreadyExists),
    /// No template has this id.
    #[error("template {0} not found")]
    TemplateNotFound(TemplateId),
    /// The template has no startup file of this id.
    #[error("template {template_id} has no startup file {file_id}")]
    StartupFileNotFound {
        /// The template concerned.
        template_id: TemplateId,
        /// What was looked for.
        file_id: StartupFileId,
    },
    /// The template has no capability of this id.
    #[error("template {template_id} has no capability {capability_id}")]
    CapabilityNotFound {
        /// The template concerned.
        template_id: TemplateId,
        /// What was looked for.
        capability_id: CapabilityId,
    },
    /// No session has this id.
    #[error("session {0} not found")]
    SessionNotFound(SessionId),
    /// No execution has this id.
    #[error("execution {0} not found")]
    ExecutionNotFound(ExecutionId),
    /// The session is starting, crashed or closed.
    #[error("session {session_id} is {status}, not ready{}", hint(*.status))]
    SessionNotReady {
        /// The session concerned.
        session_id: SessionId,
        /// What it is instead.
        status: SessionStatus,
    },
    /// The session runs another execution.
    #[error("session {0} is running another execution; try again when it has ended")]
    SessionBusy(SessionId),
    /// The path is absolute, has `..`, or leads out of the worktree.
    #[error("path {path:?} {reason}; use a path relative to the worktree that stays inside it")]
    InvalidPath {
        /// As it was given.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No regular file is there.
    #[error("file {path:?} not found in the worktree {}", worktree.display())]
    FileNotFound {
        /// As it was given.
        path: String,
        /// Where it was looked for.
        worktree: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error("file {path:?} cannot be read: {error}")]
    FileUnreadable {
        /// As it was given.
        path: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// A startup file threw or was not found; the session is `crashed`.
    #[error("startup file {path:?} failed: {reason}")]
    StartupFailed {
        /// The session that is `crashed` now.
        session_id: SessionId,
        /// The startup file.
        path: String,
        /// What it threw, or why it was not run.
        reason: String,
    },
    /// A configured library cannot be had from the cache; the session is `crashed`.
    #[error("failed to load libraries: {1}")]
    Library(SessionId, LibraryError),
    /// A library threw or was stopped while it was loaded; the session is `crashed`.
    #[error("failed to load libraries: library {library} failed: {reason}")]
    LibraryFailed {
        /// The session that is `crashed` now.
        session_id: SessionId,
        /// As the template has it.
        library: String,
        /// What it threw, or which limit it exceeded.
        reason: String,
    },
    /// An execution exceeded a limit; it is recorded, and its session goes on.
    #[error("execution exceeded {limit} = {configured}; make the code smaller, or use a template with a higher limit")]
    LimitExceeded {
        /// The session concerned.
        session_id: SessionId,
        /// The execution that was ended.
        execution_id: ExecutionId,
        /// Which limit.
        limit: LimitKind,
        /// Its configured number.
        configured: u64,
    },
    /// The daemon's memory is at its ceiling.
    #[error("the daemon uses {used_mb} MiB of the {max_mb} MiB that it may have; close sessions, or give it more")]
    OutOfMemory {
        /// What is in use, in MiB.
        used_mb: u64,
        /// What may be, in MiB.
        max_mb: u64,
    },
    /// The image of a session is not what it was made from.
    #[error("the image that the session began with {0}")]
    ImageLost(&'static str),
    /// The state of a session had moved on in its memory, which is gone.
    #[error("it was only in memory (runtime.durability of its template is \"none\")")]
    StateUnsaved,
    /// What was stored of a session is not enough to go on with it; it is `crashed` now.
    #[error("session {session_id} cannot be woken, because its stored state is lost: {why}. Create a new session")]
    StateLost {
        /// The session that is `crashed` now.
        session_id: SessionId,
        /// What is wrong with it.
        why: String,
    },
    /// The core is shutting down and takes no new work.
    #[error("the daemon is shutting down")]
    ShuttingDown,
    /// An execution ran and could not be recorded; its session goes on as if it had not run.
    #[error("{error}. The session is back in the state before this execution")]
    NotRecorded {
        /// The session concerned.
        session_id: SessionId,
        /// What is not recorded.
        execution_id: ExecutionId,
        /// Why the database did not take it.
        error: StoreError,
    },
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A part of the system came to an end it should not have come to.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// Whether it will be the same each time: what was stored of a session cannot be used.
    pub(crate) fn is_lost_state(&self) -> bool {
        matches!(
            self,
            Self::ImageLost(_)
                | Self::StateUnsaved
                | Self::Engine(EngineError::Damaged(_))
                | Self::Store(StoreError::Damaged { .. })
        )
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AlreadyExists(taken) => Self::AlreadyExists(taken),
            StoreError::TemplateNotFound(id) => Self::TemplateNotFound(id),
            StoreError::SessionNotFound(id) => Self::SessionNotFound(id),
            StoreError::SessionCrashed(id) => Self::SessionNotReady { session_id: id, status: SessionStatus::Crashed },
            other => Self::Store(other),
        }
    }
}

fn hint(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Starting => "; try again when it has started",
        SessionStatus::Ready => "",
        SessionStatus::Crashed => "; its last_error says why. Create a new session",
        SessionStatus::Closed => "; create a new session",
    }
}
