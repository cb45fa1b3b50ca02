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
    /// How many sessions hold a runtime.
    pub active_sessions: u64,
    /// Their ids, oldest first.
    pub active_session_ids: Vec<SessionId>,
    /// How many executions run at this moment.
    pub running_executions: u64,
}
