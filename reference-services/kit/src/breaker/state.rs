//! The state machine: closed, open, half open while a probe runs, and what an operator forces.
//!
//! A closed breaker is admitted on one atomic load plus the health sum; only transitions and the open state take a lock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::{Mutex, RwLock};

/// A breaker's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Calls are admitted.
    Closed,
    /// Calls are refused until the sleep window has passed.
    Open,
    /// One probe is running.
    HalfOpen,
    /// An operator keeps it open.
    ForcedOpen,
    /// It never trips.
    Disabled,
}

impl State {
    /// Its name in events and attributes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
        }
    }

    /// Its number in the `tracepact.breaker.state` gauge.
    pub fn number(self) -> u64 {
        self as u64
    }

    fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Closed,
            1 => Self::Open,
            2 => Self::HalfOpen,
            3 => Self::ForcedOpen,
            _ => Self::Disabled,
        }
    }
}

/// Why a breaker changed its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Too many errors in the window.
    ErrorPercent,
    /// The sleep window has passed and a call probes.
    SleepWindowElapsed,
    /// The probe succeeded.
    ProbeSucceeded,
    /// The probe failed or timed out.
    ProbeFailed,
    /// The probe was a bad request, which says nothing about the callee.
    ProbeUndecided,
    /// The probe was dropped before it had an outcome.
    ProbeAbandoned,
    /// An operator forced it.
    Forced,
    /// An operator let it decide again.
    Released,
}

impl Cause {
    /// Its name in events and attributes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ErrorPercent => "error_percent",
            Self::SleepWindowElapsed => "sleep_window_elapsed",
            Self::ProbeSucceeded => "probe_succeeded",
            Self::ProbeFailed => "probe_failed",
            Self::ProbeUndecided => "probe_undecided",
            Self::ProbeAbandoned => "probe_abandoned",
            Self::Forced => "forced",
            Self::Released => "released",
        }
    }
}

/// What an operator forces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forced {
    /// Nothing is admitted.
    Open,
    /// Everything is admitted.
    Closed,
}

/// One change of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
    /// From.
    pub from: State,
    /// To.
    pub to: State,
    /// Why.
    pub cause: Cause,
}

/// What the machine says to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Normal,
    Probe(u64),
    Rejected { retry_after_ns: u64 },
}

/// Transitions that are remembered.
const HISTORY: usize = 64;

type Listener = Arc<dyn Fn(&Transition) + Send + Sync>;

pub(super) struct Machine {
    sleep_ns: u64,
    /// The state of `Guarded`, readable without its lock.
    state: AtomicU8,
    forced: AtomicU8,
    guarded: Mutex<Guarded>,
    listeners: RwLock<Vec<Listener>>,
}

