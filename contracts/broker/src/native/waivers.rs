//! Waivers, and what an environment demands of exceptions.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tracepact_listener::Problem;
use tracepact_listener::extract::{Json, Path, Query};

use super::{ProblemBody, rfc3339};
use crate::Broker;
use crate::BrokerError;
use crate::store::environments;
use crate::store::waivers::{self, Rules, WaiverRow};
use crate::waiving::Waive;

/// Most waivers in one answer.
const ENTRIES_MAX: usize = 1_000;
/// Most lines of a waiver's history in one answer.
const STEPS_MAX: i64 = 200;

/// A breakage that somebody lets pass for a while.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct WaiverInfo {
    id: String,
    environment: String,
    name: String,
    reason: String,
    /// Whose contracts; absent: everyone's.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_version: Option<String>,
    /// With which provider; absent: with every.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_version: Option<String>,
    /// Who gave it.
    by: String,
    created_at: String,
    /// The second person.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_at: Option<String>,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    /// `standing`, `waits_for_approval`, `expired` or `revoked`.
    state: &'static str,
}

/// A waiver with everything that was done with it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct WaiverDetail {
    /// When this was true.
    as_of: String,
    #[serde(flatten)]
    waiver: WaiverInfo,
    /// Who did what when: created, approved, used, revoked. The newest 200.
    history: Vec<WaiverStepInfo>,
}

/// One line of a waiver's history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct WaiverStepInfo {
    action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    at: String,
}

/// Waivers, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Waivers {
    /// When this was true.
    as_of: String,
    waivers: Vec<WaiverInfo>,
    complete: bool,
    /// What was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<String>,
}

/// A waiver to be given.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWaiverBody {
    environment: String,
    /// How people speak of it, for example a ticket's number.
    name: String,
    reason: String,
    /// Who gives it.
    by: String,
    consumer: Option<String>,
    consumer_version: Option<String>,
    provider: Option<String>,
    provider_version: Option<String>,
    /// After so many seconds it ends by itself; 90 days at most.
    expires_in_s: i64,
}

/// Who does it, and why.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaiverAction {
    by: String,
    reason: Option<String>,
}

/// Which waivers.
#[derive(Debug, Deserialize)]
pub(super) struct WaiversQuery {
    environment: Option<String>,
    limit: Option<usize>,
}

/// What an environment demands of exceptions.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GateRules {
    /// `ignore` has no effect on deploys to it.
    forbid_ignore: bool,
    /// A waiver counts only once somebody else approved it.
    second_person: bool,
    /// Who sets them.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

fn info(row: WaiverRow, rules: Rules, now: i64) -> WaiverInfo {
    let state = if row.revoked_at.is_some() {
        "revoked"
    } else if row.expires_at <= now {
        "expired"
    } else if rules.second_person && row.approved_by.is_none() {
        "waits_for_approval"
    } else {
        "standing"
    };
    WaiverInfo {
        id: row.uuid,
        environment: row.environment,
        name: row.name,
        reason: row.reason,
        consumer: row.consumer,
        consumer_version: row.consumer_version,
        provider: row.provider,
        provider_version: row.provider_version,
        by: row.created_by,
        created_at: rfc3339(row.created_at),
        approved_by: row.approved_by,
        approved_at: row.approved_at.map(rfc3339),
        expires_at: rfc3339(row.expires_at),
        revoked_by: row.revoked_by,
        revoked_at: row.revoked_at.map(rfc3339),
        state,
    }
}

async fn detail(broker: &Broker, id: &str) -> Result<WaiverDetail, BrokerError> {
    let mut conn = broker.store().read().await?;
    let row = waivers::get(&mut conn, id).await?;
    let rules = waivers::rules(&mut conn, row.environment_id).await?;
    let steps = waivers::history(&mut conn, row.id, STEPS_MAX).await?;
    let history = steps.into_iter().map(|step| WaiverStepInfo {
        action: step.action,
        who: step.who,
        detail: step.detail,
        at: rfc3339(step.at),
    });
    let now = broker.now();
    Ok(WaiverDetail { as_of: rfc3339(now), waiver: info(row, rules, now), history: history.collect() })
}

/// Waivers, newest first; those that are over as well.
#[utoipa::path(get, path = "/tracepact/v1/waivers", tag = "contracts",
    params(
        ("environment" = Option<String>, Query, description = "Only for this environment"),
        ("limit" = Option<usize>, Query, description = "At most this many, 100 unless said otherwise, 1000 at most"),
    ),
    responses((status = 200, body = Waivers), (status = "default", body = ProblemBody)))]
