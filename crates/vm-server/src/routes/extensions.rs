//! The modules and libraries of templates: the same routes for either.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{delete, get},
};
use vm_core::Core;
use vm_model::{Extension, ExtensionAdded, ExtensionRemoved, NewExtension, TemplateId};

use crate::{
    errors::ApiError,
    request::{Body, Id, IdAndName},
};

pub(super) fn routes() -> Router<Core> {
    routes_of(Extension::Module).merge(routes_of(Extension::Library))
}

fn routes_of(extension: Extension) -> Router<Core> {
    let all = format!("/templates/{{id}}/{}", extension.plural());
    let one = format!("{all}/{{name}}");
    Router::new()
        .route(
            &all,
            get(move |core, id| list(extension, core, id)).post(move |core, id, body| add(extension, core, id, body)),
        )
        .route(&one, delete(move |core, path| remove(extension, core, path)))
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
