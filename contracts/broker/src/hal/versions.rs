//! Versions and their tags.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::link;
use super::pact::name as pact_name;
use super::paging::Paging;
use super::{Ctx, JsonObject, iso, no_content, not_found, stamp};
use crate::publish::check_url;
use crate::store::versions::{Latest, Listed, Version};
use crate::store::{Conn, environments, pacticipants, pacts, versions};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    const ONE: &str = "/pacticipants/{name}/versions/{version}";
    const TAG: &str = "/pacticipants/{name}/versions/{version}/tags/{tag}";
    routes
        .get("/pacticipants/{name}/versions", Scope::Read, list)
        .get(ONE, Scope::Read, get)
        .put(ONE, Scope::Publish, put)
        .patch(ONE, Scope::Publish, patch)
        .delete(ONE, Scope::Admin, delete)
        .get("/pacticipants/{name}/latest-version", Scope::Read, latest)
        .get("/pacticipants/{name}/latest-version/{tag}", Scope::Read, latest_with_tag)
        .get("/pacticipants/{name}/branches/{branch}/latest-version", Scope::Read, latest_on_branch)
        .get(TAG, Scope::Read, get_tag)
        .put(TAG, Scope::Publish, put_tag)
        .delete(TAG, Scope::Publish, delete_tag)
}

async fn list(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Response, BrokerError> {
    let own = ctx.links.to("/pacticipants/{}/versions", &[&name]);
    list_of(&broker, &ctx, &name, Listed::All, own).await
}

/// A page of some versions of a pacticipant, newest first.
pub(super) async fn list_of(
    broker: &Broker,
    ctx: &Ctx,
    name: &str,
    which: Listed<'_>,
    own: String,
) -> Result<Response, BrokerError> {
    let paging = Paging::of(&ctx.query)?;
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, name).await?;
    let (rows, total) = versions::list(&mut conn, owner.id, which, paging.size, paging.offset()).await?;
    let mut embedded = Vec::new();
    for row in &rows {
        embedded.push(show_short(&mut conn, ctx, name, row).await?);
    }
    let entries: Vec<Value> =
        rows.iter().map(|r| link("Version", &r.number, ctx.links.version(name, &r.number))).collect();
    let mut body = json!({
        "_embedded": { "versions": embedded },
        "_links": {
            "self": { "title": format!("Versions of {name}"), "href": own },
            "pb:versions": entries,
            "versions": entries,
            "pb:pacticipant": link("Pacticipant", name, ctx.links.pacticipant(name)),
        },
    });
    paging.describe(&mut body, &own, total);
    Ok(ctx.ok(&body))
}

/// A version as lists show it.
async fn show_short(conn: &mut Conn, ctx: &Ctx, name: &str, row: &Version) -> Result<Value, BrokerError> {
    let mut body = json!({
        "number": row.number,
        "_embedded": {
            "branchVersions": branch_list(conn, ctx, name, row).await?,
            "tags": tag_list(conn, ctx, name, row).await?,
        },
        "_links": { "self": link("Version", &row.number, ctx.links.version(name, &row.number)) },
    });
    if let Some(url) = &row.build_url {
        body["buildUrl"] = url.as_str().into();
    }
    stamp(&mut body, row.created_at, row.updated_at);
    Ok(body)
}

async fn branch_list(
    conn: &mut Conn,
    ctx: &Ctx,
    name: &str,
    row: &Version,
) -> Result<Vec<Value>, BrokerError> {
    let list = versions::branches(conn, row.id).await?;
    Ok(list
        .iter()
        .map(|b| {
            let place = ctx.links.branch_version(name, &b.name, &row.number);
            let own = link("Branch version", &b.name, place);
            json!({ "name": b.name, "latest": b.latest, "_links": { "self": own } })
        })
        .collect())
}

async fn tag_list(conn: &mut Conn, ctx: &Ctx, name: &str, row: &Version) -> Result<Vec<Value>, BrokerError> {
    let list = versions::tags(conn, row.id).await?;
    Ok(list
        .iter()
        .map(|t| {
            let own = link("Tag", &t.name, ctx.links.tag(name, &row.number, &t.name));
            json!({ "name": t.name, "_links": { "self": own } })
        })
        .collect())
}

