//! HTTP headers as a carrier.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;

use super::{Carrier, Format, inject};

/// Reads from a header map; names compare without case by nature.
#[derive(Debug)]
pub struct HttpHeaders<'a>(pub &'a HeaderMap);

impl Carrier for HttpHeaders<'_> {
    fn values(&self, name: &str) -> Vec<&[u8]> {
        self.0.get_all(name).iter().map(HeaderValue::as_bytes).collect()
    }

    fn last_wins(&self) -> bool {
        false
    }
}

/// Every header name any format uses; they are removed before new ones are written.
pub const HEADER_NAMES: [&str; 9] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
];

/// Writes the context of `cx` into `headers`, replacing any that is there.
pub fn inject_http(cx: &Context, formats: &[Format], headers: &mut HeaderMap) {
    for name in HEADER_NAMES {
        headers.remove(name);
    }
    for (name, value) in inject(cx, formats, true) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
