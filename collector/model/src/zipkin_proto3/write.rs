//! Rows to bytes, in the order of field numbers as Zipkin's writer has it.

use prost::encoding::encode_varint;

use crate::zipkin_view::{NameCase, ZipkinSpan};
use crate::{Endpoint, Span};

/// A `ListOfSpans`; [`super::decode`] gives rows of Zipkin v2 back as they are.
pub fn encode(spans: &[Span]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut message = Vec::new();
    for span in spans {
        message.clear();
        write_span(span, &mut message);
        bytes(1, &message, &mut out);
    }
    out
}

fn key(number: u64, wire_type: u64, out: &mut Vec<u8>) {
    encode_varint(number << 3 | wire_type, out);
}

fn bytes(number: u64, value: &[u8], out: &mut Vec<u8>) {
    key(number, 2, out);
    encode_varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

fn varint(number: u64, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        key(number, 0, out);
        encode_varint(value, out);
    }
}

fn fixed64(number: u64, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        key(number, 1, out);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn write_span(span: &Span, out: &mut Vec<u8>) {
    let view = ZipkinSpan::of(span, NameCase::Kept);
    match span.trace_id.high() {
        0 => bytes(1, &span.trace_id.low().to_be_bytes(), out),
        _ => bytes(1, &span.trace_id.as_u128().to_be_bytes(), out),
    }
    if let Some(parent) = view.parent_id {
        bytes(2, &parent.as_u64().to_be_bytes(), out);
    }
    bytes(3, &span.span_id.as_u64().to_be_bytes(), out);
    let kind = match view.kind {
        Some("CLIENT") => 1,
        Some("SERVER") => 2,
        Some("PRODUCER") => 3,
        Some("CONSUMER") => 4,
        _ => 0,
    };
    varint(4, kind, out);
    if !view.name.is_empty() {
        bytes(5, view.name.as_bytes(), out);
    }
    fixed64(6, view.timestamp_us.unwrap_or(0), out);
    varint(7, view.duration_us.unwrap_or(0), out);
    let mut part = Vec::new();
    for (number, endpoint) in [(8, view.local), (9, view.remote)] {
        if !endpoint.is_empty() {
            part.clear();
            write_endpoint(endpoint, &mut part);
            bytes(number, &part, out);
        }
    }
    for (at_us, value) in &view.annotations {
        part.clear();
        fixed64(1, *at_us, &mut part);
        bytes(2, value.as_bytes(), &mut part);
        bytes(10, &part, out);
    }
    for (tag, value) in &view.tags {
        part.clear();
        bytes(1, tag.as_bytes(), &mut part);
        bytes(2, value.as_bytes(), &mut part);
        bytes(11, &part, out);
    }
    varint(12, view.debug.into(), out);
    varint(13, view.shared.into(), out);
}

fn write_endpoint(endpoint: &Endpoint, out: &mut Vec<u8>) {
    if let Some(name) = &endpoint.service_name {
        bytes(1, name.as_bytes(), out);
    }
    if let Some(ipv4) = endpoint.ipv4 {
        bytes(2, &ipv4.octets(), out);
    }
    if let Some(ipv6) = endpoint.ipv6 {
        bytes(3, &ipv6.octets(), out);
    }
    varint(4, endpoint.port.unwrap_or(0).into(), out);
}
