//! Puts the rooms together: which store, which routes on which port, what runs beside the requests.

mod ask;
mod background;
mod broker;
mod collector;
mod counted;
mod docs_pages;
pub(crate) mod health;
mod info;
mod jobs;
mod joined_events;
pub(crate) mod openapi;
mod store_metrics;
mod summaries;
mod tables;
mod trace_finder;

use std::path::PathBuf;
use std::sync::Arc;

use prometheus::Registry;
use tracepact_base::SystemClock;
use tracepact_dashboard::{Dashboard, ZipkinPage};
use tracepact_listener::Identities;
use tracepact_store::StoreError;

pub(crate) use background::Background;
pub(crate) use tables::Tables;

use crate::config::Config;
use crate::config::validate::Part;
use health::Health;

/// Everything that runs, put together and not yet listening.
pub(crate) struct App {
    /// The routes of each port.
    pub(crate) tables: Tables,
    /// What runs beside the requests.
    pub(crate) background: Background,
    /// What `/health` says.
    pub(crate) health: Arc<Health>,
    /// The process's own metrics.
    pub(crate) registry: Registry,
    /// The broker's users, for the gate of every listener.
    pub(crate) identities: Option<Arc<dyn Identities>>,
    /// What goes around the router of the broker's port.
    pub(crate) around_broker: Option<Around>,
}

/// Wraps a router.
pub(crate) type Around = Arc<dyn Fn(axum::Router) -> axum::Router + Send + Sync>;

/// What is kept on disk cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the data directory {} cannot be used", path.display())]
pub(crate) struct StoreFailed {
    path: PathBuf,
    source: StoreError,
}

impl App {
    /// Opens what is kept on disk and puts the configured parts together.
    pub(crate) async fn build(config: &Config) -> anyhow::Result<Self> {
        let clock = SystemClock::shared();
        let health = Arc::new(Health::default());
        let mut app = Self {
            tables: Tables::new(health.clone())?,
            background: Background::new(),
            health,
            registry: Registry::new(),
            identities: None,
            around_broker: None,
        };
        app.tables.add_http(openapi::routes())?;
        app.tables.add_http(info::routes())?;
        let mut dashboard = Dashboard::new(clock.clone(), config.aliases.clone());
        let mut collector = None;
        if config.runs(Part::Collector) {
            let built = collector::build(&mut app, config, clock.clone()).await?;
            dashboard = built.show_on(dashboard, config);
            collector = Some(built);
        }
        if config.runs(Part::Broker) {
            let source = Arc::new(broker::build(&mut app, config, clock, collector.as_ref()).await?);
            dashboard = dashboard.with_sightings(source.clone()).with_summaries(source);
        }
        if config.runs(Part::Dashboard) {
            let dashboard = dashboard.with_zipkin(zipkin_page(config)?);
            app.tables.add_http(tracepact_dashboard::routes(dashboard)?)?;
        }
        Ok(app)
    }
}

/// What stands under `/zipkin`.
fn zipkin_page(config: &Config) -> anyhow::Result<Option<ZipkinPage>> {
    let Some(ui) = &config.zipkin_ui else { return Ok(None) };
    let page = ui.page.clone();
    Ok(Some(match &ui.dir {
        Some(dir) => ZipkinPage::from_folder(dir, &ui.base_path, page)?,
        None => ZipkinPage::redirecting(page),
    }))
}

#[cfg(test)]
mod tests;
