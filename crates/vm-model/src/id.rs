//! Ids: UUIDs of version 7, so that they sort by the time they were made. One type per thing, so that the compiler
//! tells a session from an execution.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The text is no UUID.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what} id {text:?} is not a UUID")]
pub struct IdError {
    what: &'static str,
    text: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String")]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, later in order than every id made before it in this process.
            #[must_use]
            #[allow(clippy::new_without_default)] // two defaults are never equal, so `Default` would mislead
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The 16 bytes that are stored.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id that was stored as these bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = || IdError { what: $what, text: text.chars().take(64).collect() };
                // The hyphenated form alone: an id has one spelling, whichever way it is compared.
                if text.len() != 36 {
                    return Err(error());
                }
                Uuid::try_parse(text).map(Self).map_err(|_| error())
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }
    };
}

id!(
    /// Names a template.
    TemplateId, "template");
id!(
    /// Names a startup file of a template.
    StartupFileId, "startup file");
id!(
    /// Names a capability of a template.
    CapabilityId, "capability");
id!(
    /// Names a session.
    SessionId, "session");
id!(
    /// Names an execution.
    ExecutionId, "execution");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let ids: Vec<_> = (0..1000).map(|_| ExecutionId::new()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id = SessionId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        let simple = id.to_string().replace('-', "");
        for text in ["", "1", "not-a-uuid", &simple, &format!("{{{id}}}"), &format!("{id} ")] {
            assert!(text.parse::<SessionId>().is_err(), "{text:?}");
            assert!(serde_json::from_value::<SessionId>(text.into()).is_err(), "{text:?}");
        }
    }
}
