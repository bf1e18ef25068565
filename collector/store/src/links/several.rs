//! Traces that several parts have, or that are partly deleted: from their rows, which are read block by block.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use tracepact_analysis::dependency_links;
use tracepact_model::trace_timestamp_ns;

use super::remembered::RowsAt;
use super::{Ending, Place, Remembered, Sum, TraceCalls};
use crate::StoreError;
use crate::budget::Budget;
use crate::engine::Snapshot;
use crate::hot::Placed;
use crate::links::Pairs;
use crate::search::shared;

/// Traces whose rows are in memory at once.
const AT_ONCE: usize = 1_024;

/// Part and place of some rows of a trace.
type At = (u32, u32);

/// Adds the links of traces given by the places of their rows.
#[expect(clippy::too_many_arguments, reason = "one step of a read, with what the read has at hand")]
pub(super) fn add(
    several: Vec<Arc<Vec<shared::Place>>>,
    places: &[Place<'_>],
    snapshot: &Snapshot,
    remembered: &Remembered,
    window: &RangeInclusive<u64>,
    ending: &mut Ending,
    sum: &mut Sum,
    budget: &Budget,
) -> Result<(), StoreError> {
    let tombstones = &snapshot.seen.tombstones;
    let mut asked: Vec<(u64, Vec<At>, bool)> = Vec::new();
    for of_trace in several {
        let Some(first) = of_trace.first() else { continue };
        // The timestamp is one of these, unless rows that it came from are deleted. Which rows a deletion hides is not
        // part of what is remembered, and they are gone for good within a minute.
        let hidden = tombstones.len() > 0 && of_trace.iter().any(|place| tombstones.names(place.id));
        let mut times = of_trace.iter().filter_map(|place| place.time);
        if hidden || times.any(|time| window.contains(&time.at_ns)) {
            let places = of_trace.iter().map(|place| (place.part, place.place)).collect();
            asked.push((first.id.low(), places, hidden));
        }
    }
    // Blocks have their traces in this order: what is read together stands together.
    asked.sort_unstable();
    let keys = asked.iter().map(|(low, of_trace, hidden)| {
        let places = of_trace.iter().filter(|_| !*hidden).map(|at| rows_at(places, *at)).collect();
        (*low, places)
    });
    let keys: Vec<(u64, RowsAt)> = keys.collect();
    let unknown = remembered.add(
        keys.iter().map(|(low, rows_at)| (*low, rows_at)),
        |timestamp_ns| window.contains(&timestamp_ns),
        sum,
    );
    let mut left: Vec<(u64, Vec<At>, RowsAt)> = Vec::new();
    for (((low, of_trace, _), (_, rows_at)), unknown) in asked.into_iter().zip(keys).zip(unknown) {
        if unknown {
            left.push((low, of_trace, rows_at));
        }
    }
    let (mut pairs, mut found) = (Pairs::default(), TraceCalls::default());
    while !left.is_empty() {
        budget.check()?;
        if ending.cut.is_some() {
            break;
        }
        let rest = left.split_off(AT_ONCE.min(left.len()));
        let batch = std::mem::replace(&mut left, rest);
        let (mut rows, whole) = read(&batch, places, ending)?;
        for (low, of_trace, rows_at) in batch {
            let mut placed: Vec<Placed> =
                of_trace.iter().filter_map(|at| rows.remove(at)).flatten().collect();
            placed.sort_by_key(|placed| (placed.lsn, placed.position));
            placed.retain(|placed| !tombstones.hides(placed.row.trace_id, placed.lsn));
            if ending.tolerate(String::new, budget.rows(placed.len() as u64))?.is_none() {
                break;
            }
            let rows: Vec<_> = placed.into_iter().map(|placed| placed.row).collect();
            let (timestamp_ns, links) = (trace_timestamp_ns(&rows), dependency_links(&rows));
            if timestamp_ns.is_some_and(|at| window.contains(&at)) {
                let start = found.calls.len() as u32;
                pairs.of_links(&links, &mut found.calls);
                found.traces.push((start, found.calls.len() as u32 - start));
            }
            if whole && !rows_at.is_empty() && rows_at.iter().all(|(part, ..)| *part != 0) {
                remembered.keep(low, rows_at, timestamp_ns, &links);
            }
        }
    }
    found.pairs = pairs.names();
    sum.add(&found, |_| true);
    Ok(())
}

/// What tells whether rows are still the same: a block never changes, rows in memory only grow in number.
fn rows_at(places: &[Place<'_>], (part, place): At) -> (u128, u32, u32) {
    match places.get(part as usize) {
        Some(Place::Block(block)) => (block.block.number(), place, 0),
        Some(Place::Hot(hot)) => {
            let inner = hot.generation().read();
            let rows = inner.traces().get(place).map_or(0, |trace| trace.rows);
            (inner.first_lsn().map_or(0, u128::from), place, rows)
        }
        None => (0, place, 0),
    }
}

/// The rows of some traces, each part's in one go, and whether they are all of them.
fn read(
    batch: &[(u64, Vec<At>, RowsAt)],
    places: &[Place<'_>],
    ending: &mut Ending,
) -> Result<(HashMap<At, Vec<Placed>>, bool), StoreError> {
    let mut by_part: Vec<Vec<u32>> = vec![Vec::new(); places.len()];
    for (part, place) in batch.iter().flat_map(|(_, of_trace, _)| of_trace) {
        by_part[*part as usize].push(*place);
    }
    let (mut rows, mut whole) = (HashMap::new(), true);
    for ((part, mut wanted), place) in (0u32..).zip(by_part).zip(places) {
        wanted.sort_unstable();
        match place {
            Place::Block(block) => {
                let read = block.block.skeletons(&wanted, &block.budget, |place, of_trace| {
                    rows.insert((part, place), of_trace);
                    Ok(())
                });
                whole &= ending.tolerate(|| block.block.name(), read)?.is_some();
            }
            Place::Hot(hot) => {
                for place in wanted {
                    let mut of_trace = Vec::new();
                    crate::part::Part::rows(*hot, place, &mut of_trace)?;
                    rows.insert((part, place), of_trace);
                }
            }
        }
    }
    Ok((rows, whole))
}
