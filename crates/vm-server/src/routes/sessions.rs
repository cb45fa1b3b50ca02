//! Sessions.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use vm_core::Core;
use vm_model::{NewSession, Session, SessionFilter, SessionId, SessionStatus, TemplateId};

use crate::{
    errors::ApiError,
    query::{Limit, Parameters},
    request::{Body, Id},
};

pub(super) fn routes() -> OpenApiRouter<Core> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(detail, delete))
        .routes(routes!(close))
        .routes(routes!(hibernate))
        .routes(routes!(fork))
}

/// Stamp a session from a template and run its startup files.
#[utoipa::path(
    post,
    path = "/sessions",
    operation_id = "createSession",
    tag = "sessions",
    request_body = NewSession,
    responses(
        (status = 201, description = "The session, `ready`.", body = Session),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
        (status = 409, description = "`SESSION_NOT_READY`: it was closed while it started."),
        (status = 422, description = "`STARTUP_FAILED`, `OUTPUT_LIMIT_EXCEEDED`: a startup file or library failed, and the session is `crashed`."),
    ),
)]
async fn create(
    State(core): State<Core>,
    Body(new): Body<NewSession>,
) -> Result<(StatusCode, Json<Session>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.sessions().create(new).await?)))
}

/// Without a limit all sessions are listed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParameters {
    /// Only those in this status.
    #[param(nullable = false)]
    status: Option<SessionStatus>,
    /// Only those of this template.
    #[param(nullable = false)]
    template_id: Option<TemplateId>,
    /// At most so many; all if not given.
    #[param(inline, nullable = false)]
    limit: Option<Limit<10_000>>,
}

/// List sessions.
#[utoipa::path(
    get,
    path = "/sessions",
    operation_id = "listSessions",
    tag = "sessions",
    params(ListParameters),
    responses((status = 200, description = "Newest first.", body = Vec<Session>)),
)]
async fn list(
    State(core): State<Core>,
    Parameters(ListParameters { status, template_id, limit }): Parameters<ListParameters>,
) -> Result<Json<Vec<Session>>, ApiError> {
    let filter = SessionFilter { status, template_id, limit: limit.map(|limit| limit.0) };
    Ok(Json(core.sessions().list(filter).await?))
}

/// Get a session.
#[utoipa::path(
    get,
    path = "/sessions/{id}",
    operation_id = "getSession",
    tag = "sessions",
    params(("id" = SessionId, Path, description = "The session's id.")),
    responses(
        (status = 200, description = "The session.", body = Session),
        (status = 404, description = "`SESSION_NOT_FOUND`."),
    ),
)]
async fn detail(State(core): State<Core>, Id(id): Id<SessionId>) -> Result<Json<Session>, ApiError> {
    Ok(Json(core.sessions().get(id).await?))
}

/// Close a session: what runs in it ends `cancelled`. Closing again changes nothing.
#[utoipa::path(
    post,
    path = "/sessions/{id}/close",
    operation_id = "closeSession",
    tag = "sessions",
    params(("id" = SessionId, Path, description = "The session's id.")),
    responses(
        (status = 200, description = "The closed session.", body = Session),
        (status = 404, description = "`SESSION_NOT_FOUND`."),
    ),
)]
async fn close(State(core): State<Core>, Id(id): Id<SessionId>) -> Result<Json<Session>, ApiError> {
    Ok(Json(core.sessions().close(id).await?))
}

/// Take an idle session out of memory, until its next call. It stays `ready`.
#[utoipa::path(
    post,
    path = "/sessions/{id}/hibernate",
    operation_id = "hibernateSession",
    tag = "sessions",
    params(("id" = SessionId, Path, description = "The session's id.")),
    responses(
        (status = 200, description = "The session; it is still in memory if it runs something.", body = Session),
        (status = 404, description = "`SESSION_NOT_FOUND`."),
        (status = 409, description = "`SESSION_NOT_READY`."),
    ),
)]
async fn hibernate(State(core): State<Core>, Id(id): Id<SessionId>) -> Result<Json<Session>, ApiError> {
    Ok(Json(core.sessions().hibernate(id).await?))
}

/// Make a session with the state that this one had after its last execution. Files are shared, in-memory databases are
/// copied.
#[utoipa::path(
    post,
    path = "/sessions/{id}/fork",
    operation_id = "forkSession",
    tag = "sessions",
    params(("id" = SessionId, Path, description = "The parent's id.")),
    responses(
        (status = 201, description = "The new session, `ready`.", body = Session),
        (status = 404, description = "`SESSION_NOT_FOUND`."),
        (status = 409, description = "`SESSION_NOT_READY`; `SESSION_BUSY` if it runs something and has no durability."),
    ),
)]
async fn fork(State(core): State<Core>, Id(id): Id<SessionId>) -> Result<(StatusCode, Json<Session>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.sessions().fork(id).await?)))
}

/// The same as closing a session.
#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    operation_id = "deleteSession",
    tag = "sessions",
    params(("id" = SessionId, Path, description = "The session's id.")),
    responses(
        (status = 200, description = "The closed session.", body = Session),
        (status = 404, description = "`SESSION_NOT_FOUND`."),
    ),
)]
async fn delete(core: State<Core>, id: Id<SessionId>) -> Result<Json<Session>, ApiError> {
    close(core, id).await
}
