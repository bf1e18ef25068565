//! Leases on environments, for `deploy-gate`.

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tracepact_base::ErrorKind;
use tracepact_listener::Problem;
use tracepact_listener::extract::{Json, Path};

use super::{ProblemBody, rfc3339};
use crate::Broker;
use crate::judge::waiting::WAIT_MAX;
use crate::leasing::{Leased, Wish};
use crate::store::leases::LeaseRow;
use crate::store::{environments, leases};

/// How soon somebody who found the environment taken should ask again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// What would be deployed, and by whom.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LeaseWish {
    pacticipant: String,
    version: String,
    /// Who deploys: a pipeline and its run, for people who find the environment taken.
    holder: String,
    /// Without renewal it ends after so many seconds, 5 to 600.
    life_s: i64,
    /// Wait so many seconds (60 at most) for the present holder to end.
    #[serde(default)]
    wait_s: u64,
}

/// For how long.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LeaseRenewal {
    life_s: i64,
}

/// What was deployed where.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LeasedDeployment {
    /// The application instance, where there are several.
    application_instance: Option<String>,
}

/// A lease that was got.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Lease {
    /// Names the lease in the requests that renew it, end it and record under it.
    id: String,
    /// Grows with every holder of the environment.
    fence: i64,
    pacticipant: String,
    version: String,
    holder: String,
    expires_at: String,
}

/// Who deploys to an environment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LeaseHolder {
    /// When this was true.
    as_of: String,
    /// Whether somebody deploys at the moment.
    held: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pacticipant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquired_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl From<LeaseRow> for Lease {
    fn from(row: LeaseRow) -> Self {
        Self {
            id: row.uuid,
            fence: row.fence,
            pacticipant: row.pacticipant,
            version: row.version,
            holder: row.holder,
            expires_at: rfc3339(row.expires_at),
        }
    }
}

/// Takes the lease on an environment, so that nobody else deploys to it at the same time.
#[utoipa::path(post, path = "/tracepact/v1/environments/{environment}/lease", tag = "contracts", request_body = LeaseWish,
    params(("environment" = String, Path, description = "Its name")),
    responses(
        (status = 201, body = Lease), (status = 409, body = ProblemBody, description = "Somebody else deploys there"),
        (status = "default", body = ProblemBody),
    ))]
pub(super) async fn acquire(
    State(broker): State<Broker>,
    Path(environment): Path<String>,
    Json(wish): Json<LeaseWish>,
) -> Result<(StatusCode, Json<Lease>), Problem> {
    let wait = Duration::from_secs(wish.wait_s);
    if wait > WAIT_MAX {
        return Err(Problem::invalid(format!("wait_s is 0 to {} seconds", WAIT_MAX.as_secs())));
    }
    let wanted = Wish {
        environment: &environment,
        pacticipant: &wish.pacticipant,
        version: &wish.version,
        holder: &wish.holder,
        life_s: wish.life_s,
    };
    match broker.lease(&wanted, wait).await? {
        Leased::Yes(lease) => Ok((StatusCode::CREATED, Json(lease.into()))),
        Leased::Held(held) => Err(Problem::new(
            ErrorKind::Conflict,
            format!(
                "{} {} is being deployed to {environment} by {}; its lease ends at {} unless it is renewed",
                held.pacticipant,
                held.version,
                held.holder,
                rfc3339(held.expires_at)
            ),
        )
        .with("holder", held.holder)
        .with_retry_after(ASK_AGAIN)),
    }
}

/// Who deploys to an environment at the moment.
#[utoipa::path(get, path = "/tracepact/v1/environments/{environment}/lease", tag = "contracts",
    params(("environment" = String, Path, description = "Its name")),
    responses((status = 200, body = LeaseHolder), (status = "default", body = ProblemBody)))]
pub(super) async fn holder(
    State(broker): State<Broker>,
    Path(environment): Path<String>,
) -> Result<Json<LeaseHolder>, Problem> {
    let now = broker.now();
    let mut conn = broker.store().read().await?;
    let place = environments::get(&mut conn, &environment).await?;
    let held = leases::of_environment(&mut conn, place.id).await?.filter(|lease| lease.expires_at > now);
    Ok(Json(LeaseHolder {
        as_of: rfc3339(now),
        held: held.is_some(),
        pacticipant: held.as_ref().map(|l| l.pacticipant.clone()),
        version: held.as_ref().map(|l| l.version.clone()),
        holder: held.as_ref().map(|l| l.holder.clone()),
        acquired_at: held.as_ref().map(|l| rfc3339(l.acquired_at)),
        expires_at: held.as_ref().map(|l| rfc3339(l.expires_at)),
    }))
}

/// Extends a lease.
#[utoipa::path(put, path = "/tracepact/v1/leases/{id}", tag = "contracts", request_body = LeaseRenewal,
    params(("id" = String, Path, description = "The lease's id")),
    responses(
        (status = 200, body = Lease), (status = 409, body = ProblemBody, description = "It is lost"),
        (status = "default", body = ProblemBody),
    ))]
pub(super) async fn renew(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    Json(renewal): Json<LeaseRenewal>,
) -> Result<Json<Lease>, Problem> {
    Ok(Json(broker.renew_lease(&id, renewal.life_s).await?.into()))
}

/// Ends a lease without recording anything.
#[utoipa::path(delete, path = "/tracepact/v1/leases/{id}", tag = "contracts",
    params(("id" = String, Path, description = "The lease's id")),
    responses((status = 204), (status = "default", body = ProblemBody)))]
pub(super) async fn release(
    State(broker): State<Broker>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    broker.release_lease(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Records that what the lease was taken for is deployed, and ends the lease. A lost lease records nothing.
#[utoipa::path(post, path = "/tracepact/v1/leases/{id}/deployment", tag = "contracts", request_body = LeasedDeployment,
    params(("id" = String, Path, description = "The lease's id")),
    responses(
        (status = 201, body = Lease), (status = 409, body = ProblemBody, description = "It is lost"),
        (status = "default", body = ProblemBody),
    ))]
pub(super) async fn record(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    Json(what): Json<LeasedDeployment>,
) -> Result<(StatusCode, Json<Lease>), Problem> {
    let lease = broker.record_under_lease(&id, what.application_instance.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(lease.into())))
}
