//! `traceresponse`: hands the trace back to the caller. Source: W3C Trace Context, level 2 draft.

use http::HeaderValue;
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

use crate::propagation::context::ids_of;
use crate::propagation::w3c::{TraceParent, format_traceparent};

/// The header's name.
pub const TRACERESPONSE: &str = "traceresponse";

/// The value for the active span of `cx`: `00-{trace}-{span}-{flags}`.
pub fn traceresponse(cx: &Context) -> Option<HeaderValue> {
    let (trace_id, span_id) = ids_of(cx)?;
    let flags = cx.span().span_context().trace_flags().to_u8();
    HeaderValue::from_str(&format_traceparent(&TraceParent { trace_id, span_id, flags })).ok()
}
