//! Many chunks as one: rows of a run of requests under one dictionary. No text is hashed again.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Texts;
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

    /// Appends all rows of `other`, in their order. Of what it describes only that comes along of which a row speaks.
    pub fn absorb(&mut self, other: &SpanChunk) {
        let first = self.chunk.rows.len() as u32;
        let from = &other.rows;
        let shape_of = Known::of(&from.shape, other.shapes.len());
        let local_of = Known::of(&from.local, other.endpoints.len()).and(&from.remote);
        let origin_of = Known::of(&from.origin, other.origins.len());
        let mut texts = Adopted { from: &other.texts, codes: vec![NONE; other.texts.len()] };

        let shapes = shape_of.map(&other.shapes, |shape| self.shape(shape, &mut texts));
        let endpoints = local_of.map(&other.endpoints, |endpoint| self.endpoint(*endpoint, &mut texts));
        let origins = origin_of.map(&other.origins, |origin| self.origin(origin, &mut texts));
        let of = |list: &[u32], number: u32| list.get(number as usize).copied().unwrap_or(0);

        let SpanChunk { texts: into, rows, values, event_names, .. } = &mut self.chunk;
        for row in 0..from.len() {
            rows.values_at.push(values.len() as u32);
            values.extend(other.attributes(row).map(|(_, value)| texts.code(value, into)));
        }
        let mut text = |code: &u32| texts.code(*code, into);
        rows.name.extend(from.name.iter().map(&mut text));
        rows.status_message.extend(from.status_message.iter().map(&mut text));
        rows.tracestate.extend(from.tracestate.iter().map(&mut text));
        rows.events.extend(from.events.iter().map(&mut text));
        rows.links.extend(from.links.iter().map(&mut text));
        event_names.extend(other.event_names.iter().map(|(row, name)| (row + first, text(name))));
        rows.local.extend(from.local.iter().map(|number| of(&endpoints, *number)));
        rows.remote.extend(from.remote.iter().map(|number| of(&endpoints, *number)));
        rows.origin.extend(from.origin.iter().map(|number| of(&origins, *number)));
        rows.shape.extend(from.shape.iter().map(|number| of(&shapes, *number)));
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
    }

    fn shape(&mut self, shape: &[Key], texts: &mut Adopted<'_>) -> u32 {
        if shape.is_empty() {
            return 0;
        }
        let code = |key: &Key| key.with_text(texts.code(key.text(), &mut self.chunk.texts));
        let shape: Box<[Key]> = shape.iter().map(code).collect();
        if let Some(known) = self.shapes.get(&shape) {
            return *known;
        }
        let number = self.chunk.shapes.len() as u32;
        self.described_bytes += shape.len() * size_of::<Key>() * 2 + 64;
        self.chunk.shapes.push(shape.clone());
        self.shapes.insert(shape, number);
        number
    }

    fn endpoint(&mut self, endpoint: EndpointCodes, texts: &mut Adopted<'_>) -> u32 {
        let service = texts.code(endpoint.service, &mut self.chunk.texts);
        let endpoint = EndpointCodes { service, ..endpoint };
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

    fn origin(&mut self, origin: &Origin, texts: &mut Adopted<'_>) -> u32 {
        let mut text = |code: u32| texts.code(code, &mut self.chunk.texts);
        let codes = [origin.resource, origin.scope, origin.instance, origin.version].map(&mut text);
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

/// Stands for what did not come along yet.
const NONE: u32 = u32::MAX;

/// Texts of a chunk that is taken in, by their codes here.
struct Adopted<'c> {
    from: &'c Texts,
    codes: Vec<u32>,
}

impl Adopted<'_> {
    fn code(&mut self, code: u32, into: &mut Texts) -> u32 {
        let Some(known) = self.codes.get_mut(code as usize) else { return 0 };
        if *known == NONE {
            *known = into.adopt(self.from, code);
        }
        *known
    }
}

/// Which numbers occur in a column.
struct Known(Vec<bool>);

impl Known {
    fn of(column: &[u32], numbers: usize) -> Self {
        Self(vec![false; numbers]).and(column)
    }

    fn and(mut self, column: &[u32]) -> Self {
        for number in column {
            if let Some(known) = self.0.get_mut(*number as usize) {
                *known = true;
            }
        }
        self
    }

    /// The new number of each of `list` that occurs.
    fn map<T>(&self, list: &[T], mut number: impl FnMut(&T) -> u32) -> Vec<u32> {
        list.iter().zip(&self.0).map(|(one, known)| if *known { number(one) } else { 0 }).collect()
    }
}
