//! `ops …`

use clap::Subcommand;
use vm_client::Client;
use vm_model::{Collected, RuntimeSummary};

use crate::{error::Error, output::Output};

/// `vm-system ops …`
#[derive(Subcommand)]
pub enum OpsCommand {
    /// Ask the daemon whether it is well
    Health,
    /// Show which sessions are live
    RuntimeSummary,
    /// Delete history that is not to be kept any longer, and make the database file smaller
    Gc,
}

impl OpsCommand {
    /// Makes the call and prints its answer.
    pub async fn run(self, client: &Client, output: Output) -> Result<(), Error> {
        match self {
            Self::Health => output.print(&client.health().await?, |health| vec![format!("Status: {}", health.status)]),
            Self::RuntimeSummary => output.print(&client.runtime_summary().await?, summary_block),
            Self::Gc => output.print(&client.collect_garbage().await?, collected_block),
        }
    }
}

fn summary_block(summary: &RuntimeSummary) -> Vec<String> {
    let mut lines = vec![
        format!("Active Sessions: {}", summary.active_sessions),
        format!("Running Executions: {}", summary.running_executions),
        format!("Resident Sessions: {} ({} bytes)", summary.resident_sessions, summary.resident_bytes),
        format!("Hibernated Sessions: {}", summary.hibernated_sessions),
    ];
    lines.extend(summary.active_session_ids.iter().map(|id| format!("Session ID: {id}")));
    lines
}

fn collected_block(collected: &Collected) -> Vec<String> {
    let Collected { sessions, executions, images, bytes } = collected;
    vec![
        format!("Deleted Sessions: {sessions}"),
        format!("Deleted Executions: {executions}"),
        format!("Deleted Images: {images}"),
        format!("Freed Bytes: {bytes}"),
    ]
}
