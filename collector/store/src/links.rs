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
use crate::search::groups;
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

/// Places of a part that are not counted by the part alone.
struct Apart(Vec<u64>);

impl Apart {
    fn new(places: usize) -> Self {
        Self(vec![0; places.div_ceil(64)])
    }

    fn insert(&mut self, place: u32) {
        if let Some(word) = self.0.get_mut(place as usize / 64) {
            *word |= 1 << (place % 64);
        }
    }

    fn contains(&self, place: u32) -> bool {
        self.0.get(place as usize / 64).is_some_and(|word| word & (1 << (place % 64)) != 0)
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
    let mut traces: Vec<Arc<Traces>> = Vec::with_capacity(places.len());
    for place in &places {
        budget.check()?;
        let part = place.part();
        traces.push(ending.tolerate(|| part.name(), part.traces())?.unwrap_or_default());
    }
    let mut sum = Sum::default();
    let mut apart: Vec<Apart> = traces.iter().map(|of_part| Apart::new(of_part.ids.len())).collect();
    let mut several = groups(&traces, false);
    several.iter().flatten().for_each(|(part, place)| apart[*part as usize].insert(*place));
    let hidden = partly_deleted(snapshot, &traces, &apart);
    hidden.iter().for_each(|(part, place)| apart[*part as usize].insert(*place));
    several.extend(hidden.into_iter().map(|place| vec![place]));

    for (index, place) in places.iter().enumerate() {
        budget.check()?;
        let (times, apart) = (&traces[index].times, &apart[index]);
        let counts = |at: u32| {
            let time = times.get(at as usize).copied().flatten();
            time.is_some_and(|time| window.contains(&time.at_ns)) && !apart.contains(at)
        };
        match place {
            Place::Block(part) => {
                let meta = &part.block.meta;
                // A trace with its rows in this block began within its times.
                if meta.min_ns > *window.end() || meta.max_ns < *window.start() {
                    continue;
                }
                if let Some(calls) = ending.tolerate(|| part.name(), part.block.links(&part.budget))? {
                    sum.add(&calls, counts);
                }
            }
            Place::Hot(part) => part.generation().links(|calls| sum.add(calls, counts))?,
        }
    }
    several::add(several, &places, &traces, snapshot, remembered, &window, &mut ending, &mut sum, budget)?;
    Ok(LinksAnswer { links: sum.into_links(), completeness: ending.completeness() })
}

/// Blocks that are looked at after sealing: their traces are those that were under way.
const NEWEST_BLOCKS: usize = 16;

/// Computes the links of traces that the newest blocks share, so that the first question does not wait for them.
pub(crate) fn prepare(shared: &Shared) {
    let (budget, _cancel) = Budget::new(&unhurried(), &shared.clock);
    let mut snapshot = shared.snapshot(&budget);
    snapshot.hot.clear();
    let first = snapshot.span_blocks.len().saturating_sub(NEWEST_BLOCKS);
    snapshot.span_blocks.drain(..first);
    if snapshot.span_blocks.len() > 1
        && let Err(error) = links(&snapshot, &shared.links, 0..=u64::MAX, &budget)
    {
        tracing::debug!(%error, "links of traces in several blocks are computed when they are asked for");
    }
}

/// Places of traces that a deletion may hide rows of, as far as they are not apart already.
fn partly_deleted(snapshot: &Snapshot, traces: &[Arc<Traces>], apart: &[Apart]) -> Vec<(u32, u32)> {
    let tombstones = &snapshot.seen.tombstones;
    if tombstones.len() == 0 {
        return Vec::new();
    }
    let of_part = |(index, of_part): (u32, &Arc<Traces>)| {
        let ids = (0u32..).zip(&of_part.ids);
        let hidden =
            ids.filter(|(place, id)| tombstones.names(**id) && !apart[index as usize].contains(*place));
        hidden.map(|(place, _)| (index, place)).collect::<Vec<_>>()
    };
    (0u32..).zip(traces).flat_map(of_part).collect()
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
