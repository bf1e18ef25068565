//! The pipeline's side of contracts: verify a running provider against what its consumers agreed with it, and talk
//! to the broker (publish, propose, accept, record a deployment, ask the gate).
//!
//! Place on the map: the command line of `tracepact` is a thin layer over this room. It talks to the broker over
//! HTTP only, so it works against any broker that speaks the Pact Broker's protocol, except where it says otherwise.
//!
//! ```no_run
//! # async fn example() -> Result<(), tracepact_verify::Error> {
//! let broker = tracepact_verify::BrokerClient::new("http://127.0.0.1:9292", None)?;
//! let verdict = broker.can_i_deploy("products", "v2", "production", &tracepact_verify::AskOptions::default()).await?;
//! println!("{}", verdict.reason);
//! # Ok(())
//! # }
//! ```
//!
//! It also holds what a consumer works with before a provider has anything: contract files in the provider's repository
//! and the pull request that brings them there ([`contract_files`], [`github`]), a stub that answers from them
//! ([`stub`]), and tests as source for the provider ([`generate`]).
//!
//! What it deliberately does not do: decide. The verdict is the gate's; this room asks for it and shows it.

pub mod broker_client;
pub mod contract_files;
pub mod differences;
pub mod error;
pub mod generate;
pub mod github;
pub mod import;
pub mod junit;
pub mod lease;
pub mod lint;
mod messages;
mod notices;
pub mod peer;
pub mod proposals;
pub mod provider;
pub mod provider_config;
pub mod publish;
mod run_command;
mod states;
pub mod stub;
pub mod verdict;

pub use broker_client::{AskOptions, BrokerClient, ClientOptions, Credentials, VerificationAsked};
pub use error::Error;
pub use import::{ImportReport, REQUESTS_DEFAULT, REQUESTS_MAX, import};
pub use lease::{Lease, LeaseWish};
pub use peer::{Peer, PeerCredentials};
pub use provider::{InteractionOutcome, Outcome, ProviderCheck};
pub use provider_config::ProviderConfig;
pub use publish::{Publication, pact_files};
pub use verdict::{Explained, Mismatch, UsedWaiver, Verdict, VerdictRow};
