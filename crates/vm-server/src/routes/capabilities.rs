//! The capabilities of templates.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use vm_core::Core;
use vm_model::{Capability, CapabilityDeleted, CapabilityId, NewCapability, TemplateId};

use crate::{
    errors::ApiError,
    request::{Body, Id, Ids},
};

pub(super) fn routes() -> OpenApiRouter<Core> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(remove))
}

/// Add a capability to a template.
#[utoipa::path(
    post,
    path = "/templates/{id}/capabilities",
    operation_id = "addCapability",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    request_body = NewCapability,
    responses(
        (status = 201, description = "The new capability.", body = Capability),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
        (status = 409, description = "`ALREADY_EXISTS`: the template has one of this kind and name."),
        (status = 422, description = "`MODULE_NOT_ALLOWED`: no such module, or a built-in of JavaScript."),
    ),
)]
async fn add(
    State(core): State<Core>,
    Id(id): Id<TemplateId>,
    Body(new): Body<NewCapability>,
) -> Result<(StatusCode, Json<Capability>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.templates().add_capability(id, new).await?)))
}

/// List a template's capabilities.
#[utoipa::path(
    get,
    path = "/templates/{id}/capabilities",
    operation_id = "listCapabilities",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    responses(
        (status = 200, description = "In the order in which they were added.", body = Vec<Capability>),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
    ),
)]
async fn list(State(core): State<Core>, Id(id): Id<TemplateId>) -> Result<Json<Vec<Capability>>, ApiError> {
    Ok(Json(core.templates().capabilities(id).await?))
}

/// Remove a capability from its template.
#[utoipa::path(
    delete,
    path = "/templates/{id}/capabilities/{capability_id}",
    operation_id = "removeCapability",
    tag = "templates",
    params(
        ("id" = TemplateId, Path, description = "The template's id."),
        ("capability_id" = CapabilityId, Path, description = "The capability's id."),
    ),
    responses(
        (status = 200, description = "It is gone.", body = CapabilityDeleted),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`, `CAPABILITY_NOT_FOUND`."),
    ),
)]
async fn remove(
    State(core): State<Core>,
    Ids(template_id, capability_id): Ids<TemplateId, CapabilityId>,
) -> Result<Json<CapabilityDeleted>, ApiError> {
    core.templates().remove_capability(template_id, capability_id).await?;
    Ok(Json(CapabilityDeleted { status: "ok".into(), template_id, capability_id }))
}
