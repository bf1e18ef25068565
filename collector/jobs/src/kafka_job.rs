//! One task that reads Kafka: a cycle of lag, then a round of every flow's audit, then a pause.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracepact_base::SharedClock;
use tracepact_resilience::board::{Boards, MessagesView};

use crate::config::JobsConfig;
use crate::kafka::{Cluster, Limits};
use crate::lag_poller::LagPoller;
use crate::loss_audit::LossAudit;
use crate::writer::Writer;

/// Metadata of small clusters is read every cycle, that of larger ones so often.
const METADATA_AGE_MAX_NS: u64 = 30_000_000_000;
const SMALL_PARTITIONS: usize = 2_000;
/// Messages of each kind on the board, per flow.
const MESSAGES_MAX: usize = 1_000;

/// The task's state.
pub(crate) struct KafkaJob {
    cluster: Cluster,
    interval: Duration,
    lag: LagPoller,
    audits: Vec<LossAudit>,
    writer: Arc<Writer>,
    boards: Arc<Boards>,
    clock: SharedClock,
    metadata_read_ns: Option<u64>,
    was_reachable: bool,
}

impl KafkaJob {
    /// `None` when no Kafka is configured.
    pub(crate) fn new(
        config: &JobsConfig,
        writer: Arc<Writer>,
        boards: Arc<Boards>,
        clock: SharedClock,
    ) -> Option<Self> {
        let kafka = config.kafka.as_ref()?;
        let limits = Limits { timeout: kafka.timeout, answer_bytes_max: kafka.answer_bytes_max };
        let services = config.group_services.clone();
        let audit = |flow| LossAudit::new(flow, services.get(&flow.group).cloned());
        Some(Self {
            cluster: Cluster::new(&kafka.bootstrap, limits),
            interval: kafka.poll_interval,
            audits: config.flows.iter().map(audit).collect(),
            lag: LagPoller::new(kafka.rules, services.clone()),
            writer,
            boards,
            clock,
            metadata_read_ns: None,
            was_reachable: true,
        })
    }

    /// Runs until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            if stop.run_until_cancelled(self.cycle()).await.is_none() {
                return;
            }
            if stop.run_until_cancelled(tokio::time::sleep(self.interval)).await.is_none() {
                return;
            }
        }
    }

    async fn cycle(&mut self) {
        let reached = self.refresh().await;
        if let Err(error) = &reached {
            if self.was_reachable {
                tracing::warn!(%error, "Kafka cannot be asked; lag and messages are unknown until it can");
            }
            self.boards.lag.publish(self.lag.unknown(error));
            self.audits.iter_mut().for_each(|audit| audit.failed(error));
        } else {
            if !self.was_reachable {
                tracing::info!("Kafka answers again");
            }
            let outcome = self.lag.poll(&mut self.cluster, &self.boards.lag, &self.clock).await;
            self.boards.lag.publish(outcome.view);
            self.writer.measures(outcome.measures).await;
            self.writer.events(outcome.events).await;
            for audit in &mut self.audits {
                let outcome = audit.round(&mut self.cluster, &self.clock).await;
                self.writer.measures(outcome.measures).await;
                self.writer.events(outcome.events).await;
            }
        }
        self.was_reachable = reached.is_ok();
        if !self.audits.is_empty() {
            self.boards.messages.publish(self.messages(reached.is_ok()));
        }
    }

    async fn refresh(&mut self) -> Result<(), String> {
        let now_ns = self.clock.monotonic_ns();
        let age = self.metadata_read_ns.map(|read| now_ns.saturating_sub(read));
        let small = self.cluster.places().len() < SMALL_PARTITIONS;
        let fresh = self.was_reachable && !small && age.is_some_and(|age| age < METADATA_AGE_MAX_NS);
        if !fresh {
            self.cluster.refresh().await.map_err(|error| error.to_string())?;
            self.metadata_read_ns = Some(now_ns);
        }
        Ok(())
    }

    fn messages(&self, reached: bool) -> MessagesView {
        let before = self.boards.messages.snapshot().as_of_ns;
        MessagesView {
            as_of_ns: if reached { Some(self.clock.now_ns()) } else { before },
            flows: self.audits.iter().map(LossAudit::flow_view).collect(),
            messages: self.audits.iter().flat_map(|audit| audit.messages(MESSAGES_MAX)).collect(),
        }
    }
}
