//! Bodies, and ids in paths.

use std::{str::FromStr, time::Duration};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request, rejection::BytesRejection},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
        request::Parts,
    },
};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::timeout;
use vm_model::ErrorCode;

use crate::{decode, errors::ApiError};

/// The largest body, in bytes.
pub(crate) const MAX_BODY: usize = 16 << 20;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A body that is JSON of exactly the shape `T`.
pub(crate) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ErrorCode::UnsupportedMediaType,
                "the body must be JSON; send the header Content-Type: application/json",
            ));
        }
        if announced_length(request.headers()).is_some_and(|length| length > MAX_BODY) {
            return Err(too_large());
        }
        let bytes = timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await.map_err(|_| too_slow())?;
        decode::body(&bytes.map_err(|rejection| unread(&rejection))?).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    let is_utf8 = |part: &str| part.is_empty() || part.replace('"', "").eq_ignore_ascii_case("charset=utf-8");
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) && parts.all(is_utf8)
}

fn unread(rejection: &BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    ApiError::invalid_request(format!("the body could not be read: {rejection}"))
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large() -> ApiError {
    let message = format!("the body is larger than {} MiB", MAX_BODY >> 20);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::PayloadTooLarge, message)
}

fn too_slow() -> ApiError {
    let message = format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs());
    ApiError::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::RequestTimeout, message)
}

/// The one id in the path.
pub(crate) struct Id<T>(pub T);

impl<T, S> FromRequestParts<S> for Id<T>
where
    T: FromStr<Err = vm_model::IdError>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|rejection| bad_path(&rejection))?;
        parse_id("id", &text).map(Self)
    }
}

/// The two ids in the path.
pub(crate) struct Ids<A, B>(pub A, pub B);

impl<A, B, S> FromRequestParts<S> for Ids<A, B>
where
    A: FromStr<Err = vm_model::IdError>,
    B: FromStr<Err = vm_model::IdError>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<[(String, String); 2]>::from_request_parts(parts, state).await;
        let Path([(first_field, first), (second_field, second)]) = path.map_err(|rejection| bad_path(&rejection))?;
        Ok(Self(parse_id(&first_field, &first)?, parse_id(&second_field, &second)?))
    }
}

/// The id in the path, and the name behind it.
pub(crate) struct IdAndName<T>(pub T, pub String);

impl<T, S> FromRequestParts<S> for IdAndName<T>
where
    T: FromStr<Err = vm_model::IdError>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((id, name)) = path.map_err(|rejection| bad_path(&rejection))?;
        Ok(Self(parse_id("id", &id)?, name))
    }
}

fn bad_path(rejection: &impl std::fmt::Display) -> ApiError {
    ApiError::validation(format!("the path is not acceptable: {rejection}"))
}

fn parse_id<T: FromStr<Err = vm_model::IdError>>(field: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error: vm_model::IdError| {
        ApiError::validation(error.to_string()).with_details(json!({ "field": field, "given": text }))
    })
}
