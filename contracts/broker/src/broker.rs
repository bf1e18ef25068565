//! The broker as a value: its store, its clock, what is plugged in.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use sqlx::migrate::MigrateError;
use tokio::sync::{Notify, Semaphore, watch};
use tracepact_base::{Clock, Edge, Event, EventKind, ServiceName, SharedClock};
use tracepact_listener::Caller;

use crate::auth::gate::GateState;
use crate::hooks::{DecisionCounter, TraceFinder};
use crate::store::{Conn, Store, Write, audit, outbox};
use crate::{BrokerConfig, BrokerError, Database};

/// The contract broker. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Broker {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    config: BrokerConfig,
    clock: SharedClock,
    trace_finder: OnceLock<Arc<dyn TraceFinder>>,
    counter: OnceLock<Arc<dyn DecisionCounter>>,
    outbox: Notify,
    webhooks: Notify,
    /// Where the last client reached us.
    reached_at: RwLock<String>,
    gate: GateState,
    changes: watch::Sender<u64>,
    waiting: Semaphore,
}

/// Most requests that wait for a change at a time.
const WAITING_MAX: usize = 1_000;

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl Broker {
    /// Opens the database, creating a file when missing, and brings its tables up to date.
    ///
    /// # Errors
    /// When the database cannot be opened or reached, or was written by a newer version.
    pub async fn open(config: BrokerConfig, clock: SharedClock) -> Result<Self, BrokerError> {
        let store = Store::open(&config.database).await.map_err(|error| BrokerError::Open {
            database: config.database.shown(),
            reason: match &error {
                sqlx::Error::Migrate(source) => match source.as_ref() {
                    MigrateError::VersionMissing(_) => {
                        "a newer version of tracepact wrote it; start that one, or restore a backup"
                            .to_owned()
                    }
                    other => other.to_string(),
                },
                other => other.to_string(),
            },
        })?;
        let inner = Inner {
            store,
            config,
            clock,
            trace_finder: OnceLock::new(),
            counter: OnceLock::new(),
            outbox: Notify::new(),
            webhooks: Notify::new(),
            reached_at: RwLock::new(String::new()),
            gate: GateState::new(),
            changes: watch::Sender::new(0),
            waiting: Semaphore::new(WAITING_MAX),
        };
        let broker = Self { inner: Arc::new(inner) };
        broker.look_for_users().await?;
        Ok(broker)
    }

    /// Plugs in where traces are found; only the first call counts.
    pub fn set_trace_finder(&self, finder: Arc<dyn TraceFinder>) {
        let _ = self.inner.trace_finder.set(finder);
    }

    /// Plugs in who counts decisions; only the first call counts.
    pub fn set_decision_counter(&self, counter: Arc<dyn DecisionCounter>) {
        let _ = self.inner.counter.set(counter);
    }

    /// Whether the database answers: for `/health`.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), BrokerError> {
        self.inner.store.ping().await?;
        // Another broker on the same database may have got its first user.
        self.look_for_users().await
    }

    /// Lets every request that waits for a change answer now: for a drain.
    pub fn stop_waiting(&self) {
        self.inner.waiting.close();
        self.inner.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Closes the database after running requests are done with it.
    pub async fn close(&self) {
        self.inner.store.close().await;
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn config(&self) -> &BrokerConfig {
        &self.inner.config
    }

    /// The file the tables are in, when they are in one.
    pub(crate) fn database_file(&self) -> Option<&std::path::Path> {
        match &self.inner.config.database {
            Database::File(path) => Some(path),
            Database::Postgres(_) => None,
        }
    }

    pub(crate) fn now_ns(&self) -> u64 {
        self.inner.clock.now_ns()
    }

    /// Now, as the tables have it.
    pub(crate) fn now(&self) -> i64 {
        i64::try_from(self.now_ns()).unwrap_or(i64::MAX)
    }

    pub(crate) fn trace_finder(&self) -> Option<&Arc<dyn TraceFinder>> {
        self.inner.trace_finder.get()
    }

    pub(crate) fn counter(&self) -> Option<&Arc<dyn DecisionCounter>> {
        self.inner.counter.get()
    }

    pub(crate) fn outbox_changed(&self) -> &Notify {
        &self.inner.outbox
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    pub(crate) fn gate(&self) -> &GateState {
        &self.inner.gate
    }

    pub(crate) fn webhooks_changed(&self) -> &Notify {
        &self.inner.webhooks
    }

    /// A client reached us at `base`.
    pub(crate) fn reached_at(&self, base: &str) {
        if self.inner.config.base_urls.is_empty() && *self.last_reached_at() != *base {
            base.clone_into(&mut self.inner.reached_at.write().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn last_reached_at(&self) -> RwLockReadGuard<'_, String> {
        self.inner.reached_at.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address for links that leave with an event instead of an answer: the first that is set, else the one
    /// under which clients reached us last.
    pub(crate) fn public_base(&self) -> String {
        match self.inner.config.base_urls.first() {
            Some(base) => base.trim_end_matches('/').to_owned(),
            None => self.last_reached_at().clone(),
        }
    }

    /// Told of every commit of this process.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    /// Places for requests that wait for a change.
    pub(crate) fn waiting(&self) -> &Semaphore {
        &self.inner.waiting
    }

    /// Writes down who made the running request and what it is, commits, and wakes who delivers events and webhooks and
    /// who waits for a change.
    pub(crate) async fn commit(&self, mut write: Write<'_>) -> Result<(), BrokerError> {
        if let Some(caller) = Caller::current() {
            audit::add(write.conn(), caller.name(), &caller.request(), self.now()).await?;
        }
        write.commit().await?;
        self.inner.outbox.notify_one();
        self.inner.webhooks.notify_one();
        self.inner.changes.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }

    /// An event of now.
    pub(crate) fn event(&self, kind: EventKind, title: impl Into<String>) -> Event {
        Event::new(kind, self.now_ns(), title)
    }
}

/// Adds an event to the running transaction.
pub(crate) async fn tell(conn: &mut Conn, event: Event) -> Result<(), BrokerError> {
    outbox::add(conn, &event).await
}

/// The event with its service, where the name is one (names were checked when they were stored).
pub(crate) fn about(event: Event, service: &str) -> Event {
    match ServiceName::new(service) {
        Ok(name) => event.about(name),
        Err(_) => event,
    }
}

/// The event with its edge.
pub(crate) fn on_edge(event: Event, consumer: &str, provider: &str) -> Event {
    match (ServiceName::new(consumer), ServiceName::new(provider)) {
        (Ok(caller), Ok(callee)) => event.on_edge(Edge::new(caller, callee)),
        _ => event,
    }
}
