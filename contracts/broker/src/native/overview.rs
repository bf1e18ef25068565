//! All pacticipants and contracts at a glance.

use std::collections::HashMap;

use axum::extract::State;
use serde::Serialize;
use tracepact_listener::Problem;
use tracepact_listener::extract::Json;

use super::{ProblemBody, rfc3339};
use crate::store::environments::Environment;
use crate::store::overview::{self, PairStanding};
use crate::store::{Conn, environments};
use crate::{Broker, BrokerError};

/// Most pacticipants, and most pacts, in one answer.
const ENTRIES_MAX: usize = 1_000;

/// Environments, pacticipants and the latest contract of every pair.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ContractsOverview {
    /// When this was true.
    as_of: String,
    environments: Vec<EnvironmentSummary>,
    pacticipants: Vec<PacticipantSummary>,
    pacts: Vec<PactSummary>,
    /// Whether nothing was left out.
    complete: bool,
    /// What was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<String>,
}

/// An environment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EnvironmentSummary {
    name: String,
    production: bool,
}

/// A pacticipant and where it runs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PacticipantSummary {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    main_branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_version: Option<String>,
    deployed: Vec<DeployedSummary>,
}

/// A version in an environment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DeployedSummary {
    environment: String,
    version: String,
    /// The application instance, where several are told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// Released and supported, beside whatever else is, instead of deployed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    released: bool,
    since: String,
}

/// The latest contract of a pair.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PactSummary {
    consumer: String,
    provider: String,
    consumer_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    content_id: String,
    published_at: String,
    /// `ok`, `failed`, `pending` (never verified successfully, so a failure breaks nothing) or `none`.
    verification: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_by_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<String>,
    /// The provider accepted this content.
    accepted: bool,
}

/// Environments, pacticipants and the latest contract of every pair.
#[utoipa::path(get, path = "/tracepact/v1/contracts/overview", tag = "contracts",
    responses((status = 200, body = ContractsOverview), (status = "default", body = ProblemBody)))]
pub(super) async fn overview(State(broker): State<Broker>) -> Result<Json<ContractsOverview>, Problem> {
    Ok(Json(collect(&broker).await?))
}

async fn collect(broker: &Broker) -> Result<ContractsOverview, BrokerError> {
    let mut conn = broker.store().read().await?;
    let environments = environments::list(&mut conn, None).await?;
    let limit = i64::try_from(ENTRIES_MAX).unwrap_or(i64::MAX);
    let people = overview::people(&mut conn, limit).await?;
    let total = people.first().map_or(0, |first| first.total);
    let mut deployed = deployed(&mut conn, &environments).await?;
    let standings = overview::standings(&mut conn, limit).await?;
    drop(conn);
    let pairs = standings.first().map_or(0, |first| first.pairs);
    let people = people.into_iter().map(|one| PacticipantSummary {
        main_branch: one.main_branch,
        latest_version: one.latest_version,
        deployed: deployed.remove(&one.name).unwrap_or_default(),
        name: one.name,
    });
    let complete = total <= limit && pairs <= limit;
    Ok(ContractsOverview {
        as_of: rfc3339(broker.now()),
        pacticipants: people.collect(),
        pacts: standings.into_iter().map(summary).collect(),
        environments: environments
            .into_iter()
            .map(|e| EnvironmentSummary { name: e.name, production: e.production })
            .collect(),
        complete,
        cut: (!complete)
            .then(|| format!("{total} pacticipants and {pairs} pairs; {ENTRIES_MAX} of each are shown")),
    })
}

/// What is where, by pacticipant.
async fn deployed(
    conn: &mut Conn,
    environments: &[Environment],
) -> Result<HashMap<String, Vec<DeployedSummary>>, BrokerError> {
    let mut by_name: HashMap<String, Vec<DeployedSummary>> = HashMap::new();
    for released in [false, true] {
        for presence in environments::current(conn, released, None, None).await? {
            let Some(environment) = environments.iter().find(|e| e.id == presence.environment_id) else {
                continue;
            };
            by_name.entry(presence.pacticipant).or_default().push(DeployedSummary {
                environment: environment.name.clone(),
                version: presence.version,
                instance: Some(presence.instance).filter(|name| !name.is_empty()),
                released,
                since: rfc3339(presence.created_at),
            });
        }
    }
    Ok(by_name)
}

fn summary(one: PairStanding) -> PactSummary {
    let verification = match one.success {
        None => "none",
        Some(true) => "ok",
        // What was accepted is never pending.
        Some(false) if one.ever || one.accepted => "failed",
        Some(false) => "pending",
    };
    PactSummary {
        consumer: one.consumer,
        provider: one.provider,
        consumer_version: one.consumer_version,
        branch: one.branch,
        content_id: one.content_id,
        published_at: rfc3339(one.created_at),
        verification,
        verified_by_version: one.provider_version,
        verified_at: one.verified_at.map(rfc3339),
        accepted: one.accepted,
    }
}
