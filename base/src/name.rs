//! Names of services and topics. They come from hostile input (span tags, headers), so they are bounded here.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest service name in bytes.
pub const SERVICE_NAME_BYTES_MAX: usize = 255;
/// Longest topic name in bytes: Kafka's own bound.
pub const TOPIC_BYTES_MAX: usize = 249;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only white space.
    #[error("a name is empty")]
    Empty,
    /// Longer than the bound.
    #[error("a name has at most {max} bytes, this has {len}")]
    TooLong {
        /// Length found.
        len: usize,
        /// Longest length allowed.
        max: usize,
    },
    /// A control character, or one outside Kafka's set for a topic.
    #[error("a name contains the character {0:?}, which is not allowed")]
    Character(char),
}

/// A service. Keeps the case it was written in and compares, orders and hashes in lower case.
///
/// The same word is a span's service, a breaker's owner, a consumer group's owner and a pacticipant; names that
/// differ between those are joined by the alias table of `dashboard/join`.
#[derive(Clone)]
pub struct ServiceName {
    written: Arc<str>,
    key: Arc<str>,
}

impl ServiceName {
    /// Trims and checks `text`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > SERVICE_NAME_BYTES_MAX {
            return Err(NameError::TooLong { len: text.len(), max: SERVICE_NAME_BYTES_MAX });
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Err(NameError::Character(control));
        }
        let written: Arc<str> = text.into();
        let lower = text.to_lowercase();
        let key = if lower == *written { written.clone() } else { lower.into() };
        Ok(Self { written, key })
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The lower-case form that comparisons and indexes use.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl PartialEq for ServiceName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for ServiceName {}

impl Hash for ServiceName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl PartialOrd for ServiceName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ServiceName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceName({})", self.written)
    }
}

/// A destination: a Kafka topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(Arc<str>);

impl Topic {
    /// Checks `text` against Kafka's rule: 1 to 249 of `a-z A-Z 0-9 . _ -`, and not `.` or `..`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > TOPIC_BYTES_MAX {
            return Err(NameError::TooLong { len: text.len(), max: TOPIC_BYTES_MAX });
        }
        if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
        {
            return Err(NameError::Character(bad));
        }
        if text == "." || text == ".." {
            return Err(NameError::Character('.'));
        }
        Ok(Self(text.into()))
    }

    /// The topic's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! serde_as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(ServiceName, Topic);

/// One service calling another: a dependency link, a breaker key's target, a consumer/provider pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// Who calls (a contract's consumer).
    pub caller: ServiceName,
    /// Who is called (a contract's provider).
    pub callee: ServiceName,
}

impl Edge {
    /// The edge from `caller` to `callee`.
    pub fn new(caller: ServiceName, callee: ServiceName) -> Self {
        Self { caller, callee }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.caller, self.callee)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_compare_without_case() {
        let a = ServiceName::new(" Orders ").unwrap();
        let b = ServiceName::new("orders").unwrap();
        assert_eq!(a, b);
        assert_eq!(a.as_str(), "Orders");
        assert_eq!(a.cmp(&b), Ordering::Equal);
    }

    #[test]
    fn hostile_names_are_refused() {
        assert!(matches!(ServiceName::new("a\nb"), Err(NameError::Character('\n'))));
        assert!(matches!(ServiceName::new(&"x".repeat(256)), Err(NameError::TooLong { .. })));
        assert!(Topic::new("a/b").is_err());
        assert!(Topic::new("..").is_err());
    }
}
