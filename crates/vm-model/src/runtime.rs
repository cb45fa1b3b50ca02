//! What the daemon says of itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::SessionId;

/// The answer of `GET /health`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
}

/// The answer of `GET /runtime/summary`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RuntimeSummary {
    /// How many sessions are `ready`.
    pub active_sessions: u64,
    /// Their ids, oldest first.
    pub active_session_ids: Vec<SessionId>,
    /// How many executions run at this moment.
    pub running_executions: u64,
    /// How many sessions are in memory.
    pub resident_sessions: u64,
    /// How many `ready` sessions are not, until their next call.
    pub hibernated_sessions: u64,
    /// The bytes of memory that the idle ones among the resident have for themselves.
    pub resident_bytes: u64,
}

/// The answer of `POST /runtime/gc`: what was deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Collected {
    /// Closed and crashed sessions.
    pub sessions: u64,
    /// Executions, with their events.
    pub executions: u64,
    /// Images that no session uses.
    pub images: u64,
    /// By how many bytes the database file has become smaller.
    pub bytes: u64,
}
