//! Answering a proposal over the native API: accept and reject for the provider, withdraw and ready for the consumer,
//! comments for both.

use axum::extract::State;
use serde::Deserialize;
use tracepact_listener::Problem;
use tracepact_listener::extract::{Json, Path};

use super::ProblemBody;
use super::proposals::{ProposalDetail, detail};
use crate::Broker;
use crate::auth::asker::user_name;
use crate::proposing::Answer;
use crate::store::proposals;

/// The answer to a proposal.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(super) struct ProposalAnswer {
    /// Who answers.
    who: Option<String>,
    /// Why.
    reason: Option<String>,
}

/// A contribution to the discussion.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct NewComment {
    /// Who says it.
    author: Option<String>,
    /// What is said, at most 10 000 bytes.
    text: String,
}

/// Accepts a proposal in the provider's name: from now on its build fails when it violates the contract.
#[utoipa::path(post, path = "/tracepact/v1/proposals/{id}/accept", tag = "contracts", request_body = ProposalAnswer,
    params(("id" = String, Path, description = "The proposal's id")),
    responses((status = 200, body = ProposalDetail), (status = "default", body = ProblemBody)))]
pub(super) async fn accept(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    Json(answer): Json<ProposalAnswer>,
) -> Result<Json<ProposalDetail>, Problem> {
    decide(&broker, &id, Answer::Accept, answer).await
}

/// Rejects a proposal in the provider's name.
#[utoipa::path(post, path = "/tracepact/v1/proposals/{id}/reject", tag = "contracts", request_body = ProposalAnswer,
    params(("id" = String, Path, description = "The proposal's id")),
    responses((status = 200, body = ProposalDetail), (status = "default", body = ProblemBody)))]
pub(super) async fn reject(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    Json(answer): Json<ProposalAnswer>,
) -> Result<Json<ProposalDetail>, Problem> {
    decide(&broker, &id, Answer::Reject, answer).await
}

/// Takes a proposal back in the consumer's name; nobody is bound by it any more.
#[utoipa::path(post, path = "/tracepact/v1/proposals/{id}/withdraw", tag = "contracts", request_body = ProposalAnswer,
    params(("id" = String, Path, description = "The proposal's id")),
    responses((status = 200, body = ProposalDetail), (status = "default", body = ProblemBody)))]
pub(super) async fn withdraw(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    Json(answer): Json<ProposalAnswer>,
) -> Result<Json<ProposalDetail>, Problem> {
    decide(&broker, &id, Answer::Withdraw, answer).await
}

/// Turns a draft into a proposal.
#[utoipa::path(post, path = "/tracepact/v1/proposals/{id}/ready", tag = "contracts", request_body = ProposalAnswer,
    params(("id" = String, Path, description = "The proposal's id")),
    responses((status = 200, body = ProposalDetail), (status = "default", body = ProblemBody)))]
pub(super) async fn ready(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    Json(answer): Json<ProposalAnswer>,
) -> Result<Json<ProposalDetail>, Problem> {
    decide(&broker, &id, Answer::Ready, answer).await
}

/// Says something about a proposal.
#[utoipa::path(post, path = "/tracepact/v1/proposals/{id}/comments", tag = "contracts", request_body = NewComment,
    params(("id" = String, Path, description = "The proposal's id")),
    responses((status = 200, body = ProposalDetail), (status = "default", body = ProblemBody)))]
pub(super) async fn comment(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    Json(new): Json<NewComment>,
) -> Result<Json<ProposalDetail>, Problem> {
    let author = user_name().or(new.author);
    broker.comment(&id, author.as_deref(), &new.text).await?;
    Ok(Json(detail(&broker, &id).await?))
}

async fn decide(
    broker: &Broker,
    id: &str,
    answer: Answer,
    given: ProposalAnswer,
) -> Result<Json<ProposalDetail>, Problem> {
    if answer == Answer::Accept {
        let mut conn = broker.store().read().await?;
        let row = proposals::get(&mut conn, id).await?;
        broker.check_not_own(&mut conn, &row).await?;
    }
    // Whoever is known by name answers in that name.
    let who = user_name().or(given.who);
    broker.answer_proposal(id, answer, who.as_deref(), given.reason.as_deref()).await?;
    Ok(Json(detail(broker, id).await?))
}
