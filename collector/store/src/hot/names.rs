//! Names seen: services, their operations and the services they call. Small, so that asking for names reads no rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tracepact_model::Span;

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
    pub(crate) fn add(&mut self, row: &Span) {
        if let Some(start) = row.start_ns {
            self.window_ns =
                Some(self.window_ns.map_or((start, start), |(a, b)| (a.min(start), b.max(start))));
        }
        let Some(service) = &row.local.service_name else { return };
        let key = service.to_lowercase();
        if !self.services.contains_key(&key) {
            if self.services.len() >= NAMES_MAX {
                self.cut = true;
                return;
            }
            let names = ServiceNames { written: service.as_ref().to_owned(), ..ServiceNames::default() };
            self.services.insert(key.clone(), names);
        }
        let Some(names) = self.services.get_mut(&key) else { return };
        self.cut |= !insert(&mut names.spans, &row.name);
        if let Some(remote) = &row.remote.service_name {
            self.cut |= !insert(&mut names.remotes, remote);
        }
    }

    /// Adds attribute keys and values of a row; `values_max` bounds the values listed for one key.
    pub(crate) fn add_tags(&mut self, row: &Span, values_max: usize) {
        for (key, value) in row.attributes.iter().chain(&row.resource.attributes) {
            self.cut |= !insert(&mut self.tag_keys, key);
            if self.wide_keys.contains(&**key) {
                continue;
            }
            if !self.tag_values.contains_key(&**key) {
                if self.tag_values.len() >= NAMES_MAX {
                    continue;
                }
                self.tag_values.insert(key.as_ref().to_owned(), BTreeSet::new());
            }
            let Some(values) = self.tag_values.get_mut(&**key) else { continue };
            let text = value.text();
            if !values.contains(&*text) {
                values.insert(text.into_owned());
                if values.len() > values_max {
                    self.tag_values.remove(&**key);
                    self.wide_keys.insert(key.as_ref().to_owned());
                }
            }
        }
    }

    /// Whether anything was seen within the window.
    pub(crate) fn overlaps(&self, start_ns: u64, end_ns: u64) -> bool {
        // Rows without a start do not say when they were.
        self.window_ns.is_none_or(|(first, last)| first <= end_ns && last >= start_ns)
    }
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
