//! Rows to bytes, in the order of fields that Zipkin's writer has and its users' tests compare.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::text::write_json_text;
use crate::zipkin_view::{NameCase, ZipkinSpan};
use crate::{Endpoint, Span};

/// A list for Zipkin's readers: names in lower case, OTLP rows converted.
pub fn encode(spans: &[Span]) -> Vec<u8> {
    let mut out = String::new();
    write_list(spans, NameCase::Lower, &mut out);
    out.into_bytes()
}

/// A list that decodes to the same rows again: names keep their case.
pub fn encode_as_received(spans: &[Span]) -> Vec<u8> {
    let mut out = String::new();
    write_list(spans, NameCase::Kept, &mut out);
    out.into_bytes()
}

/// Appends `[span,span,…]`.
pub fn write_list<'s>(spans: impl IntoIterator<Item = &'s Span>, case: NameCase, out: &mut String) {
    out.push('[');
    for (i, span) in spans.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_span(span, case, out);
    }
    out.push(']');
}

/// Appends one span.
pub fn write_span(span: &Span, case: NameCase, out: &mut String) {
    let view = ZipkinSpan::of(span, case);
    let _ = write!(out, "{{\"traceId\":\"{}\"", span.trace_id.to_zipkin_hex());
    if let Some(parent) = view.parent_id {
        let _ = write!(out, ",\"parentId\":\"{parent}\"");
    }
    let _ = write!(out, ",\"id\":\"{}\"", span.span_id);
    if let Some(kind) = view.kind {
        let _ = write!(out, ",\"kind\":\"{kind}\"");
    }
    if !view.name.is_empty() {
        out.push_str(",\"name\":");
        write_json_text(&view.name, out);
    }
    if let Some(timestamp) = view.timestamp_us {
        let _ = write!(out, ",\"timestamp\":{timestamp}");
    }
    if let Some(duration) = view.duration_us {
        let _ = write!(out, ",\"duration\":{duration}");
    }
    write_endpoint("localEndpoint", view.local, case, out);
    write_endpoint("remoteEndpoint", view.remote, case, out);
    write_annotations(&view.annotations, out);
    write_tags(&view.tags, out);
    if view.debug {
        out.push_str(",\"debug\":true");
    }
    if view.shared {
        out.push_str(",\"shared\":true");
    }
    out.push('}');
}

fn write_endpoint(field: &str, endpoint: &Endpoint, case: NameCase, out: &mut String) {
    if endpoint.is_empty() {
        return;
    }
    let _ = write!(out, ",\"{field}\":{{");
    let mut separator = "";
    if let Some(name) = &endpoint.service_name {
        out.push_str("\"serviceName\":");
        write_json_text(&case.apply(name), out);
        separator = ",";
    }
    if let Some(ipv4) = endpoint.ipv4 {
        let _ = write!(out, "{separator}\"ipv4\":\"{ipv4}\"");
        separator = ",";
    }
    if let Some(ipv6) = endpoint.ipv6 {
        let _ = write!(out, "{separator}\"ipv6\":\"{ipv6}\"");
        separator = ",";
    }
    if let Some(port) = endpoint.port {
        let _ = write!(out, "{separator}\"port\":{port}");
    }
    out.push('}');
}

fn write_annotations(annotations: &[(u64, Cow<'_, str>)], out: &mut String) {
    if annotations.is_empty() {
        return;
    }
    out.push_str(",\"annotations\":[");
    for (i, (at_us, value)) in annotations.iter().enumerate() {
        let _ = write!(out, "{}{{\"timestamp\":{at_us},\"value\":", if i > 0 { "," } else { "" });
        write_json_text(value, out);
        out.push('}');
    }
    out.push(']');
}

fn write_tags(tags: &[(Cow<'_, str>, Cow<'_, str>)], out: &mut String) {
    if tags.is_empty() {
        return;
    }
    out.push_str(",\"tags\":{");
    for (i, (key, value)) in tags.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_json_text(key, out);
        out.push(':');
        write_json_text(value, out);
    }
    out.push('}');
}
