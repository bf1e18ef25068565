//! The contract broker: keeps contracts, versions, results and proposals, speaks the Pact Broker's HAL API to real Pact
//! clients and a native API to pages and pipelines, and asks `gate` whether a version may be deployed.
//!
//! Place on the map: `contract-model` and `gate` below, `listener` for HTTP; `tracepact` opens it, serves its routes and
//! delivers its events. It never sees the collector: what both are about meets in [`tracepact_base::Event`].
//!
//! ```no_run
//! use tracepact_base::SystemClock;
//! use tracepact_broker::{Broker, BrokerConfig, native_routes, pact_routes, with_pact_conventions};
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let broker = Broker::open(BrokerConfig::new("tracepact-data/contracts.db"), SystemClock::shared()).await?;
//! // On the broker's own port Pact clients find both; the main port has the native part only.
//! let routes = pact_routes(broker.clone()).merge(native_routes(broker.clone()))?;
//! let access = std::sync::Arc::new(tracepact_listener::Access::for_listen([127, 0, 0, 1].into()));
//! let router = with_pact_conventions(routes.into_router(access), &broker);
//! # let _ = router; Ok(()) }
//! ```
//!
//! One request is one transaction. Writes are taken one after the other, so that rules of the form "check, then write"
//! hold whatever comes in parallel. Every change writes its event into the outbox in the same transaction;
//! [`Broker::run_outbox`] delivers it at least once.
//!
//! What happened is also told to other systems as their webhooks want it: [`Broker::run_webhooks`].
//!
//! What it deliberately does not do: run verifications, download or run plugins, call other servers than those that a
//! webhook names and the policy allows.

mod auth;
mod backup;
mod broker;
mod clean;
mod config;
mod database;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod hal;
mod hooks;
mod import;
mod judge;
mod leasing;
mod native;
mod outbox;
mod proposing;
mod publish;
mod selection;
mod store;
mod waiving;
mod webhooks;

pub use auth::{AuthConfig, BasicPair};
pub use broker::Broker;
pub use config::BrokerConfig;
pub use database::{Database, DatabaseAddressError};
pub use error::BrokerError;
pub use hal::{pact_routes, with_pact_conventions};
pub use hooks::{CountedDecision, DecisionCounter, TraceFinder, TraceQuestion};
pub use native::{native_routes, openapi};
pub use webhooks::{HostRule, WebhookPolicy, WebhookSchedule};
