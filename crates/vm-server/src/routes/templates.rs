//! Templates and their startup files.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{delete, get},
};
use vm_core::Core;
use vm_model::{
    NewStartupFile, NewTemplate, StartupFile, StartupFileDeleted, StartupFileId, Template, TemplateDeleted,
    TemplateDetail, TemplateId, TemplatePatch,
};

use crate::{
    errors::ApiError,
    request::{Body, Id, Ids},
};

pub(super) fn routes() -> Router<Core> {
    Router::new()
        .route("/templates", get(list).post(create))
        .route("/templates/{id}", get(detail).patch(update).delete(remove))
        .route("/templates/{id}/startup-files", get(startup_files).post(add_startup_file))
        .route("/templates/{id}/startup-files/{file_id}", delete(remove_startup_file))
}

async fn create(
    State(core): State<Core>,
    Body(new): Body<NewTemplate>,
) -> Result<(StatusCode, Json<Template>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.templates().create(new).await?)))
}

async fn list(State(core): State<Core>) -> Result<Json<Vec<Template>>, ApiError> {
    Ok(Json(core.templates().list().await?))
}

async fn detail(State(core): State<Core>, Id(id): Id<TemplateId>) -> Result<Json<TemplateDetail>, ApiError> {
    Ok(Json(core.templates().get(id).await?))
}

async fn update(
    State(core): State<Core>,
    Id(id): Id<TemplateId>,
    Body(patch): Body<TemplatePatch>,
) -> Result<Json<TemplateDetail>, ApiError> {
    Ok(Json(core.templates().update(id, patch).await?))
}

async fn remove(State(core): State<Core>, Id(id): Id<TemplateId>) -> Result<Json<TemplateDeleted>, ApiError> {
    core.templates().delete(id).await?;
    Ok(Json(TemplateDeleted { status: "ok".into(), template_id: id }))
}

async fn add_startup_file(
    State(core): State<Core>,
    Id(id): Id<TemplateId>,
    Body(new): Body<NewStartupFile>,
) -> Result<(StatusCode, Json<StartupFile>), ApiError> {
    Ok((StatusCode::CREATED, Json(core.templates().add_startup_file(id, new).await?)))
}

async fn startup_files(State(core): State<Core>, Id(id): Id<TemplateId>) -> Result<Json<Vec<StartupFile>>, ApiError> {
    Ok(Json(core.templates().startup_files(id).await?))
}

async fn remove_startup_file(
    State(core): State<Core>,
    Ids(template_id, file_id): Ids<TemplateId, StartupFileId>,
) -> Result<Json<StartupFileDeleted>, ApiError> {
    core.templates().remove_startup_file(template_id, file_id).await?;
    Ok(Json(StartupFileDeleted { status: "ok".into(), template_id, file_id }))
}
