//! Searching over parts: indexes give the traces that may match, each part's times give their order, and rows decide.
//! Nothing is fetched by a multiple of the limit and filtered after: the search goes on until the answer is full or the
//! candidates are used up.

mod filter;
mod order;
pub(crate) mod shared;

use std::collections::HashSet;
use std::ops::RangeInclusive;

use roaring::RoaringBitmap;
use tracepact_base::{ErrorKind, TraceId};
use tracepact_model::Span;

use crate::budget::Budget;
use crate::engine::Seen;
use crate::part::{Condition, Part, group};
use crate::{Completeness, Predicate, Scope, SearchAnswer, SpanQuery, StoreError, TraceHit, eval};
use order::{Candidates, Found};
use shared::SharedTraces;

/// So few traces under one condition are looked at anyhow: ordering them would cost more than their rows.
const FEW_CANDIDATES: u64 = 64;

/// Everything one read looks at: the parts, and what went wrong with them.
pub(crate) struct Reader<'p> {
    pub(crate) parts: Vec<&'p dyn Part>,
    pub(crate) strict: bool,
    pub(crate) budget: &'p Budget,
    seen: &'p Seen,
    damaged: HashSet<String>,
    cut: Option<String>,
}

impl<'p> Reader<'p> {
    pub(crate) fn new(parts: Vec<&'p dyn Part>, seen: &'p Seen, strict: bool, budget: &'p Budget) -> Self {
        let damaged = seen.lost.iter().cloned().collect();
        Self { parts, strict, budget, seen, damaged, cut: None }
    }

    /// Whether something could not be read.
    pub(crate) fn is_damaged(&self) -> bool {
        !self.damaged.is_empty()
    }

    /// How the read ended so far.
    pub(crate) fn completeness(&self) -> Completeness {
        if !self.damaged.is_empty() {
            let mut blocks: Vec<String> = self.damaged.iter().cloned().collect();
            blocks.sort();
            return Completeness::Damaged { blocks };
        }
        self.cut.clone().map_or(Completeness::Complete, |limit| Completeness::Cut { limit })
    }

