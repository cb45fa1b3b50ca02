//! Executions and their events.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use vm_core::Core;
use vm_model::{Event, Execution, ExecutionId, ReplRequest, RunFileRequest, SessionId};

use crate::{
    errors::ApiError,
    query::{Limit, Parameters},
    request::{Body, Id},
};

const DEFAULT_LIMIT: u32 = 50;

pub(super) fn routes() -> OpenApiRouter<Core> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(repl))
        .routes(routes!(run_file))
        .routes(routes!(detail))
        .routes(routes!(cancel))
        .routes(routes!(events))
}

/// Run a snippet and wait for its end. One that throws is an execution with status `error`.
#[utoipa::path(
    post,
    path = "/executions/repl",
    operation_id = "runRepl",
    tag = "executions",
    request_body = ReplRequest,
    responses(
        (status = 201, description = "The execution with its events.", body = Execution),
        (status = 404, description = "`SESSION_NOT_FOUND`."),
        (status = 409, description = "`SESSION_NOT_READY`, `SESSION_BUSY`."),
        (status = 422, description = "`OUTPUT_LIMIT_EXCEEDED`: the execution is recorded as `timeout`, and the session goes on."),
    ),
)]
async fn repl(
    State(core): State<Core>,
    Body(request): Body<ReplRequest>,
) -> Result<(StatusCode, Json<Execution>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.executions().repl(request).await?)))
}

/// Run a file of the worktree and wait for its end. One that throws is an execution with status `error`.
#[utoipa::path(
    post,
    path = "/executions/run-file",
    operation_id = "runFile",
    tag = "executions",
    request_body = RunFileRequest,
    responses(
        (status = 201, description = "The execution with its events.", body = Execution),
        (status = 404, description = "`SESSION_NOT_FOUND`, `FILE_NOT_FOUND`."),
        (status = 409, description = "`SESSION_NOT_READY`, `SESSION_BUSY`."),
        (status = 422, description = "`INVALID_PATH`; or `OUTPUT_LIMIT_EXCEEDED`: the execution is recorded as `timeout`, and the session goes on."),
    ),
)]
async fn run_file(
    State(core): State<Core>,
    Body(request): Body<RunFileRequest>,
) -> Result<(StatusCode, Json<Execution>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.executions().run_file(request).await?)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParameters {
    /// The session whose executions are listed.
    session_id: SessionId,
    /// At most so many; 50 if not given.
    #[param(inline, nullable = false)]
    limit: Option<Limit<1000>>,
}

/// List a session's executions, without their events.
#[utoipa::path(
    get,
    path = "/executions",
    operation_id = "listExecutions",
    tag = "executions",
    params(ListParameters),
    responses(
        (status = 200, description = "Newest first.", body = Vec<Execution>),
        (status = 404, description = "`SESSION_NOT_FOUND`."),
    ),
)]
async fn list(
    State(core): State<Core>,
    Parameters(ListParameters { session_id, limit }): Parameters<ListParameters>,
) -> Result<Json<Vec<Execution>>, ApiError> {
    let limit = limit.map_or(DEFAULT_LIMIT, |limit| limit.0);
    Ok(Json(core.executions().list(session_id, limit).await?))
}

/// Get an execution, without its events.
#[utoipa::path(
    get,
    path = "/executions/{id}",
    operation_id = "getExecution",
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "The execution's id.")),
    responses(
        (status = 200, description = "The execution.", body = Execution),
        (status = 404, description = "`EXECUTION_NOT_FOUND`."),
    ),
)]
async fn detail(State(core): State<Core>, Id(id): Id<ExecutionId>) -> Result<Json<Execution>, ApiError> {
    Ok(Json(core.executions().get(id).await?))
}

/// End a running execution at once. One that is over already stays as it is.
#[utoipa::path(
    post,
    path = "/executions/{id}/cancel",
    operation_id = "cancelExecution",
    tag = "executions",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    responses(
        (status = 200, description = "The execution as it has ended, without its events.", body = Execution),
        (status = 404, description = "`EXECUTION_NOT_FOUND`."),
    ),
)]
async fn cancel(State(core): State<Core>, Id(id): Id<ExecutionId>) -> Result<Json<Execution>, ApiError> {
    Ok(Json(core.executions().cancel(id).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EventParameters {
    /// Only events whose `seq` is greater; all if not given.
    #[serde(default)]
    after_seq: u64,
}

/// List an execution's events, also while it runs.
#[utoipa::path(
    get,
    path = "/executions/{id}/events",
    operation_id = "listEvents",
    tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "The execution's id."),
        EventParameters,
    ),
    responses(
        (status = 200, description = "In order.", body = Vec<Event>),
        (status = 404, description = "`EXECUTION_NOT_FOUND`."),
    ),
)]
async fn events(
    State(core): State<Core>,
    Id(id): Id<ExecutionId>,
    Parameters(parameters): Parameters<EventParameters>,
) -> Result<Json<Vec<Event>>, ApiError> {
    Ok(Json(core.executions().events(id, parameters.after_seq).await?))
}
