//! Credentials that were found right a moment ago, so that a pipeline of a hundred requests pays for one comparison.
//!
//! Kept by their fingerprint, for a short time and in a bounded number; a change of users made here empties it, one made
//! by another process is seen when the time is over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long one is believed without asking the database again.
pub(crate) const BELIEVED_NS: u64 = 20_000_000_000;
/// Most of them kept.
const KEPT_MAX: usize = 2_000;

/// Since when, and what.
type Entry<T> = (u64, Arc<T>);

/// What is remembered of each credential.
#[derive(Debug)]
pub(crate) struct Verified<T> {
    entries: Mutex<HashMap<[u8; 32], Entry<T>>>,
}

impl<T> Verified<T> {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::new(HashMap::new()) }
    }

    /// What was found for this credential, if that is not long ago.
    pub(crate) fn get(&self, fingerprint: &[u8; 32], now_ns: u64) -> Option<Arc<T>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, found) = entries.get(fingerprint)?;
        (now_ns.saturating_sub(*since) < BELIEVED_NS).then(|| found.clone())
    }

    /// Remembers what was found.
    pub(crate) fn put(&self, fingerprint: [u8; 32], now_ns: u64, found: Arc<T>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= KEPT_MAX {
            entries.retain(|_, (since, _)| now_ns.saturating_sub(*since) < BELIEVED_NS);
            if entries.len() >= KEPT_MAX {
                entries.clear();
            }
        }
        entries.insert(fingerprint, (now_ns, found));
    }

    /// Forgets all: users changed.
    pub(crate) fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_believed_for_a_while_and_bounded() {
        let verified = Verified::new();
        verified.put([1; 32], 0, Arc::new("a"));
        assert_eq!(verified.get(&[1; 32], BELIEVED_NS - 1).as_deref(), Some(&"a"));
        assert_eq!(verified.get(&[1; 32], BELIEVED_NS), None);
        assert_eq!(verified.get(&[2; 32], 0), None);
        for n in 0..5_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&n.to_be_bytes());
            verified.put(key, 0, Arc::new("b"));
        }
        assert!(verified.entries.lock().unwrap().len() <= KEPT_MAX);
        verified.clear();
        assert_eq!(verified.get(&[0; 32], 0), None);
    }
}
