//! The span that says that a trace is not whole: written once, when spans of it begin to be refused.

use bytes::Bytes;
use tracepact_base::{SpanId, TraceId};
use tracepact_model::{Admission, Codec, Span, SpanBatch, Value, encode};

/// Distinguishes the marker's id from the ids of the trace.
const ID_MASK: u64 = 0x7472_6163_6570_6163;

/// A marker on its way to the store.
pub(crate) struct Marker {
    pub(crate) trace_id: TraceId,
    pub(crate) batch: SpanBatch,
}

/// The marker beside `refused`, the first span that was not kept of its trace.
pub(crate) fn of(refused: &Span, spans_max: u32, received_at_ns: u64) -> Option<Marker> {
    let low = refused.trace_id.low();
    let mut marker = Span::new(refused.trace_id, SpanId::new(low ^ ID_MASK).or(SpanId::new(low))?);
    marker.parent_id = refused.parent_id.or(Some(refused.span_id)).filter(|id| *id != marker.span_id);
    marker.name = "further spans of this trace were refused".into();
    // Whole microseconds, so that the log gives the same row again.
    marker.start_ns = Some(refused.start_ns.unwrap_or(received_at_ns) / 1_000 * 1_000);
    marker.local = refused.local.clone();
    marker.attributes = vec![
        ("tracepact.trace.spans_max".into(), Value::String(spans_max.to_string().into())),
        ("tracepact.trace.truncated".into(), Value::String("true".into())),
    ];
    let spans = vec![marker];
    let body: Bytes = encode(Codec::ZipkinJsonV2, &spans)?.into();
    let batch = SpanBatch {
        codec: Codec::ZipkinJsonV2,
        body,
        received_at_ns,
        admission: Admission::default(),
        spans: spans.into(),
    };
    Some(Marker { trace_id: refused.trace_id, batch })
}

#[cfg(test)]
mod tests {
    use tracepact_model::{DecodeLimits, decode};

    use super::*;

    #[test]
    fn the_log_gives_the_same_marker_again() {
        for low in [1, u128::from(ID_MASK)] {
            let mut refused = Span::new(TraceId::new(low).unwrap(), SpanId::new(2).unwrap());
            refused.start_ns = Some(1_234_567);
            refused.local.service_name = Some("Orders".into());
            let Marker { batch, .. } = of(&refused, 9, 5_000).unwrap();
            let rows = batch.spans.spans().unwrap();
            assert_eq!(decode(batch.codec, &batch.body, &DecodeLimits::default()).unwrap(), rows);
            assert_eq!(rows[0].parent_id, Some(refused.span_id));
        }
    }
}
