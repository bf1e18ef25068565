//! What is different about some traces: the attributes whose share among them differs most from their share among the
//! others.
//!
//! Counted are traces, not spans: a trace has an attribute when any of its spans has it, so that a long trace weighs as
//! much as a short one. Attributes of nearly as many values as traces (ids, times) tell nothing and are named apart.

use std::collections::{BTreeMap, HashMap, HashSet};

use tracepact_model::{Kind, Span};

/// Most different pairs of key and value that are counted; further ones are not, and it is said.
const PAIRS_MAX: usize = 200_000;
/// Longest value that is counted, in bytes; longer ones differ in their beginning or not at all.
const VALUE_BYTES_MAX: usize = 200;
/// A key with more values than this share of the traces that have it is taken for an id, once there are enough to tell.
const DISTINCT_SHARE_MAX: f64 = 0.5;
const DISTINCT_TRACES_MIN: u64 = 20;

/// Where an attribute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// What every span says: `service`, `name`, `kind`, `remote_service`.
    Intrinsic,
    /// On the span.
    Span,
    /// On its resource.
    Resource,
}

/// Traces that have an attribute, among those selected and among the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where it stands.
    pub level: Level,
    /// The key.
    pub key: String,
    /// The value's text.
    pub value: String,
    /// Selected traces that have it.
    pub selected: u64,
    /// Other traces that have it.
    pub rest: u64,
    /// Share of the selected, 0 to 1.
    pub selected_share: f64,
    /// Share of the rest, 0 to 1; 0 when there is no rest.
    pub rest_share: f64,
}

impl Difference {
    /// Selected share less the rest's: 1 when all of the selected and none of the others have it.
    pub fn difference(&self) -> f64 {
        self.selected_share - self.rest_share
    }
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Compared {
    /// Traces selected.
    pub selected: u64,
    /// The others.
    pub rest: u64,
    /// The most different first, whichever way.
    pub differences: Vec<Difference>,
    /// Keys with a value of their own in nearly every trace.
    pub left_out: Vec<String>,
    /// Whether there were more different values than are counted.
    pub cut: bool,
}

/// Counts traces on both sides.
#[derive(Debug, Default)]
pub struct Comparison {
    traces: [u64; 2],
    keys: HashMap<(Level, String), Values>,
    pairs: usize,
    cut: bool,
}

#[derive(Debug, Default)]
struct Values {
    counts: HashMap<String, [u64; 2]>,
    /// Traces that have the key.
    traces: u64,
}

impl Comparison {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one trace, by the spans of it that matter.
    pub fn add<'s>(&mut self, selected: bool, spans: impl IntoIterator<Item = &'s Span>) {
        let side = usize::from(!selected);
        self.traces[side] += 1;
        let mut seen: HashSet<(Level, &str, String)> = HashSet::new();
        let mut keys: HashSet<(Level, &str)> = HashSet::new();
        for span in spans {
            each(span, |level, key, value| {
                keys.insert((level, key));
                seen.insert((level, key, value.to_owned()));
            });
        }
        for (level, key, value) in seen {
            let values = self.keys.entry((level, key.to_owned())).or_default();
            if let Some(counts) = values.counts.get_mut(&value) {
                counts[side] += 1;
            } else if self.pairs < PAIRS_MAX {
                self.pairs += 1;
                values.counts.entry(value).or_default()[side] += 1;
            } else {
                self.cut = true;
            }
        }
        for (level, key) in keys {
            if let Some(values) = self.keys.get_mut(&(level, key.to_owned())) {
                values.traces += 1;
            }
        }
    }

    /// The `most` greatest differences.
    pub fn rank(self, most: usize) -> Compared {
        let [selected, rest] = self.traces;
        let share = |count: u64, of: u64| if of == 0 { 0.0 } else { count as f64 / of as f64 };
        let mut left_out: BTreeMap<String, ()> = BTreeMap::new();
        let mut differences = Vec::new();
        for ((level, key), values) in self.keys {
            let distinct = values.counts.len() as f64;
            if values.traces >= DISTINCT_TRACES_MIN && distinct > DISTINCT_SHARE_MAX * values.traces as f64 {
                left_out.insert(key, ());
                continue;
            }
            differences.extend(values.counts.into_iter().map(|(value, [in_selected, in_rest])| Difference {
                level,
                key: key.clone(),
                value,
                selected: in_selected,
                rest: in_rest,
                selected_share: share(in_selected, selected),
                rest_share: share(in_rest, rest),
            }));
        }
        // Equal differences in a fixed order: the better supported first, then by name.
        differences.sort_by(|a, b| {
            let by = |one: &Difference| one.difference().abs();
            by(b)
                .total_cmp(&by(a))
                .then(b.selected.cmp(&a.selected))
                .then_with(|| (a.level, &a.key, &a.value).cmp(&(b.level, &b.key, &b.value)))
        });
        differences.retain(|one| one.difference() != 0.0);
        differences.truncate(most);
        let left_out = left_out.into_keys().collect();
        Compared { selected, rest, differences, left_out, cut: self.cut }
    }
}

/// Calls `add` for everything that is compared of a span.
fn each<'s>(span: &'s Span, mut add: impl FnMut(Level, &'s str, &str)) {
    let kind = match span.kind {
        Kind::Unset => "",
        Kind::Internal => "internal",
        Kind::Server => "server",
        Kind::Client => "client",
        Kind::Producer => "producer",
        Kind::Consumer => "consumer",
    };
    let service = span.local.service_name.as_deref().unwrap_or("");
    let remote = span.remote.service_name.as_deref().unwrap_or("");
    for (key, value) in
        [("service", service), ("name", &span.name), ("kind", kind), ("remote_service", remote)]
    {
        if !value.is_empty() {
            add(Level::Intrinsic, key, start_of(value));
        }
    }
    for (level, attributes) in [(Level::Span, &span.attributes), (Level::Resource, &span.resource.attributes)]
    {
        for (key, value) in attributes {
            add(level, key, start_of(&value.text()));
        }
    }
}

fn start_of(value: &str) -> &str {
    let mut end = value.len().min(VALUE_BYTES_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

#[cfg(test)]
mod tests;
