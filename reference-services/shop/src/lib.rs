//! The reference shop: gateway, orders, payments, products, deliveries and notifications, as one library and one
//! binary with a subcommand each.
//!
//! Place on the map: it sits on `tracepact-kit` (tracing, breaker, bulkhead, consumers) and `tracepact-listener` (the
//! HTTP edge); everything else of tracepact it meets over HTTP and Kafka only. The demo, the tests and the contract
//! examples use it as the system that is observed.
//!
//! ```
//! use tracepact_shop::outcomes::{Outcome, forms};
//! // What the trace of an order must look like is data, written down before any order was placed.
//! assert_eq!(forms(Outcome::PaidAtOnce).len(), 1);
//! ```
//!
//! What it deliberately does not do: keep anything beyond its process (state is in memory and bounded), take real
//! money, or know that tracepact watches it.

pub mod args;
pub mod bounded;
pub mod bus;
pub mod check_trees;
pub mod deliveries;
pub mod domain;
pub mod faults;
pub mod gateway;
pub mod kafka;
pub mod load;
pub mod notifications;
pub mod orders;
pub mod outcomes;
pub mod payments;
pub mod products;
pub mod runtime;
pub mod show_outcomes;
pub mod token;
pub mod upstream;
