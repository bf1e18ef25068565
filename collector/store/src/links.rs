//! Dependency links of a window: kept for each trace of a block since it was sealed, for rows in memory since they were
//! asked for last, and computed from the rows only for traces that several parts have or that were partly deleted.
//!
//! Nothing is counted ahead of a query, so nothing has to be taken back: a late span or a repeated batch makes its trace
//! one of several parts, and its rows decide. What was computed of them is remembered until they change.

mod pairs;
mod remembered;
mod several;
mod sum;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use tracepact_analysis::DependencyLink;
use tracepact_base::ErrorKind;

use crate::block::BlockPart;
use crate::budget::Budget;
use crate::engine::{Shared, Snapshot, unhurried};
use crate::hot::HotPart;
use crate::part::{Part, Traces};
use crate::search::shared::{self, SharedTraces, Together};
use crate::{Completeness, LinksAnswer, StoreError};

pub(crate) use pairs::{Pairs, TraceCalls};
pub(crate) use remembered::Remembered;
pub(crate) use sum::Sum;

/// A part of the store, by its kind.
#[derive(Clone, Copy)]
enum Place<'s> {
    Block(&'s BlockPart),
    Hot(&'s HotPart),
}

impl<'s> Place<'s> {
    fn part(self) -> &'s dyn Part {
        match self {
            Self::Block(part) => part,
            Self::Hot(part) => part,
        }
    }
}

/// What could not be read, and whether the read is over.
#[derive(Debug, Default)]
struct Ending {
    damaged: BTreeSet<String>,
    cut: Option<String>,
}

