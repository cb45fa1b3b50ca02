//! The capabilities of templates.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{delete, get},
};
use vm_core::Core;
use vm_model::{Capability, CapabilityDeleted, CapabilityId, NewCapability, TemplateId};

use crate::{
    errors::ApiError,
    request::{Body, Id, Ids},
};

pub(super) fn routes() -> Router<Core> {
    Router::new()
        .route("/templates/{id}/capabilities", get(list).post(add))
        .route("/templates/{id}/capabilities/{capability_id}", delete(remove))
}

async fn add(
    State(core): State<Core>,
    Id(id): Id<TemplateId>,
    Body(new): Body<NewCapability>,
) -> Result<(StatusCode, Json<Capability>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.templates().add_capability(id, new).await?)))
}

async fn list(State(core): State<Core>, Id(id): Id<TemplateId>) -> Result<Json<Vec<Capability>>, ApiError> {
    Ok(Json(core.templates().capabilities(id).await?))
}

async fn remove(
    State(core): State<Core>,
    Ids(template_id, capability_id): Ids<TemplateId, CapabilityId>,
) -> Result<Json<CapabilityDeleted>, ApiError> {
    core.templates().remove_capability(template_id, capability_id).await?;
    Ok(Json(CapabilityDeleted { status: "ok".into(), template_id, capability_id }))
}
