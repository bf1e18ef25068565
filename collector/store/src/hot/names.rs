//! Names seen: services, their operations and the services they call. Small, so that asking for names reads no rows.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};
use tracepact_model::SpanChunk;

/// Most services, and most names within one service. Beyond, answers say that they are cut.
pub(crate) const NAMES_MAX: usize = 10_000;

/// Names of one part of the store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct NameIndex {
    /// By lower-case service name.
    pub(crate) services: BTreeMap<String, ServiceNames>,
    /// Attribute keys, filled when a block is sealed.
    pub(crate) tag_keys: BTreeSet<String>,
    /// Values of keys with few values, filled when a block is sealed.
    pub(crate) tag_values: BTreeMap<String, BTreeSet<String>>,
    /// Keys with more values than are listed.
    pub(crate) wide_keys: BTreeSet<String>,
    /// Earliest and latest start.
    pub(crate) window_ns: Option<(u64, u64)>,
    /// Names were left out.
    pub(crate) cut: bool,
}

/// Names within one service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceNames {
    /// The service as it was first written.
    pub(crate) written: String,
    /// Operations.
    pub(crate) spans: BTreeSet<String>,
    /// Services on the other side.
    pub(crate) remotes: BTreeSet<String>,
}

impl NameIndex {
    /// Adds the names of services and operations of some rows of a chunk, and when these began.
    pub(crate) fn add_rows(&mut self, chunk: &SpanChunk, rows: impl Iterator<Item = usize>) {
        let mut seen: HashSet<(u32, u32, u32), RandomState> = HashSet::default();
        let mut last = None;
        for row in rows {
            if let Some(start) = chunk.start_ns(row) {
                let (first, last) = self.window_ns.unwrap_or((start, start));
                self.window_ns = Some((first.min(start), last.max(start)));
            }
            let names = (chunk.rows.local[row], chunk.rows.name[row], chunk.rows.remote[row]);
            if last != Some(names) && seen.insert(names) {
                self.add(chunk, names);
            }
            last = Some(names);
        }
    }

    /// Adds the key of an attribute.
    pub(crate) fn list_key(&mut self, key: &str) {
        self.cut |= !insert(&mut self.tag_keys, key);
    }

    fn add(&mut self, chunk: &SpanChunk, (local, name, remote): (u32, u32, u32)) {
        let service = |endpoint: u32| {
            chunk.endpoints.get(endpoint as usize).map_or("", |endpoint| chunk.texts.get(endpoint.service))
        };
        self.add_names(service(local), chunk.texts.get(name), service(remote));
    }

    fn add_names(&mut self, written: &str, name: &str, remote: &str) {
        if written.is_empty() {
            return;
        }
        let key = written.to_lowercase();
        if !self.services.contains_key(&key) {
            if self.services.len() >= NAMES_MAX {
                self.cut = true;
                return;
            }
            let names = ServiceNames { written: written.to_owned(), ..ServiceNames::default() };
            self.services.insert(key.clone(), names);
        }
        let Some(names) = self.services.get_mut(&key) else { return };
        self.cut |= !insert(&mut names.spans, name);
        self.cut |= !insert(&mut names.remotes, remote);
    }

    /// Adds the keys of the attributes and resources of some rows of a chunk.
    pub(crate) fn add_keys(&mut self, chunk: &SpanChunk, rows: impl Iterator<Item = usize>) {
        let (mut shapes, mut origins) = (vec![false; chunk.shapes.len()], vec![false; chunk.origins.len()]);
        for row in rows {
            mark(&mut shapes, chunk.rows.shape[row]);
            mark(&mut origins, chunk.rows.origin[row]);
        }
        let keys = marked(&chunk.shapes, &shapes).flat_map(|shape| shape.iter().map(|key| key.text()));
        let of_origins = marked(&chunk.origins, &origins);
        let resources = of_origins.flat_map(|origin| origin.tags.iter().map(|(key, _)| *key));
        let keys: HashSet<u32, RandomState> = keys.chain(resources).collect();
        for key in keys {
            self.cut |= !insert(&mut self.tag_keys, chunk.texts.get(key));
        }
    }

    /// Adds the values of one key over some rows of a chunk.
    pub(crate) fn add_values(
        &mut self,
        chunk: &SpanChunk,
        rows: impl Iterator<Item = usize>,
        key: &str,
        values_max: usize,
    ) {
        let Some(code) = chunk.texts.find(key) else { return };
        let places: Vec<Option<usize>> =
            chunk.shapes.iter().map(|shape| shape.iter().position(|known| known.text() == code)).collect();
        let mut values: HashSet<u32, RandomState> = HashSet::default();
        let mut origins = vec![false; chunk.origins.len()];
        for row in rows {
            mark(&mut origins, chunk.rows.origin[row]);
            let Some(Some(place)) = places.get(chunk.rows.shape[row] as usize) else { continue };
            values.extend(chunk.values.get(chunk.rows.values_at[row] as usize + place));
            if values.len() > values_max {
                break;
            }
        }
        let tags = marked(&chunk.origins, &origins).flat_map(|origin| &origin.tags);
        values.extend(tags.filter(|(of, _)| *of == code).map(|(_, value)| *value));
        if values.len() > values_max {
            self.tag_values.remove(key);
            self.wide_keys.insert(key.to_owned());
        } else if !values.is_empty() {
            let texts = values.into_iter().map(|value| chunk.texts.get(value).to_owned());
            self.tag_values.entry(key.to_owned()).or_default().extend(texts);
        }
    }

    /// Whether anything was seen within the window.
    pub(crate) fn overlaps(&self, start_ns: u64, end_ns: u64) -> bool {
        // Rows without a start do not say when they were.
        self.window_ns.is_none_or(|(first, last)| first <= end_ns && last >= start_ns)
    }
}

fn mark(marks: &mut [bool], number: u32) {
    if let Some(mark) = marks.get_mut(number as usize) {
        *mark = true;
    }
}

fn marked<'l, T>(list: &'l [T], marks: &'l [bool]) -> impl Iterator<Item = &'l T> {
    list.iter().zip(marks).filter(|(_, mark)| **mark).map(|(one, _)| one)
}

/// `false` when the set is full.
fn insert(set: &mut BTreeSet<String>, name: &str) -> bool {
    if name.is_empty() || set.contains(name) {
        return true;
    }
    if set.len() >= NAMES_MAX {
        return false;
    }
    set.insert(name.to_owned())
}
