//! The gate for pipelines and pages: the same verdict as `/matrix`, with what clears it and the trace of the breakage.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use serde::{Deserialize, Serialize};
use tracepact_base::{Link, time_format};
use tracepact_contract_model::{QueryValue, parse_nested};
use tracepact_gate::{RowKind, Target, Verdict};
use tracepact_listener::Problem;
use tracepact_listener::extract::{Json, Query};

use super::{ProblemBody, rfc3339};
use crate::judge::waiting::WAIT_MAX;
use crate::judge::{Asked, DeployQuestion, Judgement};
use crate::{Broker, BrokerError};

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
    /// Why not, or what to know before going on: who clears what, and how. The same text everywhere.
    explain: Vec<Explained>,
    /// Waivers that let rows pass which do not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waivers: Vec<UsedWaiver>,
    /// A trace in which the breakage was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Link>,
}

/// One thing that stands in the way or should be known.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Explained {
    /// `missing_version`, `empty_environment`, `nobody_there`, `unverified`, `failed` or `waived`.
    kind: &'static str,
    /// All of it, for people.
    text: String,
    /// Whose people or pipeline can act.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    /// The command that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    /// Whether waiting is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    clears_by_itself: Option<bool>,
}

/// The verdict's explanations as every answer has them.
pub(crate) fn explained(verdict: &Verdict) -> Vec<Explained> {
    let one = |e: &tracepact_gate::Explanation| Explained {
        kind: e.kind.word(),
        text: e.text(),
        who: e.clears.as_ref().map(|c| c.who.clone()),
        command: e.clears.as_ref().and_then(|c| c.command.clone()),
        clears_by_itself: e.clears.as_ref().map(|c| c.by_itself),
    };
    verdict.explain.iter().map(one).collect()
}

/// A waiver that an answer rests on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UsedWaiver {
    id: String,
    name: String,
    reason: String,
    /// Who gave it.
    by: String,
    /// The second person.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    expires_at: String,
}

/// The waivers an answer rests on.
pub(crate) fn used_waivers(verdict: &Verdict) -> Vec<UsedWaiver> {
    let one = |w: &tracepact_gate::Waiver| UsedWaiver {
        id: w.id.clone(),
        name: w.name.clone(),
        reason: w.reason.clone(),
        by: w.by.clone(),
        approved_by: w.approved_by.clone(),
        expires_at: time_format::to_rfc3339(w.expires_at_ns),
    };
    verdict.waivers.iter().map(one).collect()
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
    /// Who posted the result, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    posted_by: Option<String>,
    /// Who accepted the proposal, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_by: Option<String>,
    /// The waiver because of which it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    waived_by: Option<String>,
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
        ("ignore[]" = Option<Vec<String>>, Query, description = "Pacticipants that must not count, `NAME` or `NAME:VERSION`"),
        ("wait_s" = Option<u64>, Query, description = "Answer only once the answer is known, or after so many seconds (60 at \
            most): the server looks again when something changes"),
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
        match item {
            QueryValue::Text(text) => {
                let (name, version) =
                    text.split_once(':').map_or((text.as_str(), None), |(name, v)| (name, Some(v)));
                question.ignore.push((name.to_owned(), version.map(str::to_owned)));
            }
            map => {
                let name =
                    map.text("pacticipant").ok_or_else(|| Problem::invalid("ignore names no pacticipant"))?;
                question.ignore.push((name.to_owned(), map.text("version").map(str::to_owned)));
            }
        }
    }
    let wait = match query.text("wait_s") {
        None => Duration::ZERO,
        Some(text) => text
            .parse()
            .map(Duration::from_secs)
            .ok()
            .filter(|wait| *wait <= WAIT_MAX)
            .ok_or_else(|| Problem::invalid(format!("wait_s is 0 to {} seconds", WAIT_MAX.as_secs())))?,
    };
    let judgement = broker.judge_waiting(&question, wait).await?;
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
            posted_by: row.posted_by.clone(),
            accepted_by: row.accepted_by.clone(),
            waived_by: row
                .waived
                .as_ref()
                .and_then(|id| verdict.waivers.iter().find(|w| &w.id == id))
                .map(|w| w.name.clone()),
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
    notices.extend(verdict.explain.iter().map(tracepact_gate::Explanation::text));
    GateAnswer {
        as_of: rfc3339(broker.now()),
        deployable: verdict.deployable,
        reason: verdict.reason(),
        rows: rows.collect(),
        notices,
        explain: explained(verdict),
        waivers: used_waivers(verdict),
        trace: judgement.trace.clone(),
    }
}
