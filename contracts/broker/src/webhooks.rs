//! Webhooks: what happens to a contract is told to other systems.
//!
//! [`fire`] runs inside the transaction of what happened and only writes deliveries; [`queue`] sends them afterwards, at
//! least once. [`policy`] decides where they may go, [`send`] makes one attempt, [`redact`] keeps secrets out of its log.
//!
//! What it deliberately does not do: follow redirects, use a proxy, or send to an address nobody allowed.

pub(crate) mod definition;
pub(crate) mod fire;
mod github;
mod policy;
mod queue;
mod redact;
pub(crate) mod send;
mod sign;
pub(crate) mod template;
pub(crate) mod variables;

pub use policy::{HostRule, WebhookPolicy};
pub use queue::WebhookSchedule;

/// The events a webhook can be for: the Pact Broker's, and the steps of a proposal.
pub(crate) const EVENTS: [&str; 7] = [
    "contract_content_changed",
    "contract_published",
    "contract_requiring_verification_published",
    "provider_verification_failed",
    "provider_verification_published",
    "provider_verification_succeeded",
    "contract_proposal_changed",
];
