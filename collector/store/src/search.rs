//! Searching over parts: the rarest condition gives the candidates, each part's timestamps give their order, and rows
//! decide. Nothing is fetched by a multiple of the limit and filtered after: the search goes on until the answer is full
//! or the candidates are used up.

use std::collections::{HashMap, HashSet};

use tracepact_base::{ErrorKind, TraceId};

use crate::budget::Budget;
use crate::engine::Seen;
use crate::part::{Candidates, Part, TraceTime, group};
use crate::{Completeness, SearchAnswer, SpanQuery, StoreError, TraceHit, eval};

/// Candidates are narrowed by further conditions as long as there are more than this.
const FEW_CANDIDATES: usize = 64;

/// What two parts say about one trace, as one.
fn together(a: TraceTime, b: TraceTime) -> TraceTime {
    match (a.rooted, b.rooted) {
        (true, false) => a,
        (false, true) => b,
        // Which of several came first is known from the rows alone: the latest bounds them all.
        (true, true) => TraceTime { at_ns: a.at_ns.max(b.at_ns), ..a },
        (false, false) => TraceTime { at_ns: a.at_ns.min(b.at_ns), ..a },
    }
}

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
    pub(crate) fn trace(&mut self, id: TraceId) -> Result<Vec<tracepact_model::Span>, StoreError> {
        let mut placed = Vec::new();
        for part in self.parts.clone() {
            let result = part.trace(id, self.strict, &mut placed);
            self.tolerate(part, result)?;
        }
        // A row is in the log and in a block for a moment after a crash: its place says that it is one.
        placed.sort_by_key(|p| (p.lsn, p.position));
        placed.dedup_by_key(|p| (p.lsn, p.position));
        placed.retain(|p| !self.seen.tombstones.hides(p.row.trace_id, p.lsn));
        self.budget.rows(placed.len() as u64).or_else(|error| {
            self.cut = Some(error.reason);
            Ok::<(), StoreError>(())
        })?;
        Ok(eval::collapse(placed.into_iter().map(|p| p.row)))
    }

    /// Traces that may match, newest first, each with the timestamp that all parts together give it: that of a row
    /// without a parent where a part has one, else the earliest. A trace that matches has exactly this one (with several
    /// rows without a parent, none later than this one), so a search looks at little more than its answer.
    pub(crate) fn ordered(
        &mut self,
        start_ns: u64,
        end_ns: u64,
        wanted: Option<&HashSet<TraceId>>,
    ) -> Result<Vec<(u64, TraceId)>, StoreError> {
        let mut times: HashMap<TraceId, TraceTime> = HashMap::new();
        for part in self.parts.clone() {
            self.budget.check()?;
            let result = part.timestamps(start_ns, end_ns);
            for time in self.tolerate(part, result)?.unwrap_or_default() {
                let id = group(time.id, self.strict);
                if wanted.is_none_or(|wanted| wanted.contains(&id)) {
                    let known = times.entry(id).or_insert(time);
                    *known = together(*known, time);
                }
            }
        }
        let mut ordered: Vec<(u64, TraceId)> = times.into_iter().map(|(id, time)| (time.at_ns, id)).collect();
        ordered.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ordered)
    }

    /// Runs a search.
    pub(crate) fn search(&mut self, query: &SpanQuery) -> Result<SearchAnswer, StoreError> {
        let query = eval::lower_names(query);
        let wanted = self.narrow(&query)?;
        let mut hits: Vec<TraceHit> = Vec::new();
        if query.limit > 0 && wanted.as_ref().is_none_or(|wanted| !wanted.is_empty()) {
            for (at, id) in self.order(&query, wanted.as_ref())? {
                // `at` bounds the trace's own timestamp from above, so nothing behind can be newer than the answer.
                if hits.len() >= query.limit && hits.last().is_some_and(|last| last.timestamp_ns >= at) {
                    break;
                }
                if self.budget.check().is_err() {
                    self.cut = Some("timeout".to_owned());
                }
                if self.cut.is_some() {
                    break;
                }
                let rows = self.trace(id)?;
                if let (Some(timestamp_ns), Some(first)) = (eval::matches(&rows, &query), rows.first()) {
                    let trace_id = rows.iter().map(|row| row.trace_id).max().unwrap_or(first.trace_id);
                    let hit = TraceHit { trace_id, timestamp_ns };
                    let place = hits.partition_point(|known| known.timestamp_ns >= timestamp_ns);
                    hits.insert(place, hit);
                    hits.truncate(query.limit);
                }
            }
        }
        Ok(SearchAnswer { hits, completeness: self.completeness() })
    }

    /// The candidates in the order in which they are looked at. A few are looked at anyhow: the indexes of time would
    /// cost more than their rows.
    fn order(
        &mut self,
        query: &SpanQuery,
        wanted: Option<&HashSet<TraceId>>,
    ) -> Result<Vec<(u64, TraceId)>, StoreError> {
        match wanted {
            Some(few) if few.len() <= FEW_CANDIDATES => Ok(few.iter().map(|id| (u64::MAX, *id)).collect()),
            wanted => self.ordered(query.start_ns, query.end_ns, wanted),
        }
    }

    /// The traces that meet the rarest condition, narrowed by others while they are many; `None` for all.
    fn narrow(&mut self, query: &SpanQuery) -> Result<Option<HashSet<TraceId>>, StoreError> {
        let mut estimates = Vec::new();
        for predicate in &query.predicates {
            let mut sum = Some(0u64);
            for part in self.parts.clone() {
                self.budget.check()?;
                let result = part.estimate(predicate);
                let count = self.tolerate(part, result)?.unwrap_or(Some(0));
                sum = sum.zip(count).map(|(a, b)| a + b);
            }
            if let Some(sum) = sum {
                estimates.push((sum, predicate));
            }
        }
        estimates.sort_by_key(|(count, _)| *count);
        let mut wanted: Option<HashSet<TraceId>> = None;
        for (_, predicate) in estimates {
            if wanted.as_ref().is_some_and(|wanted| wanted.len() <= FEW_CANDIDATES) {
                break;
            }
            let mut met = HashSet::new();
            for part in self.parts.clone() {
                self.budget.check()?;
                let result = part.candidates(predicate);
                if let Some(Candidates::Ids(ids)) = self.tolerate(part, result)? {
                    met.extend(ids.into_iter().map(|id| group(id, self.strict)));
                }
            }
            wanted = Some(match wanted {
                None => met,
                Some(wanted) => wanted.into_iter().filter(|id| met.contains(id)).collect(),
            });
        }
        Ok(wanted)
    }
}
