//! Time as a parameter. Inside tracepact an instant is a `u64` of nanoseconds since 1970-01-01T00:00:00Z.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where the current time comes from. Passed in everywhere, so tests can hold and move it.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Nanoseconds since 1970 (UTC). May jump when the machine's clock is set.
    fn now_ns(&self) -> u64;
    /// Nanoseconds since some fixed point of this process. Never goes back; use it for intervals and timeouts.
    fn monotonic_ns(&self) -> u64;
}

/// A clock shared between tasks.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic reading starts near zero now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn new() -> Self {
        Self { origin: std::time::Instant::now() }
    }

    /// The machine's clock behind the shared pointer most constructors take.
    pub fn shared() -> SharedClock {
        Arc::new(Self::new())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now_ns(&self) -> u64 {
        // A clock set before 1970 reads as 0: spans are then refused as too old, which names the problem.
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64)
    }

    fn monotonic_ns(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: AtomicU64,
    monotonic: AtomicU64,
}

impl ManualClock {
    /// A clock standing at `now_ns`.
    pub fn at(now_ns: u64) -> Arc<Self> {
        Arc::new(Self { now: AtomicU64::new(now_ns), monotonic: AtomicU64::new(0) })
    }

    /// Moves both readings forward.
    pub fn advance_ns(&self, by_ns: u64) {
        self.now.fetch_add(by_ns, Ordering::SeqCst);
        self.monotonic.fetch_add(by_ns, Ordering::SeqCst);
    }

    /// Sets the wall clock, as an operator or NTP would; the monotonic reading does not move.
    pub fn set_wall_ns(&self, now_ns: u64) {
        self.now.store(now_ns, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ns(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    fn monotonic_ns(&self) -> u64 {
        self.monotonic.load(Ordering::SeqCst)
    }
}
