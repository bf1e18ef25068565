//! Which offset may be committed: the contiguous prefix of finished records, per partition.

use std::collections::{BTreeMap, HashMap};

/// The records of one partition that were handed out.
#[derive(Debug, Default)]
pub struct Prefix {
    /// Offset → finished, for records not yet below the prefix.
    open: BTreeMap<i64, bool>,
    /// What may be committed: the offset after the last record of the prefix.
    next: Option<i64>,
}

impl Prefix {
    /// A record was handed out.
    pub fn start(&mut self, offset: i64) {
        self.open.insert(offset, false);
    }

    /// A record was finished. True when the prefix grew.
    pub fn finish(&mut self, offset: i64) -> bool {
        let Some(finished) = self.open.get_mut(&offset) else { return false };
        *finished = true;
        let mut grew = false;
        while let Some(first) = self.open.first_entry().filter(|first| *first.get()) {
            self.next = Some(first.remove_entry().0 + 1);
            grew = true;
        }
        grew
    }

    /// What may be committed, once anything may.
    pub fn committable(&self) -> Option<i64> {
        self.next
    }

    /// Records handed out and not finished, or finished behind an unfinished one.
    pub fn open(&self) -> usize {
        self.open.len()
    }
}

/// All assigned partitions. A partition that is taken away and given back is a new one: late finishes of the old are ignored.
#[derive(Debug, Default)]
pub struct Offsets {
    partitions: HashMap<(String, i32), Partition>,
    epochs: u64,
}

#[derive(Debug)]
struct Partition {
    epoch: u64,
    prefix: Prefix,
    committed: Option<i64>,
}

impl Offsets {
    /// A record was received; the answer names the assignment it belongs to.
    pub fn start(&mut self, topic: &str, partition: i32, offset: i64) -> u64 {
        let epochs = &mut self.epochs;
        let known = self.partitions.entry((topic.to_owned(), partition)).or_insert_with(|| {
            *epochs += 1;
            Partition { epoch: *epochs, prefix: Prefix::default(), committed: None }
        });
        known.prefix.start(offset);
        known.epoch
    }

    /// Whether a record of that assignment may still be worked on.
    pub fn is_current(&self, topic: &str, partition: i32, epoch: u64) -> bool {
        self.partitions.get(&(topic.to_owned(), partition)).is_some_and(|known| known.epoch == epoch)
    }

    /// A record was finished.
    pub fn finish(&mut self, topic: &str, partition: i32, epoch: u64, offset: i64) {
        if let Some(known) = self.partitions.get_mut(&(topic.to_owned(), partition))
            && known.epoch == epoch
        {
            known.prefix.finish(offset);
        }
    }

    /// What may be committed and was not yet, for all partitions or those that `only` names.
    pub fn due(&self, only: impl Fn(&str, i32) -> bool) -> Vec<(String, i32, i64)> {
        self.partitions
            .iter()
            .filter(|((topic, partition), _)| only(topic, *partition))
            .filter_map(|((topic, partition), known)| {
                let next = known.prefix.committable().filter(|next| known.committed != Some(*next))?;
                Some((topic.clone(), *partition, next))
            })
            .collect()
    }

    /// Notes what was committed.
    pub fn committed(&mut self, due: &[(String, i32, i64)]) {
        for (topic, partition, next) in due {
            if let Some(known) = self.partitions.get_mut(&(topic.clone(), *partition)) {
                known.committed = Some(*next);
            }
        }
    }

    /// The last commit of a partition failed: what was finished is due again.
    pub fn commit_failed(&mut self, topic: &str, partition: i32) {
        if let Some(known) = self.partitions.get_mut(&(topic.to_owned(), partition)) {
            known.committed = None;
        }
    }

    /// Forgets a partition that was taken away.
    pub fn revoke(&mut self, topic: &str, partition: i32) {
        self.partitions.remove(&(topic.to_owned(), partition));
    }

    /// Records handed out and not finished.
    pub fn open(&self) -> usize {
        self.partitions.values().map(|known| known.prefix.open()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_prefix_is_the_smallest_unfinished_offset(
            gaps in proptest::collection::vec(1i64..4, 1..60),
            order in proptest::collection::vec(any::<proptest::sample::Index>(), 60),
        ) {
            let mut offset = 0;
            let started: Vec<i64> = gaps.iter().map(|gap| { offset += gap; offset }).collect();
            let mut prefix = Prefix::default();
            started.iter().for_each(|o| prefix.start(*o));
            let mut left = started.clone();
            for pick in order {
                if left.is_empty() { break; }
                let done = left.remove(pick.index(left.len()));
                prefix.finish(done);
                let below: Vec<_> = match left.iter().min() {
                    Some(first) => started.iter().filter(|o| *o < first).collect(),
                    None => started.iter().collect(),
                };
                prop_assert_eq!(prefix.committable(), below.last().map(|o| **o + 1));
            }
        }
    }

    #[test]
    fn a_finish_of_a_former_assignment_is_ignored() {
        let mut offsets = Offsets::default();
        let old = offsets.start("t", 0, 5);
        offsets.revoke("t", 0);
        let new = offsets.start("t", 0, 5);
        offsets.finish("t", 0, old, 5);
        assert!(offsets.due(|_, _| true).is_empty() && !offsets.is_current("t", 0, old));
        offsets.finish("t", 0, new, 5);
        let due = offsets.due(|_, _| true);
        assert_eq!(due, [("t".to_owned(), 0, 6)]);
        offsets.committed(&due);
        assert!(offsets.due(|_, _| true).is_empty());
        offsets.commit_failed("t", 0);
        assert_eq!(offsets.due(|_, _| true), due);
    }
}
