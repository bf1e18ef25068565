//! Consuming records, with the fault switches in front of the service's own handler.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tracepact_kit::kafka::{Consumer, ConsumerError, ConsumerSettings, Failure, Record};
use tracepact_kit::permits::PermitSettings;

use super::{DRAIN_WITHIN, Runtime};
use crate::args::KafkaArgs;
use crate::faults::{Faults, http_layer::crash};

/// Lanes of a consumer: so many that one slow order rarely holds up another one.
const LANES: usize = 1024;
/// Tries of a record while Kafka or another service is away: about a minute.
const ATTEMPTS_MAX: u32 = 40;

/// The running consumers of a process.
#[derive(Debug, Default)]
pub(super) struct Consumers {
    running: JoinSet<Result<(), ConsumerError>>,
}

impl Consumers {
    /// Whether anything is consumed.
    pub(super) fn is_any(&self) -> bool {
        !self.running.is_empty()
    }

    /// Resolves when a consumer ended although nobody stopped it; never, when there is none.
    pub(super) async fn failed(&mut self) -> anyhow::Error {
        match self.running.join_next().await {
            Some(Ok(Ok(()))) => anyhow::anyhow!("the consumer ended"),
            Some(Ok(Err(error))) => error.into(),
            Some(Err(error)) => error.into(),
            None => std::future::pending().await,
        }
    }

    /// Resolves when all have ended.
    pub(super) async fn ended(mut self) {
        while let Some(result) = self.running.join_next().await {
            if let Ok(Err(error)) = result {
                tracing::warn!(%error, "the consumer did not end well");
            }
        }
    }
}

impl Runtime {
    /// Consumes `topics` in the group named like the service; `handler` returns once the record's consequences are
    /// on Kafka, and only then its offset is committed.
    ///
    /// # Errors
    /// When the subscription is refused.
    pub async fn consume<H, F>(&mut self, args: &KafkaArgs, topics: &[&str], handler: H) -> anyhow::Result<()>
    where
        H: Fn(Record) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let mut settings = ConsumerSettings::new(&args.kafka, self.service, topics);
        settings.client_id = self.telemetry.settings().instance.clone();
        settings.permits = PermitSettings { limit: args.permits as usize, ..PermitSettings::default() };
        settings.lanes = LANES;
        settings.attempts_max = ATTEMPTS_MAX;
        settings.drain_within = DRAIN_WITHIN;
        let heartbeat_ms = (args.session_timeout_ms / 10).max(100);
        settings.properties = vec![
            ("session.timeout.ms".into(), args.session_timeout_ms.to_string()),
            ("heartbeat.interval.ms".into(), heartbeat_ms.to_string()),
        ];
        let consumer = Consumer::new(settings, self.telemetry.tracing().clone(), self.telemetry.registry())?;
        if let Some(faults) = &self.faults {
            let (control, mut stopped) = (consumer.control(), faults.stopped());
            tokio::spawn(async move {
                loop {
                    control.hold(*stopped.borrow_and_update());
                    if stopped.changed().await.is_err() {
                        return;
                    }
                }
            });
        }
        let faults = self.faults.clone();
        let struck = move |record: Record| {
            let (faults, handler) = (faults.clone(), handler.clone());
            async move {
                match &faults {
                    Some(faults) => strike(faults, &handler, record).await,
                    None => handler(record).await,
                }
            }
        };
        self.consumers.running.spawn(consumer.run(struck, self.drain.clone()));
        Ok(())
    }
}

async fn strike<H, F>(faults: &Arc<Faults>, handler: &H, record: Record) -> Result<(), Failure>
where
    H: Fn(Record) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let strike = faults.on_record(&record.topic, record.key_str());
    if strike.crash {
        crash(&record.topic);
    }
    if let Some(wait) = strike.wait {
        tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
    }
    if strike.drop {
        return Ok(());
    }
    if strike.dead_letter {
        return Err(Failure::DeadLetter("a fault switch says that it cannot be handled".into()));
    }
    if strike.duplicate {
        handler(record.clone()).await?;
    }
    handler(record).await
}
