//! `GET /tracepact/v1/events`: the feed of what happened.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use tracepact_base::time_format::to_rfc3339;
use tracepact_base::{Event, EventKind, ServiceName};
use tracepact_listener::Problem;
use tracepact_store::EventQuery;
use utoipa::ToSchema;

use super::answer::{fresh, problem};
use crate::Query;
use crate::params::Params;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// What happened.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventsAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every event that matches is here.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The events, newest first.
    pub events: Vec<Event>,
}

/// Deploys, transitions, changed thresholds, contract changes, refusals, verdicts and alerts, newest first.
#[utoipa::path(
    get,
    path = "/tracepact/v1/events",
    tag = "events",
    params(
        ("since" = Option<String>, Query, description = "At or after"),
        ("kind" = Option<Vec<EventKind>>, Query, description = "Only this kind; may be repeated"),
        ("service" = Option<String>, Query, description = "Only about this service, as itself or as an end of an edge"),
        ("limit" = Option<u32>, Query, description = "Most events in the answer, at most 1000; 100 unless given"),
    ),
    responses(
        (status = 200, description = "The events", body = EventsAnswer),
        (status = 400, description = "A parameter is unknown, malformed or out of bounds", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_events(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let now_ns = query.now_ns();
    let select = event_query(raw.as_deref())?;
    let limit = select.limit;
    // One more than asked for tells whether there is more.
    let select = EventQuery { limit: limit + 1, ..select };
    let ctx = query.config().ctx();
    let mut events = query.bounded(query.inner.events.events(select, ctx)).await.map_err(problem)?;
    let cut = (events.len() > limit).then(|| format!("the newest {limit} are listed"));
    events.truncate(limit);
    fresh(&EventsAnswer { as_of: to_rfc3339(now_ns), complete: cut.is_none(), cut, events })
}

/// Reads the parameters.
pub(crate) fn event_query(raw: Option<&str>) -> Result<EventQuery, Problem> {
    let mut params = Params::of(raw)?;
    let start_ns = params.instant("since")?.unwrap_or(0);
    let kinds = params.many("kind").iter().map(|name| kind(name.trim())).collect::<Result<_, _>>()?;
    let service = params
        .text("service")?
        .map(|name| ServiceName::new(&name))
        .transpose()
        .map_err(|error| Problem::invalid(format!("service: {error}")))?;
    let limit = params.limit("limit", LIMIT_DEFAULT, LIMIT_MAX)?;
    params.finish()?;
    Ok(EventQuery { kinds, service, start_ns, end_ns: None, limit })
}

fn kind(name: &str) -> Result<EventKind, Problem> {
    let text: StrDeserializer<'_, ValueError> = name.into_deserializer();
    serde::Deserialize::deserialize(text)
        .map_err(|error: ValueError| Problem::invalid(format!("kind: {error}")))
}
