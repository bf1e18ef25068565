//! All pacticipants and contracts at a glance.

use axum::extract::State;
use serde::Serialize;
use tracepact_listener::Problem;
use tracepact_listener::extract::Json;

use super::{ProblemBody, rfc3339};
use crate::store::pacts::{self, Which};
use crate::store::versions::Latest;
use crate::store::{environments, pacticipants, proposals, verifications, versions};
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
    let (rows, total) = pacticipants::page(&mut conn, "", limit, 0).await?;
    let mut deployed = Vec::new();
    for released in [false, true] {
        for presence in environments::current(&mut conn, released, None, None).await? {
            deployed.push((presence, released));
        }
    }
    let mut people = Vec::new();
    for row in rows {
        let latest = versions::latest(&mut conn, row.id, Latest::Overall).await?;
        let present =
            deployed.iter().filter(|(p, _)| p.pacticipant == row.name).filter_map(|(p, released)| {
                let environment = environments.iter().find(|e| e.id == p.environment_id)?;
                Some(DeployedSummary {
                    environment: environment.name.clone(),
                    version: p.version.clone(),
                    instance: (!p.instance.is_empty()).then(|| p.instance.clone()),
                    released: *released,
                    since: rfc3339(p.created_at),
                })
            });
        people.push(PacticipantSummary {
            main_branch: row.main_branch.clone(),
            latest_version: latest.map(|v| v.number),
            deployed: present.collect(),
            name: row.name,
        });
    }
    let published = pacts::published(&mut conn, None, None, Which::Latest).await?;
    let pairs = published.len();
    let mut summaries = Vec::new();
    for publication in published.into_iter().take(ENTRIES_MAX) {
        let last = verifications::latest(&mut conn, publication.content_row).await?;
        let ever = verifications::succeeded(
            &mut conn,
            publication.content_row,
            verifications::SuccessBy::Anyone,
            true,
        )
        .await?;
        let verification = match &last {
            None => "none",
            Some(found) if found.success => "ok",
            Some(_) if ever => "failed",
            Some(_) => "pending",
        };
        let branch = versions::branches(&mut conn, publication.version_id).await?.pop().map(|b| b.name);
        let agreed =
            proposals::list(&mut conn, Some(&publication.provider), Some(&publication.consumer), None, 1_000)
                .await?;
        let accepted = agreed.iter().any(|p| {
            p.content_row == publication.content_row && matches!(p.state.as_str(), "accepted" | "enforced")
        });
        summaries.push(PactSummary {
            consumer: publication.consumer,
            provider: publication.provider,
            consumer_version: publication.version,
            branch,
            content_id: publication.content_id,
            published_at: rfc3339(publication.created_at),
            verification: if accepted && verification == "pending" { "failed" } else { verification },
            verified_by_version: last.as_ref().map(|v| v.provider_version.clone()),
            verified_at: last.as_ref().map(|v| rfc3339(v.created_at)),
            accepted,
        });
    }
    let complete = total <= limit && pairs <= ENTRIES_MAX;
    Ok(ContractsOverview {
        as_of: rfc3339(broker.now()),
        environments: environments
            .into_iter()
            .map(|e| EnvironmentSummary { name: e.name, production: e.production })
            .collect(),
        pacticipants: people,
        pacts: summaries,
        complete,
        cut: (!complete)
            .then(|| format!("{total} pacticipants and {pairs} pairs; {ENTRIES_MAX} of each are shown")),
    })
}
