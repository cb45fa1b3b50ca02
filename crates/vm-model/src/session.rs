//! Sessions: live runtimes stamped from a template.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{SessionId, TemplateId, Timestamp};

/// A session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The template it was stamped from, which may be gone by now.
    pub template_id: TemplateId,
    /// The same, for older clients.
    pub vm_id: TemplateId,
    /// The caller's own name for the workspace; stored, not interpreted.
    pub workspace_id: String,
    /// The caller's own commit id; stored, not interpreted.
    pub base_commit_oid: String,
    /// The folder in which files are looked up: absolute, and the boundary of the sandbox.
    #[schema(value_type = String)]
    pub worktree_path: PathBuf,
    /// Where it is in its life.
    pub status: SessionStatus,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub closed_at: Option<Timestamp>,
    /// Why it is `crashed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_error: Option<String>,
    /// What really runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub runtime_meta: Option<RuntimeMeta>,
    /// Where its state is at this moment; in the details of a `ready` session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub memory: Option<SessionMemory>,
    /// The session that it was forked from, which may be gone by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parent_session_id: Option<SessionId>,
}

/// What a session takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionMemory {
    /// Whether it is in memory.
    pub residency: Residency,
    /// The bytes of memory that it has for itself; 0 while it is hibernated, or runs something.
    pub resident_bytes: u64,
    /// The bytes of its stored state, which it does not share with other sessions.
    pub stored_bytes: u64,
}

/// Where the state of a `ready` session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Residency {
    /// In memory.
    Resident,
    /// Only stored; its next call brings it into memory.
    Hibernated,
}

/// The engine that really runs a session, whichever name its template uses for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RuntimeMeta {
    /// `quickjs-ng`
    pub engine: String,
    /// The engine's own version.
    pub version: String,
}

/// `starting → ready | crashed`, `ready → closed`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Startup files are running.
    Starting,
    /// Waiting for executions, or running one.
    Ready,
    /// Lost, for the reason in `last_error`.
    Crashed,
    /// Ended by its user.
    Closed,
}

impl SessionStatus {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Starting, Self::Ready, Self::Crashed, Self::Closed];

    /// As on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Crashed => "crashed",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SessionStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("status {text:?} is not one of starting, ready, crashed, closed"))
    }
}

/// `POST /sessions`: all four are required.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewSession {
    /// A template's id.
    #[schema(value_type = TemplateId, required)]
    pub template_id: String,
    /// The caller's own name for the workspace; stored, not interpreted.
    #[schema(required)]
    pub workspace_id: String,
    /// The caller's own commit id; stored, not interpreted.
    #[schema(required)]
    pub base_commit_oid: String,
    /// An existing folder's absolute path.
    #[schema(value_type = String, required)]
    pub worktree_path: PathBuf,
}

/// Which sessions `GET /sessions` lists; newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SessionFilter {
    /// Only those in this status.
    pub status: Option<SessionStatus>,
    /// Only those of this template.
    pub template_id: Option<TemplateId>,
    /// At most so many.
    pub limit: Option<u32>,
}
