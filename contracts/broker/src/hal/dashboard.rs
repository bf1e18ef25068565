//! Data for dashboards: the latest pact of every pair and how it stands.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::href;
use super::paging::Paging;
use super::{Ctx, iso};
use crate::store::pacts::{Published, Which};
use crate::store::{Conn, pacticipants, pacts, verifications, versions};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    routes.get("/dashboard", Scope::Read, all).get(
        "/dashboard/provider/{provider}/consumer/{consumer}",
        Scope::Read,
        of_pair,
    )
}

async fn all(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    let paging = Paging::of(&ctx.query)?;
    let mut conn = broker.store().read().await?;
    let list = pacts::published(&mut conn, None, None, Which::Latest).await?;
    let (page, total) = paging.cut(list, |p| format!("{}\n{}", p.consumer, p.provider));
    let address = ctx.links.to("/dashboard", &[]);
    let mut body = json!({ "items": items(&mut conn, &ctx, &page).await?, "_links": { "self": href(address.as_str()) } });
    paging.describe(&mut body, &address, total);
    Ok(ctx.ok(&body))
}

/// The latest pact of a pair, and the latest with each tag.
async fn of_pair(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, &provider).await?;
    pacticipants::get(&mut conn, &consumer).await?;
    let mut list = pacts::published(&mut conn, Some(owner.id), Some(&consumer), Which::Latest).await?;
    for publication in
        pacts::published(&mut conn, Some(owner.id), Some(&consumer), Which::HeadsSince(0)).await?
    {
        if !list.iter().any(|p| p.version_id == publication.version_id) {
            list.push(publication);
        }
    }
    let own = ctx.links.to("/dashboard/provider/{}/consumer/{}", &[&provider, &consumer]);
    Ok(ctx.ok(&json!({ "items": items(&mut conn, &ctx, &list).await?, "_links": { "self": href(own) } })))
}

async fn items(conn: &mut Conn, ctx: &Ctx, list: &[Published]) -> Result<Vec<Value>, BrokerError> {
    let mut items = Vec::new();
    for publication in list {
        items.push(item(conn, ctx, publication).await?);
    }
    Ok(items)
}

async fn item(conn: &mut Conn, ctx: &Ctx, p: &Published) -> Result<Value, BrokerError> {
    let links = &ctx.links;
    let result = verifications::latest(conn, p.content_row).await?;
    let tags = |list: Vec<versions::Tag>| -> Vec<Value> {
        list.iter().map(|t| json!({ "name": t.name, "latest": t.latest })).collect()
    };
    let pact_tags = tags(versions::tags(conn, p.version_id).await?);
    let mut provider = json!({
        "name": p.provider, "version": null, "_links": { "self": href(links.pacticipant(&p.provider)) },
    });
    let mut body = json!({
        "consumer": {
            "name": p.consumer,
            "version": {
                "number": p.version, "_links": { "self": href(links.version(&p.consumer, &p.version)) },
            },
            "_links": { "self": href(links.pacticipant(&p.consumer)) },
        },
        "pact": {
            "createdAt": iso(p.created_at),
            "_links": { "self": href(links.pact(&p.provider, &p.consumer, &p.version)) },
        },
        "pactTags": pact_tags,
        "latestVerificationResult": null,
        "latestVerificationResultTags": [],
        "verificationStatus": "never",
        "webhookStatus": "none",
        "latestWebhookExecution": null,
        "_links": {
            "pb:webhook-status": {
                "title": "Status of the webhooks of the pair",
                "href": links.to("/pacts/provider/{}/consumer/{}/webhooks/status", &[&p.provider, &p.consumer]),
            },
        },
    });
    if let Some(result) = result {
        let (_, version) = versions::get(conn, &p.provider, &result.provider_version).await?;
        provider["version"] = json!({
            "number": result.provider_version,
            "_links": { "self": href(links.version(&p.provider, &result.provider_version)) },
        });
        body["latestVerificationResult"] = json!({
            "success": result.success,
            "verifiedAt": iso(result.created_at),
            "_links": { "self": href(links.result(&p.provider, &p.consumer, &p.content_id, result.id)) },
        });
        body["latestVerificationResultTags"] = tags(versions::tags(conn, version.id).await?).into();
        body["verificationStatus"] = status(conn, p, result.success).await?.into();
    }
    body["provider"] = provider;
    Ok(body)
}

/// `success` and `failed` are about the content shown; `stale` says that it was verified before another one came.
async fn status(conn: &mut Conn, p: &Published, success: bool) -> Result<&'static str, BrokerError> {
    let last = pacts::last_with_content(conn, p.content_row).await?;
    Ok(match (success, last.is_some_and(|last| last.version_id > p.version_id)) {
        (true, true) => "stale",
        (true, false) => "success",
        (false, _) => "failed",
    })
}