    /// Damage and used-up budgets end in the answer's completeness; anything else is an error.
    fn tolerate<T>(
        &mut self,
        part: &dyn Part,
        result: Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind == ErrorKind::Corrupt => {
                self.damaged.insert(part.name());
                Ok(None)
            }
            Err(error) if error.kind == ErrorKind::Exhausted => {
                self.cut = Some(error.reason);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The rows of one trace (or of all with its low half), in order of arrival.
    pub(crate) fn trace(&mut self, id: TraceId) -> Result<Vec<Span>, StoreError> {
        let mut places = Vec::new();
        for (number, part) in self.parts.clone().into_iter().enumerate() {
            let found = part.find(id, self.strict);
            let found = self.tolerate(part, found)?.unwrap_or_default();
            places.extend(found.into_iter().map(|place| (number, place)));
        }
        self.rows(&places)
    }

    /// The rows at these places of parts, in order of arrival.
    fn rows(&mut self, places: &[(usize, u32)]) -> Result<Vec<Span>, StoreError> {
        let mut placed = Vec::new();
        for (number, place) in places {
            let Some(part) = self.parts.get(*number).copied() else { continue };
            let read = part.rows(*place, &mut placed);
            self.tolerate(part, read)?;
        }
        placed.sort_by_key(|p| (p.lsn, p.position));
        placed.retain(|p| !self.seen.tombstones.hides(p.row.trace_id, p.lsn));
        self.budget.rows(placed.len() as u64).or_else(|error| {
            self.cut = Some(error.reason);
            Ok::<(), StoreError>(())
        })?;
        Ok(eval::collapse(placed.into_iter().map(|p| p.row)))
    }

    /// Ids of the traces that may lie in the window, newest first.
    pub(crate) fn ordered(&mut self, start_ns: u64, end_ns: u64) -> Result<Vec<TraceId>, StoreError> {
        let mut candidates = self.candidates(&(start_ns..=end_ns), Vec::new())?;
        let mut ids = Vec::new();
        while let Some((_, found)) = candidates.next() {
            let first = match found {
                Found::One { part, place } => Some((part, place)),
                Found::Many(places) => places.first().copied(),
            };
            let Some((part, place)) = first else { continue };
            if let Some(part) = self.parts.get(part).copied() {
                let id = part.id(place);
                ids.extend(self.tolerate(part, id)?.map(|id| group(id, self.strict)));
            }
        }
        Ok(ids)
    }

    /// Runs a search.
    pub(crate) fn search(&mut self, query: &SpanQuery) -> Result<SearchAnswer, StoreError> {
        let query = eval::lower_names(query);
        let mut hits: Vec<TraceHit> = Vec::new();
        if query.limit > 0 {
            match self.matching(&query)? {
                Matching::Few(ids) => {
                    for id in ids {
                        if self.is_over() {
                            break;
                        }
                        let rows = self.trace(id)?;
                        keep_rows(&mut hits, &rows, &query);
                    }
                }
                Matching::Places(matching) => self.newest(&query, matching, &mut hits)?,
            }
        }
        Ok(SearchAnswer { hits, completeness: self.completeness() })
    }

    /// Goes through the traces that may match until nothing behind can be newer than the answer.
    fn newest(
        &mut self,
        query: &SpanQuery,
        matching: Vec<Vec<Option<RoaringBitmap>>>,
        hits: &mut Vec<TraceHit>,
    ) -> Result<(), StoreError> {
        let mut candidates = self.candidates(&(query.start_ns..=query.end_ns), matching)?;
        while let Some((at, found)) = candidates.next() {
            // `at` bounds the trace's own timestamp from above.
            let full = hits.len() >= query.limit;
            if full && hits.last().is_some_and(|last| last.timestamp_ns >= at) || self.is_over() {
                break;
            }
            match found {
                Found::One { part, place } => match self.meets(part, place, query)? {
                    Some(Some(trace_id)) => {
                        keep(hits, TraceHit { trace_id, timestamp_ns: at }, query.limit);
                    }
                    Some(None) => {}
                    None => {
                        let rows = self.rows(&[(part, place)])?;
                        keep_rows(hits, &rows, query);
                    }
                },
                Found::Many(places) => {
                    let rows = self.rows(&places)?;
                    keep_rows(hits, &rows, query);
                }
            }
        }
        Ok(())
    }

    /// The id of the trace at a place that no other part has, when it meets the conditions; `None` when only all of its
    /// rows can tell.
    fn meets(
        &mut self,
        part: usize,
        place: u32,
        query: &SpanQuery,
    ) -> Result<Option<Option<TraceId>>, StoreError> {
        // Rows in memory may have come since their traces were listed.
        let Some(part) = self.parts.get(part).filter(|_| part < self.seen.settled).copied() else {
            return Ok(None);
        };
        let id = part.id(place);
        let Some(id) = self.tolerate(part, id)? else { return Ok(Some(None)) };
        if self.seen.tombstones.names(id) {
            return Ok(None);
        }
        let meets = part.meets(place, query);
        Ok(Some(self.tolerate(part, meets)?.filter(|meets| *meets).map(|_| id)))
    }

    fn is_over(&mut self) -> bool {
        if self.budget.check().is_err() {
            self.cut = Some("timeout".to_owned());
        }
        self.cut.is_some()
    }

    /// Where the conditions may be met.
    fn matching(&mut self, query: &SpanQuery) -> Result<Matching, StoreError> {
        let mut conditions: Vec<Condition<'_>> =
            query.predicates.iter().map(|predicate| condition(query, predicate)).collect();
        // What is rare is mostly a tag; then nothing else needs to be asked for.
        conditions.sort_by_key(|condition| !is_selective(condition.predicate));
        let window = query.start_ns..=query.end_ns;
        let mut all: Vec<Vec<Option<RoaringBitmap>>> = vec![Vec::new(); self.parts.len()];
        for (number, condition) in conditions.iter().enumerate() {
            let mut count = 0;
            for (part, of_part) in self.parts.clone().into_iter().zip(&mut all) {
                self.budget.check()?;
                // Of a part outside the window only traces that others have too can match: their rows tell. A condition
                // that few traces meet decides alone, so of the likely ones all parts are asked.
                let ask = is_selective(condition.predicate) || part.overlaps(&window);
                let places = if ask { part.matching(*condition) } else { Ok(None) };
                let places = self.tolerate(part, places)?.unwrap_or_else(|| Some(RoaringBitmap::new()));
                count += places.as_ref().map_or_else(|| u64::from(part.count()), RoaringBitmap::len);
                of_part.push(places);
            }
            if count <= FEW_CANDIDATES {
                return self.few(number, &all).map(Matching::Few);
            }
        }
        Ok(Matching::Places(all))
    }

    /// The traces under one condition.
    fn few(
        &mut self,
        condition: usize,
        matching: &[Vec<Option<RoaringBitmap>>],
    ) -> Result<HashSet<TraceId>, StoreError> {
        let mut ids = HashSet::new();
        for (of_part, part) in matching.iter().zip(self.parts.clone()) {
            let places: Vec<u32> = match of_part.get(condition) {
                Some(Some(places)) => places.iter().collect(),
                _ => (0..part.count()).collect(),
            };
            for place in places {
                let id = part.id(place);
                ids.extend(self.tolerate(part, id)?.map(|id| group(id, self.strict)));
            }
        }
        Ok(ids)
    }

    fn candidates(
        &mut self,
        window: &RangeInclusive<u64>,
        matching: Vec<Vec<Option<RoaringBitmap>>>,
    ) -> Result<Candidates, StoreError> {
        let mut traces = Vec::with_capacity(self.parts.len());
        for part in self.parts.clone() {
            self.budget.check()?;
            let of_part = part.overlaps(window).then(|| part.traces()).transpose();
            traces.push(self.tolerate(part, of_part)?.flatten());
        }
        let blocks = self.parts.get(..self.seen.settled).unwrap_or_default();
        let shared = SharedTraces::current(&self.seen.shared_traces, blocks, self.strict, self.budget)?;
        self.damaged.extend(shared.damaged.iter().cloned());
        let hot: Vec<_> = traces.iter().skip(self.seen.settled).flatten().cloned().collect();
        let together = shared.with_hot(&self.parts, &hot)?;
        Ok(Candidates::new(traces, &matching, together, window))
    }
}

/// Where the conditions of a search may be met.
enum Matching {
    /// In these traces at most.
    Few(HashSet<TraceId>),
    /// Of each part and condition the places; `None` for all.
    Places(Vec<Vec<Option<RoaringBitmap>>>),
}

/// A condition as parts are asked about it.
fn condition<'q>(query: &'q SpanQuery, predicate: &'q Predicate) -> Condition<'q> {
    let one_row = matches!(query.scope, Scope::ServiceSpans | Scope::SameSpan);
    let service = query.predicates.iter().find_map(|other| match other {
        Predicate::Service(name) if one_row && other != predicate => Some(name.as_str()),
        _ => None,
    });
    Condition { predicate, service }
}

/// Whether often only few traces meet it.
fn is_selective(predicate: &Predicate) -> bool {
    matches!(predicate, Predicate::Tag(..) | Predicate::AnnotationOrKey(_))
}

/// Adds a trace to the answer, newest first.
fn keep(hits: &mut Vec<TraceHit>, hit: TraceHit, limit: usize) {
    let place = hits.partition_point(|known| known.timestamp_ns >= hit.timestamp_ns);
    hits.insert(place, hit);
    hits.truncate(limit);
}

/// Adds the trace of these rows to the answer when it matches.
fn keep_rows(hits: &mut Vec<TraceHit>, rows: &[Span], query: &SpanQuery) {
    if let (Some(timestamp_ns), Some(first)) = (eval::matches(rows, query), rows.first()) {
        let trace_id = rows.iter().map(|row| row.trace_id).max().unwrap_or(first.trace_id);
        keep(hits, TraceHit { trace_id, timestamp_ns }, query.limit);
    }
}

#[cfg(test)]
mod tests;
