//! Puts the rooms together: which store, which routes on which port, what runs beside the requests.

mod background;
mod docs_pages;
pub(crate) mod health;
pub(crate) mod openapi;
mod tables;

use std::sync::Arc;

use prometheus::Registry;
use tracepact_base::SystemClock;
use tracepact_dashboard::Dashboard;

pub(crate) use background::Background;
pub(crate) use tables::Tables;

use crate::commands::Addresses;
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

impl App {
    /// Opens what is kept on disk and puts the configured parts together.
    pub(crate) async fn build(config: &Config, _addresses: &Addresses) -> anyhow::Result<Self> {
        let clock = SystemClock::shared();
        let registry = Registry::new();
        let health = Arc::new(Health::default());
        let background = Background::new();
        let mut tables = Tables::new(health.clone())?;
        tables.add_http(openapi::routes())?;
        let dashboard = Dashboard::new(clock.clone(), config.aliases.clone());
        if config.runs(Part::Dashboard) {
            tables.add_http(tracepact_dashboard::routes(dashboard)?)?;
        }
        Ok(Self { tables, background, health, registry })
    }
}

/// What else people should know at start.
pub(crate) fn say_more(_config: &Config) {}
