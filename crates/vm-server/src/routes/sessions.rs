//! Sessions.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use vm_core::Core;
use vm_model::{NewSession, Session, SessionFilter, SessionId};

use crate::{
    errors::ApiError,
    request::{Body, Id, Parameters, check_limit, parse_id},
};

const MAX_LIMIT: u32 = 10_000;

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
    status: Option<String>,
    template_id: Option<String>,
    limit: Option<u32>,
}

async fn list(
    State(core): State<Core>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<Vec<Session>>, ApiError> {
    let filter = SessionFilter {
        status: parameters
            .status
            .map(|status| status.parse())
            .transpose()
            .map_err(|message: String| ApiError::validation(message))?,
        template_id: parameters.template_id.map(|id| parse_id("template_id", &id)).transpose()?,
        limit: parameters.limit.map(|limit| check_limit(limit, MAX_LIMIT)).transpose()?,
    };
    Ok(Json(core.sessions().list(filter).await?))
}

async fn detail(State(core): State<Core>, Id(id): Id<SessionId>) -> Result<Json<Session>, ApiError> {
    Ok(Json(core.sessions().get(id).await?))
}

async fn close(State(core): State<Core>, Id(id): Id<SessionId>) -> Result<Json<Session>, ApiError> {
    Ok(Json(core.sessions().close(id).await?))
}
