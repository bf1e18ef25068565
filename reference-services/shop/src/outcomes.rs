//! Which trace each outcome of an order must leave behind: a table written by hand from what the services promise.
//!
//! It is never derived from stored traces; tests and `tracepact-shop check-trees` compare stored traces *with* it.
//!
//! ```
//! use tracepact_shop::outcomes::{Kind, Outcome, SpanNode, check};
//! let lonely = [SpanNode::new("gateway", "POST /orders", Kind::Server, None)];
//! assert!(check(&lonely, Outcome::PaidAtOnce).is_err());
//! ```

mod compare;
mod table;

use serde::{Deserialize, Serialize};

pub use compare::{Mismatch, check};
pub use table::{Expected, Form, forms};

/// How an order, or the request that cancelled one, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 201: paid while the caller waited.
    PaidAtOnce,
    /// 202: payment followed.
    PaidLater,
    /// Accepted without products' answer, at the last known price; paid at once or later.
    ServedByFallback,
    /// 402 or refused later: the payment was refused.
    Refused,
    /// 409 or 422: out of stock or no such product; nothing was sent to payments.
    Rejected,
    /// 502: products answered with something that is not its answer.
    Failed,
    /// 503: the gateway's circuit to orders was open, or its bulkhead full, or products did not answer and no price of
    /// the product is known; the order went no further.
    TurnedAway,
    /// The trace of the cancelling request: delivery, payment and stock are taken back, in this order.
    Cancelled,
    /// Payments consumed the order and committed, without a result.
    DroppedAtPayments,
    /// Payments put the order on the dead-letter topic.
    DeadLettered,
    /// Payments sent its result twice; it counted once.
    Duplicated,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 11] = [
        Self::PaidAtOnce,
        Self::PaidLater,
        Self::ServedByFallback,
        Self::Refused,
        Self::Rejected,
        Self::Failed,
        Self::TurnedAway,
        Self::Cancelled,
        Self::DroppedAtPayments,
        Self::DeadLettered,
        Self::Duplicated,
    ];
}

/// The kind of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Takes a request.
    Server,
    /// Makes a request.
    Client,
    /// Sends a record.
    Producer,
    /// Handles a record.
    Consumer,
    /// Neither.
    Internal,
}

impl Kind {
    /// Reads Zipkin's and OTLP's spellings in any case; an absent kind is [`Kind::Internal`].
    pub fn parse(text: Option<&str>) -> Self {
        match text.unwrap_or_default().trim_start_matches("SPAN_KIND_").to_ascii_lowercase().as_str() {
            "server" => Self::Server,
            "client" => Self::Client,
            "producer" => Self::Producer,
            "consumer" => Self::Consumer,
            _ => Self::Internal,
        }
    }
}

/// One span of a stored trace, free of any store's or wire's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanNode {
    /// The service that made it.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Index of its parent among the trace's spans; `None` for a root.
    pub parent: Option<usize>,
    /// HTTP status, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// A request that nobody answered because the connection was not taken (`error.type` is `connect`) or broke, as
    /// when its callee is being replaced (`request`). When the caller asked again and the callee knows nothing of the
    /// attempt, it is not part of the prescribed tree.
    #[serde(default)]
    pub connect_failed: bool,
}

impl SpanNode {
    /// A span without an HTTP status.
    pub fn new(service: &str, name: &str, kind: Kind, parent: Option<usize>) -> Self {
        Self {
            service: service.into(),
            name: name.into(),
            kind,
            parent,
            http_status: None,
            connect_failed: false,
        }
    }
}
