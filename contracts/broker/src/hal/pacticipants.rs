//! Pacticipants and their branches.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_contract_model::{check_name, parse_nested};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::{href, link};
use super::{Ctx, JsonObject, PAGE_MAX, iso, no_content, not_found, stamp};
use crate::auth::gate::check_own;
use crate::proposing::branch_deleted;
use crate::publish::check_url;
use crate::store::pacticipants::{self, Pacticipant};
use crate::store::versions::Latest;
use crate::store::{Conn, environments, versions};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    const ONE: &str = "/pacticipants/{name}";
    routes
        .get("/pacticipants", Scope::Read, list)
        .post("/pacticipants", Scope::Publish, create)
        .get(ONE, Scope::Read, get)
        .put(ONE, Scope::Publish, put)
        .patch(ONE, Scope::Publish, patch)
        .delete(ONE, Scope::Admin, delete)
        .get("/pacticipants/{name}/branches", Scope::Read, branches)
        .get("/pacticipants/{name}/branches/{branch}", Scope::Read, branch)
        .delete("/pacticipants/{name}/branches/{branch}", Scope::Publish, delete_branch)
}

/// Page number (from 1) and size of a list.
pub(super) fn paging(query: &str) -> Result<(i64, i64), BrokerError> {
    let query = parse_nested(query)?;
    let number = |names: [&str; 2], default: i64| -> Result<i64, BrokerError> {
        match names.iter().find_map(|n| query.text(n)) {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(value) if (1..=1_000_000).contains(&value) => Ok(value),
                _ => Err(BrokerError::invalid(names[0], "must be a number of at least 1")),
            },
        }
    };
    Ok((number(["page", "pageNumber"], 1)?, number(["size", "pageSize"], PAGE_MAX)?.min(PAGE_MAX)))
}

async fn list(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    let (page, size) = paging(&ctx.query)?;
    let filter = parse_nested(&ctx.query)?.text("q").unwrap_or_default().to_owned();
    let mut conn = broker.store().read().await?;
    let (rows, total) = pacticipants::page(&mut conn, &filter, size, (page - 1) * size).await?;
    let mut embedded = Vec::new();
    let mut entries = Vec::new();
    for row in &rows {
        embedded.push(show(&mut conn, &ctx, row, false).await?);
        entries.push(
            json!({ "href": ctx.links.pacticipant(&row.name), "title": "Pacticipant", "name": row.name }),
        );
    }
    let at = |page: i64| {
        // The search stays in the address, so that paging does not leave it.
        let q =
            if filter.is_empty() { String::new() } else { format!("&q={}", super::links::encode(&filter)) };
        format!("{}?page={page}&size={size}{q}", ctx.links.to("/pacticipants", &[]))
    };
    let pages = (total + size - 1) / size;
    let mut links = json!({
        "self": href(ctx.links.to("/pacticipants", &[])),
        "pb:pacticipants": entries,
        "pacticipants": entries,
    });
    if page < pages {
        links["next"] = json!({ "href": at(page + 1), "title": "Next page" });
    }
    if page > 1 {
        links["previous"] = json!({ "href": at(page - 1), "title": "Previous page" });
    }
    Ok(ctx.ok(&json!({
        "_embedded": { "pacticipants": embedded },
        "pacticipants": embedded,
        "page": { "number": page, "size": size, "totalElements": total, "totalPages": pages },
        "_links": links,
    })))
}

async fn get(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let row = pacticipants::get(&mut conn, &name).await?;
    Ok(ctx.ok(&show(&mut conn, &ctx, &row, true).await?))
}

async fn create(State(broker): State<Broker>, ctx: Ctx, body: JsonObject) -> Result<Response, BrokerError> {
    let name = check_name("name", body.required("name")?)?.to_owned();
    check_own(&name)?;
    let mut write = broker.store().write().await?;
    if pacticipants::find(write.conn(), &name).await?.is_some() {
        return Err(BrokerError::Conflict {
            reason: format!("A pacticipant with name '{name}' exists already"),
            difference: None,
        });
    }
    let row = save(&broker, write.conn(), &name, &body, false).await?;
    broker.commit(write).await?;
    let mut conn = broker.store().read().await?;
    Ok(ctx.created(&ctx.links.pacticipant(&name), &show(&mut conn, &ctx, &row, true).await?))
}

async fn put(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(name): Path<String>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    pacticipants::get(write.conn(), &name).await?;
    let row = save(&broker, write.conn(), &name, &body, true).await?;
    broker.commit(write).await?;
    let mut conn = broker.store().read().await?;
    Ok(ctx.ok(&show(&mut conn, &ctx, &row, true).await?))
}

/// Changes what is named; creates what is missing, which the CLI relies on.
async fn patch(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(name): Path<String>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let new = pacticipants::find(write.conn(), &name).await?.is_none();
    let row = save(&broker, write.conn(), &name, &body, false).await?;
    broker.commit(write).await?;
    let mut conn = broker.store().read().await?;
    let shown = show(&mut conn, &ctx, &row, true).await?;
    Ok(ctx.made(new, &ctx.links.pacticipant(&name), &shown))
}

