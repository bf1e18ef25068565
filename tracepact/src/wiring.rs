//! Puts the rooms together: which store, which routes on which port, what runs beside the requests.

mod background;
mod collector;
mod docs_pages;
pub(crate) mod health;
pub(crate) mod openapi;
mod store_metrics;
mod summaries;
mod tables;

use std::path::PathBuf;
use std::sync::Arc;

use prometheus::Registry;
use tracepact_base::SystemClock;
use tracepact_dashboard::Dashboard;
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
}

/// What is kept on disk cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the data directory {} cannot be used: {source}", path.display())]
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
        };
        app.tables.add_http(openapi::routes())?;
        let mut dashboard = Dashboard::new(clock.clone(), config.aliases.clone());
        if config.runs(Part::Collector) {
            let collector = collector::build(&mut app, config, clock.clone()).await?;
            dashboard = collector.show_on(dashboard, config);
        }
        if config.runs(Part::Dashboard) {
            app.tables.add_http(tracepact_dashboard::routes(dashboard)?)?;
        }
        Ok(app)
    }
}

#[cfg(test)]
mod tests;
