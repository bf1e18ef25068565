//! The words under which traces are found in a block's index, as hashes. A collision costs a look at rows.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::RandomState;
use roaring::RoaringBitmap;
use tracepact_model::columnar::{Key, Origin, Texts, ValueType, details, row_flags};

use super::encode::{NULL, TextCodes};
use super::sorted::Sorted;
use crate::Predicate;
use crate::hot::names::NameIndex;
use crate::hot::status_tag;

/// Terms of at most so many traces are kept as pairs of hash and trace, others as a bitmap each.
const FEW: usize = 8;
/// Values listed for one tag.
const TAG_VALUES_MAX: usize = 1_000;

/// A hash that stays the same on disk.
fn hash(kind: u8, parts: &[&str]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = u64::from(kind).wrapping_mul(FACTOR);
    let mut eat = |word: u64| {
        let mixed = (state ^ word).wrapping_mul(FACTOR);
        state = mixed ^ (mixed >> 32);
    };
    for part in parts {
        eat(part.len() as u64);
        let (words, rest) = part.as_bytes().as_chunks::<8>();
        words.iter().for_each(|word| eat(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        eat(u64::from_le_bytes(last));
    }
    state = state.wrapping_mul(0xd6e8_feb8_6659_fd93);
    state ^ (state >> 32)
}

/// The term of a condition (names lowered); `None` when the index does not know it.
pub(crate) fn of_predicate(predicate: &Predicate) -> Option<u64> {
    Some(match predicate {
        Predicate::Service(name) => hash(b's', &[name]),
        Predicate::RemoteService(name) => hash(b'r', &[name]),
        Predicate::Name(name) => hash(b'n', &[name]),
        Predicate::Tag(key, value) => hash(b't', &[key, value]),
        Predicate::AnnotationOrKey(text) => hash(b'k', &[text]),
        Predicate::Error => hash(b'e', &[]),
        Predicate::Duration { .. } => return None,
    })
}

/// The term of rows of a service (lower case) that failed, or that have an annotation or a key `error`.
pub(crate) fn of_failed(service: &str) -> u64 {
    hash(b'f', &[service])
}

/// Collects the terms of a block, and the names that it lists.
#[derive(Debug, Default)]
pub(crate) struct TermBuilder {
    /// Sorted and distinct once [`Self::finish`] was called.
    pub(crate) wide: Vec<(u64, RoaringBitmap)>,
    pub(crate) few: Vec<(u64, u32)>,
    pub(crate) names: NameIndex,
    postings: Postings,
}

/// Traces by code, counted out into one list.
#[derive(Debug, Default)]
struct Postings {
    starts: Vec<u32>,
    last: Vec<u32>,
    traces: Vec<u32>,
}

impl Postings {
    /// Takes the code of each row, in the order of traces.
    fn fill(&mut self, codes: &[u32], distinct: usize, trace_of: &[u32]) {
        self.starts.clear();
        self.starts.resize(distinct + 1, 0);
        self.last.clear();
        self.last.resize(distinct, NULL);
        for (code, trace) in codes.iter().zip(trace_of) {
            if let Some(last) = self.last.get_mut(*code as usize)
                && *last != *trace
            {
                *last = *trace;
                self.starts[*code as usize + 1] += 1;
            }
        }
        for code in 0..distinct {
            self.starts[code + 1] += self.starts[code];
        }
        self.traces.clear();
        self.traces.resize(self.starts[distinct] as usize, 0);
        let mut next = self.starts.clone();
        self.last.fill(NULL);
        for (code, trace) in codes.iter().zip(trace_of) {
            if let Some(last) = self.last.get_mut(*code as usize)
                && *last != *trace
            {
                *last = *trace;
                let slot = &mut next[*code as usize];
                self.traces[*slot as usize] = *trace;
                *slot += 1;
            }
        }
    }

    fn of(&self, code: usize) -> &[u32] {
        &self.traces[self.starts[code] as usize..self.starts[code + 1] as usize]
    }
}

impl TermBuilder {
    fn add(&mut self, term: u64, traces: &[u32]) {
        if traces.len() <= FEW {
            self.few.extend(traces.iter().map(|trace| (term, *trace)));
        } else {
            self.wide.push((term, traces.iter().copied().collect()));
        }
    }

    fn add_bitmap(&mut self, term: u64, traces: RoaringBitmap) {
        if traces.len() <= FEW as u64 {
            self.few.extend(traces.iter().map(|trace| (term, trace)));
        } else {
            self.wide.push((term, traces));
        }
    }

    /// Adds the tags of one attribute's column.
    pub(crate) fn tags(&mut self, texts: &Texts, key: Key, codes: &TextCodes, trace_of: &[u32]) {
        let mut postings = std::mem::take(&mut self.postings);
        postings.fill(&codes.codes, codes.distinct.len(), trace_of);
        for (code, value) in codes.distinct.iter().enumerate() {
            self.tag_term(texts, key, *value, postings.of(code));
        }
        self.postings = postings;
        self.list_values(texts.get(key.text()), codes.distinct.iter().map(|value| texts.get(*value)));
    }

    /// Adds one tag.
    pub(crate) fn tag(&mut self, texts: &Texts, key: Key, value: u32, traces: &[u32]) {
        self.tag_term(texts, key, value, traces);
        self.list_values(texts.get(key.text()), std::iter::once(texts.get(value)));
    }

    fn tag_term(&mut self, texts: &Texts, key: Key, value: u32, traces: &[u32]) {
        let (name, text) = (texts.get(key.text()), texts.get(value));
        let term = match key.kind() {
            // Searched for by their plain JSON.
            ValueType::Nested => match details::read_value(text) {
                Ok(value) => hash(b't', &[name, &value.text()]),
                Err(_) => return,
            },
            _ => hash(b't', &[name, text]),
        };
        self.add(term, traces);
    }

    fn list_values<'t>(&mut self, key: &str, values: impl Iterator<Item = &'t str>) {
        if self.names.wide_keys.contains(key) {
            return;
        }
        let mut known: BTreeSet<String> = self.names.tag_values.remove(key).unwrap_or_default();
        for value in values {
            if !known.contains(value) {
                known.insert(value.to_owned());
            }
            if known.len() > TAG_VALUES_MAX {
                self.names.wide_keys.insert(key.to_owned());
                return;
            }
        }
        self.names.tag_values.insert(key.to_owned(), known);
    }

    /// Adds everything but the tags of attributes.
    pub(crate) fn rows(&mut self, sorted: &Sorted<'_>) {
        let chunk = sorted.chunk;
        let rows = &chunk.rows;
        let texts = &chunk.texts;
        let service = |endpoint: u32| chunk.endpoints[endpoint as usize].service;
        let local = sorted.column(&rows.local).map(service).collect::<Vec<_>>();
        let remote = sorted.column(&rows.remote).map(service).collect::<Vec<_>>();
        let names = sorted.column(&rows.name).collect::<Vec<_>>();
        for (kind, column, with_empty) in [(b's', local, false), (b'r', remote, false), (b'n', names, true)] {
            let mut codes = TextCodes::default();
            codes.fill(texts, column.into_iter().map(|text| (with_empty || text != 0).then_some(text)));
            let mut postings = std::mem::take(&mut self.postings);
            postings.fill(&codes.codes, codes.distinct.len(), &sorted.trace_of);
            for (code, text) in codes.distinct.iter().enumerate() {
                self.add(hash(kind, &[&texts.get(*text).to_lowercase()]), postings.of(code));
            }
            self.postings = postings;
        }
        let shapes = self.by_number(sorted, &rows.shape, chunk.shapes.len());
        let origins = self.by_number(sorted, &rows.origin, chunk.origins.len());
        let mut keys: HashMap<u32, RoaringBitmap, RandomState> = HashMap::default();
        for (shape, traces) in chunk.shapes.iter().zip(&shapes).filter(|(_, traces)| !traces.is_empty()) {
            for key in shape {
                *keys.entry(key.text()).or_default() |= traces;
            }
        }
        let mut tags: HashMap<(u32, u32), RoaringBitmap, RandomState> = HashMap::default();
        for (origin, traces) in chunk.origins.iter().zip(&origins).filter(|(_, traces)| !traces.is_empty()) {
            for (key, value) in &origin.tags {
                *keys.entry(*key).or_default() |= traces;
                *tags.entry((*key, *value)).or_default() |= traces;
            }
        }
        for (key, traces) in keys {
            self.names.list_key(texts.get(key));
            self.add_bitmap(hash(b'k', &[texts.get(key)]), traces);
        }
        for ((key, value), traces) in tags {
            self.list_values(texts.get(key), std::iter::once(texts.get(value)));
            self.add_bitmap(hash(b't', &[texts.get(key), texts.get(value)]), traces);
        }
        self.marks(sorted);
        self.events(sorted);
        self.names.add_rows(chunk, sorted.rows.iter().map(|row| *row as usize));
    }

    fn by_number(&mut self, sorted: &Sorted<'_>, numbers: &[u32], count: usize) -> Vec<RoaringBitmap> {
        let numbers: Vec<u32> = sorted.column(numbers).collect();
        self.postings.fill(&numbers, count, &sorted.trace_of);
        (0..count).map(|number| self.postings.of(number).iter().copied().collect()).collect()
    }

    /// Failure, and the tags that an OTLP status becomes.
    fn marks(&mut self, sorted: &Sorted<'_>) {
        let rows = &sorted.chunk.rows;
        let error = sorted.chunk.texts.find("error");
        let events = sorted.chunk.event_names.iter().filter(|(_, name)| Some(*name) == error);
        let told: HashSet<u32, RandomState> = events.map(|(row, _)| *row).collect();
        let with_error = |origin: &Origin| origin.tags.iter().any(|(key, _)| Some(*key) == error);
        let origins: Vec<bool> = sorted.chunk.origins.iter().map(with_error).collect();
        let mut found: HashMap<u64, Vec<u32>, RandomState> = HashMap::default();
        for (row, trace) in sorted.rows.iter().zip(&sorted.trace_of) {
            let row = *row as usize;
            let mut note = |term: u64| {
                let traces = found.entry(term).or_default();
                if traces.last() != Some(trace) {
                    traces.push(*trace);
                }
            };
            let failed = rows.flags[row] & row_flags::ERROR != 0;
            if failed {
                note(hash(b'e', &[]));
            }
            if failed || told.contains(&(row as u32)) || origins[rows.origin[row] as usize] {
                let service = sorted.chunk.endpoints[rows.local[row] as usize].service;
                if service != 0 {
                    note(of_failed(&sorted.chunk.texts.get(service).to_lowercase()));
                }
            }
            if rows.status[row] == 0 {
                continue;
            }
            for key in ["error", "otel.status_code"] {
                if let Some(value) = status_tag(sorted.chunk, row, key) {
                    note(hash(b'k', &[key]));
                    note(hash(b't', &[key, value]));
                }
            }
        }
        found.into_iter().for_each(|(term, traces)| self.add(term, &traces));
    }

    fn events(&mut self, sorted: &Sorted<'_>) {
        let chunk = sorted.chunk;
        if chunk.event_names.is_empty() {
            return;
        }
        let mut trace_of = vec![NULL; chunk.len()];
        for (row, trace) in sorted.rows.iter().zip(&sorted.trace_of) {
            trace_of[*row as usize] = *trace;
        }
        let mut found: HashMap<u32, RoaringBitmap, RandomState> = HashMap::default();
        for (row, name) in &chunk.event_names {
            if let Some(trace) = trace_of.get(*row as usize).filter(|trace| **trace != NULL) {
                found.entry(*name).or_default().insert(*trace);
            }
        }
        for (name, traces) in found {
            self.add_bitmap(hash(b'k', &[chunk.texts.get(name)]), traces);
        }
    }

    /// Puts everything in order; terms that were added more than once become one.
    pub(crate) fn finish(&mut self) {
        self.wide.sort_unstable_by_key(|(term, _)| *term);
        let mut merged: Vec<(u64, RoaringBitmap)> = Vec::with_capacity(self.wide.len());
        for (term, traces) in self.wide.drain(..) {
            match merged.last_mut() {
                Some((last, known)) if *last == term => *known |= traces,
                _ => merged.push((term, traces)),
            }
        }
        for (_, traces) in &mut merged {
            traces.optimize();
        }
        self.wide = merged;
        self.few.sort_unstable();
        self.few.dedup();
    }
}
