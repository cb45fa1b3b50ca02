//! Events: what an execution did, in order.
//!
//! A payload is encoded once, when it happens; from then on it is stored, read and sent as the same JSON text.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{ExecutionId, Timestamp, execution::names};

/// One recorded event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// The execution it belongs to.
    pub execution_id: ExecutionId,
    /// 1, 2, 3, … without gaps.
    pub seq: u64,
    /// When it happened.
    pub ts: Timestamp,
    /// What the payload is.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The JSON of one of the payloads of [`Payload`].
    pub payload: Box<RawValue>,
}

/// The type of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// What was asked for: the snippet, or the file's path.
    InputEcho,
    /// A `console` call.
    Console,
    /// The value of the execution.
    Value,
    /// An uncaught exception.
    Exception,
    /// A word of the system itself, such as the limit that ended the execution.
    System,
    /// What a child process wrote.
    Stdout,
    /// What a child process wrote to its standard error.
    Stderr,
}

names!(EventType: InputEcho = "input_echo", Console = "console", Value = "value", Exception = "exception",
    System = "system", Stdout = "stdout", Stderr = "stderr");

/// What an event says.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Payload {
    /// The snippet, or the file's path.
    InputEcho {
        /// As it was given.
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
    /// A word of the system itself.
    System {
        /// For people.
        message: String,
        /// How grave it is.
        level: ConsoleLevel,
    },
}

impl Payload {
    /// The type of the event that carries this.
    #[must_use]
    pub fn kind(&self) -> EventType {
        match self {
            Self::InputEcho { .. } => EventType::InputEcho,
            Self::Console { .. } => EventType::Console,
            Self::Value(_) => EventType::Value,
            Self::Exception(_) => EventType::Exception,
            Self::System { .. } => EventType::System,
        }
    }
}

/// A value, described.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ValuePayload {
    /// What `typeof` says, except `null` and `array`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What a person would want to read.
    pub preview: String,
    /// The JSON form, where there is one.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    pub json: Option<Box<RawValue>>,
}

/// A JSON form that is there is kept also where it is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

/// An exception, described.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExceptionPayload {
    /// `Name: message`, or the text of what was thrown.
    pub message: String,
    /// Where it was thrown, innermost first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub stack: Option<String>,
}

/// The five methods of `console`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleLevel {
    /// `console.log`
    Log,
    /// `console.warn`
    Warn,
    /// `console.error`
    Error,
    /// `console.info`
    Info,
    /// `console.debug`
    Debug,
}
