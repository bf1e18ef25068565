//! How many bytes a row takes in memory, roughly: what bounds the hot part.

use tracepact_model::{Attributes, Span, Value};

/// Bookkeeping of an `Arc<str>` beside its text.
const ARC_BYTES: usize = 16;

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => ARC_BYTES + text.len(),
        Value::Bytes(bytes) => ARC_BYTES + bytes.len(),
        Value::Array(values) => values.iter().map(|v| size_of::<Value>() + value_bytes(v)).sum(),
        Value::Map(entries) => attributes_bytes(entries),
        Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Empty => 0,
    }
}

/// Keys are shared within a request and count as their pointer.
fn attributes_bytes(attributes: &Attributes) -> usize {
    attributes.iter().map(|(key, value)| size_of_val(key) + size_of::<Value>() + value_bytes(value)).sum()
}

/// Estimated bytes of one row, its share of the index included; resource and scope are shared and left out.
pub(crate) fn span_bytes(row: &Span) -> usize {
    let events: usize =
        row.events.iter().map(|e| size_of_val(e) + e.name.len() + attributes_bytes(&e.attributes)).sum();
    let links: usize = row.links.iter().map(|l| size_of_val(l) + attributes_bytes(&l.attributes)).sum();
    size_of::<Span>() + 48 + row.name.len() + attributes_bytes(&row.attributes) + events + links
}
