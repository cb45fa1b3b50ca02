//! What the daemon says of itself.

use axum::{Json, Router, extract::State, routing::get};
use vm_core::Core;
use vm_model::{Health, RuntimeSummary};

pub(super) fn routes() -> Router<Core> {
    Router::new().route("/health", get(health)).route("/runtime/summary", get(summary))
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok".into() })
}

async fn summary(State(core): State<Core>) -> Json<RuntimeSummary> {
    Json(core.summary())
}
