//! A one-node, in-memory broker that speaks the Kafka protocol to unmodified clients. **For demos and tests only.**
//!
//! Place on the map: a process of the shop (`tracepact-kafka`) and a dev-dependency of crates that test against Kafka.
//! tracepact itself never contains it; everything that reads it does so over the wire, as it would read Apache Kafka.
//!
//! ```
//! # async fn example() -> Result<(), tracepact_kafka::StartError> {
//! use tracepact_kafka::{Broker, Config};
//! let broker = Broker::start(Config::default()).await?;
//! broker.create_topic("order-placed", 6)?;
//! println!("bootstrap.servers={}", broker.bootstrap());
//! broker.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! It has: produce (idempotent producers included), fetch with long poll, classic consumer groups with static
//! membership, commits, offsets by time, topic and group administration, retention by size and age, one memory cap over
//! everything, and faults to order (see [`Faults`]).
//!
//! What it deliberately does not do: transactions, KIP-848 and share groups, replication, compaction, disk (data ends
//! with the process), TLS, SASL, quotas, several listeners.

mod api;
mod broker;
mod config;
mod connection;
mod error_code;
mod faults;
mod group;
mod guard;
mod log;
mod state;

#[doc(hidden)]
pub mod fuzzing;

pub use api::{ApiRange, OFFERED};
pub use broker::{Broker, GroupSummary, StartError};
pub use config::Config;
pub use faults::{ErrorAnswer, Faults};
