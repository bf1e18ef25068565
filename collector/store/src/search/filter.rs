//! A set of low halves of trace ids that may take one for a member that is none, and never the other way round.

/// Bits for each member: one in about 400 others is taken for one.
const BITS_EACH: usize = 16;
/// Words of the smallest filter.
const WORDS_MIN: usize = 64;
/// Words of the largest: 64 MiB. Beyond, more and more others are taken for members.
const WORDS_MAX: usize = 8 << 20;

/// Each member sets four bits of one word.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// An empty filter for so many members.
    pub(crate) fn new(members: usize) -> Self {
        let words = (members * BITS_EACH / 64).next_power_of_two().clamp(WORDS_MIN, WORDS_MAX);
        Self { words: vec![0; words] }
    }

    /// Whether it is as large as one for so many members would be.
    pub(crate) fn is_enough_for(&self, members: usize) -> bool {
        self.words.len() >= (members * BITS_EACH / 64).min(WORDS_MAX)
    }

    fn place(&self, low: u64) -> (usize, u64) {
        // Low halves are random, but senders choose them.
        let mixed = (low ^ (low >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bit = |shift: u32| 1u64 << ((mixed >> shift) & 63);
        ((mixed >> 32) as usize & (self.words.len() - 1), bit(0) | bit(6) | bit(12) | bit(18))
    }

    /// Adds a member; whether it may have been one.
    pub(crate) fn insert(&mut self, low: u64) -> bool {
        let (word, bits) = self.place(low);
        let before = self.words[word];
        self.words[word] = before | bits;
        before & bits == bits
    }

    /// Whether it may be a member.
    pub(crate) fn contains(&self, low: u64) -> bool {
        let (word, bits) = self.place(low);
        self.words[word] & bits == bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_known_and_few_others_are_taken_for_one() {
        const MEMBERS: u64 = 10_000;
        let mut filter = Filter::new(MEMBERS as usize);
        (0..MEMBERS).for_each(|low| {
            filter.insert(low);
        });
        assert!((0..MEMBERS).all(|low| filter.contains(low)));
        let wrong = (MEMBERS..2 * MEMBERS).filter(|low| filter.contains(*low)).count();
        assert!(wrong < 200, "{wrong} of {MEMBERS}");
        assert!(filter.is_enough_for(MEMBERS as usize) && !filter.is_enough_for(100 * MEMBERS as usize));
    }
}
