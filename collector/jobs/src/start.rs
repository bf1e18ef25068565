//! Starts the jobs and waits for their end.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracepact_base::SharedClock;
use tracepact_resilience::board::Boards;
use tracepact_store::{EventStore, SeriesStore};

use crate::config::JobsConfig;
use crate::hystrix_scraper;
use crate::kafka_job::KafkaJob;
use crate::writer::Writer;

/// The running jobs. They end when the token they were started with is cancelled.
#[derive(Debug)]
pub struct Jobs {
    tasks: TaskTracker,
}

impl Jobs {
    /// Starts every configured job. Nothing here fails: what cannot be reached is tried again for as long as it takes.
    pub fn start(
        config: JobsConfig,
        series: Arc<dyn SeriesStore>,
        events: Arc<dyn EventStore>,
        boards: Arc<Boards>,
        clock: SharedClock,
        stop: CancellationToken,
    ) -> Self {
        let tasks = TaskTracker::new();
        let writer = Arc::new(Writer::new(series, events));
        if let Some(job) = KafkaJob::new(&config, writer.clone(), boards.clone(), clock.clone()) {
            let stop = stop.clone();
            tasks.spawn(async move { job.run(stop).await });
        }
        for target in config.hystrix {
            let scraper = hystrix_scraper::Scraper::new(target, writer.clone(), boards.clone());
            let stop = stop.clone();
            tasks.spawn(async move { scraper.run(stop).await });
        }
        tasks.close();
        Self { tasks }
    }

    /// Resolves when all have ended.
    pub async fn ended(&self) {
        self.tasks.wait().await;
    }
}
