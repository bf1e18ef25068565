//! Names within a window, from the small indexes of names; rows in memory are scanned for tags only.

use std::collections::BTreeSet;

use super::state::Snapshot;
use crate::budget::Budget;
use crate::hot::names::NameIndex;
use crate::{Completeness, NameKind, Names, NamesQuery, StoreError};

/// Values of a tag listed for rows in memory, and for a block.
pub(crate) const TAG_VALUES_MAX: usize = 1_000;

pub(super) fn names(snapshot: &Snapshot, query: &NamesQuery, budget: &Budget) -> Result<Names, StoreError> {
    let mut found = BTreeSet::new();
    let mut cut = false;
    let (indexes, damaged) = indexes(snapshot, query, budget)?;
    for index in indexes {
        if index.overlaps(query.start_ns, query.end_ns) {
            cut |= collect(&index, &query.kind, &mut found);
        }
    }
    cut |= found.len() > query.limit;
    let values = found.into_iter().take(query.limit).collect();
    let completeness = if !damaged.is_empty() {
        Completeness::Damaged { blocks: damaged }
    } else if cut {
        Completeness::Cut { limit: "limit".to_owned() }
    } else {
        Completeness::Complete
    };
    Ok(Names { values, completeness })
}

/// The indexes of names within the window, and the blocks whose index cannot be read.
fn indexes(
    snapshot: &Snapshot,
    query: &NamesQuery,
    budget: &Budget,
) -> Result<(Vec<NameIndex>, Vec<String>), StoreError> {
    let mut damaged = snapshot.seen.lost.clone();
    budget.check()?;
    let mut indexes = Vec::new();
    let tombstones = &snapshot.seen.tombstones;
    for part in &snapshot.hot {
        let inner = part.generation().read();
        let mut names = NameIndex::default();
        let chunk = inner.chunk();
        // What only deleted rows say is not offered any more.
        let shown = (0..chunk.len()).filter(|row| !inner.is_hidden(*row, tombstones));
        match &query.kind {
            NameKind::TagKeys => names.add_keys(chunk, shown),
            NameKind::TagValues { key } => names.add_values(chunk, shown, key, TAG_VALUES_MAX),
            _ => names.add_rows(chunk, shown),
        }
        indexes.push(names);
    }
    for block in &snapshot.span_blocks {
        budget.check()?;
        let meta = &block.block.meta;
        if meta.max_ns == 0 || (meta.min_ns <= query.end_ns && meta.max_ns >= query.start_ns) {
            match block.block.names(budget) {
                Ok(names) => indexes.push(names),
                Err(error) if error.kind == tracepact_base::ErrorKind::Corrupt => {
                    damaged.push(block.block.name())
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok((indexes, damaged))
}

/// Adds the names of one index; `true` when it does not hold all.
fn collect(index: &NameIndex, kind: &NameKind, found: &mut BTreeSet<String>) -> bool {
    let of_service = |service: &str| index.services.get(&service.to_lowercase());
    match kind {
        NameKind::Services => found.extend(index.services.values().map(|names| names.written.clone())),
        NameKind::Spans { service } => {
            found.extend(of_service(service).into_iter().flat_map(|names| names.spans.iter().cloned()));
        }
        NameKind::RemoteServices { service } => {
            found.extend(of_service(service).into_iter().flat_map(|names| names.remotes.iter().cloned()));
        }
        NameKind::TagKeys => found.extend(index.tag_keys.iter().cloned()),
        NameKind::TagValues { key } => {
            found.extend(index.tag_values.get(key).into_iter().flatten().cloned());
            return index.cut || index.wide_keys.contains(key);
        }
    }
    index.cut
}
