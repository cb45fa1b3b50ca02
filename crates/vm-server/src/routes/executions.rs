//! Executions and their events.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use vm_core::Core;
use vm_model::{Event, Execution, ExecutionId, ReplRequest, RunFileRequest, SessionId};

use crate::{
    errors::ApiError,
    query::{Limit, Parameters},
    request::{Body, Id},
};

const DEFAULT_LIMIT: u32 = 50;

pub(super) fn routes() -> Router<Core> {
    Router::new()
        .route("/executions", get(list))
        .route("/executions/repl", post(repl))
        .route("/executions/run-file", post(run_file))
        .route("/executions/{id}", get(detail))
        .route("/executions/{id}/events", get(events))
}

async fn repl(
    State(core): State<Core>,
    Body(request): Body<ReplRequest>,
) -> Result<(StatusCode, Json<Execution>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.executions().repl(request).await?)))
}

async fn run_file(
    State(core): State<Core>,
    Body(request): Body<RunFileRequest>,
) -> Result<(StatusCode, Json<Execution>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.executions().run_file(request).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListParameters {
    session_id: SessionId,
    limit: Option<Limit<1000>>,
}

async fn list(
    State(core): State<Core>,
    Parameters(ListParameters { session_id, limit }): Parameters<ListParameters>,
) -> Result<Json<Vec<Execution>>, ApiError> {
    let limit = limit.map_or(DEFAULT_LIMIT, |limit| limit.0);
    Ok(Json(core.executions().list(session_id, limit).await?))
}

async fn detail(State(core): State<Core>, Id(id): Id<ExecutionId>) -> Result<Json<Execution>, ApiError> {
    Ok(Json(core.executions().get(id).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventParameters {
    #[serde(default)]
    after_seq: u64,
}

async fn events(
    State(core): State<Core>,
    Id(id): Id<ExecutionId>,
    Parameters(parameters): Parameters<EventParameters>,
) -> Result<Json<Vec<Event>>, ApiError> {
    Ok(Json(core.executions().events(id, parameters.after_seq).await?))
}
