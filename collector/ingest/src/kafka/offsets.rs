//! Which offset may be committed: that before the first record whose spans are not durable yet.

use std::collections::{BTreeSet, HashMap};

/// The records in hand of all assigned partitions.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    partitions: HashMap<(String, i32), InHand>,
}

#[derive(Debug, Default)]
struct InHand {
    /// Offsets received and not done.
    open: BTreeSet<i64>,
    /// The offset after the newest one received.
    next: i64,
}

impl InHand {
    fn committable(&self) -> i64 {
        self.open.first().copied().unwrap_or(self.next)
    }
}

impl Offsets {
    /// A record was received.
    pub(super) fn start(&mut self, topic: &str, partition: i32, offset: i64) {
        let in_hand = self.partitions.entry((topic.to_owned(), partition)).or_default();
        in_hand.open.insert(offset);
        in_hand.next = in_hand.next.max(offset + 1);
    }

    /// A record's spans are durable, or it is given up. Answers the offset that may be committed now when that moved.
    ///
    /// A record of a partition that was taken away meanwhile changes nothing; one that was delivered twice is durable
    /// whichever of the two is done first.
    pub(super) fn finish(&mut self, topic: &str, partition: i32, offset: i64) -> Option<i64> {
        let in_hand = self.partitions.get_mut(&(topic.to_owned(), partition))?;
        let before = in_hand.committable();
        in_hand.open.remove(&offset);
        let now = in_hand.committable();
        (now > before).then_some(now)
    }

    /// The offset of the first record that is not durable; `None` before the first record was received.
    pub(super) fn position(&self, topic: &str, partition: i32) -> Option<i64> {
        self.partitions.get(&(topic.to_owned(), partition)).map(InHand::committable)
    }

    /// Forgets a partition that was taken away.
    pub(super) fn revoke(&mut self, topic: &str, partition: i32) {
        self.partitions.remove(&(topic.to_owned(), partition));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_beyond_a_record_that_is_not_durable(
            gaps in proptest::collection::vec(1i64..4, 1..50),
            order in proptest::collection::vec(any::<proptest::sample::Index>(), 50),
        ) {
            let mut at = 0;
            let offsets: Vec<i64> = gaps.iter().map(|gap| { at += gap; at }).collect();
            let mut in_hand = Offsets::default();
            offsets.iter().for_each(|offset| in_hand.start("spans", 0, *offset));
            let mut left = offsets.clone();
            let mut committed = 0;
            for pick in order {
                if left.is_empty() { break; }
                let done = left.remove(pick.index(left.len()));
                if let Some(next) = in_hand.finish("spans", 0, done) {
                    prop_assert!(next > committed);
                    committed = next;
                }
                prop_assert!(left.iter().all(|open| *open >= committed));
            }
            if left.is_empty() {
                prop_assert_eq!(committed, at + 1);
            }
        }
    }

    #[test]
    fn what_was_taken_away_is_not_committed() {
        let mut in_hand = Offsets::default();
        in_hand.start("spans", 0, 7);
        in_hand.revoke("spans", 0);
        assert_eq!(in_hand.finish("spans", 0, 7), None);
        in_hand.start("spans", 0, 7);
        in_hand.start("spans", 1, 7);
        assert_eq!(in_hand.finish("spans", 1, 7), Some(8));
        assert_eq!(in_hand.finish("spans", 0, 7), Some(8));
    }
}
