//! May the latest version of a tag or branch be deployed or merged: the same verdict as `/matrix`, under the addresses
//! that badges and pages use, and the matrix of one pair.

use axum::extract::State;
use axum::response::Response;
use tracepact_gate::Target;
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::{Ctx, matrix, not_found};
use crate::judge::{Asked, DeployQuestion};
use crate::store::versions::Latest;
use crate::store::{Conn, pacticipants, versions};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    routes
        .get("/pacticipants/{name}/latest-version/{tag}/can-i-deploy/to/{to}", Scope::Read, tag_to_tag)
        .get(
            "/pacticipants/{name}/branches/{branch}/latest-version/can-i-deploy/to-environment/{environment}",
            Scope::Read,
            branch_to_environment,
        )
        .get("/matrix/provider/{provider}/consumer/{consumer}", Scope::Read, of_pair)
}

/// The latest version with `tag` beside the latest versions tagged `to`.
pub(super) async fn ask_tag_to_tag(
    conn: &mut Conn,
    name: &str,
    tag: &str,
    to: &str,
) -> Result<DeployQuestion, BrokerError> {
    let owner = pacticipants::get(conn, name).await?;
    let row = versions::latest(conn, owner.id, Latest::WithTag(tag)).await?.ok_or_else(not_found)?;
    Ok(of_version(name, row.number, Target::LatestTagged(to.to_owned())))
}

/// The latest version on `branch` in `environment`.
pub(super) async fn ask_branch_to_environment(
    conn: &mut Conn,
    name: &str,
    branch: &str,
    environment: &str,
) -> Result<DeployQuestion, BrokerError> {
    let owner = pacticipants::get(conn, name).await?;
    let row = versions::latest(conn, owner.id, Latest::OnBranch(branch)).await?.ok_or_else(not_found)?;
    Ok(of_version(name, row.number, Target::Environment(environment.to_owned())))
}

/// The head of the main branch beside the main branches of everyone else.
pub(super) async fn ask_can_i_merge(conn: &mut Conn, name: &str) -> Result<DeployQuestion, BrokerError> {
    let owner = pacticipants::get(conn, name).await?;
    let branch = owner.main_branch.as_deref().ok_or_else(not_found)?;
    let row = versions::latest(conn, owner.id, Latest::OnBranch(branch)).await?.ok_or_else(not_found)?;
    Ok(of_version(name, row.number, Target::MainBranch))
}

fn of_version(name: &str, number: String, target: Target) -> DeployQuestion {
    let asked = Asked { pacticipant: name.to_owned(), version: Some(number), ..Asked::default() };
    DeployQuestion { asked: vec![asked], target, ignore: Vec::new(), last_only: false }
}

async fn tag_to_tag(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, tag, to)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let question = ask_tag_to_tag(&mut conn, &name, &tag, &to).await?;
    drop(conn);
    matrix::answer(&broker, &ctx, &question, usize::MAX, &[]).await
}

async fn branch_to_environment(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, branch, environment)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let question = ask_branch_to_environment(&mut conn, &name, &branch, &environment).await?;
    drop(conn);
    matrix::answer(&broker, &ctx, &question, usize::MAX, &[]).await
}

/// Every pact of a pair with every result.
async fn of_pair(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    for name in [&provider, &consumer] {
        pacticipants::get(&mut conn, name).await?;
    }
    drop(conn);
    let asked = [consumer, provider].map(|pacticipant| Asked { pacticipant, ..Asked::default() });
    let question =
        DeployQuestion { asked: asked.into(), target: Target::None, ignore: Vec::new(), last_only: false };
    matrix::answer(&broker, &ctx, &question, usize::MAX, &[]).await
}
