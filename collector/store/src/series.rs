//! Which series exist and what their newest points are. The points themselves are in generations and blocks.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Labels, SeriesQuery};

/// (nanoseconds since 1970, value) of one series.
pub(crate) type Points = Vec<(u64, f64)>;

/// (number of the series, nanoseconds since 1970, value).
pub(crate) type NumberedPoints = Vec<(u32, u64, f64)>;

/// A metric name with its labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SeriesKey {
    pub(crate) name: String,
    pub(crate) labels: Labels,
}

/// Numbers of series and their newest points. Numbers live as long as the process.
#[derive(Debug, Default)]
pub(crate) struct SeriesTable {
    numbers: HashMap<Arc<SeriesKey>, u32>,
    keys: HashMap<u32, Arc<SeriesKey>>,
    latest: HashMap<u32, (u64, f64)>,
    next: u32,
}

impl SeriesTable {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The number of a series; a new one gets the next. `None` when that would exceed `max`.
    pub(crate) fn number(&mut self, key: &SeriesKey, max: usize) -> Option<u32> {
        if let Some(number) = self.numbers.get(key) {
            return Some(*number);
        }
        if self.keys.len() >= max {
            return None;
        }
        let number = self.next;
        self.next = self.next.checked_add(1)?;
        let key = Arc::new(key.clone());
        self.numbers.insert(key.clone(), number);
        self.keys.insert(number, key);
        Some(number)
    }

    pub(crate) fn key(&self, number: u32) -> Option<Arc<SeriesKey>> {
        self.keys.get(&number).cloned()
    }

    /// Remembers a point when it is the newest of its series; at the same instant the later one wins.
    pub(crate) fn note(&mut self, number: u32, at_ns: u64, value: f64) {
        let latest = self.latest.entry(number).or_insert((at_ns, value));
        if at_ns >= latest.0 {
            *latest = (at_ns, value);
        }
    }

    pub(crate) fn latest(&self, number: u32) -> Option<(u64, f64)> {
        self.latest.get(&number).copied()
    }

    /// Series that a query asks for, sorted by name and labels.
    pub(crate) fn select(&self, query: &SeriesQuery) -> Vec<(Arc<SeriesKey>, u32)> {
        let wanted = |key: &SeriesKey| {
            query.name.as_ref().is_none_or(|name| *name == key.name)
                && query.labels.iter().all(|(label, value)| key.labels.get(label) == Some(value))
        };
        let mut found: Vec<_> = self
            .keys
            .iter()
            .filter(|(_, key)| wanted(key))
            .map(|(number, key)| (key.clone(), *number))
            .collect();
        found.sort();
        found
    }

    /// Forgets series whose newest point is older than `before_ns`.
    pub(crate) fn expire(&mut self, before_ns: u64) {
        let old: Vec<u32> = self
            .keys
            .keys()
            .filter(|n| self.latest.get(n).is_some_and(|(at, _)| *at < before_ns))
            .copied()
            .collect();
        for number in old {
            self.latest.remove(&number);
            if let Some(key) = self.keys.remove(&number) {
                self.numbers.remove(&key);
            }
        }
    }
}

/// Points in time order; of several at one instant the last that arrived counts.
pub(crate) fn ordered(mut points: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    points.sort_by_key(|(at, _)| *at);
    let mut kept: Vec<(u64, f64)> = Vec::with_capacity(points.len());
    for point in points {
        match kept.last_mut() {
            Some(last) if last.0 == point.0 => *last = point,
            _ => kept.push(point),
        }
    }
    kept
}
