//! The OpenAPI document.

use axum::http::{HeaderName, header::CONTENT_TYPE};
use utoipa_axum::{router::OpenApiRouter, routes};
use vm_core::Core;

use crate::openapi::openapi;

pub(super) fn routes() -> OpenApiRouter<Core> {
    OpenApiRouter::new().routes(routes!(document))
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenapi",
    tag = "runtime",
    responses((status = 200, description = "OpenAPI 3.1.", body = BTreeMap<String, Value>)),
)]
async fn document() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, "application/json")], openapi())
}
