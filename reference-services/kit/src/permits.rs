//! Consumer permits: how many records a consumer has in hand at once, changeable while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracepact_base::SharedClock;

/// Bounds of a permit pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermitSettings {
    /// Records in hand at once.
    pub limit: usize,
    /// A paused consumer resumes when this share of the permits, in percent, is free again (hysteresis).
    pub resume_percent: usize,
}

impl Default for PermitSettings {
    fn default() -> Self {
        Self { limit: 16, resume_percent: 50 }
    }
}

/// The permits of one consumer group on one topic (or list of topics). Cheap to clone; clones are the same pool.
#[derive(Debug, Clone)]
pub struct Permits {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    group: String,
    topic: String,
    resume_percent: usize,
    semaphore: Arc<Semaphore>,
    clock: SharedClock,
    limit: Mutex<Limit>,
    in_use: AtomicU64,
    waiting: AtomicUsize,
    rejected: AtomicU64,
    pauses: AtomicU64,
    paused: Mutex<Paused>,
}

#[derive(Debug)]
struct Limit {
    permits: usize,
    /// Permits to take away when they come back.
    debt: usize,
}

#[derive(Debug, Default)]
struct Paused {
    since_ns: Option<u64>,
    total_ns: u64,
}

/// One record in hand; the place is free again when dropped.
#[derive(Debug)]
pub struct Permit {
    permit: Option<OwnedSemaphorePermit>,
    inner: Arc<Inner>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.inner.in_use.fetch_sub(1, Ordering::AcqRel);
        let mut limit = self.inner.limit.lock();
        if limit.debt > 0 {
            limit.debt -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

impl Permits {
    /// A pool for `group` on `topic`.
    pub fn new(group: &str, topic: &str, settings: PermitSettings, clock: SharedClock) -> Self {
        let permits = settings.limit.min(Semaphore::MAX_PERMITS);
        Self {
            inner: Arc::new(Inner {
                group: group.to_owned(),
                topic: topic.to_owned(),
                resume_percent: settings.resume_percent.min(100),
                semaphore: Arc::new(Semaphore::new(permits)),
                clock,
                limit: Mutex::new(Limit { permits, debt: 0 }),
                in_use: AtomicU64::new(0),
                waiting: AtomicUsize::new(0),
                rejected: AtomicU64::new(0),
                pauses: AtomicU64::new(0),
                paused: Mutex::default(),
            }),
        }
    }

    /// The consumer group.
    pub fn group(&self) -> &str {
        &self.inner.group
    }

    /// The topic, or topics joined by commas.
    pub fn topic(&self) -> &str {
        &self.inner.topic
    }

    fn granted(&self, permit: OwnedSemaphorePermit) -> Permit {
        self.inner.in_use.fetch_add(1, Ordering::AcqRel);
        Permit { permit: Some(permit), inner: self.inner.clone() }
    }

    /// Waits for a permit. Safe to cancel.
    pub async fn acquire(&self) -> Permit {
        loop {
            if let Ok(permit) = self.inner.semaphore.clone().acquire_owned().await {
                return self.granted(permit);
            }
            // The pool never closes its semaphore; waiting is then the honest answer.
            std::future::pending::<()>().await;
        }
    }

    /// A permit if one is free.
    pub fn try_acquire(&self) -> Option<Permit> {
        self.inner.semaphore.clone().try_acquire_owned().ok().map(|permit| self.granted(permit))
    }

    /// Changes the limit. Raising takes effect at once; lowering takes free permits at once and the rest as
    /// records finish, so nothing in hand is lost. 0 stops the consumer (it stays in its group, paused).
    pub fn set_limit(&self, new: usize) {
        let new = new.min(Semaphore::MAX_PERMITS);
        let mut limit = self.inner.limit.lock();
        if new > limit.permits {
            let more = new - limit.permits;
            let forgiven = more.min(limit.debt);
            limit.debt -= forgiven;
            self.inner.semaphore.add_permits(more - forgiven);
        } else {
            let fewer = limit.permits - new;
            let taken = self.inner.semaphore.forget_permits(fewer);
            limit.debt += fewer - taken;
        }
        limit.permits = new;
    }

    /// The limit.
    pub fn limit(&self) -> usize {
        self.inner.limit.lock().permits
    }

    /// Permits free now.
    pub fn available(&self) -> usize {
        self.inner.semaphore.available_permits()
    }

    /// Records in hand now.
    pub fn in_use(&self) -> u64 {
        self.inner.in_use.load(Ordering::Acquire)
    }

    /// Records fetched that have no permit yet.
    pub fn waiting(&self) -> usize {
        self.inner.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn set_waiting(&self, records: usize) {
        self.inner.waiting.store(records, Ordering::Relaxed);
    }

    /// Whether enough permits are free to resume a paused consumer.
    pub fn may_resume(&self) -> bool {
        let limit = self.limit();
        let needed = (limit * self.inner.resume_percent).div_ceil(100).max(1);
        limit > 0 && self.available() >= needed
    }

    /// Notes that fetching paused or resumed.
    pub fn set_paused(&self, paused: bool) {
        let now = self.inner.clock.monotonic_ns();
        let mut state = self.inner.paused.lock();
        match (paused, state.since_ns) {
            (true, None) => {
                state.since_ns = Some(now);
                self.inner.pauses.fetch_add(1, Ordering::Relaxed);
            }
            (false, Some(since)) => {
                state.total_ns += now.saturating_sub(since);
                state.since_ns = None;
            }
            _ => {}
        }
    }

    /// Whether fetching is paused.
    pub fn is_paused(&self) -> bool {
        self.inner.paused.lock().since_ns.is_some()
    }

    /// Seconds paused since it was made, the running pause included.
    pub fn paused_seconds_total(&self) -> f64 {
        let state = self.inner.paused.lock();
        let running = state.since_ns.map_or(0, |since| self.inner.clock.monotonic_ns().saturating_sub(since));
        (state.total_ns + running) as f64 / 1e9
    }

    /// How often it paused.
    pub fn pauses_total(&self) -> u64 {
        self.inner.pauses.load(Ordering::Relaxed)
    }

    /// Calls refused for want of a permit ([`Permits::admit`]).
    pub fn rejected_total(&self) -> u64 {
        self.inner.rejected.load(Ordering::Relaxed)
    }

    /// A permit if one is free, counting a refusal: for callers that answer "later" instead of waiting.
    pub fn admit(&self) -> Option<Permit> {
        let permit = self.try_acquire();
        if permit.is_none() {
            self.inner.rejected.fetch_add(1, Ordering::Relaxed);
        }
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tracepact_base::ManualClock;

    fn pool(limit: usize) -> (Permits, Arc<ManualClock>) {
        let clock = ManualClock::at(1);
        (Permits::new("g", "t", PermitSettings { limit, resume_percent: 50 }, clock.clone()), clock)
    }

    proptest! {
        #[test]
        fn the_limit_holds_through_every_change(steps in proptest::collection::vec((0u8..3, 0usize..12), 1..200)) {
            let (permits, _clock) = pool(4);
            let mut held = Vec::new();
            for (what, n) in steps {
                match what {
                    0 => {
                        let before = held.len();
                        held.extend(permits.try_acquire());
                        prop_assert_eq!(held.len() > before, before < permits.limit());
                    }
                    1 => { if !held.is_empty() { held.swap_remove(n % held.len()); } }
                    _ => permits.set_limit(n),
                }
                prop_assert_eq!(permits.in_use() as usize, held.len());
                prop_assert_eq!(permits.available(), permits.limit().saturating_sub(held.len()));
            }
        }
    }

    #[test]
    fn pauses_are_counted_and_timed() {
        let (permits, clock) = pool(4);
        permits.set_paused(true);
        permits.set_paused(true);
        clock.advance_ns(2_000_000_000);
        assert!((permits.paused_seconds_total() - 2.0).abs() < 1e-9);
        permits.set_paused(false);
        clock.advance_ns(2_000_000_000);
        assert!((permits.paused_seconds_total() - 2.0).abs() < 1e-9);
        assert_eq!(permits.pauses_total(), 1);
    }

    #[test]
    fn resuming_needs_half_of_the_permits() {
        let (permits, _clock) = pool(4);
        let mut held: Vec<_> = (0..4).filter_map(|_| permits.try_acquire()).collect();
        held.pop();
        assert!(!permits.may_resume());
        held.pop();
        assert!(permits.may_resume());
        permits.set_limit(0);
        assert!(!permits.may_resume());
    }
}
