//! What the shop knows: messages on Kafka and the state of orders, payments, stock and deliveries.
//!
//! Pure: every rule here is a function of what is known and what arrived, so each service's Kafka handler and HTTP
//! handler are thin around it, and a message that arrives twice changes nothing the second time.

pub mod delivery;
pub mod message;
pub mod order;
pub mod payment;
pub mod stock;
