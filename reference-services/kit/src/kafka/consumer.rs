//! The consumer's loop: permits, lanes, pausing without leaving the group, commits after success.

mod work;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::group::{GroupContext, to_list};
use super::offsets::Offsets;
use super::producer::Producer;
use super::record::{Failure, Record};
use crate::permits::{PermitSettings, Permits};
use crate::registry::Registry;
use crate::spans::Tracing;
use work::{Lane, Work};

/// How a consumer works.
#[derive(Debug, Clone)]
pub struct ConsumerSettings {
    /// `host:port` of the brokers, comma-separated.
    pub bootstrap: String,
    /// The consumer group.
    pub group: String,
    /// The topics.
    pub topics: Vec<String>,
    /// The client id; the group's name when empty.
    pub client_id: String,
    /// Records in hand at once.
    pub permits: PermitSettings,
    /// Lanes: records of one key always use the same lane, which works in order; so keys keep their order and
    /// different keys run beside each other. Records without a key use their partition's lane.
    pub lanes: usize,
    /// How often finished offsets are committed.
    pub commit_interval: Duration,
    /// How long records must wait for permits before fetching is paused (pausing throws prefetched records away).
    pub pause_after: Duration,
    /// Tries of a record that fails with [`Failure::Retry`], the first included; then it becomes a dead letter, or,
    /// without dead letters, is tried for ever.
    pub attempts_max: u32,
    /// The wait between two tries; it doubles up to sixteen times itself.
    pub retry_backoff: Duration,
    /// Whether records that cannot be handled go to `<topic>.DLT`.
    pub dead_letters: bool,
    /// How long a stopping consumer waits for the records in hand.
    pub drain_within: Duration,
    /// librdkafka properties that override the helper's.
    pub properties: Vec<(String, String)>,
}

impl ConsumerSettings {
    /// The defaults for `group` on `topics`.
    pub fn new(bootstrap: impl Into<String>, group: impl Into<String>, topics: &[&str]) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            group: group.into(),
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            client_id: String::new(),
            permits: PermitSettings::default(),
            lanes: 16,
            commit_interval: Duration::from_millis(100),
            pause_after: Duration::from_secs(1),
            attempts_max: 5,
            retry_backoff: Duration::from_millis(100),
            dead_letters: true,
            drain_within: Duration::from_secs(5),
            properties: Vec::new(),
        }
    }

    fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        let client_id = if self.client_id.is_empty() { &self.group } else { &self.client_id };
        config
            .set("bootstrap.servers", &self.bootstrap)
            .set("group.id", &self.group)
            .set("client.id", client_id)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", "10000")
            .set("topic.metadata.refresh.interval.ms", "5000");
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config
    }
}

/// The consumer could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// librdkafka refused.
    #[error("the consumer cannot work: {0}")]
    Kafka(#[from] KafkaError),
}

/// Switches of a running consumer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ConsumerControl {
    held: Arc<AtomicBool>,
    permits: Permits,
}

impl ConsumerControl {
    /// Stops handing out records (true) or goes on (false). The consumer stays in its group meanwhile.
    pub fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Release);
    }

    /// Whether it is held.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// The permits; their limit may be changed at any time.
    pub fn permits(&self) -> &Permits {
        &self.permits
    }
}

