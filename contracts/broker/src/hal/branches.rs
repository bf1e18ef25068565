//! Branches of pacticipants, and what is on them.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use tracepact_contract_model::{QueryValue, parse_nested};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::link;
use super::paging::Paging;
use super::{Ctx, JsonObject, iso, no_content, not_found};
use crate::proposing::{branch_deleted, published_on_line};
use crate::store::versions::{Branch, Listed};
use crate::store::{environments, pacticipants, pacts, versions};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    const ALL: &str = "/pacticipants/{name}/branches";
    const ONE: &str = "/pacticipants/{name}/branches/{branch}";
    const ON_BRANCH: &str = "/pacticipants/{name}/branches/{branch}/versions/{version}";
    routes
        .get(ALL, Scope::Read, list)
        .delete(ALL, Scope::Publish, delete_all)
        .get(ONE, Scope::Read, get)
        .delete(ONE, Scope::Publish, delete)
        .get(&format!("{ONE}/versions"), Scope::Read, versions_on_branch)
        .get("/pacticipants/{name}/tags/{tag}/versions", Scope::Read, versions_with_tag)
        .get("/pacticipants/{name}/environments/{environment}/versions", Scope::Read, versions_in_environment)
        .get(ON_BRANCH, Scope::Read, get_version)
        .put(ON_BRANCH, Scope::Publish, put_version)
        .delete(ON_BRANCH, Scope::Publish, delete_version)
}

fn show(ctx: &Ctx, name: &str, branch: &Branch) -> Value {
    let own = ctx.links.to("/pacticipants/{}/branches/{}", &[name, &branch.name]);
    json!({
        "name": branch.name,
        "createdAt": iso(branch.created_at),
        "_links": {
            "self": link("Branch", &branch.name, own.as_str()),
            "pb:pacticipant": link("Pacticipant", name, ctx.links.pacticipant(name)),
            "pb:latest-version": { "title": "Latest version for branch", "href": format!("{own}/latest-version") },
            "pb:versions": { "title": "Versions on the branch", "href": format!("{own}/versions") },
        },
    })
}

async fn list(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Response, BrokerError> {
    let paging = Paging::of(&ctx.query)?;
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, &name).await?;
    let (rows, total) = paging.cut(versions::branch_list(&mut conn, owner.id).await?, |b| b.name.clone());
    let address = ctx.links.to("/pacticipants/{}/branches", &[&name]);
    let embedded: Vec<Value> = rows.iter().map(|branch| show(&ctx, &name, branch)).collect();
    let entries: Vec<Value> = rows
        .iter()
        .map(|b| link("Branch", &b.name, ctx.links.to("/pacticipants/{}/branches/{}", &[&name, &b.name])))
        .collect();
    let mut body = json!({
        "_embedded": { "branches": embedded },
        "_links": { "self": { "href": address, "title": format!("Branches of {name}") }, "pb:branches": entries },
    });
    paging.describe(&mut body, &address, total);
    Ok(ctx.ok(&body))
}

async fn get(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, branch)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, &name).await?;
    let found = versions::find_branch(&mut conn, owner.id, &branch).await?.ok_or_else(not_found)?;
    Ok(ctx.ok(&show(&ctx, &name, &found)))
}

/// Deletes a branch. Its versions stay, and with them what is deployed.
async fn delete(
    State(broker): State<Broker>,
    Path((name, branch)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let owner = pacticipants::get(write.conn(), &name).await?;
    if !versions::delete_branch(write.conn(), owner.id, &branch).await? {
        return Err(not_found());
    }
    branch_deleted(&broker, write.conn(), &owner.name, &branch).await?;
    broker.commit(write).await?;
    Ok(no_content())
}

/// Deletes every branch but those in `exclude[]`. The main branch stays in any case: losing it would change what
/// providers verify. 202 as in the original, though here it is done when the answer comes.
async fn delete_all(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Response, BrokerError> {
    let query = parse_nested(&ctx.query)?;
    let mut kept: Vec<String> = query
        .list("exclude")
        .iter()
        .filter_map(|item| if let QueryValue::Text(text) = item { Some(text.clone()) } else { None })
        .collect();
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let owner = pacticipants::get(conn, &name).await?;
    kept.extend(owner.main_branch.clone());
    let mut deleted = Vec::new();
    for branch in versions::branch_list(conn, owner.id).await? {
        if !kept.contains(&branch.name) {
            versions::delete_branch(conn, owner.id, &branch.name).await?;
            branch_deleted(&broker, conn, &owner.name, &branch.name).await?;
            deleted.push(branch.name);
        }
    }
    broker.commit(write).await?;
    let mut notices = vec![json!({
        "type": "success",
        "text": format!("Deleted {} branches of {name}; their versions stay", deleted.len()),
    })];
    if let Some(main) = &owner.main_branch {
        notices.push(
            json!({ "type": "info", "text": format!("The main branch {main} is never deleted this way") }),
        );
    }
    Ok(ctx.answer(StatusCode::ACCEPTED, &json!({ "notices": notices })))
}

async fn versions_on_branch(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, branch)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, &name).await?;
    versions::find_branch(&mut conn, owner.id, &branch).await?.ok_or_else(not_found)?;
    drop(conn);
    let own = ctx.links.to("/pacticipants/{}/branches/{}/versions", &[&name, &branch]);
    super::versions::list_of(&broker, &ctx, &name, Listed::OnBranch(&branch), own).await
}

