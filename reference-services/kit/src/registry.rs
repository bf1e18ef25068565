//! Every breaker, bulkhead and permit pool of the process, for the metrics push and the Hystrix stream.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use tracepact_base::SharedClock;

use crate::breaker::{Breaker, BreakerSettings};
use crate::bulkhead::{Bulkhead, BulkheadSettings};
use crate::permits::{PermitSettings, Permits};

/// Makes and keeps them by name; asking twice for a name gives the same one. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: SharedClock,
    breakers: RwLock<BTreeMap<String, Breaker>>,
    bulkheads: RwLock<BTreeMap<String, Bulkhead>>,
    permits: RwLock<BTreeMap<(String, String), Permits>>,
    rebalances: RwLock<BTreeMap<String, Arc<AtomicU64>>>,
}

impl Registry {
    /// An empty registry whose parts read `clock`.
    pub fn new(clock: SharedClock) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                breakers: RwLock::default(),
                bulkheads: RwLock::default(),
                permits: RwLock::default(),
                rebalances: RwLock::default(),
            }),
        }
    }

    /// The clock.
    pub fn clock(&self) -> &SharedClock {
        &self.inner.clock
    }

    /// The breaker called `name` on the way to `callee`. Settings and callee hold when it is made here.
    pub fn breaker(&self, name: &str, callee: &str, settings: BreakerSettings) -> Breaker {
        let mut breakers = self.inner.breakers.write();
        breakers
            .entry(name.to_owned())
            .or_insert_with(|| Breaker::new(name, callee, settings, self.inner.clock.clone()))
            .clone()
    }

    /// The bulkhead called `name`. Settings hold when it is made here.
    pub fn bulkhead(&self, name: &str, settings: BulkheadSettings) -> Bulkhead {
        let mut bulkheads = self.inner.bulkheads.write();
        bulkheads
            .entry(name.to_owned())
            .or_insert_with(|| Bulkhead::new(name, settings, self.inner.clock.clone()))
            .clone()
    }

    /// The consumer permits of `group` on `topic`. Settings hold when they are made here.
    pub fn permits(&self, group: &str, topic: &str, settings: PermitSettings) -> Permits {
        let mut permits = self.inner.permits.write();
        permits
            .entry((group.to_owned(), topic.to_owned()))
            .or_insert_with(|| Permits::new(group, topic, settings, self.inner.clock.clone()))
            .clone()
    }

    /// The rebalance counter of `group`.
    pub fn rebalances(&self, group: &str) -> Arc<AtomicU64> {
        self.inner.rebalances.write().entry(group.to_owned()).or_default().clone()
    }

    /// All breakers by name.
    pub fn breakers(&self) -> Vec<Breaker> {
        self.inner.breakers.read().values().cloned().collect()
    }

    /// All bulkheads by name.
    pub fn bulkheads(&self) -> Vec<Bulkhead> {
        self.inner.bulkheads.read().values().cloned().collect()
    }

    /// All permit pools by group and topic.
    pub fn all_permits(&self) -> Vec<Permits> {
        self.inner.permits.read().values().cloned().collect()
    }

    /// Rebalances by group.
    pub fn all_rebalances(&self) -> Vec<(String, u64)> {
        let counters = self.inner.rebalances.read();
        counters.iter().map(|(group, count)| (group.clone(), count.load(Ordering::Relaxed))).collect()
    }
}
