//! What the gate answered lately.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tracepact_listener::Problem;
use tracepact_listener::extract::{Json, Query};

use super::{ProblemBody, rfc3339};
use crate::Broker;
use crate::store::decisions;

/// Most decisions in one answer.
const ENTRIES_MAX: usize = 1_000;

/// Answers the gate gave, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Decisions {
    /// When this was true.
    as_of: String,
    decisions: Vec<Decision>,
    /// Whether these are all that are kept.
    complete: bool,
    /// What was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<String>,
}

/// One answer the gate gave.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Decision {
    pacticipant: String,
    version: String,
    environment: String,
    /// Yes, no; absent: unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    deployable: Option<bool>,
    reason: String,
    /// Link to a trace in which the breakage was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    /// Waivers and ignored pairs it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    exceptions: Option<serde_json::Value>,
    /// How many times in a row it was given.
    times: i64,
    /// When it was first given.
    at: String,
    /// When it was last given.
    last_at: String,
}

/// How many decisions.
#[derive(Debug, Deserialize)]
pub(super) struct DecisionsQuery {
    limit: Option<usize>,
}

/// Answers the gate gave, newest first.
#[utoipa::path(get, path = "/tracepact/v1/contracts/decisions", tag = "contracts",
    params(("limit" = Option<usize>, Query, description = "At most this many, 100 unless said otherwise, 1000 at most")),
    responses((status = 200, body = Decisions), (status = "default", body = ProblemBody)))]
pub(super) async fn decisions(
    State(broker): State<Broker>,
    Query(query): Query<DecisionsQuery>,
) -> Result<Json<Decisions>, Problem> {
    let limit = query.limit.unwrap_or(100).clamp(1, ENTRIES_MAX);
    let mut conn = broker.store().read().await?;
    let mut rows = decisions::newest(&mut conn, i64::try_from(limit + 1).unwrap_or(i64::MAX)).await?;
    let complete = rows.len() <= limit;
    rows.truncate(limit);
    let list = rows.into_iter().map(|row| Decision {
        pacticipant: row.pacticipant,
        version: row.version,
        environment: row.environment,
        deployable: row.deployable,
        reason: row.reason,
        trace: row.trace,
        exceptions: row.exceptions.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        times: row.times,
        at: rfc3339(row.at),
        last_at: rfc3339(row.last_at),
    });
    Ok(Json(Decisions {
        as_of: rfc3339(broker.now()),
        decisions: list.collect(),
        complete,
        cut: (!complete).then(|| format!("limit {limit}")),
    }))
}