/// A consumer that has subscribed and not yet begun.
pub struct Consumer {
    inner: StreamConsumer<GroupContext>,
    offsets: Arc<Mutex<Offsets>>,
    settings: ConsumerSettings,
    tracing: Tracing,
    permits: Permits,
    dead_letters: Option<Producer>,
    held: Arc<AtomicBool>,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Consumer {
    /// Subscribes. Permits and rebalance counter are kept in `registry` under the group.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration or the subscription.
    pub fn new(
        settings: ConsumerSettings,
        tracing: Tracing,
        registry: &Registry,
    ) -> Result<Self, ConsumerError> {
        let offsets = Arc::new(Mutex::new(Offsets::default()));
        let context = GroupContext {
            offsets: offsets.clone(),
            rebalances: registry.rebalances(&settings.group),
            assigned: AtomicBool::new(false),
        };
        let inner: StreamConsumer<GroupContext> = settings.client_config().create_with_context(context)?;
        let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
        inner.subscribe(&topics)?;
        let permits = registry.permits(&settings.group, &topics.join(","), settings.permits.clone());
        let dead_letters = if settings.dead_letters {
            Some(Producer::new(&settings.bootstrap, tracing.clone())?)
        } else {
            None
        };
        Ok(Self { inner, offsets, settings, tracing, permits, dead_letters, held: Arc::default() })
    }

    /// Switches that work while the consumer runs.
    pub fn control(&self) -> ConsumerControl {
        ConsumerControl { held: self.held.clone(), permits: self.permits.clone() }
    }

    /// Consumes until `stop`, then waits for the records in hand, commits and leaves the group.
    ///
    /// Each record runs in a `process T` CONSUMER span below the producer's span (and linked to it); the handler sees
    /// it as the current context. A record counts as handled when the handler returns `Ok` or its dead letter is acknowledged.
    ///
    /// # Errors
    /// When the subscription is lost for good; what brokers do in passing is logged and waited out.
    pub async fn run<H, F>(self, handler: H, stop: CancellationToken) -> Result<(), ConsumerError>
    where
        H: Fn(Record) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let lanes_count = self.settings.lanes.max(1);
        let (finished, mut done) = mpsc::unbounded_channel();
        let work = Arc::new(Work {
            handler,
            tracing: self.tracing.clone(),
            group: self.settings.group.clone(),
            attempts_max: self.settings.attempts_max.max(1),
            retry_backoff: self.settings.retry_backoff,
            dead_letters: self.dead_letters.clone(),
            offsets: self.offsets.clone(),
            finished,
            stop: stop.clone(),
        });
        let lanes: Vec<Lane> = (0..lanes_count).map(|_| Lane::start(work.clone())).collect();
        drop(work);
        let mut run = Running {
            consumer: &self.inner,
            offsets: &self.offsets,
            settings: &self.settings,
            permits: &self.permits,
            held: &self.held,
            waiting: VecDeque::new(),
            pressed_since: None,
            paused: false,
        };
        let mut tick = tokio::time::interval(self.settings.commit_interval.max(Duration::from_millis(1)));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let held = self.held.load(Ordering::Acquire);
            tokio::select! {
                () = stop.cancelled() => break,
                Some((topic, partition, epoch, offset)) = done.recv() => {
                    self.offsets.lock().finish(&topic, partition, epoch, offset);
                }
                _ = tick.tick() => run.tick(),
                permit = self.permits.acquire(), if !held && !run.waiting.is_empty() => {
                    if let Some((record, epoch)) = run.next() {
                        lanes[lane_of(&record, lanes_count)].give(record, epoch, permit);
                    }
                }
                received = self.inner.recv(), if run.may_poll() => match received {
                    Ok(message) => run.received(Record::detach(&message)),
                    Err(error) => {
                        if matches!(&error, KafkaError::MessageConsumptionFatal(_)) {
                            return Err(error.into());
                        }
                        tracing::warn!(%error, group = %self.settings.group, "the consumer met an error and goes on");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
        self.permits.set_paused(false);
        self.permits.set_waiting(0);
        drop(lanes);
        // Lanes end once their records are handled; the channel closes with the last of them.
        let drain = async {
            while let Some((topic, partition, epoch, offset)) = done.recv().await {
                self.offsets.lock().finish(&topic, partition, epoch, offset);
            }
        };
        if tokio::time::timeout(self.settings.drain_within, drain).await.is_err() {
            tracing::warn!(group = %self.settings.group, "records in hand were not finished in time; they will come again");
        }
        let (inner, offsets) = (self.inner, self.offsets);
        let closed = tokio::task::spawn_blocking(move || {
            let due = offsets.lock().due(|_, _| true);
            if let Some(list) = to_list(&due)
                && let Err(error) = inner.commit(&list, CommitMode::Sync)
            {
                tracing::warn!(%error, "the last offsets were not committed");
            } else {
                offsets.lock().committed(&due);
            }
            inner.unsubscribe();
            drop(inner);
        });
        if let Err(error) = closed.await {
            tracing::warn!(%error, "leaving the group ended abnormally");
        }
        Ok(())
    }
}

/// Most records that wait for permits; beyond it the consumer is not polled (only reached right after a rebalance).
const WAITING_MAX: usize = 1000;

struct Running<'a> {
    consumer: &'a StreamConsumer<GroupContext>,
    offsets: &'a Mutex<Offsets>,
    settings: &'a ConsumerSettings,
    permits: &'a Permits,
    held: &'a AtomicBool,
    waiting: VecDeque<(Record, u64)>,
    pressed_since: Option<tokio::time::Instant>,
    paused: bool,
}

impl Running<'_> {
    /// While records wait, nothing more is fetched; a paused consumer is polled all the same, or it would be
    /// thrown out of its group after `max.poll.interval.ms`.
    fn may_poll(&self) -> bool {
        self.waiting.is_empty() || (self.paused && self.waiting.len() < WAITING_MAX)
    }

    fn received(&mut self, record: Record) {
        let epoch = self.offsets.lock().start(&record.topic, record.partition, record.offset);
        self.waiting.push_back((record, epoch));
        self.permits.set_waiting(self.waiting.len());
    }

    /// The next record whose partition is still ours.
    fn next(&mut self) -> Option<(Record, u64)> {
        let mut found = None;
        while let Some((record, epoch)) = self.waiting.pop_front() {
            if self.offsets.lock().is_current(&record.topic, record.partition, epoch) {
                found = Some((record, epoch));
                break;
            }
        }
        self.permits.set_waiting(self.waiting.len());
        found
    }

    fn tick(&mut self) {
        self.commit();
        let held = self.held.load(Ordering::Acquire);
        if self.waiting.is_empty() && !held {
            self.pressed_since = None;
        } else if self.pressed_since.is_none() {
            self.pressed_since = Some(tokio::time::Instant::now());
        }
        let newly_assigned = self.consumer.context().assigned.swap(false, Ordering::AcqRel);
        let pressed = self.pressed_since.is_some_and(|since| since.elapsed() >= self.settings.pause_after);
        if (pressed || held) && !self.paused || self.paused && newly_assigned {
            self.switch(true);
        } else if self.paused && !held && self.waiting.is_empty() && self.permits.may_resume() {
            self.switch(false);
        }
    }

    fn switch(&mut self, pause: bool) {
        let switched = self.consumer.assignment().and_then(|assignment| {
            if pause { self.consumer.pause(&assignment) } else { self.consumer.resume(&assignment) }
        });
        match switched {
            Ok(()) => {
                self.paused = pause;
                self.permits.set_paused(pause);
            }
            Err(error) => tracing::warn!(%error, pause, "fetching was not switched; it is tried again"),
        }
    }

    fn commit(&self) {
        let due = self.offsets.lock().due(|_, _| true);
        let Some(list) = to_list(&due) else { return };
        match self.consumer.commit(&list, CommitMode::Async) {
            Ok(()) => self.offsets.lock().committed(&due),
            Err(error) => tracing::warn!(%error, "offsets were not committed; they are tried again"),
        }
    }
}

fn lane_of(record: &Record, lanes: usize) -> usize {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    match &record.key {
        Some(key) => key.hash(&mut hasher),
        None => (&record.topic, record.partition).hash(&mut hasher),
    }
    (hasher.finish() % lanes as u64) as usize
}
