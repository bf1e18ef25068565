//! A dictionary of texts: every distinct text once, known by its code.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Bookkeeping of one text beside its bytes: end, hash, and its share of the table.
const TEXT_OVERHEAD_BYTES: usize = 24;

/// Texts by code. Code 0 is the empty text.
#[derive(Debug, Clone)]
pub struct Texts {
    buffer: String,
    /// Where each text ends; it starts where the one before ends.
    ends: Vec<usize>,
    /// Of each text, so that nothing is hashed again when texts move to another dictionary.
    hashes: Vec<u32>,
    table: HashTable<(u32, u32)>,
}

impl Default for Texts {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}

/// One seed for the process, unknown to senders: texts are chosen by them.
fn hash(text: &str) -> u32 {
    static SEED: OnceLock<FixedState> = OnceLock::new();
    let seed = SEED.get_or_init(|| FixedState::with_seed(RandomState::new().hash_one(0u64)));
    let hash = seed.hash_one(text.as_bytes());
    (hash ^ (hash >> 32)) as u32
}

/// The table looks at the upper and at the lower bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Texts {
    /// An empty dictionary with room for so many texts and bytes.
    pub fn with_capacity(texts: usize, bytes: usize) -> Self {
        let mut new = Self {
            buffer: String::with_capacity(bytes),
            ends: Vec::with_capacity(texts + 1),
            hashes: Vec::with_capacity(texts + 1),
            table: HashTable::with_capacity(texts + 1),
        };
        new.code("");
        new
    }

    /// The code of `text`, which is added when it is new.
    pub fn code(&mut self, text: &str) -> u32 {
        self.code_hashed(text, hash(text))
    }

    /// The code of a text of another dictionary.
    pub fn adopt(&mut self, other: &Self, code: u32) -> u32 {
        self.code_hashed(other.get(code), other.hashes.get(code as usize).copied().unwrap_or_default())
    }

    fn code_hashed(&mut self, text: &str, hash: u32) -> u32 {
        let Self { buffer, ends, hashes, table } = self;
        let same = |&(known, code): &(u32, u32)| known == hash && slice(buffer, ends, code) == text;
        if let Some((_, code)) = table.find(spread(hash), same) {
            return *code;
        }
        // Bounded far below by the bytes of a request and of the rows in memory.
        let code = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        buffer.push_str(text);
        ends.push(buffer.len());
        hashes.push(hash);
        table.insert_unique(spread(hash), (hash, code), |(hash, _)| spread(*hash));
        code
    }

    /// The code of a text, when it is known.
    pub fn find(&self, text: &str) -> Option<u32> {
        let hash = hash(text);
        let same = |&(known, code): &(u32, u32)| known == hash && self.get(code) == text;
        self.table.find(spread(hash), same).map(|(_, code)| *code)
    }

    /// The text of a code; empty for a code that was never given.
    pub fn get(&self, code: u32) -> &str {
        slice(&self.buffer, &self.ends, code)
    }

    /// All texts, one behind the other.
    pub fn joined(&self) -> &str {
        &self.buffer
    }

    /// Number of texts; codes are below it.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it holds nothing but the empty text.
    pub fn is_empty(&self) -> bool {
        self.ends.len() <= 1
    }

    /// All texts in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0u32..).take(self.ends.len()).map(|code| self.get(code))
    }

    /// Bytes in memory, roughly.
    pub fn bytes(&self) -> usize {
        self.buffer.len() + (self.ends.len() - 1) * TEXT_OVERHEAD_BYTES
    }
}

fn slice<'t>(buffer: &'t str, ends: &[usize], code: u32) -> &'t str {
    let code = code as usize;
    let start = code.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    let end = ends.get(code).copied().unwrap_or(start);
    buffer.get(start..end).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn codes_are_one_to_one_and_survive_a_move(texts in proptest::collection::vec(".{0,6}", 0..80)) {
            let (mut first, mut second) = (Texts::default(), Texts::default());
            second.code("other");
            let codes: Vec<u32> = texts.iter().map(|text| first.code(text)).collect();
            for (text, code) in texts.iter().zip(&codes) {
                prop_assert_eq!(first.get(*code), text.as_str());
                prop_assert_eq!(first.code(text), *code);
                prop_assert_eq!(first.find(text), Some(*code));
                let moved = second.adopt(&first, *code);
                prop_assert_eq!(second.get(moved), text.as_str());
                prop_assert_eq!(second.find(text), Some(moved));
            }
            let distinct: std::collections::HashSet<&str> =
                texts.iter().map(String::as_str).chain([""]).collect();
            prop_assert_eq!(first.len(), distinct.len());
        }
    }

    #[test]
    fn the_empty_text_is_code_0_and_unknown_codes_are_empty() {
        let mut texts = Texts::default();
        assert_eq!((texts.code(""), texts.code("a"), texts.get(7)), (0, 1, ""));
        assert_eq!(texts.find("b"), None);
    }
}