#[derive(Default)]
struct Guarded {
    /// When it opened, or the last probe began (monotonic); the next probe may come `sleep_ns` later.
    opened_or_probed: u64,
    /// The number of the last probe; only that one may decide.
    probe: u64,
    history: VecDeque<Transition>,
    totals: BTreeMap<(State, State, Cause), u64>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl Machine {
    pub(super) fn new(sleep_ns: u64) -> Self {
        Self {
            sleep_ns,
            state: AtomicU8::new(0),
            forced: AtomicU8::new(0),
            guarded: Mutex::default(),
            listeners: RwLock::default(),
        }
    }

    /// The state as published.
    pub(super) fn state(&self) -> State {
        if self.forced() == Some(Forced::Open) { State::ForcedOpen } else { self.own() }
    }

    fn own(&self) -> State {
        State::from_code(self.state.load(Ordering::Acquire))
    }

    pub(super) fn forced(&self) -> Option<Forced> {
        match self.forced.load(Ordering::Acquire) {
            1 => Some(Forced::Open),
            2 => Some(Forced::Closed),
            _ => None,
        }
    }

    /// Admits or refuses a call; `tripped` is asked only while closed.
    pub(super) fn admit(&self, now: u64, wall: u64, tripped: impl Fn() -> bool) -> Admission {
        let forced = self.forced();
        if forced == Some(Forced::Open) {
            return Admission::Rejected { retry_after_ns: self.sleep_ns };
        }
        if self.own() == State::Closed {
            if !tripped() {
                return Admission::Normal;
            }
            let mut guarded = self.guarded.lock();
            if self.own() == State::Closed {
                guarded.opened_or_probed = now;
                let transition = self.enter(&mut guarded, State::Open, Cause::ErrorPercent, wall);
                drop(guarded);
                self.tell(&transition);
            }
        }
        if forced == Some(Forced::Closed) {
            return Admission::Normal;
        }
        let mut guarded = self.guarded.lock();
        if self.own() == State::Closed {
            return Admission::Normal;
        }
        let due = guarded.opened_or_probed.saturating_add(self.sleep_ns);
        if now <= due {
            return Admission::Rejected { retry_after_ns: due - now };
        }
        guarded.opened_or_probed = now;
        guarded.probe += 1;
        let id = guarded.probe;
        // A probe that never came back is replaced; the state stays half open.
        let transition = (self.own() != State::HalfOpen)
            .then(|| self.enter(&mut guarded, State::HalfOpen, Cause::SleepWindowElapsed, wall));
        drop(guarded);
        if let Some(transition) = transition {
            self.tell(&transition);
        }
        Admission::Probe(id)
    }

    /// True when the probe closed the breaker; a replaced probe decides nothing.
    pub(super) fn probe_succeeded(&self, id: u64, wall: u64) -> bool {
        self.decide(id, State::Closed, Cause::ProbeSucceeded, wall, |_| {})
    }

    pub(super) fn probe_failed(&self, id: u64, wall: u64, cause: Cause) {
        self.decide(id, State::Open, cause, wall, |_| {});
    }

    /// The place is free at once: the next call probes.
    pub(super) fn probe_abandoned(&self, id: u64, wall: u64) {
        let sleep_ns = self.sleep_ns;
        self.decide(id, State::Open, Cause::ProbeAbandoned, wall, |guarded| {
            guarded.opened_or_probed = guarded.opened_or_probed.saturating_sub(sleep_ns.saturating_add(1));
        });
    }

    fn decide(&self, id: u64, to: State, cause: Cause, wall: u64, then: impl FnOnce(&mut Guarded)) -> bool {
        let mut guarded = self.guarded.lock();
        if guarded.probe != id || self.own() != State::HalfOpen {
            return false;
        }
        let transition = self.enter(&mut guarded, to, cause, wall);
        then(&mut guarded);
        drop(guarded);
        self.tell(&transition);
        true
    }

    pub(super) fn force(&self, forced: Option<Forced>, wall: u64) {
        let mut guarded = self.guarded.lock();
        let before = self.state();
        let code = match forced {
            None => 0,
            Some(Forced::Open) => 1,
            Some(Forced::Closed) => 2,
        };
        self.forced.store(code, Ordering::Release);
        let after = self.state();
        if before == after {
            return;
        }
        let cause = if forced.is_some() { Cause::Forced } else { Cause::Released };
        let transition = remember(&mut guarded, before, after, cause, wall);
        drop(guarded);
        self.tell(&transition);
    }

    fn enter(&self, guarded: &mut Guarded, to: State, cause: Cause, wall: u64) -> Transition {
        let from = self.own();
        self.state.store(to as u8, Ordering::Release);
        remember(guarded, from, to, cause, wall)
    }

    fn tell(&self, transition: &Transition) {
        let listeners = self.listeners.read().clone();
        for listener in listeners {
            listener(transition);
        }
    }

    pub(super) fn listen(&self, listener: Listener) {
        self.listeners.write().push(listener);
    }

    pub(super) fn transitions(&self) -> Vec<Transition> {
        self.guarded.lock().history.iter().cloned().collect()
    }

    pub(super) fn transition_totals(&self) -> Vec<((State, State, Cause), u64)> {
        self.guarded.lock().totals.iter().map(|(key, count)| (*key, *count)).collect()
    }
}

fn remember(guarded: &mut Guarded, from: State, to: State, cause: Cause, wall: u64) -> Transition {
    let transition = Transition { at_ns: wall, from, to, cause };
    if guarded.history.len() == HISTORY {
        guarded.history.pop_front();
    }
    guarded.history.push_back(transition.clone());
    *guarded.totals.entry((from, to, cause)).or_default() += 1;
    transition
}