impl Ending {
    /// Damage and used-up budgets end in the answer's completeness; anything else is an error.
    fn tolerate<T>(
        &mut self,
        name: impl FnOnce() -> String,
        result: Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind == ErrorKind::Corrupt => {
                self.damaged.insert(name());
                Ok(None)
            }
            Err(error) if error.kind == ErrorKind::Exhausted => {
                self.cut = Some(error.reason);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn completeness(self) -> Completeness {
        if self.damaged.is_empty() {
            return self.cut.map_or(Completeness::Complete, |limit| Completeness::Cut { limit });
        }
        Completeness::Damaged { blocks: self.damaged.into_iter().collect() }
    }
}

/// Adds up the links of all traces whose timestamp lies in the window. Traces are told apart by the low half of their
/// ids, or one that travelled with both lengths would count twice.
pub(crate) fn links(
    snapshot: &Snapshot,
    remembered: &Remembered,
    window: RangeInclusive<u64>,
    budget: &Budget,
) -> Result<LinksAnswer, StoreError> {
    let mut ending = Ending { damaged: snapshot.seen.lost.iter().cloned().collect(), cut: None };
    // Older rows first, as every reader has them.
    let blocks = snapshot.span_blocks.iter().map(Place::Block);
    let places: Vec<Place<'_>> = blocks.chain(snapshot.hot.iter().map(Place::Hot)).collect();
    let parts: Vec<&dyn Part> = places.iter().map(|place| place.part()).collect();
    let mut traces: Vec<Option<Arc<Traces>>> = Vec::with_capacity(places.len());
    for part in &parts {
        budget.check()?;
        // A trace with its rows in one block began within that block's times.
        let of_part = part.overlaps(&window).then(|| part.traces()).transpose();
        traces.push(ending.tolerate(|| part.name(), of_part)?.flatten());
    }
    let blocks = &parts[..snapshot.span_blocks.len()];
    let shared = SharedTraces::current(&snapshot.seen.shared_traces, blocks, false, budget)?;
    ending.damaged.extend(shared.damaged.iter().cloned());
    let hot: Vec<Arc<Traces>> = traces.iter().skip(blocks.len()).flatten().cloned().collect();
    let together = shared.with_hot(&parts, &hot)?;
    let hidden = partly_deleted(snapshot, &traces, &together);
    let counts_apart = |part: usize, place: u32| {
        together.places.get(part).is_some_and(|apart| apart.contains(place))
            || hidden.binary_search_by_key(&(part as u32, place), |place| (place.part, place.place)).is_ok()
    };
    let mut sum = Sum::default();
    for (index, place) in places.iter().enumerate() {
        budget.check()?;
        let Some(of_part) = &traces[index] else { continue };
        let counts = |at: u32| {
            of_part.time(at).is_some_and(|time| window.contains(&time.at_ns)) && !counts_apart(index, at)
        };
        match place {
            Place::Block(part) => {
                if let Some(calls) = ending.tolerate(|| part.name(), part.block.links(&part.budget))? {
                    sum.add(&calls, counts);
                }
            }
            Place::Hot(part) => part.generation().links(|calls| sum.add(calls, counts))?,
        }
    }
    let hidden = hidden.iter().map(|place| Arc::new(vec![*place]));
    let several = together.groups.iter().cloned().chain(hidden).collect();
    several::add(several, &places, snapshot, remembered, &window, &mut ending, &mut sum, budget)?;
    Ok(LinksAnswer { links: sum.into_links(), completeness: ending.completeness() })
}

/// Computes the links of traces that the newest block shares with others, so that the first question does not wait for
/// them.
pub(crate) fn prepare(shared: &Shared) {
    let (budget, _cancel) = Budget::new(&unhurried(), &shared.clock);
    let mut snapshot = shared.snapshot(&budget);
    snapshot.hot.clear();
    if let Err(error) = prepare_newest(shared, &snapshot, &budget) {
        tracing::debug!(%error, "links of traces in several blocks are computed when they are asked for");
    }
    snapshot.trim_tables();
}

fn prepare_newest(shared: &Shared, snapshot: &Snapshot, budget: &Budget) -> Result<(), StoreError> {
    let places: Vec<Place<'_>> = snapshot.span_blocks.iter().map(Place::Block).collect();
    let parts: Vec<&dyn Part> = places.iter().map(|place| place.part()).collect();
    let Some(newest) = parts.len().checked_sub(1) else { return Ok(()) };
    // Searches ask with whole ids, links without: both are worked out for the new block while nobody waits.
    SharedTraces::current(&snapshot.seen.shared_traces, &parts, true, budget)?;
    let lenient = SharedTraces::current(&snapshot.seen.shared_traces, &parts, false, budget)?;
    let groups = lenient.with_hot(&parts, &[])?.groups.into_iter();
    let of_newest =
        |places: &Arc<Vec<shared::Place>>| places.iter().any(|place| place.part as usize == newest);
    let several = groups.filter(of_newest).collect();
    let (mut ending, mut sum) = (Ending::default(), Sum::default());
    several::add(several, &places, snapshot, &shared.links, &(0..=u64::MAX), &mut ending, &mut sum, budget)
}

/// Places of traces that a deletion may hide rows of, as far as no other part has them; in order.
fn partly_deleted(
    snapshot: &Snapshot,
    traces: &[Option<Arc<Traces>>],
    together: &Together,
) -> Vec<shared::Place> {
    let tombstones = &snapshot.seen.tombstones;
    let mut hidden = Vec::new();
    if tombstones.len() == 0 {
        return hidden;
    }
    for (part, of_part) in (0u32..).zip(traces) {
        let Some(of_part) = of_part else { continue };
        let shared = together.places.get(part as usize);
        for (place, id) in (0u32..).zip(&of_part.ids) {
            if tombstones.names(*id) && shared.is_none_or(|shared| !shared.contains(place)) {
                hidden.push(shared::Place { part, place, id: *id, time: of_part.time(place) });
            }
        }
    }
    hidden
}

/// Links by name, sorted.
fn sorted(counts: BTreeMap<(Arc<str>, Arc<str>), (u64, u64)>) -> Vec<DependencyLink> {
    let link =
        |((parent, child), (call_count, error_count)): ((Arc<str>, Arc<str>), (u64, u64))| DependencyLink {
            parent: parent.as_ref().to_owned(),
            child: child.as_ref().to_owned(),
            call_count,
            error_count,
        };
    counts.into_iter().map(link).collect()
}
