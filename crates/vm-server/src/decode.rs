//! Strict decoding: what is not understood whole is refused, and the refusal names the field.

use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value, json};
use serde_path_to_error::{Path, Segment};
use url::form_urlencoded;

use crate::{errors::ApiError, unique_keys::UniqueKeys};

/// The most that is repeated of what serde says, in characters: it quotes values, which may be megabytes long.
const MAX_QUOTED: usize = 300;

/// A body that is a JSON object of exactly the shape `T`.
///
/// # Errors
/// It is not, or a key comes twice; `INVALID_REQUEST`, with the place and the field in the details.
pub fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // serde would take an array for an object, field by field
    if bytes.trim_ascii_start().first().is_some_and(|&first| first != b'{') {
        return Err(ApiError::invalid_request("the body is not acceptable: it must be a JSON object"));
    }
    let mut json = Deserializer::from_slice(bytes);
    let body = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| bad_body(error.to_string(), field(error.path()), error.inner()))?;
    let rest = json.end().and_then(|()| serde_json::from_slice::<UniqueKeys>(bytes));
    rest.map_err(|error| bad_body(error.to_string(), None, &error))?;
    Ok(body)
}

fn bad_body(what: String, field: Option<String>, error: &serde_json::Error) -> ApiError {
    let mut details = json!({ "line": error.line(), "column": error.column() });
    if let Some(field) = field {
        details["field"] = field.into();
    }
    ApiError::invalid_request(format!("the body is not acceptable: {}", shortened(what))).with_details(details)
}

/// Query parameters of exactly the shape `T`.
///
/// # Errors
/// They are not; `VALIDATION_ERROR`, with the field in the details.
pub fn query<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let message = format!("the query is not acceptable: {}", shortened(error.to_string()));
        let details = field(error.path()).map_or(Value::Null, |field| json!({ "field": field }));
        ApiError::validation(message).with_details(details)
    })
}

/// The path of a field, such as `env.PATH`, where there is one to be named.
fn field(path: &Path) -> Option<String> {
    let is_known = |segment: &Segment| !matches!(segment, Segment::Unknown);
    (path.iter().len() > 0 && path.iter().all(is_known)).then(|| shortened(path.to_string()))
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