/// Writes the fields of `body`; with `replace` those it does not name are cleared.
async fn save(
    broker: &Broker,
    conn: &mut Conn,
    name: &str,
    body: &JsonObject,
    replace: bool,
) -> Result<Pacticipant, BrokerError> {
    let now = broker.now();
    let mut row = pacticipants::get_or_create(conn, name, now).await?;
    let field = |name: &str, present: &mut Option<String>| -> Result<(), BrokerError> {
        if replace || body.has(name) {
            *present = body.text(name)?.map(str::to_owned);
            if present.as_ref().is_some_and(|text| text.len() > 2_000) {
                return Err(BrokerError::invalid(name, "is too long"));
            }
        }
        Ok(())
    };
    field("displayName", &mut row.display_name)?;
    field("mainBranch", &mut row.main_branch)?;
    field("repositoryUrl", &mut row.repository_url)?;
    field("repositoryName", &mut row.repository_name)?;
    field("repositoryNamespace", &mut row.repository_namespace)?;
    if let Some(branch) = &row.main_branch {
        check_name("mainBranch", branch)?;
    }
    if let Some(url) = &row.repository_url
        && body.has("repositoryUrl")
        && !url.starts_with("git@")
    {
        check_url("repositoryUrl", url)?;
    }
    pacticipants::update(conn, &row, now).await?;
    row.updated_at = now;
    Ok(row)
}

async fn delete(State(broker): State<Broker>, Path(name): Path<String>) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let row = pacticipants::get(write.conn(), &name).await?;
    pacticipants::delete(write.conn(), row.id).await?;
    broker.commit(write).await?;
    Ok(no_content())
}

async fn branches(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let row = pacticipants::get(&mut conn, &name).await?;
    let list = versions::branch_list(&mut conn, row.id).await?;
    let address = |branch: &str| ctx.links.to("/pacticipants/{}/branches/{}", &[&name, branch]);
    let embedded: Vec<Value> = list
        .iter()
        .map(|b| {
            json!({
                "name": b.name,
                "createdAt": iso(b.created_at),
                "_links": {
                    "self": link("Branch", &b.name, address(&b.name)),
                    "pb:latest-version": href(format!("{}/latest-version", address(&b.name))),
                },
            })
        })
        .collect();
    let entries: Vec<Value> = list.iter().map(|b| link("Branch", &b.name, address(&b.name))).collect();
    Ok(ctx.ok(&json!({
        "_embedded": { "branches": embedded },
        "_links": {
            "self": { "href": ctx.links.to("/pacticipants/{}/branches", &[&name]), "title": "Branches" },
            "pb:branches": entries,
        },
    })))
}

async fn branch(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, branch)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let row = pacticipants::get(&mut conn, &name).await?;
    let list = versions::branch_list(&mut conn, row.id).await?;
    let found = list.into_iter().find(|b| b.name == branch).ok_or_else(not_found)?;
    let own = ctx.links.to("/pacticipants/{}/branches/{}", &[&name, &branch]);
    Ok(ctx.ok(&json!({
        "name": branch,
        "createdAt": iso(found.created_at),
        "_links": {
            "self": link("Branch", &branch, own.as_str()),
            "pb:pacticipant": link("Pacticipant", &name, ctx.links.pacticipant(&name)),
            "pb:latest-version": href(format!("{own}/latest-version")),
        },
    })))
}

async fn delete_branch(
    State(broker): State<Broker>,
    Path((name, branch)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let row = pacticipants::get(write.conn(), &name).await?;
    if !versions::delete_branch(write.conn(), row.id, &branch).await? {
        return Err(not_found());
    }
    branch_deleted(&broker, write.conn(), &row.name, &branch).await?;
    broker.commit(write).await?;
    Ok(no_content())
}

async fn show(conn: &mut Conn, ctx: &Ctx, row: &Pacticipant, alone: bool) -> Result<Value, BrokerError> {
    let name = &row.name;
    let links = &ctx.links;
    let own = links.pacticipant(name);
    let mut body = json!({
        "name": name,
        "displayName": row.display_name.as_ref().unwrap_or(name),
        "_embedded": { "labels": [] },
        "_links": {
            "self": href(own.as_str()),
            "pb:versions": href(format!("{own}/versions")),
            "pb:branches": href(format!("{own}/branches")),
            "pb:version": { "title": "A version", "href": format!("{own}/versions/{{version}}"), "templated": true },
            "pb:version-tag": { "title": "A tag of a version", "href": format!("{own}/versions/{{version}}/tags/{{tag}}"), "templated": true },
            "pb:branch-version": { "title": "A version on a branch", "href": format!("{own}/branches/{{branch}}/versions/{{version}}"), "templated": true },
            "versions": { "title": "The old name of pb:versions", "href": format!("{own}/versions") },
            "curies": links.curies("pacticipant"),
        },
    });
    for (field, value) in [
        ("repositoryUrl", &row.repository_url),
        ("repositoryName", &row.repository_name),
        ("repositoryNamespace", &row.repository_namespace),
        ("mainBranch", &row.main_branch),
    ] {
        if let Some(value) = value {
            body[field] = value.as_str().into();
        }
    }
    stamp(&mut body, row.created_at, row.updated_at);
    if let Some(latest) = versions::latest(conn, row.id, Latest::Overall).await? {
        let version = json!({
            "number": latest.number,
            "_links": { "self": link("Version", &latest.number, links.version(name, &latest.number)) },
        });
        body["_embedded"]["latestVersion"] = version.clone();
        body["_embedded"]["latest-version"] = version;
    }
    if alone {
        let mut deployed = Vec::new();
        for presence in environments::current(conn, false, None, Some(name)).await? {
            for environment in environments::list(conn, None).await? {
                if environment.id == presence.environment_id {
                    deployed.push(json!({
                        "title": "Deployed", "name": environment.name,
                        "href": links.to("/deployed-versions/{}", &[&presence.uuid]),
                    }));
                }
            }
        }
        body["_links"]["pb:deployed-environments"] = deployed.into();
    }
    Ok(body)
}
