//! The board of messages: what the loss audit knows now.

use std::sync::Arc;

use parking_lot::RwLock;
use serde::Serialize;
use tracepact_base::TraceId;

use super::breakers::optional_rfc3339;
use crate::loss::MessageVerdict;

/// How many messages of a flow have which verdict since the audit began; `open` is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct FlowCounts {
    /// Neither answered nor judged yet.
    pub open: u64,
    /// Answered within the window.
    pub answered: u64,
    /// Past the window and not yet taken by the consumer: its group has not committed past them. Now, not since.
    pub queued: u64,
    /// Answered, but after the window.
    pub late: u64,
    /// Taken by the consumer, past the window, and neither answered nor dead-lettered.
    pub lost: u64,
    /// Put into the dead-letter topic.
    pub dead_lettered: u64,
    /// Requested or answered more than once.
    pub duplicated: u64,
}

/// A flow in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FlowView {
    /// Its name in the configuration.
    pub name: String,
    /// Topic of requests.
    pub request_topic: String,
    /// Topic of results.
    pub result_topic: String,
    /// Topic of dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_topic: Option<String>,
    /// The consumer group that must answer.
    pub group: String,
    /// How long an answer may take, milliseconds.
    pub window_ms: u64,
    /// Messages by verdict.
    pub counts: FlowCounts,
    /// Why the counts are old; absent when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A message in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MessageView {
    /// The flow.
    pub flow: String,
    /// Correlation key.
    pub key: String,
    /// The verdict.
    pub verdict: MessageVerdict,
    /// When it was produced.
    #[serde(rename = "requested_at", with = "tracepact_base::time_format::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub requested_at_ns: u64,
    /// Until when its answer is due.
    #[serde(rename = "deadline_at", with = "tracepact_base::time_format::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub deadline_at_ns: u64,
    /// When it was answered.
    #[serde(rename = "answered_at", skip_serializing_if = "Option::is_none", with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered_at_ns: Option<u64>,
    /// When the verdict was reached.
    #[serde(rename = "decided_at", skip_serializing_if = "Option::is_none", with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at_ns: Option<u64>,
    /// The trace it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub trace_id: Option<TraceId>,
    /// Partition of the request.
    pub partition: i32,
    /// Offset of the request.
    pub offset: i64,
    /// Why this verdict, in one sentence.
    pub reason: String,
}

/// Flows and the messages worth showing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct MessagesView {
    /// When this was true; absent before the audit's first round.
    #[serde(rename = "as_of", skip_serializing_if = "Option::is_none", with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub as_of_ns: Option<u64>,
    /// The configured flows.
    pub flows: Vec<FlowView>,
    /// Messages with a verdict, newest verdict first, then those that wait past their window.
    pub messages: Vec<MessageView>,
}

/// The current picture of all flows. Without configured flows it is empty.
#[derive(Debug, Default)]
pub struct MessageBoard {
    view: RwLock<Arc<MessagesView>>,
}

impl MessageBoard {
    /// Replaces the picture.
    pub fn publish(&self, view: MessagesView) {
        *self.view.write() = Arc::new(view);
    }

    /// The picture now.
    pub fn snapshot(&self) -> Arc<MessagesView> {
        self.view.read().clone()
    }
}
