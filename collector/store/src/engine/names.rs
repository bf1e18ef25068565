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
    for index in indexes(snapshot, query, budget)? {
        if index.overlaps(query.start_ns, query.end_ns) {
            cut |= collect(&index, &query.kind, &mut found);
        }
    }
    cut |= found.len() > query.limit;
    let values = found.into_iter().take(query.limit).collect();
    let completeness =
        if cut { Completeness::Cut { limit: "limit".to_owned() } } else { Completeness::Complete };
    Ok(Names { values, completeness })
}

fn indexes(snapshot: &Snapshot, query: &NamesQuery, budget: &Budget) -> Result<Vec<NameIndex>, StoreError> {
    budget.check()?;
    let mut indexes = Vec::new();
    if matches!(query.kind, NameKind::TagKeys | NameKind::TagValues { .. }) {
        let mut tags = NameIndex::default();
        for row in snapshot.hot.chunks().iter().flat_map(|chunk| &chunk.rows) {
            tags.add_tags(row, TAG_VALUES_MAX);
        }
        indexes.push(tags);
    } else {
        indexes.extend(snapshot.hot.generations().iter().map(|generation| generation.names()));
    }
    Ok(indexes)
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