pub(super) async fn list_waivers(
    State(broker): State<Broker>,
    Query(query): Query<WaiversQuery>,
) -> Result<Json<Waivers>, Problem> {
    let limit = query.limit.unwrap_or(100).clamp(1, ENTRIES_MAX);
    let mut conn = broker.store().read().await?;
    let ask = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut rows = waivers::list(&mut conn, query.environment.as_deref(), ask).await?;
    let complete = rows.len() <= limit;
    rows.truncate(limit);
    let now = broker.now();
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let rules = waivers::rules(&mut conn, row.environment_id).await?;
        list.push(info(row, rules, now));
    }
    let cut = (!complete).then(|| format!("limit {limit}"));
    Ok(Json(Waivers { as_of: rfc3339(now), waivers: list, complete, cut }))
}

/// Gives a waiver: rows it covers that do not hold no longer keep the gate closed, and are listed with its name.
#[utoipa::path(post, path = "/tracepact/v1/waivers", tag = "contracts", request_body = NewWaiverBody,
    responses((status = 201, body = WaiverDetail), (status = "default", body = ProblemBody)))]
pub(super) async fn waive(
    State(broker): State<Broker>,
    Json(new): Json<NewWaiverBody>,
) -> Result<(StatusCode, Json<WaiverDetail>), Problem> {
    let wish = Waive {
        environment: new.environment,
        name: new.name,
        reason: new.reason,
        by: new.by,
        consumer: new.consumer,
        consumer_version: new.consumer_version,
        provider: new.provider,
        provider_version: new.provider_version,
        life_s: new.expires_in_s,
    };
    let id = broker.waive(&wish).await?;
    Ok((StatusCode::CREATED, Json(detail(&broker, &id).await?)))
}

/// One waiver with its history.
#[utoipa::path(get, path = "/tracepact/v1/waivers/{id}", tag = "contracts",
    params(("id" = String, Path, description = "The waiver's id")),
    responses((status = 200, body = WaiverDetail), (status = "default", body = ProblemBody)))]
pub(super) async fn get_waiver(
    State(broker): State<Broker>,
    Path(id): Path<String>,
) -> Result<Json<WaiverDetail>, Problem> {
    Ok(Json(detail(&broker, &id).await?))
}

/// The second person's yes.
#[utoipa::path(post, path = "/tracepact/v1/waivers/{id}/approve", tag = "contracts", request_body = WaiverAction,
    params(("id" = String, Path, description = "The waiver's id")),
    responses((status = 200, body = WaiverDetail), (status = "default", body = ProblemBody)))]
pub(super) async fn approve(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    Json(action): Json<WaiverAction>,
) -> Result<Json<WaiverDetail>, Problem> {
    broker.approve_waiver(&id, &action.by).await?;
    Ok(Json(detail(&broker, &id).await?))
}

/// Ends a waiver before its time.
#[utoipa::path(post, path = "/tracepact/v1/waivers/{id}/revoke", tag = "contracts", request_body = WaiverAction,
    params(("id" = String, Path, description = "The waiver's id")),
    responses((status = 200, body = WaiverDetail), (status = "default", body = ProblemBody)))]
pub(super) async fn revoke(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    Json(action): Json<WaiverAction>,
) -> Result<Json<WaiverDetail>, Problem> {
    broker.revoke_waiver(&id, &action.by, action.reason.as_deref()).await?;
    Ok(Json(detail(&broker, &id).await?))
}

/// What an environment demands of exceptions.
#[utoipa::path(get, path = "/tracepact/v1/environments/{environment}/rules", tag = "contracts",
    params(("environment" = String, Path, description = "Its name")),
    responses((status = 200, body = GateRules), (status = "default", body = ProblemBody)))]
pub(super) async fn rules(
    State(broker): State<Broker>,
    Path(environment): Path<String>,
) -> Result<Json<GateRules>, Problem> {
    Ok(Json(rules_of(&broker, &environment).await?))
}

async fn rules_of(broker: &Broker, environment: &str) -> Result<GateRules, BrokerError> {
    let mut conn = broker.store().read().await?;
    let place = environments::get(&mut conn, environment).await?;
    let Rules { forbid_ignore, second_person } = waivers::rules(&mut conn, place.id).await?;
    Ok(GateRules { forbid_ignore, second_person, by: None })
}

/// Sets what an environment demands of exceptions.
#[utoipa::path(put, path = "/tracepact/v1/environments/{environment}/rules", tag = "contracts", request_body = GateRules,
    params(("environment" = String, Path, description = "Its name")),
    responses((status = 200, body = GateRules), (status = "default", body = ProblemBody)))]
pub(super) async fn set_rules(
    State(broker): State<Broker>,
    Path(environment): Path<String>,
    Json(wish): Json<GateRules>,
) -> Result<Json<GateRules>, Problem> {
    let rules = Rules { forbid_ignore: wish.forbid_ignore, second_person: wish.second_person };
    broker.set_rules(&environment, rules, wish.by.as_deref()).await?;
    Ok(Json(rules_of(&broker, &environment).await?))
}
