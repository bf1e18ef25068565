//! Traces that more than one part of the store has. What blocks have in common is worked out once and kept until the
//! blocks change; what rows in memory share with them is looked at by every search.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use roaring::RoaringBitmap;
use tracepact_base::{ErrorKind, TraceId};

use super::filter::Filter;
use crate::StoreError;
use crate::budget::Budget;
use crate::part::{Part, TraceTime, Traces, group};

/// Kept between reads: once for ids grouped by their low half, once for whole ids.
pub(crate) type Cache = Mutex<[Option<Arc<SharedTraces>>; 2]>;

/// Where rows of a trace are, and when these alone say it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) part: u32,
    pub(crate) place: u32,
    /// The id there; with ids grouped by their low half a trace has several.
    pub(crate) id: TraceId,
    pub(crate) time: Option<TraceTime>,
}

type Groups = HashMap<TraceId, Arc<Vec<Place>>, foldhash::fast::RandomState>;

/// The traces with more than one place.
#[derive(Debug, Default)]
pub(crate) struct Together {
    /// Their places, trace by trace.
    pub(crate) groups: Vec<Arc<Vec<Place>>>,
    /// Of each part the places in `groups`.
    pub(crate) places: Vec<RoaringBitmap>,
}

/// What the blocks of one moment have in common.
#[derive(Debug, Clone)]
pub(crate) struct SharedTraces {
    /// Names of the blocks, in their order.
    blocks: Vec<String>,
    strict: bool,
    /// Low halves of all their traces.
    filter: Filter,
    groups: Groups,
    /// Of each block the places in `groups`.
    places: Vec<RoaringBitmap>,
    /// Blocks whose traces cannot be read.
    pub(crate) damaged: Vec<String>,
}

impl SharedTraces {
    fn new(strict: bool, traces: usize) -> Self {
        Self {
            blocks: Vec::new(),
            strict,
            filter: Filter::new(traces),
            groups: Groups::default(),
            places: Vec::new(),
            damaged: Vec::new(),
        }
    }

    /// What `blocks` have in common: as it is known, or else worked out now.
    pub(crate) fn current(
        cache: &Cache,
        blocks: &[&dyn Part],
        strict: bool,
        budget: &Budget,
    ) -> Result<Arc<Self>, StoreError> {
        let mut known = cache.lock();
        let known = &mut known[usize::from(strict)];
        if let Some(shared) = known.as_ref().filter(|shared| shared.is_of(blocks)) {
            return Ok(shared.clone());
        }
        let new = Arc::new(Self::of(known.as_deref(), blocks, strict, budget)?);
        *known = Some(new.clone());
        Ok(new)
    }

    /// What `blocks` have in common, beginning with what is known of the first of them.
    fn of(
        known: Option<&Self>,
        blocks: &[&dyn Part],
        strict: bool,
        budget: &Budget,
    ) -> Result<Self, StoreError> {
        let traces: usize = blocks.iter().map(|block| block.count() as usize).sum();
        let begins = |known: &&Self| {
            let names = known.blocks.iter().map(Some).zip(blocks.iter().map(|block| block.name()));
            known.strict == strict
                && known.damaged.is_empty()
                && known.blocks.len() <= blocks.len()
                && known.filter.is_enough_for(traces)
                && names.into_iter().all(|(a, b)| a == Some(&b))
        };
        // Room for as many again, so that the next blocks need no new filter.
        let mut shared = known.filter(begins).cloned().unwrap_or_else(|| Self::new(strict, traces * 2));
        for number in shared.blocks.len()..blocks.len() {
            budget.check()?;
            match shared.add(&blocks[..=number]) {
                Err(error) if error.kind == ErrorKind::Corrupt => shared.damaged.push(blocks[number].name()),
                other => other?,
            }
            shared.blocks.push(blocks[number].name());
        }
        shared.places = vec![RoaringBitmap::new(); blocks.len()];
        for place in shared.groups.values().flat_map(|places| places.iter()) {
            shared.places[place.part as usize].insert(place.place);
        }
        Ok(shared)
    }

    /// Whether this is about just these blocks.
    fn is_of(&self, blocks: &[&dyn Part]) -> bool {
        self.blocks.len() == blocks.len()
            && self.blocks.iter().zip(blocks).all(|(name, block)| *name == block.name())
    }

    /// Adds the last of `blocks`.
    fn add(&mut self, blocks: &[&dyn Part]) -> Result<(), StoreError> {
        let Some(last) = blocks.last() else { return Ok(()) };
        let number = (blocks.len() - 1) as u32;
        let traces = last.traces()?;
        for (place, id) in (0u32..).zip(&traces.ids) {
            if !self.filter.insert(id.low()) {
                continue;
            }
            let key = group(*id, self.strict);
            if let Some(places) = self.groups.get_mut(&key) {
                if !places.iter().any(|known| (known.part, known.place) == (number, place)) {
                    Arc::make_mut(places).push(Place {
                        part: number,
                        place,
                        id: *id,
                        time: traces.time(place),
                    });
                }
                continue;
            }
            let places = find(blocks, 0, *id, self.strict)?;
            if places.len() > 1 {
                self.groups.insert(key, Arc::new(places));
            }
        }
        Ok(())
    }

    /// The same with the parts behind the blocks, whose traces are `hot`.
    pub(crate) fn with_hot(&self, parts: &[&dyn Part], hot: &[Arc<Traces>]) -> Result<Together, StoreError> {
        let first = self.blocks.len().min(parts.len());
        let (blocks, memory) = parts.split_at(first);
        let several = !self.strict || hot.iter().filter(|traces| traces.len() > 0).count() > 1;
        let mut seen = several.then(|| Filter::new(hot.iter().map(|traces| traces.ids.len()).sum()));
        let mut new = Groups::default();
        for id in hot.iter().flat_map(|traces| &traces.ids) {
            let again = seen.as_mut().is_some_and(|seen| seen.insert(id.low()));
            let key = group(*id, self.strict);
            if !again && !self.filter.contains(id.low()) || new.contains_key(&key) {
                continue;
            }
            let mut places = match self.groups.get(&key) {
                Some(known) => known.to_vec(),
                None => find(blocks, 0, *id, self.strict)?,
            };
            places.extend(find(memory, first, *id, self.strict)?);
            if places.len() > 1 {
                new.insert(key, Arc::new(places));
            }
        }
        let mut of_part = self.places.clone();
        of_part.resize(parts.len(), RoaringBitmap::new());
        for place in new.values().flat_map(|places| places.iter()) {
            of_part[place.part as usize].insert(place.place);
        }
        let known = self.groups.iter().filter(|(key, _)| !new.contains_key(key));
        let groups = known.map(|(_, places)| places.clone()).chain(new.values().cloned()).collect();
        Ok(Together { groups, places: of_part })
    }
}

/// Places of a trace in `parts`, the first of which has the number `first`. A part that cannot be read has none.
fn find(parts: &[&dyn Part], first: usize, id: TraceId, strict: bool) -> Result<Vec<Place>, StoreError> {
    let mut places = Vec::new();
    for (number, part) in (first as u32..).zip(parts) {
        let found = match part.find(id, strict) {
            Err(error) if error.kind == ErrorKind::Corrupt => continue,
            found => found?,
        };
        for place in found {
            places.push(Place { part: number, place, id: part.id(place)?, time: part.time(place)? });
        }
    }
    Ok(places)
}
