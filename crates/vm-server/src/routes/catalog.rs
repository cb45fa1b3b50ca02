//! What templates can be configured with.

use axum::Json;
use utoipa_axum::{router::OpenApiRouter, routes};
use vm_core::{Core, catalog};
use vm_model::{EngineEntry, LibraryEntry, ModuleEntry};

pub(super) fn routes() -> OpenApiRouter<Core> {
    OpenApiRouter::new().routes(routes!(modules)).routes(routes!(libraries)).routes(routes!(engines))
}

/// The native modules that there are.
#[utoipa::path(
    get,
    path = "/catalog/modules",
    operation_id = "listCatalogModules",
    tag = "catalog",
    responses((status = 200, description = "All of them.", body = Vec<ModuleEntry>)),
)]
async fn modules() -> Json<Vec<ModuleEntry>> {
    Json(catalog::modules())
}

/// The libraries that there are.
#[utoipa::path(
    get,
    path = "/catalog/libraries",
    operation_id = "listCatalogLibraries",
    tag = "catalog",
    responses((status = 200, description = "All of them.", body = Vec<LibraryEntry>)),
)]
async fn libraries() -> Json<Vec<LibraryEntry>> {
    Json(catalog::libraries())
}

/// The engines that there are.
#[utoipa::path(
    get,
    path = "/catalog/engines",
    operation_id = "listCatalogEngines",
    tag = "catalog",
    responses((status = 200, description = "All of them, with aliases.", body = Vec<EngineEntry>)),
)]
async fn engines() -> Json<Vec<EngineEntry>> {
    Json(catalog::engines())
}
