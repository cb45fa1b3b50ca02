//! `session …`

use std::path::PathBuf;

use clap::Subcommand;
use vm_client::Client;
use vm_model::{NewSession, Residency, Session, SessionFilter, SessionMemory, SessionStatus, TemplateId};

use crate::{error::Error, output::Output, table::table};

/// `vm-system session …`
#[derive(Subcommand)]
pub enum SessionCommand {
    /// Create a session and run its template's startup files
    Create {
        /// The template that it is made from
        #[arg(long, value_name = "TEMPLATE")]
        template_id: String,
        /// Your own name for the workspace; stored, not interpreted
        #[arg(long)]
        workspace_id: String,
        /// Your own commit id; stored, not interpreted
        #[arg(long, value_name = "COMMIT")]
        base_commit: String,
        /// The folder that run-file and startup files look in; absolute, on the daemon's machine
        #[arg(long, value_name = "PATH")]
        worktree_path: PathBuf,
    },
    /// List sessions, newest first
    List {
        /// Only those that are starting, ready, crashed or closed
        #[arg(long)]
        status: Option<SessionStatus>,
        /// Only those of this template
        #[arg(long, value_name = "TEMPLATE")]
        template_id: Option<TemplateId>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
    },
    /// Show a session
    Get {
        /// The session
        #[arg(value_name = "SESSION")]
        id: String,
    },
    /// Make a session with the state that this one had after its last execution
    Fork {
        /// The session
        #[arg(value_name = "SESSION")]
        id: String,
    },
    /// Take an idle session out of memory, until its next call
    Hibernate {
        /// The session
        #[arg(value_name = "SESSION")]
        id: String,
    },
    /// Close a session, and stop what runs in it
    Close {
        /// The session
        #[arg(value_name = "SESSION")]
        id: String,
    },
}

impl SessionCommand {
    /// Makes the call and prints its answer.
    pub async fn run(self, client: &Client, output: Output) -> Result<(), Error> {
        match self {
            Self::Create { template_id, workspace_id, base_commit, worktree_path } => {
                let new = NewSession { template_id, workspace_id, base_commit_oid: base_commit, worktree_path };
                output.print(&client.create_session(&new).await?, |session| {
                    let mut lines = vec![format!("Created session: {}", session.id)];
                    lines.extend(session_lines(session));
                    lines
                })
            }
            Self::List { status, template_id, limit } => {
                let sessions = client.sessions(&SessionFilter { status, template_id, limit }).await?;
                output.print(&sessions, |sessions| session_table(sessions))
            }
            Self::Get { id } => output.print(&client.session(id).await?, session_block),
            Self::Fork { id } => output.print(&client.fork_session(id).await?, |session| {
                let mut lines = vec![format!("Created session: {}", session.id)];
                lines.extend(session.parent_session_id.map(|parent| format!("Parent Session: {parent}")));
                lines.extend(session_lines(session));
                lines
            }),
            Self::Hibernate { id } => output.print(&client.hibernate_session(id).await?, session_block),
            Self::Close { id } => output
                .print(&client.close_session(id).await?, |session| vec![format!("Closed session: {}", session.id)]),
        }
    }
}

fn session_table(sessions: &[Session]) -> Vec<String> {
    let row = |session: &Session| {
        let Session { id, status, template_id, workspace_id, created_at, .. } = session;
        [id.to_string(), status.to_string(), template_id.to_string(), workspace_id.clone(), created_at.to_string()]
    };
    table(["ID", "STATUS", "TEMPLATE", "WORKSPACE", "CREATED"], sessions.iter().map(row), "No sessions found")
}

fn session_lines(session: &Session) -> [String; 5] {
    [
        format!("Status: {}", session.status),
        format!("Template ID: {}", session.template_id),
        format!("Workspace ID: {}", session.workspace_id),
        format!("Base Commit: {}", session.base_commit_oid),
        format!("Worktree Path: {}", session.worktree_path.display()),
    ]
}

fn session_block(session: &Session) -> Vec<String> {
    let mut lines = vec![format!("Session ID: {}", session.id)];
    lines.extend(session_lines(session));
    lines.push(format!("Created: {}", session.created_at));
    lines.extend(session.closed_at.map(|at| format!("Closed: {at}")));
    lines.extend(session.last_error.as_ref().map(|error| format!("Last Error: {error}")));
    lines.extend(session.parent_session_id.map(|parent| format!("Parent Session: {parent}")));
    lines.extend(session.memory.as_ref().map(memory_line));
    lines.extend(session.runtime_meta.as_ref().map(|meta| format!("Runtime: {} {}", meta.engine, meta.version)));
    lines
}

fn memory_line(memory: &SessionMemory) -> String {
    let SessionMemory { residency, resident_bytes, stored_bytes } = memory;
    match residency {
        Residency::Resident => format!("Memory: resident, {resident_bytes} bytes, and {stored_bytes} bytes stored"),
        Residency::Hibernated => format!("Memory: hibernated, {stored_bytes} bytes stored"),
    }
}
