//! What webhooks did: of a pair, of a version, of a result; and the log of each.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::{Value, json};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::super::links::Links;
use super::super::{Ctx, iso, not_found};
use crate::store::webhooks::{self, Triggered, TriggeredBy};
use crate::store::{pacticipants, pacts, verifications, versions};
use crate::{Broker, BrokerError};

/// Most deliveries in one list, the newest.
const LISTED_MAX: i64 = 200;
const PAIR: &str = "/pacts/provider/{provider}/consumer/{consumer}";

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    let result =
        format!("{PAIR}/pact-version/{{content}}/verification-results/{{number}}/triggered-webhooks");
    routes
        .get("/triggered-webhooks/{uuid}/logs", Scope::Read, logs)
        .get(&format!("{PAIR}/webhooks/status"), Scope::Read, status)
        .get(&format!("{PAIR}/version/{{version}}/triggered-webhooks"), Scope::Read, of_version)
        .get(&result, Scope::Read, of_result)
}

async fn logs(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(uuid): Path<String>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let triggered = webhooks::triggered(&mut conn, &uuid).await?.ok_or_else(not_found)?;
    let logs = webhooks::logs(&mut conn, triggered.id).await?.join("\n");
    if ctx.plain || ctx.accept.names("application/hal+json") {
        let mut body = show(&ctx.links, &triggered);
        body["logs"] = logs.into();
        return Ok(ctx.ok(&body));
    }
    let text = if logs.is_empty() { "not run yet\n".to_owned() } else { logs };
    Ok(([(header::CONTENT_TYPE, "text/plain;charset=utf-8")], text).into_response())
}

async fn status(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let asker = pacticipants::get(&mut conn, &consumer).await?;
    let owner = pacticipants::get(&mut conn, &provider).await?;
    let rows = webhooks::triggered_by(&mut conn, TriggeredBy::Pair(asker.id, owner.id), LISTED_MAX).await?;
    let own = ctx.links.to("/pacts/provider/{}/consumer/{}/webhooks/status", &[&provider, &consumer]);
    let count = |status: &str| rows.iter().filter(|row| row.status == status).count();
    let mut body = listed(&ctx.links, &rows, &own, "Webhooks status");
    body["summary"] = json!({
        "successful": count("success"), "failed": count("failure"), "retrying": count("retrying"), "notRun": count("not_run"),
    });
    Ok(ctx.ok(&body))
}

async fn of_version(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, version)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let (asker, row) = versions::get(&mut conn, &consumer, &version).await?;
    let owner = pacticipants::get(&mut conn, &provider).await?;
    let by = TriggeredBy::Version(asker.id, owner.id, &row.number);
    let rows = webhooks::triggered_by(&mut conn, by, LISTED_MAX).await?;
    let own = format!("{}/triggered-webhooks", ctx.links.pact(&provider, &consumer, &version));
    let title = format!(
        "Webhooks triggered by the publication of the pact of {consumer} ({version}) with {provider}"
    );
    Ok(ctx.ok(&listed(&ctx.links, &rows, &own, &title)))
}

async fn of_result(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, content, number)): Path<(String, String, String, i64)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, &provider).await?;
    let asker = pacticipants::get(&mut conn, &consumer).await?;
    let row = pacts::content(&mut conn, asker.id, owner.id, &content).await?.ok_or_else(not_found)?;
    let found = verifications::get(&mut conn, number).await?.filter(|v| v.content_row == row.id);
    found.ok_or_else(not_found)?;
    let rows = webhooks::triggered_by(&mut conn, TriggeredBy::Result(number), LISTED_MAX).await?;
    let own = format!("{}/triggered-webhooks", ctx.links.result(&provider, &consumer, &content, number));
    let title = format!("Webhooks triggered by the publication of verification result {number}");
    Ok(ctx.ok(&listed(&ctx.links, &rows, &own, &title)))
}

fn listed(links: &Links, rows: &[Triggered], own: &str, title: &str) -> Value {
    let shown: Vec<Value> = rows.iter().map(|row| show(links, row)).collect();
    json!({
        "_embedded": { "triggeredWebhooks": shown },
        "_links": { "self": { "title": title, "href": own } },
    })
}

fn show(links: &Links, row: &Triggered) -> Value {
    json!({
        "name": row.event,
        "status": row.status,
        "attemptsMade": row.attempts,
        "triggeredAt": iso(row.created_at),
        "_links": {
            "pb:logs": {
                "title": "Webhook execution logs",
                "href": links.to("/triggered-webhooks/{}/logs", &[&row.uuid]),
            },
            "pb:webhook": { "title": "Webhook", "href": links.to("/webhooks/{}", &[&row.webhook_uuid]) },
        },
    })
}
