//! What is taken from senders, from what was written to what holds.

use std::path::Path;
use std::time::Duration;

use tracepact_ingest::IngestConfig;
use tracepact_listener::Limits;
use tracepact_model::DecodeLimits;
use tracepact_model::redact::{Action, HashKey, Redaction};

use super::{Error, TOKEN_CHARS_MIN, invalid, within};
use crate::config::raw;

/// Receivers and their bounds.
#[derive(Debug, Clone)]
pub(crate) struct Ingest {
    /// Whether Zipkin's receivers over HTTP run.
    pub(crate) zipkin_http: bool,
    /// Whether Zipkin's receiver over gRPC runs.
    pub(crate) zipkin_grpc: bool,
    /// The bounds.
    pub(crate) bounds: IngestConfig,
}

/// Checks `raw` and `redaction`; relative files are looked for in `base`. Spans older than `age_max` are refused.
pub(crate) fn ingest(
    raw: &raw::Ingest,
    redaction: &raw::Redaction,
    age_max: Duration,
    base: &Path,
) -> Result<Ingest, Error> {
    if !(0.0..=1.0).contains(&raw.sample_rate) {
        return Err(invalid("ingest.sample_rate", format!("{} is not between 0 and 1", raw.sample_rate)));
    }
    if raw.spans_per_trace_max == 0 {
        return Err(invalid("ingest.spans_per_trace_max", "a trace has at least 1 span"));
    }
    const BODY: (u64, u64) = (1_024, 256 << 20);
    let body = Limits {
        sent_bytes_max: count("ingest.body_bytes_max", raw.body_bytes_max, BODY)?,
        decompressed_bytes_max: count("ingest.decompressed_bytes_max", raw.decompressed_bytes_max, BODY)?,
    };
    let in_flight_bytes_max =
        count("ingest.in_flight_bytes_max", raw.in_flight_bytes_max, (1 << 20, 4 << 30))?;
    if in_flight_bytes_max < body.decompressed_bytes_max {
        return Err(invalid(
            "ingest.in_flight_bytes_max",
            "one body of `ingest.decompressed_bytes_max` would never fit",
        ));
    }
    let decode = DecodeLimits {
        spans_max: count("ingest.spans_per_request_max", raw.spans_per_request_max, (1, 10_000_000))?,
        attributes_max: count("ingest.attributes_max", raw.attributes_max, (1, 65_536))?,
        events_max: count("ingest.events_max", raw.events_max, (1, 1 << 20))?,
        links_max: count("ingest.links_max", raw.links_max, (1, 1 << 20))?,
        value_bytes_max: count("ingest.value_bytes_max", raw.value_bytes_max, (16, 16 << 20))?,
    };
    Ok(Ingest {
        zipkin_http: raw.zipkin_http,
        zipkin_grpc: raw.zipkin_grpc,
        bounds: IngestConfig {
            body,
            decode,
            redaction: self::redaction(redaction, base)?,
            in_flight_bytes_max,
            age_max,
            ahead_max: within("ingest.ahead_max_ms", raw.ahead_max_ms, 1_000, 31_536_000_000)?,
            spans_per_trace_max: raw.spans_per_trace_max,
            sample_rate: raw.sample_rate,
            debug_spans_per_second_max: raw.debug_spans_per_second_max,
            ..IngestConfig::default()
        },
    })
}

fn count(key: &str, value: u64, (min, max): (u64, u64)) -> Result<usize, Error> {
    usize::try_from(value)
        .ok()
        .filter(|_| (min..=max).contains(&value))
        .ok_or_else(|| invalid(key, format!("{value} is not between {min} and {max}")))
}

fn redaction(raw: &raw::Redaction, base: &Path) -> Result<Redaction, Error> {
    let mut redaction = Redaction::new(&raw.keys);
    if raw.known_secrets {
        redaction = redaction.with_default_values();
    }
    let redaction =
        redaction.with_values(&raw.values).map_err(|error| invalid("redaction.values", error.to_string()))?;
    Ok(redaction.with_action(action(raw, base)?))
}

