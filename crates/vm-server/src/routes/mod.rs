//! The routes. Each handler decodes, calls the core, and encodes.

mod capabilities;
mod catalog;
mod executions;
mod extensions;
mod openapi;
mod runtime;
mod sessions;
mod templates;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, StatusCode, Uri},
    middleware,
    response::{IntoResponse, Response},
};
use tower_http::{catch_panic::CatchPanicLayer, validate_request::ValidateRequestHeaderLayer};
use utoipa_axum::router::OpenApiRouter;
use vm_core::Core;
use vm_model::ErrorCode;

use crate::{
    access::{Access, admit},
    errors::{ApiError, INTERNAL},
    observe::observe,
    query,
    request::MAX_BODY,
};

pub(crate) const BASE: &str = "/api/v1";

/// All routes over one core.
pub(crate) fn router(core: Core, access: Access) -> Router {
    checked(Router::new().nest(BASE, all().into()).with_state(core), access)
}

/// What every request passes, from the outside in.
fn checked(routes: Router, access: Access) -> Router {
    routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed).layer((
        middleware::from_fn(observe),
        middleware::from_fn_with_state(Arc::new(access), admit),
        CatchPanicLayer::custom(panicked),
        ValidateRequestHeaderLayer::custom(query::refuse_unknown),
        DefaultBodyLimit::max(MAX_BODY),
    ))
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

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        pin::Pin,
        task::{Context, Poll},
    };

    use axum::{
        body::{self, Body, Bytes, HttpBody},
        extract::Request,
        routing::{get, post},
    };
    use http_body::Frame;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;
    use crate::request;

    /// A body of which nothing ever arrives.
    struct Stalled;

    impl HttpBody for Stalled {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    /// Status and code of the answer to a request that passes all that is checked.
    async fn refusal(routes: Router, request: axum::http::request::Builder, body: Body) -> (StatusCode, Value) {
        let access = Access::new("127.0.0.1:1", &["127.0.0.1:1".parse().unwrap()], None, Vec::new()).unwrap();
        let request: Request = request.uri("/").header("host", "localhost").body(body).unwrap();
        let response = checked(routes, access).oneshot(request).await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        let status = response.status();
        let bytes = body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let envelope: Value = serde_json::from_slice(&bytes).unwrap();
        (status, envelope["error"].clone())
    }

    #[tokio::test]
    async fn a_panic_is_500_and_says_nothing_of_itself() {
        async fn panics() {
            panic!("hush");
        }
        let routes = Router::new().route("/", get(panics));
        let (status, error) = refusal(routes, Request::get("/"), Body::empty()).await;
        assert_eq!((status, &error["code"]), (StatusCode::INTERNAL_SERVER_ERROR, &"INTERNAL".into()));
        assert!(!error.to_string().contains("hush"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_is_408() {
        async fn reads(_: request::Body<Value>) {}
        let routes = Router::new().route("/", post(reads));
        let request = Request::post("/").header("content-type", "application/json");
        let (status, error) = refusal(routes, request, Body::new(Stalled)).await;
        assert_eq!((status, &error["code"]), (StatusCode::REQUEST_TIMEOUT, &"REQUEST_TIMEOUT".into()));
    }
}
