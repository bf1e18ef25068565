//! Nanoseconds since 1970 as RFC 3339 text and back: the form of every instant in the native API.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `ns` as RFC 3339 in UTC with as many digits as needed, for example `2026-11-21T03:04:05.678Z`.
pub fn to_rfc3339(ns: u64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ns))
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{ns}ns"))
}

/// Reads RFC 3339; `None` when it is not, or lies before 1970 or after 2554.
pub fn from_rfc3339(text: &str) -> Option<u64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp_nanos()).ok()
}

/// `#[serde(with = "tracepact_base::time_format::rfc3339")]` for a field of nanoseconds.
pub mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes RFC 3339.
    pub fn serialize<S: Serializer>(ns: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::to_rfc3339(*ns))
    }

    /// Reads RFC 3339.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        super::from_rfc3339(&text).ok_or_else(|| D::Error::custom(format!("not an RFC 3339 time: {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let ns = 1_790_000_000_123_456_789;
        assert_eq!(from_rfc3339(&to_rfc3339(ns)), Some(ns));
        assert_eq!(to_rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(from_rfc3339("yesterday"), None);
    }
}
