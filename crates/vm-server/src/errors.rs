//! The one table from error to status, code and details.
//!
//! The message goes to the caller as it is: it is written for people, and holds ids, names and paths, never code or
//! values. Only a defect is kept for the log.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use vm_core::{Error, LibraryError};
use vm_model::{ErrorBody, ErrorCode, ErrorEnvelope, SessionStatus};

/// All that a caller hears of a defect.
pub(crate) const INTERNAL: &str = "internal error; the daemon's log has more under this request id";

/// An answer of status 400 and above.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    /// Boxed, because errors travel in the results of every handler.
    details: Box<Map<String, Value>>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Box::default() }
    }

    /// A field, id or query parameter that is missing or not acceptable.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::Validation, message)
    }

    /// A body that is no JSON of the shape expected.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest, message)
    }

    pub(crate) fn with_details(mut self, details: Value) -> Self {
        if let Value::Object(details) = details {
            *self.details = details;
        }
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::error!(status = self.status.as_u16(), error = self.message, "request failed");
        }
        let error = ErrorBody { code: self.code, message: self.message, details: *self.details };
        (self.status, Json(ErrorEnvelope { error })).into_response()
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let (status, code) = classify(&error);
        let message = match &error {
            // what a defect says of itself may quote anything, a panic's text too
            Error::Internal(why) => {
                tracing::error!(why, "internal error");
                INTERNAL.into()
            }
            error => error.to_string(),
        };
        Self::new(status, code, message).with_details(details(&error))
    }
}

fn classify(error: &Error) -> (StatusCode, ErrorCode) {
    use StatusCode as S;
    match error {
        Error::Validation(_)
        | Error::Settings(_)
        | Error::Id(_)
        | Error::Capability(_)
        | Error::Grant(_)
        | Error::LibraryName(_) => (S::BAD_REQUEST, ErrorCode::Validation),
        Error::TemplateNotFound(_) => (S::NOT_FOUND, ErrorCode::TemplateNotFound),
        Error::StartupFileNotFound { .. } => (S::NOT_FOUND, ErrorCode::StartupFileNotFound),
        Error::CapabilityNotFound { .. } => (S::NOT_FOUND, ErrorCode::CapabilityNotFound),
        Error::SessionNotFound(_) => (S::NOT_FOUND, ErrorCode::SessionNotFound),
        Error::ExecutionNotFound(_) => (S::NOT_FOUND, ErrorCode::ExecutionNotFound),
        Error::FileNotFound { .. } => (S::NOT_FOUND, ErrorCode::FileNotFound),
        Error::SessionNotReady { .. } | Error::StateLost { .. } => (S::CONFLICT, ErrorCode::SessionNotReady),
        Error::SessionBusy(_) => (S::CONFLICT, ErrorCode::SessionBusy),
        Error::AlreadyExists(_) => (S::CONFLICT, ErrorCode::AlreadyExists),
        Error::InvalidPath { .. } => (S::UNPROCESSABLE_ENTITY, ErrorCode::InvalidPath),
        Error::LimitExceeded { .. } => (S::UNPROCESSABLE_ENTITY, ErrorCode::OutputLimitExceeded),
        Error::StartupModeUnsupported(_) => (S::UNPROCESSABLE_ENTITY, ErrorCode::StartupModeUnsupported),
        Error::ModuleNotAllowed(_) => (S::UNPROCESSABLE_ENTITY, ErrorCode::ModuleNotAllowed),
        Error::EngineUnsupported(_) => (S::UNPROCESSABLE_ENTITY, ErrorCode::EngineUnsupported),
        Error::StartupFailed { .. } | Error::LibraryFailed { .. } => {
            (S::UNPROCESSABLE_ENTITY, ErrorCode::StartupFailed)
        }
        Error::ShuttingDown | Error::OutOfMemory { .. } => (S::SERVICE_UNAVAILABLE, ErrorCode::Unavailable),
        Error::Store(error) | Error::NotRecorded { error, .. } if error.is_disk_full() => {
            (S::INSUFFICIENT_STORAGE, ErrorCode::StorageFull)
        }
        Error::Store(error) | Error::NotRecorded { error, .. } if error.is_out_of_order() => {
            (S::SERVICE_UNAVAILABLE, ErrorCode::StorageUnavailable)
        }
        _ => (S::INTERNAL_SERVER_ERROR, ErrorCode::Internal),
    }
}

/// The ids concerned.
fn details(error: &Error) -> Value {
    match error {
        Error::TemplateNotFound(id) => json!({ "template_id": id }),
        Error::StartupFileNotFound { template_id, file_id } => {
            json!({ "template_id": template_id, "file_id": file_id })
        }
        Error::CapabilityNotFound { template_id, capability_id } => {
            json!({ "template_id": template_id, "capability_id": capability_id })
        }
        Error::SessionNotFound(id) | Error::SessionBusy(id) => json!({ "session_id": id }),
        Error::ExecutionNotFound(id) => json!({ "execution_id": id }),
        Error::StateLost { session_id, .. } => {
            json!({ "session_id": session_id, "status": SessionStatus::Crashed })
        }
        Error::SessionNotReady { session_id, status } => json!({ "session_id": session_id, "status": status }),
        Error::AlreadyExists(taken) => taken.template_id.map_or(Value::Null, |id| json!({ "template_id": id })),
        Error::InvalidPath { path, .. } | Error::FileNotFound { path, .. } | Error::FileUnreadable { path, .. } => {
            json!({ "path": path })
        }
        Error::StartupFailed { session_id, path, .. } => json!({ "session_id": session_id, "path": path }),
        Error::NotRecorded { session_id, execution_id, .. } => {
            json!({ "session_id": session_id, "execution_id": execution_id })
        }
        Error::OutOfMemory { used_mb, max_mb } => json!({ "used_mb": used_mb, "max_mb": max_mb }),
        Error::Library(session_id, LibraryError::NotCached { .. }) => {
            json!({ "session_id": session_id, "reason": "LIBRARY_NOT_CACHED" })
        }
        Error::Library(session_id, _) => json!({ "session_id": session_id }),
        Error::LibraryFailed { session_id, library, .. } => json!({ "session_id": session_id, "library": library }),
        Error::LimitExceeded { session_id, execution_id, limit, configured } => json!({
            "session_id": session_id, "execution_id": execution_id, "limit": limit, "configured": configured,
        }),
        _ => Value::Null,
    }
}
