//! Rate, errors and durations, straight from the codes of a chunk.
//!
//! What a service handled (spans of kind SERVER and CONSUMER) is counted under its operation, its version and its
//! instance; what it called (CLIENT and PRODUCER, with the other side's name) under the edge. A fragment that does not
//! say how long it took is not counted: the one that does is.

mod histogram;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use tracepact_model::columnar::{NO_DURATION, row_flags};
use tracepact_model::{Kind, SpanChunk};

pub use histogram::{DurationHistogram, SCALE as HISTOGRAM_SCALE};

/// Most keys of one dimension; what is beyond counts under [`RedKey::other`].
pub const RED_KEYS_MAX: usize = 2_000;
/// Longest name that is a key of its own.
const NAME_BYTES_MAX: usize = 256;

/// What requests are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// Service and operation.
    Operation,
    /// Service and `service.version`.
    Version,
    /// Service and `service.instance.id`.
    Instance,
    /// Calling service and called one, as the caller names it.
    Edge,
}

impl Dimension {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Operation, Self::Version, Self::Instance, Self::Edge];
}

/// One row's key: two names, empty when they are not known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RedKey {
    /// By what.
    pub dimension: Dimension,
    /// The service; of an edge the calling one.
    pub service: Arc<str>,
    /// Operation, version, instance or called service.
    pub name: Arc<str>,
    /// Whether it stands for all that there were too many of.
    pub other: bool,
}

impl RedKey {
    /// The row of what there is too much of.
    pub fn other(dimension: Dimension) -> Self {
        Self { dimension, service: "".into(), name: "".into(), other: true }
    }
}

/// A trace that stands for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exemplar {
    /// Its id.
    pub trace_id: u128,
    /// How long the span took.
    pub duration_ns: u64,
    /// The log record that brought it; 0 before it has one.
    pub lsn: u64,
}

/// Counts of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RedRow {
    /// Spans that failed.
    pub errors: u64,
    /// Durations together.
    pub sum_ns: u64,
    /// Durations; their number is that of all spans.
    pub durations: DurationHistogram,
    /// The slowest span.
    pub slowest: Option<Exemplar>,
    /// The slowest that failed.
    pub failed: Option<Exemplar>,
}

impl RedRow {
    /// Adds all of another row.
    pub fn merge(&mut self, other: &Self) {
        self.errors = self.errors.saturating_add(other.errors);
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.durations.merge(&other.durations);
        self.slowest = slower(self.slowest, other.slowest);
        self.failed = slower(self.failed, other.failed);
    }

    /// Forgets the exemplars that `gone` accepts; whether there was one.
    pub fn forget(&mut self, gone: impl Fn(&Exemplar) -> bool) -> bool {
        let mut found = false;
        for exemplar in [&mut self.slowest, &mut self.failed] {
            if exemplar.as_ref().is_some_and(&gone) {
                *exemplar = None;
                found = true;
            }
        }
        found
    }
}

/// Of two the slower, the first of equals by its trace, so that the order of arrival does not matter.
fn slower(a: Option<Exemplar>, b: Option<Exemplar>) -> Option<Exemplar> {
    let rank = |exemplar: &Exemplar| (exemplar.duration_ns, std::cmp::Reverse(exemplar.trace_id));
    a.into_iter().chain(b).max_by_key(rank)
}

/// Counts by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RedCounts {
    rows: HashMap<RedKey, RedRow, RandomState>,
    /// Number of keys of each dimension.
    keys: [usize; Dimension::ALL.len()],
}

impl RedCounts {
    /// Counts the rows of a chunk. Those at the positions in `rejected`, which is sorted, are not kept: they count, and
    /// stand for no others.
    pub fn of(chunk: &SpanChunk, rejected: &[u32]) -> Self {
        let columns = &chunk.rows;
        let mut found: Vec<((Dimension, u32, u32), RedRow)> = Vec::new();
        let mut places: HashMap<(Dimension, u32, u32), usize, RandomState> = HashMap::default();
        for row in 0..columns.len() {
            let duration_ns = columns.duration_ns[row];
            let kind = Kind::from_number(columns.kind[row]);
            if duration_ns == NO_DURATION || matches!(kind, Kind::Unset | Kind::Internal) {
                continue;
            }
            let service =
                |endpoint: u32| chunk.endpoints.get(endpoint as usize).map_or(0, |codes| codes.service);
            let local = service(columns.local[row]);
            let kept = rejected.binary_search(&(row as u32)).is_err();
            let exemplar = kept.then(|| Exemplar {
                trace_id: u128::from(columns.trace_high[row]) << 64 | u128::from(columns.trace_low[row]),
                duration_ns,
                lsn: 0,
            });
            let failed = columns.flags[row] & row_flags::ERROR != 0;
            let mut count = |key: (Dimension, u32, u32)| {
                let place = *places.entry(key).or_insert_with(|| {
                    found.push((key, RedRow::default()));
                    found.len() - 1
                });
                let counts = &mut found[place].1;
                counts.errors += u64::from(failed);
                counts.sum_ns = counts.sum_ns.saturating_add(duration_ns);
                counts.durations.add(duration_ns);
                counts.slowest = slower(counts.slowest, exemplar);
                if failed {
                    counts.failed = slower(counts.failed, exemplar);
                }
            };
            if matches!(kind, Kind::Client | Kind::Producer) {
                let remote = service(columns.remote[row]);
                if remote != 0 {
                    count((Dimension::Edge, local, remote));
                }
                continue;
            }
            count((Dimension::Operation, local, columns.name[row]));
            let origin = chunk.origins.get(columns.origin[row] as usize);
            let (version, instance) = origin.map_or((0, 0), |origin| (origin.version, origin.instance));
            count((Dimension::Version, local, version));
            count((Dimension::Instance, local, instance));
        }
        let mut counts = Self::default();
        for ((dimension, service, name), row) in found {
            let (service, name) = (chunk.texts.get(service), chunk.texts.get(name));
            let key = if service.len().max(name.len()) > NAME_BYTES_MAX {
                RedKey::other(dimension)
            } else {
                RedKey { dimension, service: service.into(), name: name.into(), other: false }
            };
            counts.add(&key, &row);
        }
        counts
    }

