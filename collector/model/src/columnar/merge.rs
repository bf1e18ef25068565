//! Many chunks as one: rows of a run of requests under one dictionary. No text is hashed again.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::chunk::{EndpointCodes, Key, Origin, SpanChunk};

/// A chunk that takes in others.
#[derive(Debug, Default)]
pub struct Merged {
    chunk: SpanChunk,
    shapes: HashMap<Box<[Key]>, u32, RandomState>,
    endpoints: HashMap<EndpointCodes, u32, RandomState>,
    origins: HashMap<[u32; 4], u32, RandomState>,
    /// Of shapes, endpoints and origins.
    described_bytes: usize,
}

impl Merged {
    /// Everything taken in so far.
    pub fn chunk(&self) -> &SpanChunk {
        &self.chunk
    }

    /// Appends all rows of `other`, in their order.
    pub fn absorb(&mut self, other: &SpanChunk) {
        let texts: Vec<u32> =
            (0u32..).take(other.texts.len()).map(|code| self.chunk.texts.adopt(&other.texts, code)).collect();
        let text = |code: u32| texts.get(code as usize).copied().unwrap_or(0);
        let shapes: Vec<u32> = other.shapes.iter().map(|shape| self.shape(shape, &text)).collect();
        let endpoints: Vec<u32> = other.endpoints.iter().map(|one| self.endpoint(*one, &text)).collect();
        let origins: Vec<u32> = other.origins.iter().map(|origin| self.origin(origin, &text)).collect();
        let of = |list: &[u32], number: u32| list.get(number as usize).copied().unwrap_or(0);

        let first = self.chunk.rows.len() as u32;
        let values_at = self.chunk.values.len() as u32;
        self.chunk.values.extend(other.values.iter().map(|code| text(*code)));
        let (rows, from) = (&mut self.chunk.rows, &other.rows);
        rows.trace_low.extend_from_slice(&from.trace_low);
        rows.trace_high.extend_from_slice(&from.trace_high);
        rows.span_id.extend_from_slice(&from.span_id);
        rows.parent_id.extend_from_slice(&from.parent_id);
        rows.start_ns.extend_from_slice(&from.start_ns);
        rows.duration_ns.extend_from_slice(&from.duration_ns);
        rows.otlp_flags.extend_from_slice(&from.otlp_flags);
        rows.dropped_attributes.extend_from_slice(&from.dropped_attributes);
        rows.dropped_events.extend_from_slice(&from.dropped_events);
        rows.dropped_links.extend_from_slice(&from.dropped_links);
        rows.kind.extend_from_slice(&from.kind);
        rows.status.extend_from_slice(&from.status);
        rows.source.extend_from_slice(&from.source);
        rows.flags.extend_from_slice(&from.flags);
        rows.name.extend(from.name.iter().map(|code| text(*code)));
        rows.status_message.extend(from.status_message.iter().map(|code| text(*code)));
        rows.tracestate.extend(from.tracestate.iter().map(|code| text(*code)));
        rows.events.extend(from.events.iter().map(|code| text(*code)));
        rows.links.extend(from.links.iter().map(|code| text(*code)));
        rows.local.extend(from.local.iter().map(|number| of(&endpoints, *number)));
        rows.remote.extend(from.remote.iter().map(|number| of(&endpoints, *number)));
        rows.origin.extend(from.origin.iter().map(|number| of(&origins, *number)));
        rows.shape.extend(from.shape.iter().map(|number| of(&shapes, *number)));
        rows.values_at.extend(from.values_at.iter().map(|at| at + values_at));
        self.chunk.event_names.extend(other.event_names.iter().map(|(row, name)| (row + first, text(*name))));
    }

    fn shape(&mut self, shape: &[Key], text: &impl Fn(u32) -> u32) -> u32 {
        if shape.is_empty() {
            return 0;
        }
        let shape: Box<[Key]> = shape.iter().map(|key| key.with_text(text(key.text()))).collect();
        if let Some(known) = self.shapes.get(&shape) {
            return *known;
        }
        let number = self.chunk.shapes.len() as u32;
        self.described_bytes += shape.len() * size_of::<Key>() * 2 + 64;
        self.chunk.shapes.push(shape.clone());
        self.shapes.insert(shape, number);
        number
    }

    fn endpoint(&mut self, endpoint: EndpointCodes, text: &impl Fn(u32) -> u32) -> u32 {
        let endpoint = EndpointCodes { service: text(endpoint.service), ..endpoint };
        if endpoint == EndpointCodes::default() {
            return 0;
        }
        let next = self.chunk.endpoints.len() as u32;
        let number = *self.endpoints.entry(endpoint).or_insert(next);
        if number == next {
            self.described_bytes += 2 * size_of::<EndpointCodes>() + 16;
            self.chunk.endpoints.push(endpoint);
        }
        number
    }

    fn origin(&mut self, origin: &Origin, text: &impl Fn(u32) -> u32) -> u32 {
        let codes = [origin.resource, origin.scope, origin.instance, origin.version].map(text);
        if codes == [0; 4] {
            return 0;
        }
        let next = self.chunk.origins.len() as u32;
        let number = *self.origins.entry(codes).or_insert(next);
        if number == next {
            self.described_bytes += origin.tags.len() * 8 + 96;
            let [resource, scope, instance, version] = codes;
            let tags = origin.tags.iter().map(|(key, value)| (text(*key), text(*value))).collect();
            self.chunk.origins.push(Origin { resource, scope, instance, version, tags });
        }
        number
    }

    /// Bytes in memory, roughly.
    pub fn bytes(&self) -> usize {
        let chunk = &self.chunk;
        chunk.texts.bytes()
            + chunk.rows.len() * super::Columns::ROW_BYTES
            + chunk.values.len() * size_of::<u32>()
            + chunk.event_names.len() * size_of::<(u32, u32)>()
            + self.described_bytes
    }
}
