//! Counters over a rolling window: a fixed ring of atomic slices. Nothing is allocated or locked per call.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// What can become of a call; Hystrix's event vocabulary as far as a breaker without cache and collapsing has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Event {
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
    /// It did not answer in time.
    Timeout,
    /// The caller's mistake; neither success nor failure.
    BadRequest,
    /// The open breaker did not admit it.
    ShortCircuited,
    /// The bulkhead did not admit it.
    SemaphoreRejected,
    /// The fallback answered.
    FallbackSuccess,
    /// The fallback failed.
    FallbackFailure,
    /// There is no fallback.
    FallbackMissing,
    /// The caller went away.
    Cancelled,
}

/// How many kinds of event there are.
pub const EVENTS: usize = 10;

impl Event {
    /// Whether the health window counts it.
    pub fn is_health(self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Timeout | Self::SemaphoreRejected)
    }
}

/// One counter per event since the beginning.
#[derive(Debug, Default)]
pub struct Counts([AtomicU64; EVENTS]);

impl Counts {
    /// Counts one.
    pub fn add(&self, event: Event) {
        self.0[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The count.
    pub fn get(&self, event: Event) -> u64 {
        self.0[event as usize].load(Ordering::Relaxed)
    }
}

/// A slice's key is its window's generation and its index plus one, so later slices have larger keys; 0 is "never
/// used", `u64::MAX` "being emptied".
const EMPTYING: u64 = u64::MAX;
/// Bits of a key that hold the index: at slices of 1 ms, more than thirty years.
const INDEX_BITS: u32 = 40;

#[derive(Debug)]
struct Slice<const K: usize> {
    key: AtomicU64,
    values: [AtomicU32; K],
}

/// Slots of every ring: room for the longest window (20 slices) and the running slice, so that the running slice
/// never takes the place of one that is still counted.
const SLOTS: usize = 21;

/// The ring every window is made of: slices of `slice_ns`, aligned to an origin that can be moved.
#[derive(Debug)]
pub(super) struct Ring<const K: usize> {
    slice_ns: u64,
    generation: AtomicU64,
    origin: AtomicU64,
    slices: [Slice<K>; SLOTS],
}

impl<const K: usize> Ring<K> {
    pub(super) fn new(slice_ns: u64, now: u64) -> Self {
        let slices = std::array::from_fn(|_| Slice {
            key: AtomicU64::new(0),
            values: std::array::from_fn(|_| AtomicU32::new(0)),
        });
        Self { slice_ns: slice_ns.max(1), generation: AtomicU64::new(0), origin: AtomicU64::new(now), slices }
    }

    /// Begins a new, empty window aligned to `now`; old slices no longer match and are reused.
    pub(super) fn reset(&self, now: u64) {
        // The origin first: whoever sees the new generation sees the new origin too. With the old generation and the
        // new origin a key is small, and its count is dropped with the old window.
        self.origin.store(now, Ordering::Release);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// The generation's part of the key, and the index of the running slice.
    fn running(&self, now: u64) -> (u64, u64) {
        let generation = self.generation.load(Ordering::Acquire) << INDEX_BITS;
        let age = now.saturating_sub(self.origin.load(Ordering::Acquire));
        (generation, age / self.slice_ns)
    }

    /// The slice of `now`, emptied if it held an older one; `None` when a newer one took its place already.
    ///
    /// A writer that sleeps between this and its addition for a whole window adds to a later slice: one count may
    /// then be off by a window, none is lost.
    pub(super) fn slice(&self, now: u64) -> Option<&[AtomicU32; K]> {
        let (generation, index) = self.running(now);
        let slot = &self.slices[index as usize % SLOTS];
        let key = generation | (index + 1);
        loop {
            let found = slot.key.load(Ordering::Acquire);
            if found == key {
                return Some(&slot.values);
            }
            if found == EMPTYING {
                std::hint::spin_loop();
                continue;
            }
            if found > key {
                return None;
            }
            if slot.key.compare_exchange(found, EMPTYING, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                for value in &slot.values {
                    value.store(0, Ordering::Relaxed);
                }
                slot.key.store(key, Ordering::Release);
                return Some(&slot.values);
            }
        }
    }

    /// The last `count` complete slices, in no order. Changes nothing.
    pub(super) fn complete(&self, now: u64, count: usize) -> impl Iterator<Item = &[AtomicU32; K]> {
        let (generation, running) = self.running(now);
        let newest = generation | running;
        let oldest = generation | (running.saturating_sub(count as u64) + 1);
        self.slices.iter().filter_map(move |slot| {
            let key = slot.key.load(Ordering::Acquire);
            (key != EMPTYING && (oldest..=newest).contains(&key)).then_some(&slot.values)
        })
    }
}

/// Calls and errors of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Successes, failures, timeouts and rejections.
    pub requests: u64,
    /// The same without successes.
    pub errors: u64,
}

impl Health {
    /// Errors in percent, cut to an integer; 0 when there was no call.
    pub fn error_percent(self) -> u64 {
        (self.errors * 100).checked_div(self.requests).unwrap_or(0)
    }
}

/// Event counts over `N` complete slices (at most 20).
#[derive(Debug)]
pub struct Window<const N: usize> {
    ring: Ring<EVENTS>,
}

impl<const N: usize> Window<N> {
    /// An empty window of slices of `slice_ns`, aligned to `now`.
    pub fn new(slice_ns: u64, now: u64) -> Self {
        const { assert!(N < SLOTS) };
        Self { ring: Ring::new(slice_ns, now) }
    }

    /// Counts one event at `now`.
    pub fn add(&self, now: u64, event: Event) {
        if let Some(slice) = self.ring.slice(now) {
            slice[event as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Begins a new, empty window aligned to `now`.
    pub fn reset(&self, now: u64) {
        self.ring.reset(now);
    }

    /// How many of `event` the complete slices hold. A pure read.
    pub fn sum(&self, now: u64, event: Event) -> u64 {
        self.ring.complete(now, N).map(|s| u64::from(s[event as usize].load(Ordering::Relaxed))).sum()
    }

    /// Calls and errors of the complete slices. A pure read.
    pub fn health(&self, now: u64) -> Health {
        let mut health = Health::default();
        for slice in self.ring.complete(now, N) {
            let of = |event: Event| u64::from(slice[event as usize].load(Ordering::Relaxed));
            let errors = of(Event::Failure) + of(Event::Timeout) + of(Event::SemaphoreRejected);
            health.errors += errors;
            health.requests += errors + of(Event::Success);
        }
        health
    }
}

/// The largest value over `N` complete slices.
#[derive(Debug)]
pub struct MaxWindow<const N: usize> {
    ring: Ring<1>,
}

impl<const N: usize> MaxWindow<N> {
    /// An empty window of slices of `slice_ns`, aligned to `now`.
    pub fn new(slice_ns: u64, now: u64) -> Self {
        const { assert!(N < SLOTS) };
        Self { ring: Ring::new(slice_ns, now) }
    }

    /// Notes a value.
    pub fn record(&self, now: u64, value: u64) {
        if let Some(slice) = self.ring.slice(now) {
            slice[0].fetch_max(u32::try_from(value).unwrap_or(u32::MAX), Ordering::Relaxed);
        }
    }

    /// The largest value of the complete slices; 0 when there was none. A pure read.
    pub fn max(&self, now: u64) -> u64 {
        self.ring.complete(now, N).map(|s| u64::from(s[0].load(Ordering::Relaxed))).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the window must equal: every event with its time, counted by definition.
    fn naive(events: &[(u64, Event)], origin: u64, now: u64, slice: u64, slices: u64) -> (u64, u64) {
        let index = |t: u64| (t - origin) / slice;
        let inside = |t: u64| t >= origin && index(t) < index(now) && index(t) + slices >= index(now);
        let health = events.iter().filter(|(t, e)| inside(*t) && e.is_health());
        let errors = health.clone().filter(|(_, e)| *e != Event::Success).count() as u64;
        (health.count() as u64, errors)
    }

    const KINDS: [Event; 6] = [
        Event::Success,
        Event::Failure,
        Event::Timeout,
        Event::BadRequest,
        Event::ShortCircuited,
        Event::SemaphoreRejected,
    ];

    proptest! {
        #[test]
        fn the_ring_counts_as_the_definition_does(
            steps in proptest::collection::vec((0u64..40, 0usize..KINDS.len(), 0u8..20), 1..400),
            origin in 0u64..1000,
        ) {
            let (slice, mut now, mut origin) = (7, origin, origin);
            let window = Window::<20>::new(slice, now);
            let mut events = Vec::new();
            for (step, kind, reset) in steps {
                now += step;
                if reset == 0 {
                    window.reset(now);
                    origin = now;
                    events.clear();
                }
                window.add(now, KINDS[kind]);
                events.push((now, KINDS[kind]));
                let (requests, errors) = naive(&events, origin, now, slice, 20);
                prop_assert_eq!(window.health(now), Health { requests, errors });
                // Reading is pure: asking again, and asking about the future, changes nothing.
                let _later = window.health(now + 1_000);
                prop_assert_eq!(window.health(now), Health { requests, errors });
            }
        }
    }

    #[test]
    fn writers_of_one_slice_lose_nothing() {
        let window = Window::<10>::new(1_000, 0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|i| window.add(i % 5_000, Event::Success)));
            }
        });
        let counted = window.sum(5_000, Event::Success);
        // A writer whose slice was replaced counts nothing; within the ring's length none is.
        assert_eq!(counted, 40_000);
    }
}
