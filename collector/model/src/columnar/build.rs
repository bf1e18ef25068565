//! Filling a chunk row by row, within the limits of a request.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::chunk::{EndpointCodes, Key, NO_DURATION, Origin, Row, SpanChunk, ValueType, row_flags};
use super::details::open_event;
use super::remote::{Remote, Role};
use super::texts::Texts;
use crate::codec::DecodeLimits;
use crate::intern::cut;
use crate::{Kind, StatusCode};

/// Where a key was last seen: in which row, at which place among its attributes.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    row: u32,
    place: u32,
    role: Option<Role>,
    known: bool,
}

/// A chunk under construction. Attributes are given before their row.
#[derive(Debug)]
pub(crate) struct Builder<'l> {
    pub(super) chunk: SpanChunk,
    pub(super) limits: &'l DecodeLimits,
    /// Set once anything was cut; the caller clears it for each row.
    pub(super) truncated: bool,
    shapes: HashMap<Box<[Key]>, u32, RandomState>,
    endpoints: HashMap<EndpointCodes, u32, RandomState>,
    /// By the code of a key's text.
    seen: Vec<Seen>,
    /// Keys of the row's attributes so far.
    keys: Vec<Key>,
    row_number: u32,
    values_at: usize,
    last_shape: u32,
    /// What the row's attributes say about the other side.
    pub(super) remote: Remote,
    pub(super) scratch: String,
}

impl<'l> Builder<'l> {
    /// Room for about so many rows; everything grows when there is more.
    pub(crate) fn new(limits: &'l DecodeLimits, rows: usize) -> Self {
        // A usual row brings two or three texts of its own, and some ten attributes.
        let texts = Texts::with_capacity(rows * 3 + 64, rows * 48 + 1_024);
        let mut chunk = SpanChunk { texts, ..SpanChunk::default() };
        chunk.rows.reserve(rows);
        chunk.values.reserve(rows * 12);
        Self {
            chunk,
            limits,
            truncated: false,
            shapes: HashMap::default(),
            endpoints: HashMap::default(),
            seen: Vec::new(),
            keys: Vec::new(),
            row_number: 1,
            values_at: 0,
            last_shape: 0,
            remote: Remote::default(),
            scratch: String::new(),
        }
    }

    pub(crate) fn finish(self) -> SpanChunk {
        self.chunk
    }

