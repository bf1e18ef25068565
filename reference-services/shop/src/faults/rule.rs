//! One switch: what it does, to what, how often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Longest wait a rule may ask for.
pub(super) const WAIT_MS_MAX: u64 = 600_000;

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Requests and records wait `ms` before they are handled.
    Latency,
    /// Requests are answered with `status` (default 500) and not handled.
    Error,
    /// The process aborts at the request or record.
    Crash,
    /// No record is handled while the switch is on; the group keeps its members.
    StopConsuming,
    /// Records are consumed and committed, and nothing else.
    Drop,
    /// Records wait `ms` before they are handled: choose it longer than the window of whoever watches.
    Delay,
    /// Records go to `TOPIC.DLT` and are committed.
    DeadLetter,
    /// Records are handled twice.
    Duplicate,
}

impl FaultKind {
    /// Kinds that can strike a record.
    pub const ON_RECORDS: [Self; 6] =
        [Self::Crash, Self::Latency, Self::Delay, Self::Drop, Self::DeadLetter, Self::Duplicate];
    /// Whether it decides what becomes of a record. A record has one fate: the first kind of
    /// [`FaultKind::ON_RECORDS`] that strikes it.
    pub const fn is_fate(self) -> bool {
        matches!(self, Self::Drop | Self::DeadLetter | Self::Delay | Self::Duplicate)
    }

    /// Kinds that can strike a request.
    pub const ON_REQUESTS: [Self; 3] = [Self::Crash, Self::Latency, Self::Error];
}

/// A switch, as `PUT /faults` takes it. Without `count` and `probability` it strikes always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// What it does.
    pub kind: FaultKind,
    /// Strikes at most this often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Strikes this share, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Chooses which are struck: the same seed strikes the same order ids. Default 0.
    #[serde(default)]
    pub seed: u64,
    /// Milliseconds to wait, for `latency` and `delay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Status to answer, for `error`: 400 to 599.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Strikes records of this topic only, and no requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

/// Why a rule makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Not a share.
    #[error("probability is from 0 to 1")]
    Probability,
    /// A wait without its length, or a longer one than allowed.
    #[error("latency and delay need ms, 1 to {WAIT_MS_MAX}")]
    Wait,
    /// Not an error's status.
    #[error("status is from 400 to 599")]
    Status,
}

impl FaultRule {
    /// The rule, if it makes sense.
    ///
    /// # Errors
    /// The first field that does not.
    pub fn checked(self) -> Result<Self, RuleError> {
        if self.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err(RuleError::Probability);
        }
        let waits = matches!(self.kind, FaultKind::Latency | FaultKind::Delay);
        if waits && !self.ms.is_some_and(|ms| (1..=WAIT_MS_MAX).contains(&ms)) {
            return Err(RuleError::Wait);
        }
        if self.status.is_some_and(|status| !(400..=599).contains(&status)) {
            return Err(RuleError::Status);
        }
        Ok(self)
    }

    /// How long it makes wait.
    pub(super) fn wait(&self) -> Duration {
        Duration::from_millis(self.ms.unwrap_or(0))
    }

    /// The status it answers.
    pub(super) fn status(&self) -> u16 {
        self.status.unwrap_or(500)
    }

    /// Whether it is about records of `topic`, or about requests (`None`).
    pub(super) fn applies_to(&self, topic: Option<&str>) -> bool {
        self.topic.is_none() || self.topic.as_deref() == topic
    }

    /// Whether it strikes `key`, having struck `injected` times.
    pub(super) fn draws(&self, key: &str, injected: u64) -> bool {
        self.count.is_none_or(|count| injected < count)
            && self.probability.is_none_or(|probability| share(self.seed, key) < probability)
    }
}

/// A number from 0 up to 1 that looks random and depends on the seed and the key only (FNV-1a, then splitmix64's mix).
fn share(seed: u64, key: &str) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in key.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((hash ^ (hash >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<FaultRule, String> {
        let rule: FaultRule = serde_json::from_str(json).map_err(|e| e.to_string())?;
        rule.checked().map_err(|e| e.to_string())
    }

    #[test]
    fn nonsense_is_refused_with_its_field() {
        assert!(parse(r#"{"kind":"delay"}"#).unwrap_err().contains("ms"));
        assert!(parse(r#"{"kind":"drop","probability":1.5}"#).unwrap_err().contains("probability"));
        assert!(parse(r#"{"kind":"error","status":200}"#).unwrap_err().contains("status"));
        assert!(parse(r#"{"kind":"drop","cuont":2}"#).unwrap_err().contains("cuont"));
        assert!(parse(r#"{"kind":"explode"}"#).is_err());
        assert!(parse(r#"{"kind":"drop","count":3,"seed":7}"#).is_ok());
    }
}
