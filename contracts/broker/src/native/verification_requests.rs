//! Asking for the verifications that a deploy waits for: the webhooks that start a provider's build are fired.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tracepact_listener::Problem;
use tracepact_listener::extract::Json;

use super::{ProblemBody, rfc3339};
use crate::Broker;
use crate::auth::asker::check_deploy;
use crate::judge::DeployQuestion;

/// The deploy that waits.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitingDeploy {
    /// What would be deployed.
    pacticipant: String,
    /// Its version.
    version: String,
    /// Where to.
    environment: String,
}

/// What was asked for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct VerificationRequests {
    as_of: String,
    /// Every pair without a result that the answer about the deploy rests on.
    requests: Vec<VerificationRequest>,
}

/// A provider's version that has to verify a consumer's contract.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct VerificationRequest {
    consumer: String,
    /// Absent for an accepted contract that no version carries yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_version: Option<String>,
    provider: String,
    provider_version: String,
    /// How many webhooks for `contract_requiring_verification_published` were fired; 0: nobody was told.
    webhooks: usize,
}

/// Asks for the verifications that a deploy waits for, by the webhooks for `contract_requiring_verification_published`.
#[utoipa::path(post, path = "/tracepact/v1/contracts/verification-requests", tag = "contracts", request_body = WaitingDeploy,
    responses((status = 200, body = VerificationRequests), (status = "default", body = ProblemBody)))]
pub(super) async fn ask(
    State(broker): State<Broker>,
    Json(deploy): Json<WaitingDeploy>,
) -> Result<Json<VerificationRequests>, Problem> {
    check_deploy(&deploy.environment)?;
    let question = DeployQuestion::to_environment(&deploy.pacticipant, &deploy.version, &deploy.environment);
    let waits = format!("{} {} waits for {}", deploy.pacticipant, deploy.version, deploy.environment);
    let asked = broker.ask_for_verifications(&question, &waits).await?;
    let requests = asked.into_iter().map(|one| VerificationRequest {
        consumer: one.consumer,
        consumer_version: one.consumer_version,
        provider: one.provider,
        provider_version: one.provider_version,
        webhooks: one.webhooks,
    });
    Ok(Json(VerificationRequests { as_of: rfc3339(broker.now()), requests: requests.collect() }))
}
