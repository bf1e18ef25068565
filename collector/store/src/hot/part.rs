//! The hot generations as a part of the store. Traces are found by hash; other conditions scan the bounded rows once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use tracepact_base::TraceId;

use super::{Chunk, Generation, Placed};
use crate::part::{Candidates, Part, TraceTime};
use crate::{Predicate, StoreError, eval};

/// Generations frozen for one query: rows that arrive later are not seen by its scans.
#[derive(Debug)]
pub(crate) struct HotPart {
    generations: Vec<Arc<Generation>>,
    chunks: OnceLock<Vec<Arc<Chunk>>>,
}

impl HotPart {
    pub(crate) fn new(generations: Vec<Arc<Generation>>) -> Self {
        Self { generations, chunks: OnceLock::new() }
    }

    pub(crate) fn generations(&self) -> &[Arc<Generation>] {
        &self.generations
    }

    pub(crate) fn chunks(&self) -> &[Arc<Chunk>] {
        self.chunks
            .get_or_init(|| self.generations.iter().flat_map(|generation| generation.chunks()).collect())
    }
}

impl Part for HotPart {
    fn estimate(&self, predicate: &Predicate) -> Result<Option<u64>, StoreError> {
        self.candidates(predicate).map(|found| match found {
            Candidates::All => None,
            Candidates::Ids(ids) => Some(ids.len() as u64),
        })
    }

    fn candidates(&self, predicate: &Predicate) -> Result<Candidates, StoreError> {
        let rows = self.chunks().iter().flat_map(|chunk| &chunk.rows);
        let ids: HashSet<TraceId> =
            rows.filter(|row| eval::meets(row, predicate)).map(|row| row.trace_id).collect();
        Ok(Candidates::Ids(ids.into_iter().collect()))
    }

    fn timestamps(&self, start_ns: u64, end_ns: u64) -> Result<Vec<TraceTime>, StoreError> {
        // First root's start, earliest start.
        let mut traces: HashMap<TraceId, (Option<u64>, u64)> = HashMap::new();
        for row in self.chunks().iter().flat_map(|chunk| &chunk.rows) {
            let Some(start) = row.start_ns else { continue };
            let (root, earliest) = traces.entry(row.trace_id).or_insert((None, start));
            *earliest = (*earliest).min(start);
            if row.parent_id.is_none() {
                root.get_or_insert(start);
            }
        }
        let times = traces.into_iter().map(|(id, (root, earliest))| TraceTime {
            id,
            at_ns: root.unwrap_or(earliest),
            rooted: root.is_some(),
        });
        Ok(times.filter(|time| (start_ns..=end_ns).contains(&time.at_ns)).collect())
    }

    fn trace(&self, id: TraceId, strict: bool, out: &mut Vec<Placed>) -> Result<(), StoreError> {
        for generation in &self.generations {
            generation.trace(id, strict, out);
        }
        Ok(())
    }

    fn name(&self) -> String {
        "rows in memory".to_owned()
    }
}
