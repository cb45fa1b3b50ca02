//! The modules and libraries of templates: the same routes for either.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use vm_core::Core;
use vm_model::{Extension, ExtensionAdded, ExtensionRemoved, NewExtension, TemplateId};

use crate::{
    errors::ApiError,
    request::{Body, Id, IdAndName},
};

pub(super) fn routes() -> OpenApiRouter<Core> {
    OpenApiRouter::new()
        .routes(routes!(list_modules, add_module))
        .routes(routes!(remove_module))
        .routes(routes!(list_libraries, add_library))
        .routes(routes!(remove_library))
}

/// Add a native module to a template; adding it again changes nothing.
#[utoipa::path(
    post,
    path = "/templates/{id}/modules",
    operation_id = "addModule",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    request_body = NewExtension,
    responses(
        (status = 201, description = "The template has it.", body = ExtensionAdded),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
        (status = 422, description = "`MODULE_NOT_ALLOWED`: no such module, or a built-in of JavaScript."),
    ),
)]
async fn add_module(
    core: State<Core>,
    id: Id<TemplateId>,
    body: Body<NewExtension>,
) -> Result<(StatusCode, Json<ExtensionAdded>), ApiError> {
    add(Extension::Module, core, id, body).await
}

/// List the names of a template's native modules.
#[utoipa::path(
    get,
    path = "/templates/{id}/modules",
    operation_id = "listModules",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    responses(
        (status = 200, description = "Their names.", body = Vec<String>),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
    ),
)]
async fn list_modules(core: State<Core>, id: Id<TemplateId>) -> Result<Json<Vec<String>>, ApiError> {
    list(Extension::Module, core, id).await
}

/// Remove a native module from a template.
#[utoipa::path(
    delete,
    path = "/templates/{id}/modules/{name}",
    operation_id = "removeModule",
    tag = "templates",
    params(
        ("id" = TemplateId, Path, description = "The template's id."),
        ("name" = String, Path, description = "The module's name."),
    ),
    responses(
        (status = 200, description = "The template does not have it.", body = ExtensionRemoved),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
    ),
)]
async fn remove_module(core: State<Core>, path: IdAndName<TemplateId>) -> Result<Json<ExtensionRemoved>, ApiError> {
    remove(Extension::Module, core, path).await
}

/// Add a library to a template; adding it again changes nothing.
#[utoipa::path(
    post,
    path = "/templates/{id}/libraries",
    operation_id = "addLibrary",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    request_body = NewExtension,
    responses(
        (status = 201, description = "The template has it.", body = ExtensionAdded),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
    ),
)]
async fn add_library(
    core: State<Core>,
    id: Id<TemplateId>,
    body: Body<NewExtension>,
) -> Result<(StatusCode, Json<ExtensionAdded>), ApiError> {
    add(Extension::Library, core, id, body).await
}

/// List the names of a template's libraries.
#[utoipa::path(
    get,
    path = "/templates/{id}/libraries",
    operation_id = "listLibraries",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    responses(
        (status = 200, description = "Their names.", body = Vec<String>),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
    ),
)]
async fn list_libraries(core: State<Core>, id: Id<TemplateId>) -> Result<Json<Vec<String>>, ApiError> {
    list(Extension::Library, core, id).await
}

/// Remove a library from a template.
#[utoipa::path(
    delete,
    path = "/templates/{id}/libraries/{name}",
    operation_id = "removeLibrary",
    tag = "templates",
    params(
        ("id" = TemplateId, Path, description = "The template's id."),
        ("name" = String, Path, description = "The library's name."),
    ),
    responses(
        (status = 200, description = "The template does not have it.", body = ExtensionRemoved),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
    ),
)]
async fn remove_library(core: State<Core>, path: IdAndName<TemplateId>) -> Result<Json<ExtensionRemoved>, ApiError> {
    remove(Extension::Library, core, path).await
}

async fn add(
    extension: Extension,
    State(core): State<Core>,
    Id(template_id): Id<TemplateId>,
    Body(new): Body<NewExtension>,
) -> Result<(StatusCode, Json<ExtensionAdded>), ApiError> {
    let name = core.templates().add_extension(template_id, extension, &new.name).await?;
    Ok((StatusCode::CREATED, Json(ExtensionAdded { name, template_id })))
}

async fn list(
    extension: Extension,
    State(core): State<Core>,
    Id(id): Id<TemplateId>,
) -> Result<Json<Vec<String>>, ApiError> {
    Ok(Json(core.templates().extensions(id, extension).await?))
}

async fn remove(
    extension: Extension,
    State(core): State<Core>,
    IdAndName(template_id, name): IdAndName<TemplateId>,
) -> Result<Json<ExtensionRemoved>, ApiError> {
    let name = core.templates().remove_extension(template_id, extension, &name).await?;
    Ok(Json(ExtensionRemoved { status: "ok".into(), template_id, name }))
}
