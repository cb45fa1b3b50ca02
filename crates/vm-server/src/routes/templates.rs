//! Templates and their startup files.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use vm_core::Core;
use vm_model::{
    NewStartupFile, NewTemplate, StartupFile, StartupFileDeleted, StartupFileId, Template, TemplateDeleted,
    TemplateDetail, TemplateId, TemplatePatch,
};

use crate::{
    errors::ApiError,
    request::{Body, Id, Ids},
};

pub(super) fn routes() -> OpenApiRouter<Core> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(detail, update, remove))
        .routes(routes!(startup_files, add_startup_file))
        .routes(routes!(remove_startup_file))
}

/// Create a template.
#[utoipa::path(
    post,
    path = "/templates",
    operation_id = "createTemplate",
    tag = "templates",
    request_body = NewTemplate,
    responses(
        (status = 201, description = "The new template.", body = Template),
        (status = 409, description = "`ALREADY_EXISTS`: the name is taken."),
        (status = 422, description = "`ENGINE_UNSUPPORTED`."),
    ),
)]
async fn create(
    State(core): State<Core>,
    Body(new): Body<NewTemplate>,
) -> Result<(StatusCode, Json<Template>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.templates().create(new).await?)))
}

/// List the templates.
#[utoipa::path(
    get,
    path = "/templates",
    operation_id = "listTemplates",
    tag = "templates",
    responses((status = 200, description = "Newest first.", body = Vec<Template>)),
)]
async fn list(State(core): State<Core>) -> Result<Json<Vec<Template>>, ApiError> {
    Ok(Json(core.templates().list().await?))
}

/// Get a template with everything that belongs to it.
#[utoipa::path(
    get,
    path = "/templates/{id}",
    operation_id = "getTemplate",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    responses(
        (status = 200, description = "The template.", body = TemplateDetail),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
    ),
)]
async fn detail(State(core): State<Core>, Id(id): Id<TemplateId>) -> Result<Json<TemplateDetail>, ApiError> {
    Ok(Json(core.templates().get(id).await?))
}

/// Change a template. Sessions that were created before do not notice.
#[utoipa::path(
    patch,
    path = "/templates/{id}",
    operation_id = "updateTemplate",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    request_body = TemplatePatch,
    responses(
        (status = 200, description = "The template as it is now.", body = TemplateDetail),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
        (status = 409, description = "`ALREADY_EXISTS`: the name is taken."),
    ),
)]
async fn update(
    State(core): State<Core>,
    Id(id): Id<TemplateId>,
    Body(patch): Body<TemplatePatch>,
) -> Result<Json<TemplateDetail>, ApiError> {
    Ok(Json(core.templates().update(id, patch).await?))
}

/// Delete a template and what belongs to it. Its sessions keep running.
#[utoipa::path(
    delete,
    path = "/templates/{id}",
    operation_id = "deleteTemplate",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    responses(
        (status = 200, description = "It is gone.", body = TemplateDeleted),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
    ),
)]
async fn remove(State(core): State<Core>, Id(id): Id<TemplateId>) -> Result<Json<TemplateDeleted>, ApiError> {
    core.templates().delete(id).await?;
    Ok(Json(TemplateDeleted { status: "ok".into(), template_id: id }))
}

/// Add a script that runs when a session is created.
#[utoipa::path(
    post,
    path = "/templates/{id}/startup-files",
    operation_id = "addStartupFile",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    request_body = NewStartupFile,
    responses(
        (status = 201, description = "The new startup file.", body = StartupFile),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
        (status = 409, description = "`ALREADY_EXISTS`: the template has this path."),
        (status = 422, description = "`INVALID_PATH`, `STARTUP_MODE_UNSUPPORTED`."),
    ),
)]
async fn add_startup_file(
    State(core): State<Core>,
    Id(id): Id<TemplateId>,
    Body(new): Body<NewStartupFile>,
) -> Result<(StatusCode, Json<StartupFile>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.templates().add_startup_file(id, new).await?)))
}

/// List a template's startup files.
#[utoipa::path(
    get,
    path = "/templates/{id}/startup-files",
    operation_id = "listStartupFiles",
    tag = "templates",
    params(("id" = TemplateId, Path, description = "The template's id.")),
    responses(
        (status = 200, description = "In the order in which they run.", body = Vec<StartupFile>),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`."),
    ),
)]
async fn startup_files(State(core): State<Core>, Id(id): Id<TemplateId>) -> Result<Json<Vec<StartupFile>>, ApiError> {
    Ok(Json(core.templates().startup_files(id).await?))
}

/// Remove a startup file from its template.
#[utoipa::path(
    delete,
    path = "/templates/{id}/startup-files/{file_id}",
    operation_id = "removeStartupFile",
    tag = "templates",
    params(
        ("id" = TemplateId, Path, description = "The template's id."),
        ("file_id" = StartupFileId, Path, description = "The startup file's id."),
    ),
    responses(
        (status = 200, description = "It is gone.", body = StartupFileDeleted),
        (status = 404, description = "`TEMPLATE_NOT_FOUND`, `STARTUP_FILE_NOT_FOUND`."),
    ),
)]
async fn remove_startup_file(
    State(core): State<Core>,
    Ids(template_id, file_id): Ids<TemplateId, StartupFileId>,
) -> Result<Json<StartupFileDeleted>, ApiError> {
    core.templates().remove_startup_file(template_id, file_id).await?;
    Ok(Json(StartupFileDeleted { status: "ok".into(), template_id, file_id }))
}
