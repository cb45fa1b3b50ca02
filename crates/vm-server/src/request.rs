//! Strict decoding: what is not understood whole is refused.

use std::str::FromStr;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::BytesRejection},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
        request::Parts,
    },
};
use serde::de::DeserializeOwned;
use serde_json::json;
use vm_model::ErrorCode;

use crate::errors::ApiError;

/// The largest body, in bytes.
pub(crate) const MAX_BODY: usize = 16 << 20;
/// The most that is repeated of what serde says, in characters.
const MAX_MESSAGE: usize = 300;

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
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| unread(&rejection))?;
        // serde would take an array for an object, field by field
        if bytes.trim_ascii_start().first().is_some_and(|&first| first != b'{') {
            return Err(ApiError::invalid_request("the body is not acceptable: it must be a JSON object"));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| undecoded(&error))
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

fn undecoded(error: &serde_json::Error) -> ApiError {
    let (mut what, line, column) = (error.to_string(), error.line(), error.column());
    // serde repeats the value that it does not like, which may be megabytes long
    if let Some((end, _)) = what.char_indices().nth(MAX_MESSAGE) {
        what = format!("{}… at line {line} column {column}", &what[..end]);
    }
    ApiError::invalid_request(format!("the body is not acceptable: {what}"))
        .with_details(json!({ "line": line, "column": column }))
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large() -> ApiError {
    let message = format!("the body is larger than {} MiB", MAX_BODY >> 20);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::PayloadTooLarge, message)
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

/// An id that a caller gave.
pub(crate) fn parse_id<T: FromStr<Err = vm_model::IdError>>(field: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error: vm_model::IdError| {
        ApiError::validation(error.to_string()).with_details(json!({ "field": field, "given": text }))
    })
}

/// A `limit` that a caller gave.
pub(crate) fn check_limit(limit: u32, max: u32) -> Result<u32, ApiError> {
    if (1..=max).contains(&limit) {
        return Ok(limit);
    }
    let details = json!({ "field": "limit", "given": limit });
    Err(ApiError::validation(format!("limit must be from 1 to {max}, not {limit}")).with_details(details))
}

/// The query parameters, of exactly the shape `T`.
pub(crate) struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(ApiError::validation(format!("the query is not acceptable: {rejection}"))),
        }
    }
}
