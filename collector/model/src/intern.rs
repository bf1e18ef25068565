//! One `Arc<str>` per distinct text of a request: keys and service names repeat in every span.

use std::collections::HashSet;
use std::sync::Arc;

/// Longest text that is shared; longer ones are rarely equal.
const SHARED_BYTES_MAX: usize = 64;
/// Most distinct texts that are remembered.
const SHARED_TEXTS_MAX: usize = 10_000;

/// Gives equal short texts the same allocation.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    seen: HashSet<Arc<str>>,
}

impl Interner {
    /// `text`, shared when it was seen before.
    pub(crate) fn share(&mut self, text: &str) -> Arc<str> {
        if text.len() > SHARED_BYTES_MAX {
            return text.into();
        }
        if let Some(known) = self.seen.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        if self.seen.len() < SHARED_TEXTS_MAX {
            self.seen.insert(new.clone());
        }
        new
    }
}

/// The longest start of `text` that has at most `bytes_max` bytes and ends between characters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_and_cuts_respect_characters() {
        let mut interner = Interner::default();
        assert!(Arc::ptr_eq(&interner.share("a"), &interner.share("a")));
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
    }
}
