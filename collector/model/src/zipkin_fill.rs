//! What all of Zipkin's decoders do alike: cut to limits, share texts, turn microseconds into nanoseconds, keep the
//! last value of a repeated tag.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::codec::{DecodeError, DecodeLimits};
use crate::intern::{Interner, cut};
use crate::{Endpoint, Kind, Span, SpanEvent, Value};

/// With more tags than this a span's keys are looked up in a map.
const LINEAR_MAX: usize = 16;

/// Fills rows within limits.
pub(crate) struct Filler<'l> {
    pub(crate) limits: &'l DecodeLimits,
    interner: Interner,
    /// Where each key of the present span stands, once there are many.
    positions: HashMap<Arc<str>, usize>,
}

impl<'l> Filler<'l> {
    pub(crate) fn new(limits: &'l DecodeLimits) -> Self {
        Self { limits, interner: Interner::default(), positions: HashMap::new() }
    }

    /// `text` within the limit for values.
    pub(crate) fn text(&mut self, text: &str, truncated: &mut bool) -> Arc<str> {
        let kept = cut(text, self.limits.value_bytes_max);
        *truncated |= kept.len() < text.len();
        self.interner.share(kept)
    }

    /// The name of a service or operation: an empty one is none.
    pub(crate) fn name(&mut self, text: &str, truncated: &mut bool) -> Option<Arc<str>> {
        (!text.is_empty()).then(|| self.text(text, truncated))
    }

    /// Sets a tag of `span`. Tags of one span come in sequence: call [`Self::begin_tags`] before the first.
    pub(crate) fn tag(&mut self, span: &mut Span, key: &str, value: &str) {
        let key = self.text(key, &mut span.flags.truncated);
        let value = Value::String(self.text(value, &mut span.flags.truncated));
        let known = if span.attributes.len() <= LINEAR_MAX {
            span.attributes.iter().position(|(seen, _)| *seen == key)
        } else {
            if self.positions.is_empty() {
                let keys = span.attributes.iter().enumerate();
                self.positions.extend(keys.map(|(position, (key, _))| (key.clone(), position)));
            }
            self.positions.get(&key).copied()
        };
        match known {
            Some(position) => span.attributes[position].1 = value,
            None if span.attributes.len() >= self.limits.attributes_max => {
                span.flags.truncated = true;
                span.dropped[0] = span.dropped[0].saturating_add(1);
            }
            None => {
                if !self.positions.is_empty() {
                    self.positions.insert(key.clone(), span.attributes.len());
                }
                span.attributes.push((key, value));
            }
        }
    }

    /// Forgets the keys of the span before.
    pub(crate) fn begin_tags(&mut self) {
        self.positions.clear();
    }

    /// Adds an annotation.
    pub(crate) fn annotation(&mut self, span: &mut Span, at_ns: u64, value: &str) {
        if span.events.len() >= self.limits.events_max {
            span.flags.truncated = true;
            span.dropped[1] = span.dropped[1].saturating_add(1);
            return;
        }
        let name = self.text(value, &mut span.flags.truncated);
        span.events.push(SpanEvent { at_ns, name, attributes: Vec::new(), dropped_attributes: 0 });
    }

    /// Whether a request may hold a further row beside `rows`.
    pub(crate) fn room(&self, rows: usize) -> Result<(), DecodeError> {
        let max = self.limits.spans_max;
        if rows < max {
            Ok(())
        } else {
            Err(DecodeError::too_large(format!("too many spans: a request may hold {max}")))
        }
    }
}

/// Zipkin's times are signed microseconds: what is not above 0 is absent.
pub(crate) fn nanoseconds(micros: i64, field: &str) -> Result<Option<u64>, String> {
    match u64::try_from(micros) {
        Err(_) | Ok(0) => Ok(None),
        Ok(micros) => micros
            .checked_mul(1_000)
            .map(Some)
            .ok_or_else(|| format!("{field} {micros} is not in microseconds: it lies beyond the year 2554")),
    }
}

/// Puts an address where its family belongs; IPv4 inside IPv6 counts as IPv4.
pub(crate) fn place(endpoint: &mut Endpoint, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => endpoint.ipv4 = Some(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => endpoint.ipv4 = Some(v4),
            None => endpoint.ipv6 = Some(v6),
        },
    }
}

/// Four or sixteen bytes of an address; other lengths are left out, as in Zipkin.
pub(crate) fn place_bytes(endpoint: &mut Endpoint, bytes: &[u8]) {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        place(endpoint, IpAddr::V4(v4.into()));
    } else if let Ok(v6) = <[u8; 16]>::try_from(bytes) {
        place(endpoint, IpAddr::V6(v6.into()));
    }
}

fn embedded_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    if let Some(mapped) = v6.to_ipv4_mapped() {
        return Some(mapped);
    }
    let compatible = v6.segments()[..6] == [0; 6] && v6.segments()[6] != 0;
    compatible.then(|| v6.to_ipv4()).flatten()
}

/// What Zipkin's builder mends when a span is complete: it is not its own parent, and a client's half is not shared.
pub(crate) fn finish(span: &mut Span) {
    if span.parent_id == Some(span.span_id) {
        span.parent_id = None;
    }
    if span.kind == Kind::Client {
        span.flags.shared = false;
    }
}
