//! Searching over parts: indexes give the traces that may match, each part's times give their order, and rows decide.
//! Nothing is fetched by a multiple of the limit and filtered after: the search goes on until the answer is full or the
//! candidates are used up.

mod order;

use std::collections::HashSet;

use roaring::RoaringBitmap;
use tracepact_base::{ErrorKind, TraceId};
use tracepact_model::Span;

use crate::budget::Budget;
use crate::engine::Seen;
use crate::part::{Part, group};
use crate::{Completeness, SearchAnswer, SpanQuery, StoreError, TraceHit, eval};
use order::Candidates;
pub(crate) use order::groups;

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
        let mut candidates = self.candidates(start_ns, end_ns, Vec::new())?;
        let mut ids = Vec::new();
        while let Some((_, places)) = candidates.next() {
            let Some((part, place)) = places.first() else { continue };
            if let Some(part) = self.parts.get(*part).copied() {
                let id = part.id(*place);
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
            let matching = self.matching(&query)?;
            if let Some(few) = self.few(&query, &matching)? {
                for id in few {
                    if self.is_over() {
                        break;
                    }
                    let rows = self.trace(id)?;
                    keep(&mut hits, &rows, &query);
                }
            } else {
                let mut candidates = self.candidates(query.start_ns, query.end_ns, matching)?;
                while let Some((at, places)) = candidates.next() {
                    // `at` bounds the trace's own timestamp from above, so nothing behind can be newer than the answer.
                    let full = hits.len() >= query.limit;
                    if full && hits.last().is_some_and(|last| last.timestamp_ns >= at) || self.is_over() {
                        break;
                    }
                    let rows = self.rows(&places)?;
                    keep(&mut hits, &rows, &query);
                }
            }
        }
        Ok(SearchAnswer { hits, completeness: self.completeness() })
    }

    fn is_over(&mut self) -> bool {
        if self.budget.check().is_err() {
            self.cut = Some("timeout".to_owned());
        }
        self.cut.is_some()
    }

    /// For each part and each condition the places that may meet it; `None` for all.
    fn matching(&mut self, query: &SpanQuery) -> Result<Vec<Vec<Option<RoaringBitmap>>>, StoreError> {
        let mut all = Vec::with_capacity(self.parts.len());
        for part in self.parts.clone() {
            self.budget.check()?;
            let mut of_part = Vec::with_capacity(query.predicates.len());
            for predicate in &query.predicates {
                let places = part.matching(predicate);
                of_part.push(self.tolerate(part, places)?.unwrap_or_else(|| Some(RoaringBitmap::new())));
            }
            all.push(of_part);
        }
        Ok(all)
    }

    /// The traces under the rarest condition, when they are few.
    fn few(
        &mut self,
        query: &SpanQuery,
        matching: &[Vec<Option<RoaringBitmap>>],
    ) -> Result<Option<HashSet<TraceId>>, StoreError> {
        let count = |condition: usize| {
            let of_part =
                matching.iter().zip(&self.parts).map(|(of_part, part)| match of_part.get(condition) {
                    Some(Some(places)) => places.len(),
                    _ => u64::from(part.count()),
                });
            of_part.sum::<u64>()
        };
        let rarest = (0..query.predicates.len()).map(|i| (count(i), i)).min();
        let Some((_, condition)) = rarest.filter(|(count, _)| *count <= FEW_CANDIDATES) else {
            return Ok(None);
        };
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
        Ok(Some(ids))
    }

    fn candidates(
        &mut self,
        start_ns: u64,
        end_ns: u64,
        matching: Vec<Vec<Option<RoaringBitmap>>>,
    ) -> Result<Candidates, StoreError> {
        let mut traces = Vec::with_capacity(self.parts.len());
        for part in self.parts.clone() {
            self.budget.check()?;
            let of_part = part.traces();
            traces.push(self.tolerate(part, of_part)?.unwrap_or_default());
        }
        Ok(Candidates::new(&traces, &matching, start_ns..=end_ns, self.strict))
    }
}

/// Adds the trace of these rows to the answer when it matches.
fn keep(hits: &mut Vec<TraceHit>, rows: &[Span], query: &SpanQuery) {
    if let (Some(timestamp_ns), Some(first)) = (eval::matches(rows, query), rows.first()) {
        let trace_id = rows.iter().map(|row| row.trace_id).max().unwrap_or(first.trace_id);
        let place = hits.partition_point(|known| known.timestamp_ns >= timestamp_ns);
        hits.insert(place, TraceHit { trace_id, timestamp_ns });
        hits.truncate(query.limit);
    }
}
