//! Where a provider accepts, what its repository holds, and whether what is deployed would keep a contract.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tracepact_contract_model::{Coverage, Pact, coverage, meanings};
use tracepact_listener::Problem;
use tracepact_listener::extract::{Json, Path};

use super::{ProblemBody, rfc3339};
use crate::auth::asker::user_name;
use crate::proposing::{Merged, Mode};
use crate::store::{environments, pacticipants, pacts, verifications, versions};
use crate::{Broker, BrokerError};

/// Most contents of one provider version that a check looks at.
const CONTENTS_MAX: usize = 500;

/// Where a provider accepts contracts.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct Acceptance {
    /// `broker`: button and command. `repository`: the merge of the contract file, reported by `sync`.
    mode: String,
    /// The team that is asked when a proposal names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<String>,
}

/// The contract files on a provider's main branch, all of them.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct RepositoryState {
    contracts: Vec<ContractFile>,
    /// The commit they were read from.
    commit: Option<String>,
    /// Who reports it.
    who: Option<String>,
}

/// One contract file.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct ContractFile {
    /// The pact.
    #[schema(value_type = Object)]
    content: Box<serde_json::value::RawValue>,
    /// The consumer branch it came from.
    consumer_branch: Option<String>,
}

/// What a report of a repository changed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SyncAnswer {
    as_of: String,
    accepted: Vec<SyncedProposal>,
    unchanged: Vec<SyncedProposal>,
    retired: Vec<SyncedProposal>,
    /// Their file is gone, but a live consumer version needs them, so they stay.
    still_needed: Vec<SyncedProposal>,
}

/// A proposal that a report touched.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SyncedProposal {
    id: String,
    /// The consumer; for `still_needed` the live versions that need it.
    consumer: String,
}

/// A contract, and where it is to be kept.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct CheckQuestion {
    /// The pact.
    #[schema(value_type = Object)]
    content: Box<serde_json::value::RawValue>,
    /// The environment whose provider versions are asked about.
    environment: String,
}

/// Whether what is deployed is known to keep a contract.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CheckAnswer {
    as_of: String,
    /// Every interaction is known to be kept by every live provider version.
    kept: bool,
    versions: Vec<CheckedVersion>,
    /// Whether it asks more than the consumer version that is live there; absent when none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    breaking: Option<bool>,
    /// The changes against that version, one per line.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<String>,
}

/// One provider version that is live in the environment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CheckedVersion {
    version: String,
    interactions: Vec<CheckedInteraction>,
}

/// One interaction of the contract.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CheckedInteraction {
    interaction: String,
    /// `kept` when a verified contract of any consumer shows it, else `unknown`.
    state: String,
}

/// Where a provider accepts contracts.
#[utoipa::path(get, path = "/tracepact/v1/providers/{provider}/acceptance", tag = "contracts",
    params(("provider" = String, Path, description = "The provider")),
    responses((status = 200, body = Acceptance), (status = "default", body = ProblemBody)))]
pub(super) async fn mode(
    State(broker): State<Broker>,
    Path(provider): Path<String>,
) -> Result<Json<Acceptance>, Problem> {
    Ok(Json(acceptance(&broker, &provider).await?))
}

/// Sets where a provider accepts contracts.
#[utoipa::path(put, path = "/tracepact/v1/providers/{provider}/acceptance", tag = "contracts", request_body = Acceptance,
    params(("provider" = String, Path, description = "The provider")),
    responses((status = 200, body = Acceptance), (status = "default", body = ProblemBody)))]
pub(super) async fn set_mode(
    State(broker): State<Broker>,
    Path(provider): Path<String>,
    Json(wanted): Json<Acceptance>,
) -> Result<Json<Acceptance>, Problem> {
    broker.set_mode(&provider, Mode::from_name(&wanted.mode)?, wanted.team.as_deref()).await?;
    Ok(Json(acceptance(&broker, &provider).await?))
}

async fn acceptance(broker: &Broker, provider: &str) -> Result<Acceptance, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, provider).await?;
    let (mode, team) = Mode::of(&mut conn, owner.id).await?;
    Ok(Acceptance { mode: mode.name().to_owned(), team })
}

/// Reports the contract files of a provider's main branch: what is there is accepted, what is gone is retired unless
/// a live consumer version needs it.
#[utoipa::path(post, path = "/tracepact/v1/providers/{provider}/sync", tag = "contracts", request_body = RepositoryState,
    params(("provider" = String, Path, description = "The provider")),
    responses((status = 200, body = SyncAnswer), (status = "default", body = ProblemBody)))]
