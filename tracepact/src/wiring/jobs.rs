//! What runs on a timer: lag, flows, Hystrix streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use tracepact_base::{ServiceName, SharedClock};
use tracepact_jobs::{FlowConfig, HystrixTarget, Jobs, JobsConfig, KafkaConfig};
use tracepact_resilience::board::Boards;
use tracepact_store::{EventStore, SeriesStore};

use super::App;
use crate::config::Config;

/// Most messages of one flow followed at once.
const ENTRIES_MAX: usize = 200_000;

/// Starts what the configuration asks for; it ends with the background.
pub(super) fn start(
    app: &App,
    config: &Config,
    boards: Arc<Boards>,
    series: Arc<dyn SeriesStore>,
    events: Arc<dyn EventStore>,
    clock: SharedClock,
) -> anyhow::Result<()> {
    let kafka = config.kafka_bootstrap.as_deref().map(|bootstrap| KafkaConfig {
        poll_interval: config.kafka_poll_interval,
        ..KafkaConfig::new(bootstrap)
    });
    let flows = config.flows.iter().map(|flow| FlowConfig {
        name: flow.name.clone(),
        request_topic: flow.request_topic.clone(),
        result_topic: flow.result_topic.clone(),
        dead_letter_topic: flow.dead_letter_topic.clone(),
        group: flow.group.clone(),
        window: flow.window,
        entries_max: ENTRIES_MAX,
    });
    let hystrix = config.hystrix.iter().map(|(url, service)| {
        let url = url.parse().with_context(|| format!("`hystrix.url` {url} is no address"))?;
        anyhow::Ok(HystrixTarget { url, service: service.clone() })
    });
    let settings = JobsConfig {
        kafka,
        flows: flows.collect(),
        group_services: group_services(config),
        hystrix: hystrix.collect::<anyhow::Result<_>>()?,
    };
    let jobs = Jobs::start(settings, series, events, boards, clock, app.background.stop_token());
    app.background.spawn(async move { jobs.ended().await });
    Ok(())
}

/// Which service a consumer group belongs to, where the configuration says so.
fn group_services(config: &Config) -> BTreeMap<String, ServiceName> {
    let entries = config.aliases.entries();
    entries
        .flat_map(|entry| entry.consumer_groups.iter().map(|group| (group.clone(), entry.name.clone())))
        .collect()
}
