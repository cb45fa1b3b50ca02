//! How the OpenAPI document describes events: one schema per type, so that clients know the payload by the type.
#![allow(dead_code)] // these types are described, never made: an event's payload stays JSON text

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{ConsoleLevel, Event, ExceptionPayload, ExecutionId, Timestamp, ValuePayload};

/// One recorded event.
#[derive(ToSchema)]
struct TypedEvent {
    /// The execution it belongs to.
    execution_id: ExecutionId,
    /// 1, 2, 3, … without gaps.
    seq: u64,
    /// When it happened.
    ts: Timestamp,
    #[serde(flatten)]
    payload: TypedPayload,
}

/// What an event says: the type, and the payload that belongs to it.
#[derive(ToSchema)]
#[serde(tag = "type", content = "payload", rename_all = "snake_case")]
enum TypedPayload {
    /// What was asked for.
    InputEcho {
        /// The snippet, or the file's path.
        text: String,
    },
    /// A `console` call.
    Console {
        /// Which of the five.
        level: ConsoleLevel,
        /// As a terminal would show it.
        text: String,
    },
    /// The value of the execution.
    Value(ValuePayload),
    /// An uncaught exception.
    Exception(ExceptionPayload),
    /// A word of the system itself, such as the limit that ended the execution.
    System {
        /// For people.
        message: String,
        /// How grave it is.
        level: ConsoleLevel,
    },
    /// What a child process wrote.
    Stdout {
        /// As it was written.
        text: String,
    },
    /// What a child process wrote to its standard error.
    Stderr {
        /// As it was written.
        text: String,
    },
}

impl PartialSchema for Event {
    fn schema() -> RefOr<Schema> {
        TypedEvent::schema()
    }
}

impl ToSchema for Event {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        TypedEvent::schemas(schemas);
    }
}
