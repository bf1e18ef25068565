//! Trace and span ids: lower-case hex outside, integers inside.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 1 to `max` characters.
    #[error("an id has 1 to {max} hex characters, this has {len}")]
    Length {
        /// Length found.
        len: usize,
        /// Longest length allowed.
        max: usize,
    },
    /// A character other than 0-9 and a-f.
    #[error("an id should be lower-hex encoded with no prefix")]
    NotLowerHex,
    /// All zeros, which every trace format reserves for "none".
    #[error("an id of only zeros is not valid")]
    Zero,
}

fn parse_lower_hex(text: &str, max: usize) -> Result<u128, IdError> {
    if text.is_empty() || text.len() > max {
        return Err(IdError::Length { len: text.len(), max });
    }
    let mut value = 0u128;
    for byte in text.bytes() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return Err(IdError::NotLowerHex),
        };
        value = value << 4 | u128::from(digit);
    }
    if value == 0 { Err(IdError::Zero) } else { Ok(value) }
}

/// A trace id of 16 bytes. One with a zero high half *is* the 64-bit id that B3 users send.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(u128);

impl TraceId {
    /// The largest id.
    pub const MAX: Self = Self(u128::MAX);

    /// The id with this value; `None` for zero.
    pub const fn new(value: u128) -> Option<Self> {
        if value == 0 { None } else { Some(Self(value)) }
    }

    /// The value as an integer; never zero.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// The low 64 bits: what lenient lookup, sampling and dependency links compare.
    pub const fn low(self) -> u64 {
        self.0 as u64
    }

    /// The high 64 bits; zero for a 64-bit id.
    pub const fn high(self) -> u64 {
        (self.0 >> 64) as u64
    }

    /// Sixteen hex characters for a 64-bit id, else thirty-two: Zipkin's form.
    pub fn to_zipkin_hex(self) -> String {
        if self.high() == 0 { format!("{:016x}", self.low()) } else { format!("{:032x}", self.0) }
    }

    /// Always thirty-two hex characters: the W3C and OTLP form.
    pub fn to_w3c_hex(self) -> String {
        format!("{:032x}", self.0)
    }
}

impl FromStr for TraceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        parse_lower_hex(text, 32).map(Self)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_zipkin_hex())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

/// A span id of 8 bytes, never zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(u64);

impl SpanId {
    /// The largest id.
    pub const MAX: Self = Self(u64::MAX);

    /// The id with this value; `None` for zero.
    pub const fn new(value: u64) -> Option<Self> {
        if value == 0 { None } else { Some(Self(value)) }
    }

    /// The value as an integer; never zero.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl FromStr for SpanId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        parse_lower_hex(text, 16).map(|value| Self(value as u64))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

macro_rules! serde_as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(TraceId, SpanId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_64_bit_id_is_the_64_bit_id() {
        let short: TraceId = "463ac35c9f6413ad".parse().unwrap();
        let padded: TraceId = "0000000000000000463ac35c9f6413ad".parse().unwrap();
        assert_eq!(short, padded);
        assert_eq!(padded.to_string(), "463ac35c9f6413ad");
        assert_eq!(short.to_w3c_hex().len(), 32);
    }

    #[test]
    fn what_is_not_lower_hex_is_refused() {
        assert_eq!("ABC".parse::<TraceId>(), Err(IdError::NotLowerHex));
        assert_eq!("0".parse::<SpanId>(), Err(IdError::Zero));
        assert_eq!("".parse::<SpanId>(), Err(IdError::Length { len: 0, max: 16 }));
        assert!("00000000000000001".parse::<SpanId>().is_err());
    }
}
