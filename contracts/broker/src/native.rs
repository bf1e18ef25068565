//! The native API (`/tracepact/v1`): what pages, pipelines and the CLI ask of the contract broker.
//!
//! JSON in snake_case; instants as RFC 3339; what is unknown is absent; every answer carries `as_of`, every list
//! `complete`.

use serde::Serialize;
use tracepact_base::time_format;
use tracepact_listener::{Routes, Scope};
use utoipa::OpenApi;

use crate::Broker;

mod backup;
mod clean;
mod decisions;
pub(crate) mod gate;
mod import;
mod leases;
mod overview;
mod proposal_answers;
mod proposal_sync;
mod proposals;
mod users;
mod verification_requests;
mod waivers;

/// The native routes. Pact clients' own addresses do not overlap with them, so both can stand on one port.
pub fn native_routes(broker: Broker) -> Routes {
    Routes::new("contracts")
        .get("/tracepact/v1/contracts/overview", Scope::Read, overview::overview)
        .get("/tracepact/v1/contracts/can-i-deploy", Scope::Read, gate::can_i_deploy)
        .get("/tracepact/v1/contracts/matrix", Scope::Read, gate::matrix)
        .get("/tracepact/v1/contracts/decisions", Scope::Read, decisions::decisions)
        .post("/tracepact/v1/contracts/verification-requests", Scope::Publish, verification_requests::ask)
        .get("/tracepact/v1/waivers", Scope::Read, waivers::list_waivers)
        .post("/tracepact/v1/waivers", Scope::Admin, waivers::waive)
        .get("/tracepact/v1/waivers/{id}", Scope::Read, waivers::get_waiver)
        .post("/tracepact/v1/waivers/{id}/approve", Scope::Admin, waivers::approve)
        .post("/tracepact/v1/waivers/{id}/revoke", Scope::Admin, waivers::revoke)
        .get("/tracepact/v1/environments/{environment}/rules", Scope::Read, waivers::rules)
        .put("/tracepact/v1/environments/{environment}/rules", Scope::Admin, waivers::set_rules)
        .get("/tracepact/v1/environments/{environment}/lease", Scope::Read, leases::holder)
        .post("/tracepact/v1/environments/{environment}/lease", Scope::Publish, leases::acquire)
        .put("/tracepact/v1/leases/{id}", Scope::Publish, leases::renew)
        .delete("/tracepact/v1/leases/{id}", Scope::Publish, leases::release)
        .post("/tracepact/v1/leases/{id}/deployment", Scope::Publish, leases::record)
        .post("/tracepact/v1/contracts/clean", Scope::Admin, clean::clean)
        .get("/tracepact/v1/contracts/backup", Scope::Admin, backup::backup)
        .post("/tracepact/v1/contracts/import", Scope::Admin, import::import)
        .get("/tracepact/v1/proposals", Scope::Read, proposals::list)
        .post("/tracepact/v1/proposals", Scope::Publish, proposals::propose)
        .get("/tracepact/v1/proposals/{id}", Scope::Read, proposals::get)
        .post("/tracepact/v1/proposals/{id}/accept", Scope::Admin, proposal_answers::accept)
        .post("/tracepact/v1/proposals/{id}/reject", Scope::Admin, proposal_answers::reject)
        .post("/tracepact/v1/proposals/{id}/withdraw", Scope::Publish, proposal_answers::withdraw)
        .post("/tracepact/v1/proposals/{id}/ready", Scope::Publish, proposal_answers::ready)
        .post("/tracepact/v1/proposals/{id}/comments", Scope::Publish, proposal_answers::comment)
        .get("/tracepact/v1/providers/{provider}/acceptance", Scope::Read, proposal_sync::mode)
        .put("/tracepact/v1/providers/{provider}/acceptance", Scope::Admin, proposal_sync::set_mode)
        .post("/tracepact/v1/providers/{provider}/sync", Scope::Admin, proposal_sync::sync)
        .post("/tracepact/v1/contracts/check", Scope::Read, proposal_sync::check)
        .get("/tracepact/v1/broker/users", Scope::Admin, users::list_users)
        .put("/tracepact/v1/broker/users/{name}", Scope::Admin, users::put_user)
        .delete("/tracepact/v1/broker/users/{name}", Scope::Admin, users::delete_user)
        .post("/tracepact/v1/broker/users/{name}/tokens", Scope::Admin, users::add_token)
        .delete("/tracepact/v1/broker/tokens/{id}", Scope::Admin, users::delete_token)
        .get("/tracepact/v1/broker/audit", Scope::Admin, users::audit_log)
        .with_state(broker)
}

/// The OpenAPI description of [`native_routes`].
pub fn openapi() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

#[derive(OpenApi)]
#[openapi(paths(
    overview::overview,
    gate::can_i_deploy,
    gate::matrix,
    decisions::decisions,
    verification_requests::ask,
    waivers::list_waivers,
    waivers::waive,
    waivers::get_waiver,
    waivers::approve,
    waivers::revoke,
    waivers::rules,
    waivers::set_rules,
    leases::holder,
    leases::acquire,
    leases::renew,
    leases::release,
    leases::record,
    clean::clean,
    backup::backup,
    import::import,
    proposals::list,
    proposals::propose,
    proposals::get,
    proposal_answers::accept,
    proposal_answers::reject,
    proposal_answers::withdraw,
    proposal_answers::ready,
    proposal_answers::comment,
    proposal_sync::mode,
    proposal_sync::set_mode,
    proposal_sync::sync,
    proposal_sync::check,
    users::list_users,
    users::put_user,
    users::delete_user,
    users::add_token,
    users::delete_token,
    users::audit_log,
))]
struct Described;

/// A refusal (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
struct ProblemBody {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    code: String,
}

/// An instant of the tables as RFC 3339.
fn rfc3339(ns: i64) -> String {
    time_format::to_rfc3339(u64::try_from(ns).unwrap_or(0))
}