    pub(crate) fn limits(&self) -> &'l DecodeLimits {
        self.limits
    }

    /// Nothing of the next row was cut so far.
    pub(crate) fn begin(&mut self) {
        self.truncated = false;
    }

    pub(crate) fn mark_truncated(&mut self) {
        self.truncated = true;
    }

    /// Appends an event without attributes to the text of the row's events.
    pub(crate) fn annotation(&mut self, at_ns: u64, value: &str, before: usize, out: &mut String) {
        out.push(if before == 0 { '[' } else { ',' });
        let value = self.cut(value);
        let name = self.chunk.texts.code(value);
        let row = self.chunk.len() as u32;
        self.chunk.event_names.push((row, name));
        open_event(at_ns, value, out);
        out.push_str("[],\"dropped\":0}");
    }

    /// The code of a text that has no limit.
    pub(crate) fn whole_text(&mut self, text: &str) -> u32 {
        self.chunk.texts.code(text)
    }

    /// The text within its limit.
    pub(super) fn cut<'t>(&mut self, text: &'t str) -> &'t str {
        let kept = cut(text, self.limits.value_bytes_max);
        self.truncated |= kept.len() < text.len();
        kept
    }

    /// The code of a text, cut to the limit.
    pub(crate) fn text(&mut self, text: &str) -> u32 {
        let kept = self.cut(text);
        self.chunk.texts.code(kept)
    }

    /// The code of a key, noted for redaction.
    pub(crate) fn key(&mut self, text: &str) -> u32 {
        let code = self.text(text);
        let index = code as usize;
        if index >= self.seen.len() {
            self.seen.resize(index + 1, Seen::default());
        }
        if let Some(seen) = self.seen.get_mut(index)
            && !seen.known
        {
            seen.known = true;
            seen.role = Role::of(self.chunk.texts.get(code));
            self.chunk.keys.push(code);
        }
        code
    }

    /// Makes a place for an attribute: for its first value at the end, for a repeated key where it stood. `None` when
    /// the limit of attributes is reached.
    pub(crate) fn place(&mut self, key: u32) -> Option<usize> {
        let seen = self.seen.get_mut(key as usize)?;
        if seen.row == self.row_number {
            return Some(seen.place as usize);
        }
        if self.keys.len() >= self.limits.attributes_max {
            self.truncated = true;
            return None;
        }
        seen.row = self.row_number;
        seen.place = self.keys.len() as u32;
        self.keys.push(Key::new(key, ValueType::Empty));
        self.chunk.values.push(0);
        Some(self.keys.len() - 1)
    }

    /// Sets the value at a place that [`Self::place`] gave.
    pub(crate) fn set(&mut self, place: usize, key: u32, kind: ValueType, value: u32) {
        if let Some(slot) = self.keys.get_mut(place) {
            *slot = Key::new(key, kind);
        }
        if let Some(slot) = self.chunk.values.get_mut(self.values_at + place) {
            *slot = value;
        }
        if let Some(role) = self.seen.get(key as usize).and_then(|seen| seen.role) {
            self.remote.note(role, kind, value);
        }
    }

    /// Adds a tag of Zipkin; of a repeated key the last value counts.
    pub(crate) fn tag(&mut self, key: &str, value: &str, row: &mut Row) {
        let key = self.key(key);
        let value = self.text(value);
        match self.place(key) {
            Some(place) => self.set(place, key, ValueType::Text, value),
            None => row.dropped_attributes = row.dropped_attributes.saturating_add(1),
        }
    }

    /// The number of an endpoint.
    pub(crate) fn endpoint(&mut self, endpoint: EndpointCodes) -> u32 {
        if endpoint == EndpointCodes::default() {
            return 0;
        }
        let next = self.chunk.endpoints.len() as u32;
        let number = *self.endpoints.entry(endpoint).or_insert(next);
        if number == next {
            self.chunk.endpoints.push(endpoint);
        }
        number
    }

    /// The number of a new origin.
    pub(super) fn origin(&mut self, origin: Origin) -> u32 {
        if let Some(known) = self.chunk.origins.iter().rposition(|known| *known == origin) {
            return known as u32;
        }
        self.chunk.origins.push(origin);
        (self.chunk.origins.len() - 1) as u32
    }

    /// The other side, as the row's attributes say it.
    pub(super) fn lifted_remote(&mut self, kind: Kind) -> u32 {
        let remote = self.remote.lift(kind, &self.chunk.texts);
        self.endpoint(remote)
    }

    /// Closes a row with the attributes given since the last one. Its shape, flags for errors and place of values are
    /// filled here.
    pub(crate) fn push(&mut self, mut row: Row) {
        row.shape = self.shape();
        row.values_at = self.values_at as u32;
        let error = row.status == super::chunk::status_number(StatusCode::Error) || self.remote.has_error();
        row.flags |= if error { row_flags::ERROR } else { 0 };
        row.flags |= if self.truncated { row_flags::TRUNCATED } else { 0 };
        self.chunk.rows.push(row);
        self.next_row();
    }

    /// Takes back a row's attributes.
    pub(super) fn discard(&mut self) {
        self.chunk.values.truncate(self.values_at);
        let row = self.chunk.len() as u32;
        while self.chunk.event_names.last().is_some_and(|(of, _)| *of == row) {
            self.chunk.event_names.pop();
        }
        self.next_row();
    }

    fn next_row(&mut self) {
        self.keys.clear();
        self.values_at = self.chunk.values.len();
        self.row_number += 1;
        self.remote.clear();
    }

    fn shape(&mut self) -> u32 {
        if self.keys.is_empty() {
            return 0;
        }
        let same = |number: u32, shapes: &[Box<[Key]>]| {
            shapes.get(number as usize).is_some_and(|shape| **shape == *self.keys)
        };
        if same(self.last_shape, &self.chunk.shapes) {
            return self.last_shape;
        }
        self.last_shape = match self.shapes.get(self.keys.as_slice()) {
            Some(known) => *known,
            None => {
                let number = self.chunk.shapes.len() as u32;
                let shape: Box<[Key]> = self.keys.as_slice().into();
                self.chunk.shapes.push(shape.clone());
                self.shapes.insert(shape, number);
                number
            }
        };
        self.last_shape
    }

    /// A row without anything.
    pub(super) fn empty_row() -> Row {
        Row { duration_ns: NO_DURATION, ..Row::default() }
    }
}
