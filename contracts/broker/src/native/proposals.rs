//! Proposals over the native API.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tracepact_contract_model::{Pact, diff};
use tracepact_listener::Problem;
use tracepact_listener::extract::{Json, Path, Query};

use super::{ProblemBody, rfc3339};
use crate::auth::asker::check_publish;
use crate::proposing::{Mode, Proposed, ProposedContent, impact};
use crate::store::proposals::{self, ProposalRow};
use crate::store::{pacts, proposal_facts};
use crate::{Broker, BrokerError};

/// Most proposals in one answer.
const ENTRIES_MAX: usize = 1_000;

/// A contract that a consumer proposes to its provider.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct NewProposal {
    consumer: String,
    provider: String,
    /// The consumer's branch; consumer, provider and branch are one line of proposals.
    consumer_branch: String,
    /// The pact. Either this or `content_id`.
    #[schema(value_type = Option<Object>)]
    content: Option<Box<serde_json::value::RawValue>>,
    /// The id of a published content.
    content_id: Option<String>,
    title: Option<String>,
    pull_request_url: Option<String>,
    /// The provider's team that is asked.
    team: Option<String>,
    /// Who proposes.
    author: Option<String>,
    /// Not to be decided yet: true registers a draft.
    #[serde(default)]
    draft: bool,
}

/// A proposal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Proposal {
    id: String,
    consumer: String,
    provider: String,
    consumer_branch: String,
    content_id: String,
    /// `draft`, `proposed`, `accepted`, `enforced`, `rejected`, `withdrawn`, `superseded` or `retired`.
    state: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_request_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    created_at: String,
    updated_at: String,
}

/// A proposal with its content and history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProposalDetail {
    /// When this was true.
    as_of: String,
    #[serde(flatten)]
    proposal: Proposal,
    /// Who did what when, oldest first.
    history: Vec<ProposalStep>,
    /// The discussion, oldest first.
    comments: Vec<ProposalComment>,
    /// Where the provider accepts: `broker` (here) or `repository` (by merging the contract file).
    mode: String,
    /// Whether it asks more of the provider than what the pair agreed on or uses now.
    breaking: bool,
    /// The changes with their meaning, one per line.
    changes: String,
    /// Live versions of the provider that have no success for this content: `products 1.2 (production)`.
    affected: Vec<String>,
    /// The other contents proposed on the same line, newest first.
    line: Vec<LineEntry>,
    /// The interactions, in words.
    interactions: Vec<String>,
    /// The difference to what the provider accepted before on this line.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<String>,
    /// The pact.
    #[schema(value_type = Object)]
    content: Option<Box<serde_json::value::RawValue>>,
}

/// One step of a proposal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProposalStep {
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    at: String,
}

/// Another content of the same line.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LineEntry {
    id: String,
    content_id: String,
    state: String,
    updated_at: String,
}

/// A contribution to the discussion.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProposalComment {
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    text: String,
    at: String,
}

/// Proposals, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Proposals {
    /// When this was true.
    as_of: String,
    proposals: Vec<Proposal>,
    complete: bool,
    /// What was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<String>,
}

/// Which proposals.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    provider: Option<String>,
    consumer: Option<String>,
    state: Option<String>,
    limit: Option<usize>,
}

impl From<ProposalRow> for Proposal {
    fn from(row: ProposalRow) -> Self {
        Self {
            id: row.uuid,
            consumer: row.consumer,
            provider: row.provider,
            consumer_branch: row.consumer_branch,
            content_id: row.content_id,
            state: row.state,
            title: row.title,
            pull_request_url: row.pull_request_url,
            team: row.team,
            author: row.author,
            created_at: rfc3339(row.created_at),
            updated_at: rfc3339(row.updated_at),
        }
    }
}

/// Proposals, newest first.
#[utoipa::path(get, path = "/tracepact/v1/proposals", tag = "contracts",
    params(
        ("provider" = Option<String>, Query, description = "Only of this provider"),
        ("consumer" = Option<String>, Query, description = "Only of this consumer"),
        ("state" = Option<String>, Query, description = "Only in this state"),
        ("limit" = Option<usize>, Query, description = "At most this many, 100 unless said otherwise, 1000 at most"),
    ),
    responses((status = 200, body = Proposals), (status = "default", body = ProblemBody)))]
