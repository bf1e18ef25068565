//! Trace context in and out: W3C `traceparent`/`tracestate`/`baggage`, B3 single and B3 multi.
//!
//! One [`Carrier`] hides where the headers live (HTTP, Kafka); [`extract`] reads all formats and picks one by
//! [`Precedence`]; [`admit`] decides by [`TrustInbound`] how much of it this service follows; [`inject`] writes.

pub mod b3;
pub mod baggage;
pub mod context;
pub mod http;
pub mod kafka;
pub mod tracestate;
pub mod w3c;

pub use baggage::Baggage;
pub use context::{Admitted, Decision, RemoteSpan, TrustInbound, admit};
pub use tracestate::TraceState;

use opentelemetry::Context;

/// Where headers are read from.
pub trait Carrier {
    /// The values of every header called `name` (given in lower case), in the order they were sent.
    fn values(&self, name: &str) -> Vec<&[u8]>;
    /// Whether a repeated header means "the last one holds" (Kafka) rather than "malformed" (HTTP `traceparent`).
    fn last_wins(&self) -> bool;
}

/// A header format that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `traceparent`, `tracestate` and `baggage`.
    W3c,
    /// One `b3` header.
    B3Single,
    /// `x-b3-traceid`, `x-b3-spanid`, `x-b3-parentspanid`, `x-b3-sampled`, `x-b3-flags`.
    B3Multi,
}

/// Which family holds when a carrier has both with different contexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precedence {
    /// `traceparent` before B3 (default).
    #[default]
    W3c,
    /// B3 before `traceparent`.
    B3,
}

/// How a service reads and writes headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Which family holds when both are present.
    pub precedence: Precedence,
    /// What is followed of an inbound context.
    pub trust: TrustInbound,
    /// Formats written to outgoing HTTP requests.
    pub http: Vec<Format>,
    /// Formats written to outgoing Kafka records.
    pub kafka: Vec<Format>,
}

impl Default for Rules {
    /// W3C first; everything trusted; W3C and B3 multi over HTTP, W3C and B3 single in Kafka records.
    fn default() -> Self {
        Self {
            precedence: Precedence::W3c,
            trust: TrustInbound::All,
            http: vec![Format::W3c, Format::B3Multi],
            kafka: vec![Format::W3c, Format::B3Single],
        }
    }
}

/// What a carrier held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extracted {
    /// The caller's span, when a valid context was present.
    pub span: Option<RemoteSpan>,
    /// The caller's sampling decision; may be present without a span (B3 `0`, `1`, `d`).
    pub decision: Decision,
    /// The caller's baggage.
    pub baggage: Baggage,
}

/// Reads every known format from `carrier`. Malformed headers are as good as absent; this never fails.
pub fn extract(carrier: &dyn Carrier, precedence: Precedence) -> Extracted {
    let baggage = Baggage::parse(carrier.values("baggage"));
    let w3c = || w3c::extract(carrier);
    let b3 = || b3::extract(carrier);
    let (span, decision) = match precedence {
        Precedence::W3c => match w3c() {
            Some((span, decision)) => (Some(span), decision),
            None => b3(),
        },
        Precedence::B3 => match b3() {
            (None, Decision::Deferred) => match w3c() {
                Some((span, decision)) => (Some(span), decision),
                None => (None, Decision::Deferred),
            },
            found => found,
        },
    };
    Extracted { span, decision, baggage }
}

/// The headers that carry the span of `cx`, its sampling decision, its `tracestate` and its baggage.
///
/// Names are lower-case. Without a valid span in `cx` only the baggage is written.
pub fn inject(cx: &Context, formats: &[Format], with_parent: bool) -> Vec<(&'static str, String)> {
    let mut headers = Vec::with_capacity(6);
    for format in formats {
        match format {
            Format::W3c => w3c::inject(cx, &mut headers),
            Format::B3Single => b3::inject_single(cx, with_parent, &mut headers),
            Format::B3Multi => b3::inject_multi(cx, with_parent, &mut headers),
        }
    }
    if formats.contains(&Format::W3c)
        && let Some(value) = context::baggage_of(cx).header()
    {
        headers.push(("baggage", value));
    }
    headers
}
