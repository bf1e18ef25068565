//! `links.bin`: the calls of each trace of a block, by the rules of dependency links. It follows from the rows: a block
//! without it, or with one of other rules, computes it when somebody asks.
//!
//! `links.bin` = number of the rules (4 bytes) · length of the rest as it was (4 bytes) · zstd of: names (count, then
//! length and text of each), pairs (count, then caller and callee by place of the name), and for each trace of the
//! index the number of its calls and the calls: twice the pair's place, and one when it failed. Counts and calls are
//! varints; pairs with many calls come first.

use std::collections::HashMap;
use std::sync::Arc;

use tracepact_analysis::{LINK_RULES, dependency_links};

use super::Block;
use super::hybrid::{put_varint, take_varint};
use super::sorted::Sorted;
use crate::StoreError;
use crate::budget::Budget;
use crate::fs::read_all;
use crate::links::{Pairs, TraceCalls};
use crate::wire::{Malformed, Put, Take};

pub(crate) const FILE: &str = "links.bin";
const ZSTD_LEVEL: i32 = 3;
/// Longest file that is read: far more than the calls of the largest block.
const FILE_BYTES_MAX: u64 = 256 << 20;
const RAW_BYTES_MAX: usize = 1 << 30;
const BAD: Malformed = Malformed("links.bin cannot be read");

/// The file of a new block. `None` when a row cannot be read, which no decoder makes.
pub(crate) fn write(sorted: &Sorted<'_>) -> Option<Vec<u8>> {
    let mut pairs = Pairs::default();
    let mut of_traces = TraceCalls::default();
    for trace in &sorted.traces {
        let first = trace.first_row as usize;
        let rows = sorted.rows.get(first..first + trace.rows as usize)?;
        let start = of_traces.calls.len() as u32;
        pairs.of_trace(sorted.chunk, rows.iter().copied(), &mut of_traces.calls).ok()?;
        of_traces.traces.push((start, of_traces.calls.len() as u32 - start));
    }
    of_traces.pairs = pairs.names();
    encode(&of_traces).ok()
}

fn encode(of_traces: &TraceCalls) -> std::io::Result<Vec<u8>> {
    let mut counts = vec![0u64; of_traces.pairs.len()];
    for call in &of_traces.calls {
        counts[(call >> 1) as usize] += 1;
    }
    let mut order: Vec<u32> = (0..of_traces.pairs.len() as u32).collect();
    order.sort_unstable_by_key(|pair| std::cmp::Reverse(counts[*pair as usize]));
    let mut place_of = vec![0; order.len()];
    (0u32..).zip(&order).for_each(|(place, pair)| place_of[*pair as usize] = place);

    let mut raw = Vec::with_capacity(of_traces.calls.len() + of_traces.traces.len() + 4_096);
    let mut places: HashMap<&str, u64> = HashMap::new();
    let mut names: Vec<&str> = Vec::new();
    for name in of_traces.pairs.iter().flat_map(|(caller, callee)| [caller, callee]) {
        places.entry(name).or_insert_with(|| {
            names.push(name);
            names.len() as u64 - 1
        });
    }
    put_varint(names.len() as u64, &mut raw);
    names.iter().for_each(|name| raw.put_text(name));
    put_varint(order.len() as u64, &mut raw);
    for (caller, callee) in order.iter().map(|pair| &of_traces.pairs[*pair as usize]) {
        [caller, callee].iter().for_each(|name| put_varint(places[name.as_ref()], &mut raw));
    }
    for (start, len) in &of_traces.traces {
        put_varint(u64::from(*len), &mut raw);
        for call in &of_traces.calls[*start as usize..(*start + *len) as usize] {
            put_varint(u64::from(place_of[(call >> 1) as usize] << 1 | call & 1), &mut raw);
        }
    }
    let mut file = Vec::new();
    file.put_u32(LINK_RULES);
    file.put_u32(u32::try_from(raw.len()).unwrap_or(u32::MAX));
    file.extend_from_slice(&zstd::bulk::compress(&raw, ZSTD_LEVEL)?);
    Ok(file)
}

