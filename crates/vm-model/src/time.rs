//! Points in time: UTC, whole microseconds, so that what the create response says and what is read back later are equal.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::ToSchema;

/// Microseconds since 1970-01-01 00:00 UTC. On the wire RFC 3339 with six decimals: `2026-02-09T00:49:58.000123Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ToSchema)]
#[schema(
    value_type = String,
    format = DateTime,
    description = "RFC 3339 in UTC with six decimals: `2026-02-09T00:49:58.000123Z`."
)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The present moment.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// Microseconds since the epoch, as stored.
    #[must_use]
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// The time that was stored as this number.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A stored number outside the calendar (years -9999 to 9999) can only come from a damaged database.
        let time = jiff::Timestamp::from_microsecond(self.0).unwrap_or_default();
        write!(f, "{time:.6}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let time: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
        Ok(Self(time.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_the_same_after_a_round_trip_and_always_has_six_decimals() {
        for micros in [0, 1, 1_770_598_198_000_000, 1_770_598_198_120_000, Timestamp::now().0] {
            let time = Timestamp(micros);
            let text = serde_json::to_string(&time).unwrap();
            assert_eq!(text.len(), "\"2026-02-09T00:49:58.000123Z\"".len(), "{text}");
            assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), time);
        }
    }
}
