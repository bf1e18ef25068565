//! A circuit breaker with the semantics of Hystrix 1.5.18, without its two flaws.
//!
//! It trips, at the next call, when the rolling window holds at least `volume_threshold` calls of which at least
//! `error_percent` failed. While open it lets one probe through per `sleep_window`; the probe's success closes it
//! and empties the health window. Only the probe can close it: the late success of a call that began before the
//! trip cannot. A probe that is dropped frees its place; one that never returns is replaced after another sleep
//! window. Reading any figure never changes a state.

pub mod histogram;
pub mod layer;
pub mod state;
pub mod window;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracepact_base::SharedClock;

pub use layer::{BreakerLayer, BreakerService};
pub use state::{Cause, Forced, State, Transition};

use crate::classify::Outcome;
use crate::rejection::Rejection;
use histogram::{Latency, LatencySummary};
use state::{Admission, Machine};
use window::{Counts, Event, MaxWindow, Window};

/// How a breaker behaves; the defaults are Hystrix's.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerSettings {
    /// Fewest calls in the window before it may trip.
    pub volume_threshold: u64,
    /// Share of failed calls, in percent, at which it trips.
    pub error_percent: u64,
    /// How long an open breaker waits before the next probe.
    pub sleep_window: Duration,
    /// Length of the health window, cut in twenty slices; a slice counts once it is complete.
    pub window: Duration,
    /// A breaker that is not enabled counts and always admits.
    pub enabled: bool,
    /// The name under which the Hystrix stream groups it; the callee when empty.
    pub group: String,
    /// The call's timeout, shown in the Hystrix stream; `None` when there is none.
    pub timeout: Option<Duration>,
    /// Concurrent calls allowed, shown in the Hystrix stream.
    pub concurrency_max: u64,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            volume_threshold: 20,
            error_percent: 50,
            sleep_window: Duration::from_secs(5),
            window: Duration::from_secs(10),
            enabled: true,
            group: String::new(),
            timeout: Some(Duration::from_secs(1)),
            concurrency_max: 10,
        }
    }
}

/// Slices of the health window.
pub const HEALTH_SLICES: usize = 20;
/// Slices of the rolling counters (ten seconds of one).
pub const ROLLING_SLICES: usize = 10;
const SECOND_NS: u64 = 1_000_000_000;

/// A named breaker. Cheap to clone; clones are the same breaker.
#[derive(Debug, Clone)]
pub struct Breaker {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    callee: String,
    settings: BreakerSettings,
    clock: SharedClock,
    machine: Machine,
    health: Window<HEALTH_SLICES>,
    rolling: Window<ROLLING_SLICES>,
    concurrency: MaxWindow<ROLLING_SLICES>,
    in_flight: AtomicU64,
    totals: Counts,
    execute: Latency,
}

impl Breaker {
    /// A closed breaker called `name` that guards calls to `callee`.
    pub fn new(name: &str, callee: &str, settings: BreakerSettings, clock: SharedClock) -> Self {
        let now = clock.monotonic_ns();
        let slice_ns = (settings.window.as_nanos() as u64 / HEALTH_SLICES as u64).max(1);
        let machine = Machine::new(settings.sleep_window.as_nanos() as u64);
        Self {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                callee: callee.to_owned(),
                settings,
                machine,
                health: Window::new(slice_ns, now),
                rolling: Window::new(SECOND_NS, now),
                concurrency: MaxWindow::new(SECOND_NS, now),
                in_flight: AtomicU64::new(0),
                totals: Counts::default(),
                execute: Latency::new(10 * SECOND_NS, now),
                clock,
            }),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The service whose calls it guards.
    pub fn callee(&self) -> &str {
        &self.inner.callee
    }

    /// Its settings.
    pub fn settings(&self) -> &BreakerSettings {
        &self.inner.settings
    }

    fn now(&self) -> u64 {
        self.inner.clock.monotonic_ns()
    }

    fn record(&self, event: Event) {
        let now = self.now();
        self.inner.totals.add(event);
        self.inner.rolling.add(now, event);
        if event.is_health() {
            self.inner.health.add(now, event);
        }
    }

    /// Asks for admission. The returned call must be finished; dropping it counts nothing and frees a probe's place.
    ///
    /// # Errors
    /// [`Rejection::Open`] when the breaker does not admit; that is counted as short-circuited.
    pub fn try_call(&self) -> Result<Call, Rejection> {
        let inner = &*self.inner;
        let now = self.now();
        let wall = inner.clock.now_ns();
        let admission = if inner.settings.enabled {
            let health = || {
                let health = inner.health.health(now);
                health.requests >= inner.settings.volume_threshold
                    && health.requests > 0
                    && health.error_percent() >= inner.settings.error_percent
            };
            inner.machine.admit(now, wall, health)
        } else {
            Admission::Normal
        };
        let probe = match admission {
            Admission::Normal => None,
            Admission::Probe(id) => Some(id),
            Admission::Rejected { retry_after_ns } => {
                self.record(Event::ShortCircuited);
                return Err(Rejection::Open {
                    breaker: inner.name.clone(),
                    retry_after: Duration::from_nanos(retry_after_ns),
                });
            }
        };
        let running = inner.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        inner.concurrency.record(now, running);
        Ok(Call { breaker: self.clone(), probe, started_ns: now, finished: false })
    }

