//! Sessions.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use vm_core::Core;
use vm_model::{NewSession, Session, SessionFilter, SessionId, SessionStatus, TemplateId};

use crate::{
    errors::ApiError,
    query::{Limit, Parameters},
    request::{Body, Id},
};

pub(super) fn routes() -> Router<Core> {
    Router::new()
        .route("/sessions", get(list).post(create))
        .route("/sessions/{id}", get(detail).delete(close))
        .route("/sessions/{id}/close", post(close))
}

async fn create(
    State(core): State<Core>,
    Body(new): Body<NewSession>,
) -> Result<(StatusCode, Json<Session>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.sessions().create(new).await?)))
}

/// Without a limit all sessions are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListParameters {
    status: Option<SessionStatus>,
    template_id: Option<TemplateId>,
    limit: Option<Limit<10_000>>,
}

async fn list(
    State(core): State<Core>,
    Parameters(ListParameters { status, template_id, limit }): Parameters<ListParameters>,
) -> Result<Json<Vec<Session>>, ApiError> {
    let filter = SessionFilter { status, template_id, limit: limit.map(|limit| limit.0) };
    Ok(Json(core.sessions().list(filter).await?))
}

async fn detail(State(core): State<Core>, Id(id): Id<SessionId>) -> Result<Json<Session>, ApiError> {
    Ok(Json(core.sessions().get(id).await?))
}

async fn close(State(core): State<Core>, Id(id): Id<SessionId>) -> Result<Json<Session>, ApiError> {
    Ok(Json(core.sessions().close(id).await?))
}
