//! What all request bodies of the process may hold in memory together.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracepact_base::ErrorKind;

use crate::Problem;

/// Most bytes of bodies in memory at once, as sent and decompressed, until their last reader drops them.
const BODIES_BYTES_MAX: usize = 256 << 20;
/// Bytes are reserved in pieces of this size.
const PIECE_BYTES: usize = 64 << 10;

static PIECES: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(BODIES_BYTES_MAX / PIECE_BYTES)));

/// A growing buffer whose memory is reserved before it is used.
pub(super) struct Budgeted {
    data: Vec<u8>,
    reserved: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

struct Held {
    data: Vec<u8>,
    _permits: Vec<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl Budgeted {
    pub(super) fn new() -> Self {
        Self { data: Vec::new(), reserved: 0, permits: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// Appends `more`, or refuses with a retry time when all bodies together hold too much.
    pub(super) fn extend(&mut self, more: &[u8]) -> Result<(), Problem> {
        let wanted = self.data.len() + more.len();
        if wanted > self.reserved {
            // Small bodies reserve one piece, large ones grow by half like the vector below them.
            let grown = wanted.max(self.reserved + self.reserved / 2);
            let pieces = (grown - self.reserved).div_ceil(PIECE_BYTES);
            let permit = u32::try_from(pieces)
                .ok()
                .and_then(|pieces| PIECES.clone().try_acquire_many_owned(pieces).ok())
                .ok_or_else(|| {
                    Problem::new(
                        ErrorKind::Exhausted,
                        format!("request bodies hold {BODIES_BYTES_MAX} bytes of memory already"),
                    )
                })?;
            self.permits.push(permit);
            self.reserved += pieces * PIECE_BYTES;
            self.data.reserve_exact((self.reserved - self.data.len()).min(grown - self.data.len()));
        }
        self.data.extend_from_slice(more);
        Ok(())
    }

    /// The bytes; their share of the budget comes back when the last clone is dropped.
    pub(super) fn freeze(self) -> Bytes {
        if self.data.is_empty() {
            return Bytes::new();
        }
        Bytes::from_owner(Held { data: self.data, _permits: self.permits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_when_the_last_clone_is_dropped_and_is_refused_when_it_is_used_up() {
        let free = || PIECES.available_permits();
        let before = free();
        let mut body = Budgeted::new();
        body.extend(&vec![7; PIECE_BYTES + 1]).unwrap();
        let bytes = body.freeze();
        let clone = bytes.slice(1..3);
        assert_eq!(free(), before - 2);
        drop(bytes);
        assert_eq!(free(), before - 2);
        assert_eq!(&clone[..], [7, 7]);
        drop(clone);
        assert_eq!(free(), before);
        let all = PIECES.clone().try_acquire_many_owned(u32::try_from(before).unwrap()).unwrap();
        let refused = Budgeted::new().extend(b"x").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Exhausted);
        drop(all);
    }
}
