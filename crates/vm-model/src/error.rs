//! The error envelope `{"error":{"code","message","details"}}` and the codes in it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{PartialSchema, ToSchema, openapi};

/// What every answer of status 400 and above carries.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErrorEnvelope {
    /// The error.
    pub error: ErrorBody,
}

/// What went wrong, for a program (`code`, `details`) and for a person (`message`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What clients decide by.
    pub code: ErrorCode,
    /// What happened, to which thing, and what to do.
    pub message: String,
    /// The ids concerned.
    #[serde(default)]
    #[schema(required)]
    pub details: Map<String, Value>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// The codes that clients decide by.
        #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
            /// A code that this version does not know.
            #[serde(untagged)]
            Other(String),
        }

        impl PartialSchema for ErrorCode {
            fn schema() -> openapi::RefOr<openapi::Schema> {
                openapi::ObjectBuilder::new().schema_type(openapi::Type::String).enum_values(Some([$($name),+])).into()
            }
        }

        impl ToSchema for ErrorCode {}

        impl ErrorCode {
            /// As on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Other(code) => code,
                }
            }
        }
    };
}

codes! {
    /// A missing or invalid field, id or query parameter.
    Validation = "VALIDATION_ERROR",
    /// Malformed JSON, an unknown field, a wrong type.
    InvalidRequest = "INVALID_REQUEST",
    /// No such template.
    TemplateNotFound = "TEMPLATE_NOT_FOUND",
    /// No such startup file.
    StartupFileNotFound = "STARTUP_FILE_NOT_FOUND",
    /// No such capability.
    CapabilityNotFound = "CAPABILITY_NOT_FOUND",
    /// No such session.
    SessionNotFound = "SESSION_NOT_FOUND",
    /// No such execution.
    ExecutionNotFound = "EXECUTION_NOT_FOUND",
    /// No such file in the worktree.
    FileNotFound = "FILE_NOT_FOUND",
    /// No such route.
    NotFound = "NOT_FOUND",
    /// The route does not take this method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED",
    /// The session is starting, crashed or closed.
    SessionNotReady = "SESSION_NOT_READY",
    /// The session runs another execution.
    SessionBusy = "SESSION_BUSY",
    /// The name is taken.
    AlreadyExists = "ALREADY_EXISTS",
    /// The path is absolute, has `..` or leaves the worktree.
    InvalidPath = "INVALID_PATH",
    /// A resource limit was exceeded.
    OutputLimitExceeded = "OUTPUT_LIMIT_EXCEEDED",
    /// A startup mode other than `eval`.
    StartupModeUnsupported = "STARTUP_MODE_UNSUPPORTED",
    /// No such module, or a built-in of JavaScript.
    ModuleNotAllowed = "MODULE_NOT_ALLOWED",
    /// No such engine.
    EngineUnsupported = "ENGINE_UNSUPPORTED",
    /// A startup file threw or was not found.
    StartupFailed = "STARTUP_FAILED",
    /// The body is larger than the limit.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE",
    /// The body is not `application/json`.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
    /// No token, or not the daemon's.
    Unauthorized = "UNAUTHORIZED",
    /// The request may come from a web page that has no business here.
    Forbidden = "FORBIDDEN",
    /// The body did not arrive in time.
    RequestTimeout = "REQUEST_TIMEOUT",
    /// The daemon takes no new work at this moment.
    Unavailable = "UNAVAILABLE",
    /// The database cannot be used at this moment: its disk fails, or its file is gone, damaged or read-only.
    StorageUnavailable = "STORAGE_UNAVAILABLE",
    /// The disk that holds the database is full.
    StorageFull = "STORAGE_FULL",
    /// Anything else: a defect of the system, or a fault of the machine.
    Internal = "INTERNAL",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_a_later_version_is_kept_as_it_is() {
        let code: ErrorCode = serde_json::from_str("\"SESSION_BUSY\"").unwrap();
        assert_eq!(code, ErrorCode::SessionBusy);
        let code: ErrorCode = serde_json::from_str("\"NEW_IN_2\"").unwrap();
        assert_eq!((code.as_str(), serde_json::to_string(&code).unwrap()), ("NEW_IN_2", "\"NEW_IN_2\"".into()));
    }
}
