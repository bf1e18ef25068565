//! Pacticipants.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_contract_model::check_name;
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::{href, link};
use super::paging::Paging;
use super::{Ctx, JsonObject, branches, no_content, stamp};
use crate::auth::asker::check_own;
use crate::publish::check_url;
use crate::store::pacticipants::{self, Pacticipant};
use crate::store::versions::Latest;
use crate::store::{Conn, environments, labels, versions};
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
}

async fn list(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    let paging = Paging::of(&ctx.query)?;
    let mut conn = broker.store().read().await?;
    let (rows, total) = pacticipants::page(&mut conn, &paging.filter, paging.size, paging.offset()).await?;
    let mut embedded = Vec::new();
    let mut before = Vec::new();
    let mut entries = Vec::new();
    for row in &rows {
        let shown = show(&mut conn, &ctx, row, false).await?;
        let mut old = shown.clone();
        old["title"] = "The old place of pacticipants".into();
        before.push(old);
        embedded.push(shown);
        entries.push(
            json!({ "href": ctx.links.pacticipant(&row.name), "title": "Pacticipant", "name": row.name }),
        );
    }
    let address = ctx.links.to("/pacticipants", &[]);
    let mut body = json!({
        "_embedded": { "pacticipants": embedded },
        "pacticipants": before,
        "_links": {
            "self": href(address.as_str()),
            "pb:pacticipants": entries,
            "pacticipants": entries,
            "pb:pacticipants-with-label": {
                "title": "Pacticipants with a label",
                "href": format!("{address}/label/{{label}}"),
                "templated": true,
            },
        },
    });
    paging.describe(&mut body, &address, total);
    Ok(ctx.ok(&body))
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
    Ok(ctx.created(&ctx.links.pacticipant(&name), &show(&mut conn, &ctx, &row, false).await?))
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

pub(super) async fn show(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &Pacticipant,
    alone: bool,
) -> Result<Value, BrokerError> {
    let name = &row.name;
    let links = &ctx.links;
    let own = links.pacticipant(name);
    let own_labels: Vec<Value> = labels::of(conn, row.id)
        .await?
        .iter()
        .map(|l| {
            let own = link("Label", &l.name, links.to("/pacticipants/{}/labels/{}", &[name, &l.name]));
            json!({ "name": l.name, "_links": { "self": own } })
        })
        .collect();
    let mut body = json!({
        "name": name,
        "displayName": row.display_name.as_ref().unwrap_or(name),
        "_embedded": { "labels": own_labels },
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
    for (relation, template) in branches::templates(ctx, name) {
        body["_links"][relation] = template;
    }
    if let Some(latest) = versions::latest(conn, row.id, Latest::Overall).await? {
        let version = json!({
            "number": latest.number,
            "_links": { "self": link("Version", &latest.number, links.version(name, &latest.number)) },
        });
        let mut old = version.clone();
        for what in ["title", "name"] {
            old[what] = "The old name of latestVersion".into();
        }
        body["_embedded"]["latestVersion"] = version;
        body["_embedded"]["latest-version"] = old;
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