async fn get(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, version)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let (owner, row) = versions::get(&mut conn, &name, &version).await?;
    let own = ctx.links.version(&owner.name, &row.number);
    Ok(ctx.ok(&show(&mut conn, &ctx, &owner.name, &row, own).await?))
}

async fn put(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(names): Path<(String, String)>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    save(&broker, &ctx, names, &body, true).await
}

async fn patch(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(names): Path<(String, String)>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    save(&broker, &ctx, names, &body, false).await
}

/// Writes what `body` names, creating what is missing; with `replace` a build URL that it does not name is cleared, and
/// when it names tags they are all there are.
async fn save(
    broker: &Broker,
    ctx: &Ctx,
    (name, version): (String, String),
    body: &JsonObject,
    replace: bool,
) -> Result<Response, BrokerError> {
    let now = broker.now();
    let build_url = body.text("buildUrl")?;
    if let Some(url) = build_url {
        check_url("buildUrl", url)?;
    }
    let tags = match body.0.get("tags") {
        None | Some(Value::Null) => None,
        Some(Value::Array(tags)) => Some(
            tags.iter()
                .map(|tag| tag.get("name").unwrap_or(tag).as_str())
                .collect::<Option<Vec<&str>>>()
                .ok_or_else(|| BrokerError::invalid("tags", "must be a list of {\"name\": …}"))?,
        ),
        Some(_) => return Err(BrokerError::invalid("tags", "must be a list of {\"name\": …}")),
    };
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let owner = pacticipants::get_or_create(conn, &name, now).await?;
    let (row, new) = versions::get_or_create(conn, owner.id, &version, now).await?;
    if replace || body.has("buildUrl") {
        versions::set_build_url(conn, row.id, build_url, now).await?;
    }
    if let Some(tags) = tags {
        if replace {
            for present in versions::tags(conn, row.id).await? {
                if !tags.contains(&present.name.as_str()) {
                    versions::delete_tag(conn, row.id, &present.name).await?;
                }
            }
        }
        for tag in tags {
            versions::add_tag(conn, owner.id, &row, tag, now).await?;
        }
    }
    broker.commit(write).await?;
    let mut conn = broker.store().read().await?;
    let (owner, row) = versions::get(&mut conn, &owner.name, &row.number).await?;
    let own = ctx.links.version(&owner.name, &row.number);
    let shown = show(&mut conn, ctx, &owner.name, &row, own.clone()).await?;
    Ok(ctx.made(new, &own, &shown))
}

async fn delete(
    State(broker): State<Broker>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let (_, row) = versions::get(write.conn(), &name, &version).await?;
    versions::delete(write.conn(), row.id).await?;
    broker.commit(write).await?;
    Ok(no_content())
}

async fn latest(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Response, BrokerError> {
    let own = ctx.links.to("/pacticipants/{}/latest-version", &[&name]);
    find_latest(&broker, &ctx, &name, Latest::Overall, own).await
}

async fn latest_with_tag(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, tag)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let own = ctx.links.to("/pacticipants/{}/latest-version/{}", &[&name, &tag]);
    find_latest(&broker, &ctx, &name, Latest::WithTag(&tag), own).await
}

async fn latest_on_branch(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, branch)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let own = ctx.links.to("/pacticipants/{}/branches/{}/latest-version", &[&name, &branch]);
    find_latest(&broker, &ctx, &name, Latest::OnBranch(&branch), own).await
}

async fn find_latest(
    broker: &Broker,
    ctx: &Ctx,
    name: &str,
    of: Latest<'_>,
    own: String,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, name).await?;
    let row = versions::latest(&mut conn, owner.id, of).await?.ok_or_else(not_found)?;
    Ok(ctx.ok(&show(&mut conn, ctx, name, &row, own).await?))
}

async fn get_tag(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, version, tag)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let (_, row) = versions::get(&mut conn, &name, &version).await?;
    let found =
        versions::tags(&mut conn, row.id).await?.into_iter().find(|t| t.name == tag).ok_or_else(not_found)?;
    Ok(ctx.ok(&show_tag(&ctx, &name, &version, &tag, found.created_at)))
}

