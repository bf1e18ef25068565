//! `GET /tracepact/v1/bulkheads`, `lag` and `messages`: what the boards hold now.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use tracepact_resilience::board::{BulkheadView, FlowView, GroupView, MessageView};
use tracepact_resilience::loss::MessageVerdict;
use utoipa::ToSchema;

use super::answer::fresh;
use crate::Query;
use crate::params::Params;

const LIMIT_DEFAULT: usize = 200;
const LIMIT_MAX: usize = 10_000;

/// Bulkheads and consumer permits.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkheadsAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether everything seen lately is here.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The bulkheads, by service, instance and name.
    pub bulkheads: Vec<BulkheadView>,
}

/// Every bulkhead and every consumer's permits seen within the last hour.
#[utoipa::path(
    get,
    path = "/tracepact/v1/bulkheads",
    tag = "resilience",
    params(("service" = Option<String>, Query, description = "Only those of this service, any case")),
    responses((status = 200, description = "The bulkheads", body = BulkheadsAnswer))
)]
pub(super) async fn get_bulkheads(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let mut params = Params::of(raw.as_deref())?;
    let service = params.text("service")?.map(|name| name.to_lowercase());
    params.finish()?;
    let now_ns = query.now_ns();
    let mut bulkheads = query.inner.boards.bulkheads.snapshot(now_ns);
    bulkheads.retain(|one| service.as_ref().is_none_or(|name| one.service.to_lowercase() == *name));
    fresh(&BulkheadsAnswer { as_of: to_rfc3339(now_ns), complete: true, cut: None, bulkheads })
}

/// Consumer lag.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LagAnswer {
    /// When the offsets were read.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every group is here and up to date.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The groups, by name.
    pub groups: Vec<GroupView>,
    /// Why Kafka could not be asked, when it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How far each consumer group is behind, by topic and partition. Read in the background, never by this question.
#[utoipa::path(
    get,
    path = "/tracepact/v1/lag",
    tag = "kafka",
    params(("group" = Option<String>, Query, description = "Only this group")),
    responses((status = 200, description = "The groups", body = LagAnswer))
)]
pub(super) async fn get_lag(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let mut params = Params::of(raw.as_deref())?;
    let group = params.text("group")?;
    params.finish()?;
    let view = query.inner.boards.lag.snapshot();
    let groups = view.groups.iter().filter(|one| group.as_ref().is_none_or(|name| one.group == *name));
    fresh(&LagAnswer {
        as_of: to_rfc3339(view.as_of_ns.unwrap_or_else(|| query.now_ns())),
        complete: view.error.is_none(),
        cut: view.error.clone(),
        groups: groups.cloned().collect(),
        error: view.error.clone(),
    })
}

/// Flows and their messages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MessagesAnswer {
    /// When the topics were read.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every message with a verdict that matches is here.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The configured flows with their counts.
    pub flows: Vec<FlowView>,
    /// Messages with a verdict, newest first, then those that wait past their window.
    pub messages: Vec<MessageView>,
}

/// Which messages.
pub(crate) struct MessageQuery {
    flow: Option<String>,
    verdicts: Vec<MessageVerdict>,
    pub(crate) limit: usize,
}

/// Reads the parameters.
pub(crate) fn message_query(raw: Option<&str>) -> Result<MessageQuery, Problem> {
    let mut params = Params::of(raw)?;
    let flow = params.text("flow")?;
    let verdicts =
        params.many("verdict").iter().map(|name| verdict(name.trim())).collect::<Result<_, _>>()?;
    let limit = params.limit("limit", LIMIT_DEFAULT, LIMIT_MAX)?;
    params.finish()?;
    Ok(MessageQuery { flow, verdicts, limit })
}

fn verdict(name: &str) -> Result<MessageVerdict, Problem> {
    let text: StrDeserializer<'_, ValueError> = name.into_deserializer();
    serde::Deserialize::deserialize(text)
        .map_err(|error: ValueError| Problem::invalid(format!("verdict: {error}")))
}

/// What became of the messages of each configured flow. Learned from Kafka alone: a message never produced is invisible.
#[utoipa::path(
    get,
    path = "/tracepact/v1/messages",
    tag = "kafka",
    params(
        ("flow" = Option<String>, Query, description = "Only this flow"),
        ("verdict" = Option<Vec<MessageVerdict>>, Query, description = "Only messages with this verdict; may be repeated"),
        ("limit" = Option<u32>, Query, description = "Most messages in the answer, at most 10000; 200 unless given"),
    ),
    responses(
        (status = 200, description = "Flows and messages", body = MessagesAnswer),
        (status = 400, description = "A parameter is unknown, malformed or out of bounds", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_messages(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let asked = message_query(raw.as_deref())?;
    let view = query.inner.boards.messages.snapshot();
    let wanted = |flow: &str| asked.flow.as_ref().is_none_or(|name| name == flow);
    let flows: Vec<FlowView> = view.flows.iter().filter(|flow| wanted(&flow.name)).cloned().collect();
    if let Some(name) = asked.flow.as_ref().filter(|_| flows.is_empty()) {
        return Err(Problem::not_found(format!("no flow {name:?} is configured")));
    }
    let matching = |message: &&MessageView| {
        wanted(&message.flow) && (asked.verdicts.is_empty() || asked.verdicts.contains(&message.verdict))
    };
    let total = view.messages.iter().filter(matching).count();
    let mut cuts: Vec<String> = flows.iter().filter_map(|flow| flow.error.clone()).collect();
    if total > asked.limit {
        cuts.push(format!("the first {} of {total} messages are listed", asked.limit));
    }
    let cut = if cuts.is_empty() { None } else { Some(cuts.join("; ")) };
    fresh(&MessagesAnswer {
        as_of: to_rfc3339(view.as_of_ns.unwrap_or_else(|| query.now_ns())),
        complete: cut.is_none(),
        cut,
        messages: view.messages.iter().filter(matching).take(asked.limit).cloned().collect(),
        flows,
    })
}
