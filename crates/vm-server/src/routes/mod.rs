//! The routes. Each handler decodes, calls the core, and encodes.

mod capabilities;
mod catalog;
mod executions;
mod extensions;
mod openapi;
mod runtime;
mod sessions;
mod templates;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, StatusCode, Uri},
    middleware,
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use vm_core::Core;
use vm_model::ErrorCode;

use crate::{
    errors::{ApiError, INTERNAL},
    observe::observe,
    request::MAX_BODY,
};

pub(crate) const BASE: &str = "/api/v1";

/// All routes over one core.
pub fn router(core: Core) -> Router {
    Router::new()
        .nest(BASE, all().into())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(observe))
        .with_state(core)
}

/// All routes, each with what the OpenAPI document says of it.
pub(crate) fn all() -> OpenApiRouter<Core> {
    OpenApiRouter::new()
        .merge(runtime::routes())
        .merge(openapi::routes())
        .merge(catalog::routes())
        .merge(templates::routes())
        .merge(capabilities::routes())
        .merge(extensions::routes())
        .merge(sessions::routes())
        .merge(executions::routes())
}

async fn not_found(uri: Uri) -> ApiError {
    let message = format!("no route {}; all routes are below {BASE}", uri.path());
    ApiError::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
}

async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    let message = format!("{} does not take {method}", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::MethodNotAllowed, message)
}

/// A panic is a defect; its message is for the log alone.
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let what = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = what.unwrap_or("unknown"), "a request panicked");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal, INTERNAL).into_response()
}