async fn versions_with_tag(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, tag)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let own = ctx.links.to("/pacticipants/{}/tags/{}/versions", &[&name, &tag]);
    super::versions::list_of(&broker, &ctx, &name, Listed::WithTag(&tag), own).await
}

async fn versions_in_environment(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, environment)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let environment = environments::get(&mut conn, &environment).await?;
    drop(conn);
    let own = ctx.links.to("/pacticipants/{}/environments/{}/versions", &[&name, &environment.uuid]);
    super::versions::list_of(&broker, &ctx, &name, Listed::InEnvironment(environment.id), own).await
}

async fn get_version(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, branch, version)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let (_, row) = versions::get(&mut conn, &name, &version).await?;
    let list = versions::branches(&mut conn, row.id).await?;
    let found = list.into_iter().find(|b| b.name == branch).ok_or_else(not_found)?;
    Ok(ctx.ok(&show_version(&ctx, &name, &branch, &version, found.created_at)))
}

async fn put_version(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, branch, version)): Path<(String, String, String)>,
    _body: JsonObject,
) -> Result<Response, BrokerError> {
    let now = broker.now();
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let owner = pacticipants::get_or_create(conn, &name, now).await?;
    let (row, _) = versions::get_or_create(conn, owner.id, &version, now).await?;
    let new = versions::add_to_branch(conn, owner.id, row.id, &branch, now).await?;
    if new {
        // Old clients publish first and say the branch afterwards.
        for pact in pacts::by_version(conn, row.id).await? {
            let provider = pacticipants::get(conn, &pact.provider).await?;
            let (consumer, provider) =
                ((owner.id, owner.name.as_str()), (provider.id, provider.name.as_str()));
            published_on_line(&broker, conn, consumer, provider, &branch, pact.content_row, &version).await?;
        }
    }
    broker.commit(write).await?;
    let shown = show_version(&ctx, &name, &branch, &version, now);
    Ok(ctx.made(new, &ctx.links.branch_version(&name, &branch, &version), &shown))
}

/// Takes a version off a branch; the version stays.
async fn delete_version(
    State(broker): State<Broker>,
    Path((name, branch, version)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let (owner, row) = versions::get(write.conn(), &name, &version).await?;
    if !versions::remove_from_branch(write.conn(), owner.id, row.id, &branch).await? {
        return Err(not_found());
    }
    broker.commit(write).await?;
    Ok(no_content())
}

fn show_version(ctx: &Ctx, name: &str, branch: &str, version: &str, created_at: i64) -> Value {
    json!({
        "createdAt": iso(created_at),
        "_links": {
            "self": { "title": "Branch version", "href": ctx.links.branch_version(name, branch, version) },
            "pb:branch": link("Branch", branch, ctx.links.to("/pacticipants/{}/branches/{}", &[name, branch])),
            "pb:version": link("Version", version, ctx.links.version(name, version)),
        },
    })
}

/// Where the labels of a pacticipant are, for its own page.
pub(super) fn templates(ctx: &Ctx, name: &str) -> [(&'static str, Value); 3] {
    let own = ctx.links.pacticipant(name);
    [
        (
            "pb:label",
            json!({ "title": "Get, create or delete a label", "href": format!("{own}/labels/{{label}}"), "templated": true }),
        ),
        (
            "pb:can-i-deploy-badge",
            json!({
                "title": "Whether the latest version with a tag can be deployed beside another tag",
                "href": format!("{own}/latest-version/{{tag}}/can-i-deploy/to/{{environmentTag}}/badge"),
                "templated": true,
            }),
        ),
        (
            "pb:can-i-deploy-branch-to-environment-badge",
            json!({
                "title": "Whether the latest version of a branch can be deployed to an environment",
                "href": format!("{own}/branches/{{branch}}/latest-version/can-i-deploy/to-environment/{{environment}}/badge"),
                "templated": true,
            }),
        ),
    ]
}
