//! What templates can be configured with.

use axum::{Json, Router, routing::get};
use vm_core::{Core, catalog};
use vm_model::{EngineEntry, LibraryEntry, ModuleEntry};

pub(super) fn routes() -> Router<Core> {
    Router::new()
        .route("/catalog/modules", get(modules))
        .route("/catalog/libraries", get(libraries))
        .route("/catalog/engines", get(engines))
}

async fn modules() -> Json<Vec<ModuleEntry>> {
    Json(catalog::modules())
}

async fn libraries() -> Json<Vec<LibraryEntry>> {
    Json(catalog::libraries())
}

async fn engines() -> Json<Vec<EngineEntry>> {
    Json(catalog::engines())
}