    /// Runs `work` if the breaker admits it and counts how `outcome` judges its result.
    ///
    /// # Errors
    /// [`Rejection::Open`] when it is not admitted.
    pub async fn call<T, F>(&self, work: F, outcome: impl FnOnce(&T) -> Outcome) -> Result<T, Rejection>
    where
        F: Future<Output = T>,
    {
        let call = self.try_call()?;
        let result = work.await;
        call.finish(outcome(&result));
        Ok(result)
    }

    /// Counts a call that was refused (by a bulkhead) before it began, without asking for admission. Rejections count as errors.
    pub fn record_rejected(&self) {
        self.record(Event::SemaphoreRejected);
    }

    /// Counts what became of a fallback: `Some(true)` it answered, `Some(false)` it failed, `None` there was none.
    pub fn record_fallback(&self, outcome: Option<bool>) {
        self.record(match outcome {
            Some(true) => Event::FallbackSuccess,
            Some(false) => Event::FallbackFailure,
            None => Event::FallbackMissing,
        });
    }

    /// The state now. A pure read: an open breaker whose sleep window has passed is still open until a call probes.
    pub fn state(&self) -> State {
        if self.inner.settings.enabled { self.inner.machine.state() } else { State::Disabled }
    }

    /// Forces it open or closed, or lets it decide again. Forced open wins over its own verdict; forced closed
    /// admits everything and still counts.
    pub fn force(&self, forced: Option<Forced>) {
        self.inner.machine.force(forced, self.inner.clock.now_ns());
    }

    /// What it is forced to, if anything.
    pub fn forced(&self) -> Option<Forced> {
        self.inner.machine.forced()
    }

    /// Calls in the health window.
    pub fn window_requests(&self) -> u64 {
        self.inner.health.health(self.now()).requests
    }

    /// Failed calls in the health window.
    pub fn window_errors(&self) -> u64 {
        self.inner.health.health(self.now()).errors
    }

    /// Failed calls in percent of the health window, cut to an integer; 0 for an empty window, as Hystrix says it.
    pub fn error_percent(&self) -> u64 {
        self.inner.health.health(self.now()).error_percent()
    }

    /// Since it was made: calls by what became of them.
    pub fn total(&self, event: Event) -> u64 {
        self.inner.totals.get(event)
    }

    /// In the last ten complete seconds.
    pub fn rolling(&self, event: Event) -> u64 {
        self.inner.rolling.sum(self.now(), event)
    }

    /// Calls running now.
    pub fn in_flight(&self) -> u64 {
        self.inner.in_flight.load(Ordering::Relaxed)
    }

    /// Most calls that ran at once in the last ten complete seconds.
    pub fn rolling_concurrency_max(&self) -> u64 {
        self.inner.concurrency.max(self.now())
    }

    /// How long calls took, over the last complete minute.
    pub fn latency(&self) -> LatencySummary {
        self.inner.execute.summary(self.now())
    }

    /// The last transitions, oldest first (at most 64 are kept).
    pub fn transitions(&self) -> Vec<Transition> {
        self.inner.machine.transitions()
    }

    /// How often each transition happened since it was made.
    pub fn transition_totals(&self) -> Vec<((State, State, Cause), u64)> {
        self.inner.machine.transition_totals()
    }

    /// Calls `listener` at every transition, in the task that caused it.
    pub fn on_transition(&self, listener: impl Fn(&Transition) + Send + Sync + 'static) {
        self.inner.machine.listen(Arc::new(listener));
    }
}

/// An admitted call.
#[derive(Debug)]
#[must_use = "an admitted call must be finished"]
pub struct Call {
    breaker: Breaker,
    probe: Option<u64>,
    started_ns: u64,
    finished: bool,
}

impl Call {
    /// Whether this call decides if an open breaker closes.
    pub fn is_probe(&self) -> bool {
        self.probe.is_some()
    }

    /// Counts the outcome; a probe's success closes the breaker, its failure keeps it open.
    pub fn finish(mut self, outcome: Outcome) {
        self.finished = true;
        let inner = &*self.breaker.inner;
        let now = inner.clock.monotonic_ns();
        inner.in_flight.fetch_sub(1, Ordering::Relaxed);
        inner.execute.record(now, now.saturating_sub(self.started_ns));
        if let Some(id) = self.probe.take() {
            let wall = inner.clock.now_ns();
            match outcome {
                Outcome::Success => {
                    if inner.machine.probe_succeeded(id, wall) {
                        inner.health.reset(now);
                    }
                }
                Outcome::Failure | Outcome::Timeout => {
                    inner.machine.probe_failed(id, wall, Cause::ProbeFailed)
                }
                Outcome::BadRequest => inner.machine.probe_failed(id, wall, Cause::ProbeUndecided),
            }
        }
        self.breaker.record(match outcome {
            Outcome::Success => Event::Success,
            Outcome::Failure => Event::Failure,
            Outcome::Timeout => Event::Timeout,
            Outcome::BadRequest => Event::BadRequest,
        });
    }
}

impl Call {
    /// The call was admitted and then refused by a bulkhead: an error, and no answer to a probe's question.
    pub fn reject(mut self) {
        self.release();
        self.breaker.record(Event::SemaphoreRejected);
    }

    fn release(&mut self) {
        self.finished = true;
        let inner = &*self.breaker.inner;
        inner.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(id) = self.probe.take() {
            inner.machine.probe_abandoned(id, inner.clock.now_ns());
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        self.release();
        self.breaker.record(Event::Cancelled);
    }
}

#[cfg(test)]
mod tests;
