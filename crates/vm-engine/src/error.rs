//! Why an engine or an instance could not be made.

use std::io;

use crate::memory::Damaged;

/// What scripts do never ends here; this is about the machine and the installation.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The kernel gave no memory or no mapping.
    #[error("no memory for a session: {0}; close sessions, or raise vm.max_map_count and the memory limit")]
    Memory(#[from] io::Error),
    /// What was stored of a session's state is not what was written.
    #[error("{0}")]
    Damaged(String),
    /// The guest could not be compiled or started.
    #[error("the JavaScript engine cannot start: {0}")]
    Guest(String),
}

impl From<Damaged> for EngineError {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(damaged.to_string())
    }
}

impl From<wasmtime::Error> for EngineError {
    fn from(error: wasmtime::Error) -> Self {
        Self::Guest(format!("{error:#}"))
    }
}