async fn put_tag(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, version, tag)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let now = broker.now();
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let owner = pacticipants::get_or_create(conn, &name, now).await?;
    let (row, _) = versions::get_or_create(conn, owner.id, &version, now).await?;
    let new = versions::add_tag(conn, owner.id, &row, &tag, now).await?;
    broker.commit(write).await?;
    let shown = show_tag(&ctx, &name, &version, &tag, now);
    Ok(ctx.made(new, &ctx.links.tag(&name, &version, &tag), &shown))
}

async fn delete_tag(
    State(broker): State<Broker>,
    Path((name, version, tag)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let (_, row) = versions::get(write.conn(), &name, &version).await?;
    if !versions::delete_tag(write.conn(), row.id, &tag).await? {
        return Err(not_found());
    }
    broker.commit(write).await?;
    Ok(no_content())
}

fn show_tag(ctx: &Ctx, name: &str, version: &str, tag: &str, created_at: i64) -> Value {
    json!({
        "name": tag,
        "createdAt": iso(created_at),
        "_links": {
            "self": link("Tag", tag, ctx.links.tag(name, version, tag)),
            "version": link("Version", version, ctx.links.version(name, version)),
            "pacticipant": link("Pacticipant", name, ctx.links.pacticipant(name)),
        },
    })
}

async fn show(
    conn: &mut Conn,
    ctx: &Ctx,
    name: &str,
    row: &Version,
    own: String,
) -> Result<Value, BrokerError> {
    let links = &ctx.links;
    let version = links.version(name, &row.number);
    let branches = branch_list(conn, ctx, name, row).await?;
    let tags = tag_list(conn, ctx, name, row).await?;
    let pacts: Vec<Value> = pacts::by_version(conn, row.id)
        .await?
        .iter()
        .map(|p| {
            link(
                "Pact",
                &pact_name(&p.consumer, Some(&p.version), &p.provider),
                links.pact(&p.provider, &p.consumer, &p.version),
            )
        })
        .collect();
    let environments = environments::list(conn, None).await?;
    let to_each = |what: &str, path: &str| -> Vec<Value> {
        environments
            .iter()
            .map(|e| {
                let shown = e.display_name.as_ref().unwrap_or(&e.name);
                let to = format!("{version}/{path}/environment/{}", e.uuid);
                link(&format!("Record {what} to {shown}"), &e.name, to)
            })
            .collect()
    };
    let mut present = [Vec::new(), Vec::new()];
    for (released, list) in present.iter_mut().enumerate() {
        let path = if released == 1 { "/released-versions/{}" } else { "/deployed-versions/{}" };
        for presence in environments::of_version(conn, row.id, released == 1).await? {
            if let Some(environment) = environments.iter().find(|e| e.id == presence.environment_id) {
                let shown = environment.display_name.as_ref().unwrap_or(&environment.name);
                list.push(link(shown, &environment.name, links.to(path, &[&presence.uuid])));
            }
        }
    }
    let [deployed, released] = present;
    let mut body = json!({
        "number": row.number,
        "_embedded": { "branchVersions": branches, "tags": tags },
        "_links": {
            "self": link("Version", &row.number, own),
            "pb:pacticipant": link("Pacticipant", name, links.pacticipant(name)),
            "pb:tag": { "href": format!("{version}/tags/{{tag}}"), "title": "A tag of this version", "templated": true },
            "pb:latest-verification-results-where-pacticipant-is-consumer": {
                "title": "The latest verification results of this version as consumer",
                "href": links.to("/verification-results/consumer/{}/version/{}/latest", &[name, &row.number]),
            },
            "pb:pact-versions": pacts,
            "pb:deployed-environments": deployed,
            "pb:released-environments": released,
            "pb:record-deployment": to_each("deployment", "deployed-versions"),
            "pb:record-release": to_each("release", "released-versions"),
            "curies": links.curies("version"),
        },
    });
    if let Some(url) = &row.build_url {
        body["buildUrl"] = url.as_str().into();
    }
    stamp(&mut body, row.created_at, row.updated_at);
    Ok(body)
}