pub(super) async fn sync(
    State(broker): State<Broker>,
    Path(provider): Path<String>,
    Json(state): Json<RepositoryState>,
) -> Result<Json<SyncAnswer>, Problem> {
    let mut files = Vec::new();
    for (index, file) in state.contracts.into_iter().enumerate() {
        let pact = Pact::parse(file.content.get().as_bytes())
            .map_err(|e| Problem::invalid(format!("contracts[{index}].content: {e}")))?;
        files.push(Merged { pact, consumer_branch: file.consumer_branch });
    }
    let who = user_name().or(state.who);
    let synced = broker.sync(&provider, files, state.commit.as_deref(), who.as_deref()).await?;
    let list = |rows: Vec<(String, String)>| {
        rows.into_iter().map(|(id, consumer)| SyncedProposal { id, consumer }).collect()
    };
    Ok(Json(SyncAnswer {
        as_of: rfc3339(broker.now()),
        accepted: list(synced.accepted),
        unchanged: list(synced.unchanged),
        retired: list(synced.retired),
        still_needed: list(synced.still_needed),
    }))
}

/// Asks, before any pull request, whether the provider versions of an environment are known to keep a contract.
/// Nothing is stored.
#[utoipa::path(post, path = "/tracepact/v1/contracts/check", tag = "contracts", request_body = CheckQuestion,
    responses((status = 200, body = CheckAnswer), (status = "default", body = ProblemBody)))]
pub(super) async fn check(
    State(broker): State<Broker>,
    Json(question): Json<CheckQuestion>,
) -> Result<Json<CheckAnswer>, Problem> {
    let pact = Pact::parse(question.content.get().as_bytes())
        .map_err(|e| Problem::invalid(format!("content: {e}")))?;
    Ok(Json(checked(&broker, &pact, &question.environment).await?))
}

async fn checked(broker: &Broker, pact: &Pact, environment: &str) -> Result<CheckAnswer, BrokerError> {
    let mut conn = broker.store().read().await?;
    let place = environments::find_by_name(&mut conn, environment).await?.ok_or_else(|| {
        BrokerError::invalid("environment", format!("environment with name '{environment}' does not exist"))
    })?;
    let provider = pacticipants::get(&mut conn, &pact.provider).await?;
    let live = |numbers: Vec<environments::Presence>| {
        let mut out: Vec<String> = numbers.into_iter().map(|p| p.version).collect();
        out.sort();
        out.dedup();
        out
    };
    let mut present = environments::current(&mut conn, false, Some(place.id), Some(&pact.provider)).await?;
    present.extend(environments::current(&mut conn, true, Some(place.id), Some(&pact.provider)).await?);
    let mut checked = Vec::new();
    for number in live(present) {
        let Some(version) = versions::find(&mut conn, provider.id, &number).await? else { continue };
        let mut kept = Vec::new();
        for content in verifications::contents_of(&mut conn, version.id).await?.into_iter().take(CONTENTS_MAX)
        {
            let result = verifications::of_pair(&mut conn, content, provider.id, &number).await?;
            if result.is_some_and(|r| r.success) {
                kept.push(Pact::parse(pacts::content_by_row(&mut conn, content).await?.body.as_bytes())?);
            }
        }
        let interactions = coverage(&kept, pact)?
            .into_iter()
            .map(|(interaction, state)| CheckedInteraction {
                interaction,
                state: if state == Coverage::Kept { "kept".into() } else { "unknown".into() },
            })
            .collect();
        checked.push(CheckedVersion { version: number, interactions });
    }
    let mut before = environments::current(&mut conn, false, Some(place.id), Some(&pact.consumer)).await?;
    before.extend(environments::current(&mut conn, true, Some(place.id), Some(&pact.consumer)).await?);
    let mut found = None;
    if let Some(consumer) = pacticipants::find(&mut conn, &pact.consumer).await? {
        for number in live(before) {
            let Some(version) = versions::find(&mut conn, consumer.id, &number).await? else { continue };
            if let Some(content) = pacts::of_version(&mut conn, version.id, provider.id).await? {
                found = Some(meanings(Some(&Pact::parse(content.body.as_bytes())?), pact)?);
            }
        }
    }
    let all = checked.iter().flat_map(|v| &v.interactions).all(|i| i.state == "kept");
    Ok(CheckAnswer {
        as_of: rfc3339(broker.now()),
        kept: all && !checked.is_empty(),
        versions: checked,
        breaking: found.as_ref().map(|f| f.is_breaking()),
        changes: found.map(|f| f.text()),
    })
}
