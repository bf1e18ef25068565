//! What the broker is told at start.

use crate::{AuthConfig, Database, WebhookPolicy, WebhookSchedule};

/// Settings of a [`crate::Broker`].
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Where the tables are.
    pub database: Database,
    /// The addresses clients reach the broker under, when it is not the one they connect to (a proxy, a path prefix):
    /// every link begins with the one the client used, else with the first. Empty: what the client connected to.
    pub base_urls: Vec<String>,
    /// Believe `X-Forwarded-Proto`, `-Host`, `-Port` and `-Prefix`. Only behind a proxy that sets them.
    pub trust_forwarded: bool,
    /// Let a version's contract change after it was published. Results of the gate are then not reliable.
    pub allow_contract_changes: bool,
    /// Where webhooks may go.
    pub webhooks: WebhookPolicy,
    /// When they are tried and fired again.
    pub webhook_schedule: WebhookSchedule,
    /// Who may do what, besides the users in the database.
    pub auth: AuthConfig,
    /// Refuse a new name that is nearly one that is there: `order-service` beside `Order Service`.
    pub check_similar_names: bool,
    /// The heartbeat needs no token.
    pub public_heartbeat: bool,
    /// Badges need no token.
    pub public_badges: bool,
    /// The port of the dashboard on the same host: browsers are sent there. `None`: to the page of the API.
    pub dashboard_port: Option<u16>,
}

impl BrokerConfig {
    /// The defaults, with the database at `database`.
    pub fn new(database: impl Into<Database>) -> Self {
        Self {
            database: database.into(),
            base_urls: Vec::new(),
            trust_forwarded: false,
            allow_contract_changes: false,
            webhooks: WebhookPolicy::default(),
            webhook_schedule: WebhookSchedule::default(),
            auth: AuthConfig::default(),
            check_similar_names: true,
            public_heartbeat: true,
            public_badges: false,
            dashboard_port: None,
        }
    }
}