pub(super) async fn list(
    State(broker): State<Broker>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Proposals>, Problem> {
    let limit = query.limit.unwrap_or(100).clamp(1, ENTRIES_MAX);
    let mut conn = broker.store().read().await?;
    let mut rows = proposals::list(
        &mut conn,
        query.provider.as_deref(),
        query.consumer.as_deref(),
        query.state.as_deref(),
        i64::try_from(limit + 1).unwrap_or(i64::MAX),
    )
    .await?;
    let complete = rows.len() <= limit;
    rows.truncate(limit);
    Ok(Json(Proposals {
        as_of: rfc3339(broker.now()),
        proposals: rows.into_iter().map(Proposal::from).collect(),
        complete,
        cut: (!complete).then(|| format!("limit {limit}")),
    }))
}

/// Proposes a contract. The same content on the same line again is the same proposal (200).
#[utoipa::path(post, path = "/tracepact/v1/proposals", tag = "contracts", request_body = NewProposal,
    responses(
        (status = 201, body = ProposalDetail), (status = 200, body = ProposalDetail), (status = "default", body = ProblemBody),
    ))]
pub(super) async fn propose(
    State(broker): State<Broker>,
    Json(new): Json<NewProposal>,
) -> Result<(StatusCode, Json<ProposalDetail>), Problem> {
    let content = match (new.content, new.content_id) {
        (Some(pact), None) => {
            let pact =
                Pact::parse(pact.get().as_bytes()).map_err(|e| Problem::invalid(format!("content: {e}")))?;
            ProposedContent::Pact(Box::new(pact))
        }
        (None, Some(id)) => ProposedContent::Id(id),
        _ => return Err(Problem::invalid("give either content (a pact) or content_id")),
    };
    let proposed = Proposed {
        consumer: new.consumer,
        provider: new.provider,
        consumer_branch: new.consumer_branch,
        content,
        title: new.title.unwrap_or_default(),
        pull_request_url: new.pull_request_url,
        team: new.team,
        author: new.author,
        draft: new.draft,
    };
    check_publish(&proposed.consumer)?;
    let (id, is_new) = broker.propose(proposed).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(detail(&broker, &id).await?)))
}

/// One proposal with its content and history.
#[utoipa::path(get, path = "/tracepact/v1/proposals/{id}", tag = "contracts",
    params(("id" = String, Path, description = "The proposal's id")),
    responses((status = 200, body = ProposalDetail), (status = "default", body = ProblemBody)))]
pub(super) async fn get(
    State(broker): State<Broker>,
    Path(id): Path<String>,
) -> Result<Json<ProposalDetail>, Problem> {
    Ok(Json(detail(&broker, &id).await?))
}

pub(super) async fn detail(broker: &Broker, id: &str) -> Result<ProposalDetail, BrokerError> {
    let mut conn = broker.store().read().await?;
    let row = proposals::get(&mut conn, id).await?;
    let history = proposals::history(&mut conn, row.id).await?;
    let body = pacts::content_by_row(&mut conn, row.content_row).await?.body;
    let pact = Pact::parse(body.as_bytes())?;
    let difference = match proposals::accepted_before(&mut conn, &row).await? {
        None => None,
        Some(before) => {
            let body = pacts::content_by_row(&mut conn, before.content_row).await?.body;
            Some(diff(&Pact::parse(body.as_bytes())?, &pact).text())
        }
    };
    let impact = impact(&mut conn, &row).await?;
    let (mode, team) = Mode::of(&mut conn, row.provider_id).await?;
    let comments = proposal_facts::comments(&mut conn, row.id).await?;
    let line = proposals::line(&mut conn, &row.consumer, &row.provider, &row.consumer_branch).await?;
    let interactions = pact
        .interactions
        .iter()
        .map(|i| match &i.operation {
            Some(operation) => format!("{}: {operation}", i.description),
            None => i.description.clone(),
        })
        .collect();
    Ok(ProposalDetail {
        as_of: rfc3339(broker.now()),
        line: line
            .into_iter()
            .filter(|p| p.id != row.id)
            .take(50)
            .map(|p| LineEntry {
                id: p.uuid,
                content_id: p.content_id,
                state: p.state,
                updated_at: rfc3339(p.updated_at),
            })
            .collect(),
        proposal: Proposal { team: row.team.clone().or(team), ..row.into() },
        comments: comments
            .into_iter()
            .map(|c| ProposalComment { author: c.author, text: c.body, at: rfc3339(c.at) })
            .collect(),
        mode: mode.name().to_owned(),
        breaking: impact.breaking,
        changes: impact.changes,
        affected: impact.affected,
        history: history
            .into_iter()
            .map(|h| ProposalStep { state: h.state, who: h.who, reason: h.reason, at: rfc3339(h.at) })
            .collect(),
        interactions,
        difference,
        content: serde_json::value::RawValue::from_string(body).ok(),
    })
}