    /// Adds a row; to that of all others when there are as many keys as there may be.
    pub fn add(&mut self, key: &RedKey, row: &RedRow) {
        if let Some(known) = self.rows.get_mut(key) {
            return known.merge(row);
        }
        let keys = &mut self.keys[key.dimension as usize];
        if *keys >= RED_KEYS_MAX && !key.other {
            return self.rows.entry(RedKey::other(key.dimension)).or_default().merge(row);
        }
        *keys += usize::from(!key.other);
        self.rows.insert(key.clone(), row.clone());
    }

    /// Adds all counts of another.
    pub fn merge(&mut self, other: &Self) {
        other.rows.iter().for_each(|(key, row)| self.add(key, row));
    }

    /// Says which log record brought what is counted.
    pub fn brought_by(&mut self, lsn: u64) {
        for row in self.rows.values_mut() {
            row.slowest.iter_mut().chain(&mut row.failed).for_each(|exemplar| exemplar.lsn = lsn);
        }
    }

    /// Forgets the exemplars that `gone` accepts; whether there was one.
    pub fn forget(&mut self, gone: impl Fn(&Exemplar) -> bool) -> bool {
        self.rows.values_mut().fold(false, |found, row| row.forget(&gone) | found)
    }

    /// All rows, in no order.
    pub fn rows(&self) -> impl Iterator<Item = (&RedKey, &RedRow)> {
        self.rows.iter()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tracepact_base::{SpanId, TraceId};
    use tracepact_model::{Span, Value};

    use super::*;

    fn span(trace: u128, kind: Kind, service: &str, duration_ns: Option<u64>) -> Span {
        let mut span = Span::new(TraceId::new(trace).unwrap(), SpanId::new(1).unwrap());
        span.kind = kind;
        span.name = "get /".into();
        span.local.service_name = Some(service.into());
        span.duration_ns = duration_ns;
        span
    }

    fn key(dimension: Dimension, service: &str, name: &str) -> RedKey {
        RedKey { dimension, service: service.into(), name: name.into(), other: false }
    }

    #[test]
    fn what_is_handled_counts_by_operation_version_and_instance_and_calls_by_edge() {
        let mut server = span(1, Kind::Server, "orders", Some(1_000));
        server.version = Some("2.0".into());
        server.instance = Some("o-1".into());
        let mut failed = span(2, Kind::Consumer, "orders", Some(9_000));
        failed.attributes.push(("error".into(), Value::String("".into())));
        let mut client = span(3, Kind::Client, "orders", Some(5));
        client.remote.service_name = Some("mysql".into());
        let unfinished = span(4, Kind::Server, "orders", None);
        let inside = span(5, Kind::Internal, "orders", Some(1));
        let counts = RedCounts::of(&vec![server, failed, client, unfinished, inside].into(), &[2]);
        let rows: HashMap<&RedKey, &RedRow> = counts.rows().collect();
        assert_eq!(rows.len(), 6);
        let operation = rows[&key(Dimension::Operation, "orders", "get /")];
        assert_eq!((operation.durations.count(), operation.errors, operation.sum_ns), (2, 1, 10_000));
        let ids = |row: &RedRow| [row.slowest, row.failed].map(|one| one.map(|one| one.trace_id));
        assert_eq!(ids(operation), [Some(2), Some(2)]);
        for (dimension, name) in
            [(Dimension::Version, "2.0"), (Dimension::Version, ""), (Dimension::Instance, "o-1")]
        {
            assert_eq!(rows[&key(dimension, "orders", name)].durations.count(), 1, "{dimension:?} {name}");
        }
        // The call was not sampled: it counts, and nobody is sent to its trace.
        let edge = rows[&key(Dimension::Edge, "orders", "mysql")];
        assert_eq!((edge.durations.count(), ids(edge)), (1, [None, None]));
    }

    #[test]
    fn what_there_is_too_much_of_counts_together() {
        let mut counts = RedCounts::default();
        for number in 0..RED_KEYS_MAX + 5 {
            let mut row = RedRow::default();
            row.durations.add(1);
            counts.add(&key(Dimension::Operation, "orders", &number.to_string()), &row);
            counts.add(&key(Dimension::Edge, "orders", "mysql"), &row);
        }
        assert_eq!(counts.len(), RED_KEYS_MAX + 2);
        let other = RedKey::other(Dimension::Operation);
        let found = counts.rows().find(|(key, _)| **key == other).unwrap();
        assert_eq!(found.1.durations.count(), 5);
    }

    #[test]
    fn exemplars_of_deleted_traces_are_forgotten_and_their_counts_are_not() {
        let mut counts = RedCounts::of(&vec![span(7, Kind::Server, "orders", Some(3))].into(), &[]);
        counts.brought_by(12);
        assert!(!counts.forget(|exemplar| exemplar.lsn < 12));
        assert!(counts.forget(|exemplar| exemplar.trace_id == 7));
        let (_, row) = counts.rows().next().unwrap();
        assert_eq!((row.slowest, row.durations.count()), (None, 1));
    }
}
