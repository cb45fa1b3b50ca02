//! What the daemon says of itself.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};
use vm_core::Core;
use vm_model::{Collected, Health, RuntimeSummary};

use crate::errors::ApiError;

pub(super) fn routes() -> OpenApiRouter<Core> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(summary)).routes(routes!(collect))
}

/// Whether the daemon answers.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "getHealth",
    tag = "runtime",
    responses((status = 200, description = "It does.", body = Health)),
)]
async fn health() -> Json<Health> {
    Json(Health { status: "ok".into() })
}

/// What runs at this moment.
#[utoipa::path(
    get,
    path = "/runtime/summary",
    operation_id = "getRuntimeSummary",
    tag = "runtime",
    responses((status = 200, description = "The sessions that are ready, and more.", body = RuntimeSummary)),
)]
async fn summary(State(core): State<Core>) -> Result<Json<RuntimeSummary>, ApiError> {
    Ok(Json(core.summary().await?))
}

/// Delete history that is not to be kept any longer and images that nobody uses, and make the database file smaller.
#[utoipa::path(
    post,
    path = "/runtime/gc",
    operation_id = "collectGarbage",
    tag = "runtime",
    responses((status = 200, description = "What was deleted.", body = Collected)),
)]
async fn collect(State(core): State<Core>) -> Result<Json<Collected>, ApiError> {
    Ok(Json(core.collect().await?))
}