/// Reads the file; `None` when other rules made it.
fn decode(file: &[u8], traces: usize) -> Result<Option<TraceCalls>, Malformed> {
    let mut take = Take(file);
    if take.u32()? != LINK_RULES {
        return Ok(None);
    }
    let raw_len = take.u32()? as usize;
    if raw_len > RAW_BYTES_MAX {
        return Err(BAD);
    }
    let raw = zstd::bulk::decompress(take.0, raw_len).map_err(|_| BAD)?;
    let mut rest = raw.as_slice();
    let number = |rest: &mut &[u8]| u32::try_from(take_varint(rest)?).map_err(|_| BAD);
    let mut names: Vec<Arc<str>> = Vec::new();
    for _ in 0..number(&mut rest)? {
        let mut take = Take(rest);
        names.push(take.text()?.into());
        rest = take.0;
    }
    let mut found = TraceCalls::default();
    for _ in 0..number(&mut rest)? {
        let mut name = || names.get(number(&mut rest)? as usize).cloned().ok_or(BAD);
        found.pairs.push((name()?, name()?));
    }
    for _ in 0..traces {
        let (start, len) = (found.calls.len() as u32, number(&mut rest)?);
        for _ in 0..len {
            let call = number(&mut rest)?;
            if (call >> 1) as usize >= found.pairs.len() {
                return Err(BAD);
            }
            found.calls.push(call);
        }
        found.traces.push((start, len));
    }
    if rest.is_empty() { Ok(Some(found)) } else { Err(BAD) }
}

impl Block {
    /// The calls of each of its traces: read or computed once, and kept as long as somebody uses them.
    pub(crate) fn links(&self, budget: &Budget) -> Result<Arc<TraceCalls>, StoreError> {
        let mut known = self.links.lock();
        if let Some(links) = known.as_ref() {
            return Ok(links.clone());
        }
        let links = match self.kept_links(budget)? {
            Some(links) => links,
            None => self.computed_links(budget)?,
        };
        Ok(known.insert(Arc::new(links)).clone())
    }

    /// What the file says. Damage is not passed on, because the rows say it as well.
    fn kept_links(&self, budget: &Budget) -> Result<Option<TraceCalls>, StoreError> {
        let Some(meta) = self.meta.files.get(FILE) else { return Ok(None) };
        budget.bytes(meta.bytes)?;
        let read = read_all(&*self.fs, &self.dir.join(FILE), FILE_BYTES_MAX);
        let sound = read.ok().filter(|bytes| crc32c::crc32c(bytes) == meta.crc32c);
        let links = sound.map(|bytes| decode(&bytes, self.trace_count() as usize));
        if !matches!(links, Some(Ok(_))) {
            tracing::warn!(block = self.name(), "links.bin is damaged: links are computed from the rows");
        }
        Ok(links.and_then(Result::ok).flatten())
    }

    fn computed_links(&self, budget: &Budget) -> Result<TraceCalls, StoreError> {
        let (mut pairs, mut found) = (Pairs::default(), TraceCalls::default());
        let places: Vec<u32> = (0..self.trace_count()).collect();
        self.skeletons(&places, budget, |_, placed| {
            budget.rows(placed.len() as u64)?;
            let rows: Vec<_> = placed.into_iter().map(|placed| placed.row).collect();
            let start = found.calls.len() as u32;
            pairs.of_links(&dependency_links(&rows), &mut found.calls);
            found.traces.push((start, found.calls.len() as u32 - start));
            Ok(())
        })?;
        found.pairs = pairs.names();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_calls_of_every_trace_come_back(
            traces in prop::collection::vec(prop::collection::vec((0usize..5, 0usize..5, any::<bool>()), 0..6), 0..40),
        ) {
            const NAMES: [&str; 5] = ["front", "back", "db", "käfka", "x"];
            let mut given = TraceCalls::default();
            for calls in &traces {
                let start = given.calls.len() as u32;
                for (caller, callee, failed) in calls {
                    let pair = (NAMES[*caller].into(), NAMES[*callee].into());
                    let number = given.pairs.iter().position(|known| *known == pair).unwrap_or_else(|| {
                        given.pairs.push(pair);
                        given.pairs.len() - 1
                    });
                    given.calls.push((number as u32) << 1 | u32::from(*failed));
                }
                given.traces.push((start, given.calls.len() as u32 - start));
            }
            let file = encode(&given).unwrap();
            let found = decode(&file, traces.len()).unwrap().unwrap();
            prop_assert_eq!(&found.traces, &given.traces);
            let named = |of: &TraceCalls| -> Vec<_> {
                of.calls.iter().map(|call| (of.pairs[(call >> 1) as usize].clone(), call & 1)).collect()
            };
            prop_assert_eq!(named(&found), named(&given));
            prop_assert!(decode(&file, traces.len() + 1).is_err());
            let mut other = file.clone();
            other[0] ^= 1;
            prop_assert_eq!(decode(&other, traces.len()).unwrap().is_none(), true);
            for cut in 0..file.len() {
                prop_assert!(!matches!(decode(&file[..cut], traces.len()), Ok(Some(_))));
            }
        }
    }
}
