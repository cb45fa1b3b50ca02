//! Query parameters. A route that takes none refuses any, so that a misspelt one is never just ignored.

use axum::{
    extract::{FromRequestParts, MatchedPath, Request},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use crate::{decode, errors::ApiError};

/// The routes whose `GET` takes parameters.
const WITH_PARAMETERS: [&str; 3] = ["/api/v1/sessions", "/api/v1/executions", "/api/v1/executions/{id}/events"];

/// The query parameters, of exactly the shape `T`.
pub(crate) struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        decode::query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// At most so many: a parameter from 1 to `MAX`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Limit<const MAX: u32>(pub u32);

impl<const MAX: u32> TryFrom<u32> for Limit<MAX> {
    type Error = String;

    fn try_from(limit: u32) -> Result<Self, String> {
        if (1..=MAX).contains(&limit) { Ok(Self(limit)) } else { Err(format!("must be from 1 to {MAX}, not {limit}")) }
    }
}

impl<const MAX: u32> PartialSchema for Limit<MAX> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX)).into()
    }
}

impl<const MAX: u32> ToSchema for Limit<MAX> {}

/// Refuses parameters where no handler looks at them.
#[allow(clippy::result_large_err)] // the signature is tower-http's
pub(crate) fn refuse_unknown(request: &mut Request) -> Result<(), Response> {
    let is_empty = request.uri().query().is_none_or(str::is_empty);
    // Where there is no route the answer is 404 anyway.
    let Some(route) = request.extensions().get::<MatchedPath>().filter(|_| !is_empty) else { return Ok(()) };
    if request.method().is_safe() && WITH_PARAMETERS.contains(&route.as_str()) {
        return Ok(());
    }
    let message = format!("{} {} takes no query parameters", request.method(), request.uri().path());
    Err(ApiError::validation(message).into_response())
}
