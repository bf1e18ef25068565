//! The gate for pipelines and pages: the same verdict as `/matrix`, with what clears it and the trace of the breakage.

use axum::extract::{RawQuery, State};
use serde::{Deserialize, Serialize};
use tracepact_base::Link;
use tracepact_contract_model::parse_nested;
use tracepact_gate::{RowKind, Target};
use tracepact_listener::Problem;
use tracepact_listener::extract::{Json, Query};

use super::{ProblemBody, rfc3339};
use crate::judge::{Asked, DeployQuestion, Judgement};
use crate::store::decisions;
use crate::{Broker, BrokerError};

/// Most rows or decisions in one answer.
const ENTRIES_MAX: usize = 1_000;

/// The gate's answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct GateAnswer {
    /// When this was true.
    as_of: String,
    /// Yes, no; absent: unknown, which also means "do not deploy".
    #[serde(skip_serializing_if = "Option::is_none")]
    deployable: Option<bool>,
    /// Why, line by line.
    reason: String,
    /// Every row the answer rests on.
    rows: Vec<GateRow>,
    /// Warnings, and what to do next.
    notices: Vec<String>,
    /// A trace in which the breakage was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Link>,
}

/// One pair of versions, or one accepted contract.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct GateRow {
    consumer: String,
    /// Absent for an accepted contract: no version of the consumer needs to carry it yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_version: Option<String>,
    provider: String,
    /// Absent when no version is in the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_version: Option<String>,
    /// `pact` or `accepted`.
    kind: &'static str,
    /// Verified, failed; absent: no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    success: Option<bool>,
    /// What did not hold.
    mismatches: Vec<GateMismatch>,
    /// What clears it and who; absent when it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    clears: Option<String>,
    /// Who can clear it.
    #[serde(skip_serializing_if = "Option::is_none")]
    clears_by: Option<String>,
    /// Whether waiting is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    clears_by_itself: Option<bool>,
    content_id: String,
    /// The build that verified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<String>,
    /// The proposal, for an accepted contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal: Option<String>,
    /// Left out of the decision because it was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ignored: bool,
}

/// One thing that did not hold.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct GateMismatch {
    /// The interaction's description.
    interaction: String,
    /// `GET /item/1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// What differed.
    description: String,
}

/// May this version go to that environment?
#[utoipa::path(get, path = "/tracepact/v1/contracts/can-i-deploy", tag = "contracts",
    params(
        ("pacticipant" = String, Query, description = "What would be deployed"),
        ("version" = String, Query, description = "Its version"),
        ("environment" = String, Query, description = "Where to"),
        ("ignore[]" = Option<Vec<String>>, Query, description = "Pacticipants that must not count"),
    ),
    responses((status = 200, body = GateAnswer), (status = "default", body = ProblemBody)))]
pub(super) async fn can_i_deploy(
    State(broker): State<Broker>,
    RawQuery(query): RawQuery,
) -> Result<Json<GateAnswer>, Problem> {
    let query = parse_nested(query.as_deref().unwrap_or_default()).map_err(BrokerError::from)?;
    let required = |name: &str| {
        query.text(name).ok_or_else(|| Problem::invalid(format!("the parameter {name} is missing")))
    };
    let mut question = DeployQuestion::to_environment(
        required("pacticipant")?,
        required("version")?,
        required("environment")?,
    );
    for item in query.list("ignore") {
        if let tracepact_contract_model::QueryValue::Text(name) = item {
            question.ignore.push((name.clone(), None));
        }
    }
    let judgement = broker.judge(&question).await?;
    Ok(Json(answer(&broker, &judgement)))
}

/// Rows of one or two pacticipants, as the gate sees them.
#[utoipa::path(get, path = "/tracepact/v1/contracts/matrix", tag = "contracts",
    params(
        ("pacticipant" = String, Query, description = "One side"),
        ("other" = Option<String>, Query, description = "The other side; without it, everyone with results"),
        ("version" = Option<String>, Query, description = "One version of the first; without it, the latest"),
        ("environment" = Option<String>, Query, description = "Beside what is in an environment"),
    ),
    responses((status = 200, body = GateAnswer), (status = "default", body = ProblemBody)))]
pub(super) async fn matrix(
    State(broker): State<Broker>,
    Query(asked): Query<MatrixQuery>,
) -> Result<Json<GateAnswer>, Problem> {
    let latest = asked.version.is_none();
    let mut list =
        vec![Asked { pacticipant: asked.pacticipant, version: asked.version, latest, ..Asked::default() }];
    if let Some(other) = asked.other {
        list.push(Asked { pacticipant: other, ..Asked::default() });
    }
    let target = asked.environment.map_or(Target::None, Target::Environment);
    let question = DeployQuestion { asked: list, target, ignore: Vec::new(), last_only: false };
    let judgement = broker.look(&question).await?;
    Ok(Json(answer(&broker, &judgement)))
}

/// Parameters of the matrix.
#[derive(Debug, Deserialize)]
pub(super) struct MatrixQuery {
    pacticipant: String,
    other: Option<String>,
    version: Option<String>,
    environment: Option<String>,
}

fn answer(broker: &Broker, judgement: &Judgement) -> GateAnswer {
    let verdict = &judgement.verdict;
    let rows = verdict.rows.iter().map(|row| {
        let result = row.result.and_then(|number| judgement.results.get(&number));
        GateRow {
            consumer: row.consumer.clone(),
            consumer_version: row.consumer_version.clone(),
            provider: row.provider.clone(),
            provider_version: row.provider_version.clone(),
            kind: match row.kind {
                RowKind::Pact => "pact",
                RowKind::Accepted => "accepted",
            },
            success: row.outcome.success(),
            mismatches: row
                .mismatches
                .iter()
                .map(|m| GateMismatch {
                    interaction: m.interaction.clone(),
                    operation: m.operation.clone(),
                    description: m.description.clone(),
                })
                .collect(),
            clears: row.clears.as_ref().map(tracepact_gate::Clears::text),
            clears_by: row.clears.as_ref().map(|c| c.who.clone()),
            clears_by_itself: row.clears.as_ref().map(|c| c.by_itself),
            content_id: row.content_id.clone(),
            verification_url: result.and_then(|r| r.build_url.clone()),
            verified_at: result.map(|r| rfc3339(r.created_at)),
            proposal: row.proposal.clone(),
            ignored: row.ignored,
        }
    });
    let mut notices: Vec<String> = verdict
        .notices
        .iter()
        .filter(|n| n.kind == tracepact_gate::NoticeKind::Warning)
        .map(|n| n.text.clone())
        .collect();
    for clears in verdict.rows.iter().filter_map(|r| r.clears.as_ref()) {
        let text = clears.text();
        if !notices.contains(&text) {
            notices.push(text);
        }
    }
    GateAnswer {
        as_of: rfc3339(broker.now()),
        deployable: verdict.deployable,
        reason: verdict.reason(),
        rows: rows.collect(),
        notices,
        trace: judgement.trace.clone(),
    }
}

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
