//! Start, stop and the handle that tests and demos hold.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::connection;
use crate::error_code;
use crate::faults::Faults;
use crate::state::Shared;

/// Why the broker did not start, or a topic was not created.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The topic was refused.
    #[error("topic {topic} was not created: Kafka error code {code}")]
    Topic {
        /// The name asked for.
        topic: String,
        /// Kafka's error code.
        code: i16,
    },
}

/// A group as the broker itself sees it; what clients see comes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSummary {
    /// The group's name.
    pub group: String,
    /// Kafka's name of its state: `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable`.
    pub state: &'static str,
    /// Members now.
    pub members: usize,
    /// Join phases completed so far, the first one included.
    pub rebalances: u64,
}

/// A running broker. Dropping it closes every connection at once; [`Broker::stop`] does so in order.
#[derive(Debug)]
pub struct Broker {
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Broker {
    /// Listens and serves. The address may name port 0.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let listen_error = |source| StartError::Listen { address: config.listen.clone(), source };
        let listener = TcpListener::bind(&config.listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let tick = config.tick;
        let shared = Arc::new(Shared::new(config, address.ip().to_string(), address.port()));
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(accept(listener, shared.clone(), stop.clone(), tasks.clone()));
        tasks.spawn(run_ticks(shared.clone(), stop.clone(), tick));
        tracing::info!(%address, "the embedded Kafka listens (for demos and tests only)");
        Ok(Self { shared, stop, tasks })
    }

    /// `host:port` for `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        if self.shared.host.contains(':') {
            format!("[{}]:{}", self.shared.host, self.shared.port)
        } else {
            format!("{}:{}", self.shared.host, self.shared.port)
        }
    }

    /// Creates a topic; -1 partitions for the default number.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<(), StartError> {
        self.create_topic_with(name, partitions, &[])
    }

    /// Creates a topic with configuration such as `retention.bytes` and `retention.ms`.
    pub fn create_topic_with(
        &self,
        name: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Result<(), StartError> {
        let configs = configs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        match self.shared.create_topic(&mut self.shared.state(), name, partitions, configs, false) {
            error_code::NONE => Ok(()),
            code => Err(StartError::Topic { topic: name.to_owned(), code }),
        }
    }

    /// Puts these faults in force instead of the present ones.
    pub fn faults(&self, faults: Faults) {
        self.shared.state().faults = faults;
    }

    /// The groups as the broker sees them, for assertions about rebalances.
    pub fn groups(&self) -> Vec<GroupSummary> {
        let state = self.shared.state();
        let summary = |(name, group): (&String, &crate::group::Group)| GroupSummary {
            group: name.clone(),
            state: group.state.name(),
            members: group.members.len(),
            rebalances: group.rebalances,
        };
        state.groups.iter().map(summary).collect()
    }

    /// Bytes of record batches held now; never above `memory_bytes_max`.
    pub fn memory_bytes(&self) -> u64 {
        self.shared.state().bytes()
    }

    /// Stops accepting, ends requests that wait (long polls, joins), closes the connections and returns when all ended.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(shared.config.connections_max));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                // Typically no file descriptors left: wait for some to be freed instead of spinning.
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(shared.config.tick).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(%peer, limit = shared.config.connections_max, "too many connections: closed");
            continue;
        };
        let (shared, stop) = (shared.clone(), stop.clone());
        tasks.spawn(async move {
            let served = connection::serve(&shared, socket, &peer.ip().to_string(), &stop).await;
            if let Err(error) = served {
                tracing::warn!(%peer, %error, "connection closed");
            }
            drop(place);
        });
    }
}

async fn run_ticks(shared: Arc<Shared>, stop: CancellationToken, every: std::time::Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        shared.tick();
    }
}
