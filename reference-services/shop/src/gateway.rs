//! The gateway: who calls, how often, and on to orders.

pub mod auth;
pub mod rate_limit;
