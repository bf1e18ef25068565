//! The pipeline's side of contracts: verify a running provider against what its consumers agreed with it, and talk
//! to the broker (publish, propose, accept, record a deployment, ask the gate).
//!
//! Place on the map: the command line of `tracepact` is a thin layer over this room. It talks to the broker over
//! HTTP only, so it works against any broker that speaks the Pact Broker's protocol, except where it says otherwise.
//!
//! ```no_run
//! # async fn example() -> Result<(), tracepact_verify::Error> {
//! let broker = tracepact_verify::BrokerClient::new("http://127.0.0.1:9292", None)?;
//! let verdict = broker.can_i_deploy("products", "v2", "production").await?;
//! println!("{}", verdict.reason);
//! # Ok(())
//! # }
//! ```
//!
//! What it deliberately does not do: decide. The verdict is the gate's; this room asks for it and shows it.

pub mod broker_client;
pub mod error;
pub mod provider;
pub mod publish;
pub mod verdict;

pub use broker_client::BrokerClient;
pub use error::Error;
pub use provider::{InteractionOutcome, Outcome, ProviderCheck};
pub use publish::{Publication, pact_files};
pub use verdict::{Mismatch, Verdict, VerdictRow};
