//! The parser of `hystrix.stream`: server-sent events with one JSON object per command or thread pool.
//!
//! Written for what real producers send: fractions where integers belong, a state that an aggregate turned into a
//! tally, event names that belong to another message, keep-alive lines, messages we do not know.

use serde::Deserialize;
use serde_json::Value;
use tracepact_base::ServiceName;

use crate::breaker::{BreakerKey, BreakerSample, BreakerState, Source};
use crate::bulkhead::{BulkheadKey, BulkheadName, BulkheadSample};
use crate::otlp::NAME_BYTES_MAX;

/// Longest line; a longer one is skipped to its end.
pub const LINE_BYTES_MAX: usize = 256 << 10;

/// What one message of a stream says.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamSample {
    /// A command: a breaker.
    Breaker(BreakerSample),
    /// A thread pool: a bulkhead.
    Bulkhead(BulkheadSample),
}

/// Turns the bytes of one stream into samples, whatever the pieces they arrive in.
#[derive(Debug)]
pub struct StreamParser {
    service: ServiceName,
    instance: String,
    line: Vec<u8>,
    skipping: bool,
    malformed: u64,
}

impl StreamParser {
    /// A parser for the stream of `instance` (its host and port) of `service`.
    pub fn new(service: ServiceName, instance: String) -> Self {
        Self { service, instance, line: Vec::new(), skipping: false, malformed: 0 }
    }

    /// Messages and lines that could not be read so far.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Takes the next bytes and returns the samples that they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<StreamSample> {
        let mut samples = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = piece.ends_with(b"\n");
            if !self.skipping {
                if self.line.len() + piece.len() > LINE_BYTES_MAX {
                    self.skipping = true;
                    self.malformed += 1;
                    self.line = Vec::new();
                } else {
                    self.line.extend_from_slice(piece);
                }
            }
            if ends {
                if !self.skipping {
                    let line = std::mem::take(&mut self.line);
                    samples.extend(self.line(line.trim_ascii_end()));
                }
                self.skipping = false;
            }
        }
        samples
    }

    /// Every `data:` line is one message here, as all producers send it; other fields (event, retry, ping) say nothing.
    fn line(&mut self, line: &[u8]) -> Option<StreamSample> {
        let json = line.strip_prefix(b"data:")?;
        match serde_json::from_slice::<Message>(json) {
            Ok(message) => self.message(message),
            Err(_) => {
                self.malformed += 1;
                None
            }
        }
    }

    fn message(&mut self, message: Message) -> Option<StreamSample> {
        let sample = match message.kind.as_deref()? {
            "HystrixCommand" => self.command(&message).map(StreamSample::Breaker),
            "HystrixThreadPool" => self.pool(&message).map(StreamSample::Bulkhead),
            _ => return None, // collapsers, meta and deletion records
        };
        self.malformed += u64::from(sample.is_none());
        sample
    }

    fn command(&self, message: &Message) -> Option<BreakerSample> {
        let mut sample = BreakerSample::new(self.breaker_key(message)?, Source::Hystrix, message.at_ns()?);
        let forced = message.flag("propertyValue_circuitBreakerForceOpen").unwrap_or(false);
        let enabled = message.flag("propertyValue_circuitBreakerEnabled").unwrap_or(true);
        // A forced-closed circuit reports that it would have tripped; its calls pass all the same.
        let forced_closed = message.flag("propertyValue_circuitBreakerForceClosed").unwrap_or(false);
        sample.state = match message.flag("isCircuitBreakerOpen") {
            _ if !enabled => Some(BreakerState::Disabled),
            _ if forced => Some(BreakerState::ForcedOpen),
            _ if forced_closed => Some(BreakerState::Closed),
            Some(true) => Some(BreakerState::Open),
            Some(false) => Some(BreakerState::Closed),
            None => None,
        };
        sample.window_requests = message.number("requestCount");
        sample.error_percent = message.number("errorPercentage").map(|percent| percent.clamp(0.0, 100.0));
        Some(sample)
    }

    fn pool(&self, message: &Message) -> Option<BulkheadSample> {
        let key = self.breaker_key(message)?;
        let key = BulkheadKey {
            service: key.service,
            instance: key.instance,
            name: BulkheadName::Bulkhead(key.name),
        };
        let mut sample = BulkheadSample::new(key, message.at_ns()?);
        sample.in_use = message.number("currentActiveCount");
        sample.limit = message.number("currentMaximumPoolSize").or(message.number("currentCorePoolSize"));
        sample.waiting = message.number("currentQueueSize");
        Some(sample)
    }

    fn breaker_key(&self, message: &Message) -> Option<BreakerKey> {
        let name = message.name.clone().filter(|n| !n.is_empty() && n.len() <= NAME_BYTES_MAX)?;
        Some(BreakerKey { service: self.service.clone(), instance: self.instance.clone(), name })
    }
}

/// A message of any type; what is not needed is skipped while reading.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    #[serde(rename = "currentTime")]
    current_time: Option<Value>,
    #[serde(flatten)]
    fields: std::collections::HashMap<String, Value>,
}

impl Message {
    fn at_ns(&self) -> Option<u64> {
        let ms = self.current_time.as_ref()?.as_f64().filter(|ms| *ms >= 0.0 && *ms < 1e16)?;
        (ms as u64).checked_mul(1_000_000)
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.fields.get(key)?.as_f64().filter(|value| value.is_finite())
    }

    /// A boolean, or the tally that an aggregate made of several (`{"false":2,"true":1}`, as object or as text): true
    /// when any host says so.
    fn flag(&self, key: &str) -> Option<bool> {
        let tally = |value: &Value| {
            let object = value.as_object()?;
            Some(object.get("true").and_then(Value::as_f64).unwrap_or(0.0) > 0.0)
        };
        match self.fields.get(key)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text == "true" || text == "false" => Some(text == "true"),
            Value::String(text) => serde_json::from_str::<Value>(text).ok().as_ref().and_then(tally),
            other => tally(other),
        }
    }
}

#[cfg(test)]
mod tests;