fn action(raw: &raw::Redaction, base: &Path) -> Result<Action, Error> {
    match raw.action.as_str() {
        "mask" => Ok(Action::Mask),
        "drop" => Ok(Action::Drop),
        "truncate" => Ok(Action::Truncate { chars: count("redaction.keep_chars", raw.keep_chars, (0, 64))? }),
        "hash" => {
            let key = match (&raw.hash_key, &raw.hash_key_file) {
                (Some(_), Some(_)) => {
                    return Err(invalid("redaction", "either `hash_key` or `hash_key_file`, not both"));
                }
                (Some(key), None) => key.expose().to_owned(),
                (None, Some(file)) => {
                    let path = base.join(file);
                    let text = std::fs::read_to_string(&path).map_err(|error| {
                        invalid("redaction.hash_key_file", format!("{}: {error}", path.display()))
                    })?;
                    text.trim().to_owned()
                }
                (None, None) => {
                    return Err(invalid(
                        "redaction.hash_key",
                        "`hash` needs a `hash_key` or a `hash_key_file`",
                    ));
                }
            };
            if key.chars().count() < TOKEN_CHARS_MIN {
                let short = format!("a key has at least {TOKEN_CHARS_MIN} characters");
                return Err(invalid("redaction.hash_key", short));
            }
            Ok(Action::Hash(HashKey::new(key.as_bytes())))
        }
        other => Err(invalid(
            "redaction.action",
            format!("there is no action `{other}`; there are mask, drop, hash, truncate"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Ingest, String> {
        let raw: raw::Raw = toml::from_str(text).unwrap();
        ingest(&raw.ingest, &raw.redaction, Duration::from_secs(1), Path::new("")).map_err(|e| e.to_string())
    }

    #[test]
    fn the_defaults_are_those_of_the_receivers() {
        let (holds, own) = (of("").unwrap().bounds, IngestConfig::default());
        assert_eq!(holds.decode, own.decode);
        assert_eq!(
            (holds.spans_per_trace_max, holds.in_flight_bytes_max, holds.ahead_max, holds.sample_rate),
            (own.spans_per_trace_max, own.in_flight_bytes_max, own.ahead_max, own.sample_rate)
        );
        assert!(holds.redaction.hides("db.password"));
    }

    #[test]
    fn refusals_name_the_key() {
        for (text, key) in [
            ("ingest.sample_rate = 1.5", "ingest.sample_rate"),
            ("ingest.spans_per_trace_max = 0", "ingest.spans_per_trace_max"),
            ("ingest.body_bytes_max = 1", "ingest.body_bytes_max"),
            ("ingest.value_bytes_max = 1", "ingest.value_bytes_max"),
            ("ingest.in_flight_bytes_max = 2000000", "ingest.in_flight_bytes_max"),
            ("redaction.values = [\"(\"]", "redaction.values"),
            ("redaction.action = \"burn\"", "redaction.action"),
            ("redaction.action = \"hash\"", "redaction.hash_key"),
            ("redaction.action = \"hash\"\nredaction.hash_key = \"short\"", "redaction.hash_key"),
            (
                "redaction.action = \"hash\"\nredaction.hash_key_file = \"/no/such\"",
                "redaction.hash_key_file",
            ),
            ("redaction.action = \"truncate\"\nredaction.keep_chars = 100", "redaction.keep_chars"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(&format!("`{key}`")), "{text}: {error}");
        }
    }

    #[test]
    fn redaction_is_as_written() {
        let own = of("redaction.keys = [\"iban\"]\nredaction.known_secrets = false\nredaction.values = [\"DE\\\\d+\"]\n\
             redaction.action = \"hash\"\nredaction.hash_key = \"0123456789abcdef\"")
        .unwrap();
        let redaction = own.bounds.redaction;
        assert!(redaction.hides("IBAN") && !redaction.hides("password"));
        assert!(redaction.text("to DE99").starts_with("to hash:"));
        assert_eq!(redaction.text("Bearer abcdefgh12345"), "Bearer abcdefgh12345");
        assert!(!format!("{redaction:?}").contains("0123456789"));
    }
}
