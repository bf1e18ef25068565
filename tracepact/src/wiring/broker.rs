//! The contract broker: its routes, its events, and what the pages need to know of it.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde::Deserialize;
use tracepact_base::SharedClock;
use tracepact_base::time_format::from_rfc3339;
use tracepact_broker::{Broker, BrokerConfig, native_routes, pact_routes, with_pact_conventions};
use tracepact_join::{
    GateSummary, PacticipantSeen, ProblemKind, SightingSource, Sightings, SourceError, Summary, SummarySource,
};

use super::App;
use super::ask::InProcess;
use super::collector::Collector;
use super::counted::Counted;
use super::joined_events::JoinedEvents;
use super::trace_finder::SpanTraceFinder;
use crate::config::Config;
use crate::config::validate::Part;

/// How often the database is asked whether it still answers.
const PING_EVERY: Duration = Duration::from_secs(5);
/// Most answers of the gate that the overview looks at.
const DECISIONS_MAX: usize = 200;

/// Puts the broker together; with a collector its events are delivered and refusals link to traces.
pub(super) async fn build(
    app: &mut App,
    config: &Config,
    clock: SharedClock,
    collector: Option<&Collector>,
) -> anyhow::Result<BrokerSource> {
    let broker = Broker::open(settings(config), clock.clone()).await?;
    app.identities = Some(broker.identities());
    app.tables.add_broker(pact_routes(broker.clone()))?;
    let around = broker.clone();
    app.around_broker = Some(Arc::new(move |router| with_pact_conventions(router, &around)));
    app.tables.add_broker(native_routes(broker.clone()))?;
    app.tables.add_http(native_routes(broker.clone()))?;
    watch(app, broker.clone());
    let (waiting, draining) = (broker.clone(), app.background.drain_token());
    app.background.spawn(async move {
        draining.cancelled().await;
        waiting.stop_waiting();
    });
    let stop = app.background.stop_token();
    let (webhooks, webhooks_stop) = (broker.clone(), stop.clone());
    app.background.spawn(async move { webhooks.run_webhooks(webhooks_stop).await });
    if let Some(collector) = collector {
        let aliases = config.aliases.clone();
        let finder = SpanTraceFinder::new(collector.engine.clone(), aliases.clone(), clock);
        broker.set_trace_finder(Arc::new(finder));
        let (counted, counting) = Counted::new(collector.series.clone(), stop.clone());
        broker.set_decision_counter(counted.clone());
        app.background.spawn(counting);
        let feed = Arc::new(JoinedEvents::new(collector.engine.clone(), aliases, counted));
        let outbox = broker.clone();
        app.background.spawn(async move { outbox.run_outbox(feed, stop).await });
    }
    let routes = native_routes(broker.clone());
    app.background.finally(async move { broker.close().await });
    Ok(BrokerSource { api: InProcess::new(routes) })
}

fn settings(config: &Config) -> BrokerConfig {
    let mut settings = BrokerConfig::new(config.broker_database.clone());
    settings.webhooks = config.webhooks.clone();
    settings.webhook_schedule = config.webhook_schedule.clone();
    settings.auth = config.broker_auth.clone();
    settings.base_urls.clone_from(&config.broker.base_urls);
    settings.trust_forwarded = config.broker.trust_forwarded;
    settings.allow_contract_changes = config.broker.allow_contract_changes;
    settings.check_similar_names = config.broker.check_similar_names;
    settings.public_heartbeat = config.broker.public_heartbeat;
    settings.public_badges = config.broker.public_badges;
    let port = config.http_addr.port();
    settings.dashboard_port = (config.runs(Part::Dashboard) && port != 0).then_some(port);
    settings
}

/// Health of the database, asked beside the requests.
fn watch(app: &App, broker: Broker) {
    let state = Arc::new(Mutex::new(Ok(())));
    let seen = state.clone();
    app.health.watch("broker", move || seen.lock().clone());
    let stop = app.background.stop_token();
    app.background.spawn(async move {
        loop {
            let answer = tokio::time::timeout(PING_EVERY, broker.ping()).await;
            *state.lock() = match answer {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("its database does not answer".to_owned()),
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PING_EVERY) => {}
            }
        }
    });
}

/// What the dashboard asks of the broker.
#[derive(Clone)]
pub(super) struct BrokerSource {
    api: InProcess,
}

#[derive(Deserialize)]
struct Overview {
    pacticipants: Vec<Named>,
    #[serde(default)]
    cut: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Decisions {
    decisions: Vec<Decision>,
}

#[derive(Deserialize)]
struct Decision {
    pacticipant: String,
    version: String,
    environment: String,
    #[serde(default)]
    deployable: Option<bool>,
    reason: String,
    #[serde(default)]
    trace: Option<String>,
    last_at: String,
}

impl SightingSource for BrokerSource {
    fn name(&self) -> &str {
        "broker"
    }

    fn sightings(&self) -> BoxFuture<'_, Result<Sightings, SourceError>> {
        async move {
            let overview: Overview =
                self.api.get("/tracepact/v1/contracts/overview").await.map_err(SourceError::new)?;
            let pacticipants = overview
                .pacticipants
                .into_iter()
                .map(|seen| PacticipantSeen { name: seen.name, repository: None })
                .collect();
            Ok(Sightings { pacticipants, cut: overview.cut, ..Sightings::default() })
        }
        .boxed()
    }
}

impl SummarySource for BrokerSource {
    fn name(&self) -> &str {
        "broker"
    }

    fn covers(&self) -> &[ProblemKind] {
        &[ProblemKind::GateRefused]
    }

    fn summaries(&self) -> BoxFuture<'_, Result<Vec<Summary>, SourceError>> {
        async move {
            let path = format!("/tracepact/v1/contracts/decisions?limit={DECISIONS_MAX}");
            let answer: Decisions = self.api.get(&path).await.map_err(SourceError::new)?;
            let summaries = answer.decisions.into_iter().filter_map(|decision| {
                let at_ns = from_rfc3339(&decision.last_at)?;
                // The link is a path of the dashboard: `/traces/ID`.
                let trace_id = decision.trace.and_then(|link| link.rsplit('/').next().map(str::to_owned));
                Some(Summary::Gate(GateSummary {
                    pacticipant: decision.pacticipant,
                    version: decision.version,
                    environment: decision.environment,
                    deployable: decision.deployable,
                    reason: decision.reason,
                    at_ns,
                    trace_id,
                }))
            });
            Ok(summaries.collect())
        }
        .boxed()
    }
}
