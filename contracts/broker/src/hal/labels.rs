//! Labels of pacticipants: free words that group them (`team-a`, `payments`).

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_contract_model::check_name;
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::{href, link};
use super::paging::Paging;
use super::{Ctx, JsonObject, iso, no_content, not_found, pacticipants as shown};
use crate::store::{labels, pacticipants};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    const ONE: &str = "/pacticipants/{name}/labels/{label}";
    routes
        .get("/labels", Scope::Read, all)
        .get("/pacticipants/label/{label}", Scope::Read, pacticipants_with)
        .get(ONE, Scope::Read, get)
        .put(ONE, Scope::Publish, put)
        .delete(ONE, Scope::Publish, delete)
}

async fn all(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    let paging = Paging::of(&ctx.query)?;
    let mut conn = broker.store().read().await?;
    let (names, total) = paging.cut(labels::names(&mut conn).await?, Clone::clone);
    let address = ctx.links.to("/labels", &[]);
    let embedded: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    let mut body = json!({ "_embedded": { "labels": embedded }, "_links": { "self": { "title": "Labels", "href": address } } });
    paging.describe(&mut body, &address, total);
    Ok(ctx.ok(&body))
}

async fn pacticipants_with(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(label): Path<String>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let mut embedded = Vec::new();
    let mut entries = Vec::new();
    for name in labels::carriers(&mut conn, &label).await? {
        let row = pacticipants::get(&mut conn, &name).await?;
        embedded.push(shown::show(&mut conn, &ctx, &row, false).await?);
        entries.push(link("Pacticipant", &name, ctx.links.pacticipant(&name)));
    }
    let own = ctx.links.to("/pacticipants/label/{}", &[&label]);
    Ok(ctx.ok(&json!({
        "_embedded": { "pacticipants": embedded },
        "pacticipants": embedded,
        "_links": { "self": href(own), "pb:pacticipants": entries, "pacticipants": entries },
    })))
}

fn show(ctx: &Ctx, name: &str, label: &str, created_at: i64) -> Value {
    json!({
        "name": label,
        "createdAt": iso(created_at),
        "_links": {
            "self": link("Label", label, ctx.links.to("/pacticipants/{}/labels/{}", &[name, label])),
            "pacticipant": link("Pacticipant", name, ctx.links.pacticipant(name)),
        },
    })
}

async fn get(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, label)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, &name).await?;
    let found =
        labels::of(&mut conn, owner.id).await?.into_iter().find(|l| l.name == label).ok_or_else(not_found)?;
    Ok(ctx.ok(&show(&ctx, &name, &label, found.created_at)))
}

async fn put(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, label)): Path<(String, String)>,
    _body: JsonObject,
) -> Result<Response, BrokerError> {
    let label = check_name("label name", &label)?.to_owned();
    let now = broker.now();
    let mut write = broker.store().write().await?;
    let owner = pacticipants::get_or_create(write.conn(), &name, now).await?;
    let new = labels::add(write.conn(), owner.id, &label, now).await?;
    broker.commit(write).await?;
    let place = ctx.links.to("/pacticipants/{}/labels/{}", &[&name, &label]);
    Ok(ctx.made(new, &place, &show(&ctx, &name, &label, now)))
}

async fn delete(
    State(broker): State<Broker>,
    Path((name, label)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let owner = pacticipants::get(write.conn(), &name).await?;
    if !labels::remove(write.conn(), owner.id, &label).await? {
        return Err(not_found());
    }
    broker.commit(write).await?;
    Ok(no_content())
}
