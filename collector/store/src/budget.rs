//! What one read may spend: time, rows and bytes. A dropped reader spends nothing more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tracepact_base::{ErrorKind, SharedClock};

use crate::{ReadCtx, StoreError};

/// The remaining budget of a read; shared between its tasks.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    clock: SharedClock,
    deadline_ns: u64,
    rows_left: Arc<AtomicU64>,
    bytes_left: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
}

/// Cancels a read when its future or stream is dropped.
#[derive(Debug)]
pub(crate) struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Budget {
    pub(crate) fn new(ctx: &ReadCtx, clock: &SharedClock) -> (Self, CancelOnDrop) {
        let cancelled = Arc::new(AtomicBool::new(false));
        let timeout_ns = u64::try_from(ctx.timeout.as_nanos()).unwrap_or(u64::MAX);
        let budget = Self {
            clock: clock.clone(),
            deadline_ns: clock.monotonic_ns().saturating_add(timeout_ns),
            rows_left: Arc::new(AtomicU64::new(ctx.rows_max)),
            bytes_left: Arc::new(AtomicU64::new(ctx.bytes_max)),
            cancelled: cancelled.clone(),
        };
        (budget, CancelOnDrop(cancelled))
    }

    /// `Deadline` when the time is over or nobody waits any more.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.cancelled.load(Ordering::Relaxed) || self.clock.monotonic_ns() > self.deadline_ns {
            return Err(StoreError::new(ErrorKind::Deadline, "the answer was not ready in time"));
        }
        Ok(())
    }

    /// Spends rows.
    pub(crate) fn rows(&self, rows: u64) -> Result<(), StoreError> {
        spend(&self.rows_left, rows, "rows_max")
    }

    /// Spends bytes read from blocks.
    pub(crate) fn bytes(&self, bytes: u64) -> Result<(), StoreError> {
        spend(&self.bytes_left, bytes, "bytes_max")
    }
}

fn spend(left: &AtomicU64, amount: u64, name: &str) -> Result<(), StoreError> {
    left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount))
        .map(|_| ())
        .map_err(|_| StoreError::new(ErrorKind::Exhausted, name))
}
