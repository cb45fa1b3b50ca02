//! Request ids and the log line of each request. Neither bodies nor query strings are logged.

use std::time::Instant;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;
use uuid::{Uuid, fmt::Hyphenated};

use crate::linger::linger;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID_LENGTH: usize = 128;

/// Gives each request its id, in the answer and in every log line that the request causes.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    // At the level of errors, so that an error says which request it belongs to, however little else is logged.
    let span = tracing::error_span!(
        "request",
        request_id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        path = request.uri().path(),
    );
    let begin = Instant::now();
    let is_read = request.method().is_safe();
    async move {
        let mut response = next.run(linger(request)).await;
        let (status, ms) = (response.status().as_u16(), begin.elapsed().as_micros() as f64 / 1e3);
        if is_read {
            tracing::debug!(status, ms, "answered");
        } else {
            tracing::info!(status, ms, "answered");
        }
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }
    .instrument(span)
    .await
}

/// The client's own id where it is a sane token, else a new one.
fn request_id(request: &Request) -> HeaderValue {
    let sane = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=MAX_ID_LENGTH).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
    };
    if let Some(given) = request.headers().get(REQUEST_ID).filter(sane) {
        return given.clone();
    }
    let mut text = Uuid::encode_buffer();
    let text = new_request_id().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown"))
}

/// An id for a request that brings none.
pub(crate) fn new_request_id() -> Hyphenated {
    Uuid::now_v7().hyphenated()
}
