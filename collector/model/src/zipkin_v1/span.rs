//! A v1 span as either reader finds it: only what conversion needs, texts borrowed from the body.

use std::borrow::Cow;

use tracepact_base::{SpanId, TraceId};

use crate::Endpoint;
use crate::codec::DecodeLimits;

/// What a v1 span may hold beyond the limits of one row: the annotations and tags that become something else.
const BEYOND_LIMIT: usize = 64;

/// Something that happened at an endpoint. Two letters (`cs`, `sr`, …) mark the ends of a call.
#[derive(Debug, Clone)]
pub(super) struct V1Annotation<'b> {
    /// Microseconds since 1970.
    pub(super) at_us: i64,
    pub(super) value: Cow<'b, str>,
    pub(super) endpoint: Option<Endpoint>,
}

/// A tag of an endpoint; under `ca`, `sa` and `ma` the address of the other side.
#[derive(Debug, Clone)]
pub(super) struct V1Tag<'b> {
    pub(super) key: Cow<'b, str>,
    /// Empty for an address.
    pub(super) value: Cow<'b, str>,
    pub(super) endpoint: Option<Endpoint>,
}

/// A v1 span.
#[derive(Debug, Clone)]
pub(super) struct V1Span<'b> {
    pub(super) trace_id: TraceId,
    pub(super) id: SpanId,
    pub(super) parent_id: Option<SpanId>,
    pub(super) name: Cow<'b, str>,
    /// Microseconds since 1970; 0 for absent, which by convention means that another host owns the span.
    pub(super) timestamp_us: i64,
    /// Microseconds; 0 for absent.
    pub(super) duration_us: i64,
    pub(super) annotations: Vec<V1Annotation<'b>>,
    pub(super) tags: Vec<V1Tag<'b>>,
    pub(super) debug: bool,
    /// Something was cut while reading.
    pub(super) truncated: bool,
    /// Tags and annotations that were left out while reading.
    pub(super) dropped: [u32; 2],
}

/// What is known while fields come in any order.
#[derive(Debug, Default)]
pub(super) struct V1Fields<'b> {
    pub(super) trace_id: u128,
    pub(super) id: u64,
    pub(super) parent_id: u64,
    pub(super) name: Cow<'b, str>,
    pub(super) timestamp_us: i64,
    pub(super) duration_us: i64,
    pub(super) annotations: Vec<V1Annotation<'b>>,
    pub(super) tags: Vec<V1Tag<'b>>,
    pub(super) debug: bool,
    pub(super) truncated: bool,
    pub(super) dropped: [u32; 2],
}

impl<'b> V1Fields<'b> {
    /// Adds an annotation, or counts it when there are too many.
    pub(super) fn annotate(&mut self, annotation: V1Annotation<'b>, limits: &DecodeLimits) {
        if self.annotations.len() < limits.events_max.saturating_add(BEYOND_LIMIT) {
            self.annotations.push(annotation);
        } else {
            self.truncated = true;
            self.dropped[1] = self.dropped[1].saturating_add(1);
        }
    }

    /// Adds a tag, or counts it when there are too many.
    pub(super) fn tag(&mut self, tag: V1Tag<'b>, limits: &DecodeLimits) {
        if self.tags.len() < limits.attributes_max.saturating_add(BEYOND_LIMIT) {
            self.tags.push(tag);
        } else {
            self.truncated = true;
            self.dropped[0] = self.dropped[0].saturating_add(1);
        }
    }

    /// The whole span, with annotations by time and tags by key, as Zipkin orders them before it converts.
    pub(super) fn build(self) -> Result<V1Span<'b>, String> {
        let mut span = V1Span {
            trace_id: TraceId::new(self.trace_id).ok_or("traceId is missing or zero")?,
            id: SpanId::new(self.id).ok_or("id is missing or zero")?,
            parent_id: SpanId::new(self.parent_id),
            name: self.name,
            timestamp_us: self.timestamp_us,
            duration_us: self.duration_us,
            annotations: self.annotations,
            tags: self.tags,
            debug: self.debug,
            truncated: self.truncated,
            dropped: self.dropped,
        };
        span.annotations.sort_by(|a, b| (a.at_us, &a.value).cmp(&(b.at_us, &b.value)));
        span.tags.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(span)
    }
}
