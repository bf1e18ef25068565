//! Verification results.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_base::EventKind;
use tracepact_contract_model::{check_name, redact_results};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::{Links, link};
use super::metadata::Metadata;
use super::pact::name;
use super::{Ctx, JsonObject, iso, no_content, not_found};
use crate::auth::asker::user_name;
use crate::broker::{on_edge, tell};
use crate::publish::check_url;
use crate::store::pacts::Which;
use crate::store::verifications::{self, NewVerification, Verification};
use crate::store::{Conn, pacticipants, pacts, versions};
use crate::webhooks::fire::result_published;
use crate::{Broker, BrokerError};

const CONTENT: &str = "/pacts/provider/{provider}/consumer/{consumer}/pact-version/{content}";

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    let plain = format!("{CONTENT}/verification-results");
    let with_metadata = format!("{CONTENT}/metadata/{{metadata}}/verification-results");
    const PAIR: &str = "/pacts/provider/{provider}/consumer/{consumer}";
    routes
        .post(&plain, Scope::Publish, post)
        .post(&with_metadata, Scope::Publish, post_with_metadata)
        .get(&format!("{plain}/latest"), Scope::Read, latest_of_content)
        .get(&format!("{plain}/{{number}}"), Scope::Read, get)
        .get(&format!("{with_metadata}/{{number}}"), Scope::Read, get_with_metadata)
        .get(
            &format!("{PAIR}/version/{{version}}/verification-results/latest"),
            Scope::Read,
            latest_of_version,
        )
        .get(&format!("{PAIR}/latest/verification-results/latest"), Scope::Read, latest_of_pair)
        .get(&format!("{PAIR}/latest/{{tag}}/verification-results/latest"), Scope::Read, latest_of_tag)
        .delete(&format!("{plain}/{{number}}"), Scope::Admin, delete)
        .get(
            "/verification-results/consumer/{consumer}/version/{version}/latest",
            Scope::Read,
            of_consumer_version,
        )
}

async fn post(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, content)): Path<(String, String, String)>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    store(&broker, &ctx, &provider, &consumer, &content, Metadata::default(), &body).await
}

async fn post_with_metadata(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, content, metadata)): Path<(String, String, String, String)>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    store(&broker, &ctx, &provider, &consumer, &content, Metadata::decode(&metadata), &body).await
}

async fn store(
    broker: &Broker,
    ctx: &Ctx,
    provider: &str,
    consumer: &str,
    content_id: &str,
    metadata: Metadata,
    body: &JsonObject,
) -> Result<Response, BrokerError> {
    let success = body.flag("success")?.ok_or_else(|| BrokerError::invalid("success", "can't be blank"))?;
    let number = match body.0.get("providerApplicationVersion") {
        // Some build scripts send bare numbers.
        Some(Value::Number(number)) => number.to_string(),
        _ => body.required("providerApplicationVersion")?.to_owned(),
    };
    let number = check_name("providerApplicationVersion", &number)?.to_owned();
    let build_url = body.text("buildUrl")?.map(str::to_owned);
    if let Some(url) = &build_url {
        check_url("buildUrl", url)?;
    }
    let kept = |field: &str| body.0.get(field).filter(|v| !v.is_null()).cloned();
    // Mismatches quote headers; no secret of one is kept.
    let test_results = kept("testResults").map(|mut results| {
        redact_results(&mut results);
        results.to_string()
    });
    let now = broker.now();
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let owner = pacticipants::get(conn, provider).await?;
    let asker = pacticipants::get(conn, consumer).await?;
    let content = pacts::content(conn, asker.id, owner.id, content_id).await?.ok_or_else(not_found)?;
    let (version, _) = versions::get_or_create(conn, owner.id, &number, now).await?;
    let new = NewVerification {
        content_row: content.id,
        provider_version_id: version.id,
        success,
        pending: metadata.pending,
        wip: metadata.wip,
        build_url,
        test_results,
        verified_by: kept("verifiedBy").map(|value| value.to_string()),
        posted_by: user_name(),
    };
    let id = verifications::insert(conn, &new, now).await?;
    if success {
        broker.enforce(conn, &owner, version.id, content.id).await?;
    }
    result_published(broker, conn, &asker, &owner, content.id, id, now).await?;
    let verb = if success { "verified" } else { "failed to verify" };
    let event = broker
        .event(EventKind::ContractChange, format!("{provider} {number} {verb} the contract of {consumer}"));
    let event = on_edge(event, consumer, provider)
        .with("action", if success { "verified" } else { "broken" })
        .with("version", number.as_str())
        .with("content_id", content_id)
        .with("result", id.to_string())
        .link("contract", "/contracts");
    tell(conn, event).await?;
    broker.commit(write).await?;
    let mut conn = broker.store().read().await?;
    let verification = verifications::get(&mut conn, id).await?.ok_or_else(not_found)?;
    let shown = show(&mut conn, &ctx.links, provider, consumer, content_id, &verification).await?;
    Ok(ctx.created(&ctx.links.result(provider, consumer, content_id, id), &shown))
}

async fn get(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, content, number)): Path<(String, String, String, i64)>,
) -> Result<Response, BrokerError> {
    one(&broker, &ctx, &provider, &consumer, &content, Some(number)).await
}

async fn get_with_metadata(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, content, _metadata, number)): Path<(String, String, String, String, i64)>,
) -> Result<Response, BrokerError> {
    one(&broker, &ctx, &provider, &consumer, &content, Some(number)).await
}

async fn latest_of_content(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, content)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    one(&broker, &ctx, &provider, &consumer, &content, None).await
}

async fn latest_of_version(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, version)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, &provider).await?;
    let (_, row) = versions::get(&mut conn, &consumer, &version).await?;
    let content = pacts::of_version(&mut conn, row.id, owner.id).await?.ok_or_else(not_found)?.content_id;
    drop(conn);
    one(&broker, &ctx, &provider, &consumer, &content, None).await
}

async fn latest_of_pair(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, &provider).await?;
    let list = pacts::published(&mut conn, Some(owner.id), Some(&consumer), Which::Latest).await?;
    let content = list.into_iter().next().ok_or_else(not_found)?.content_id;
    drop(conn);
    one(&broker, &ctx, &provider, &consumer, &content, None).await
}

async fn latest_of_tag(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, tag)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, &provider).await?;
    let which = Which::LatestWithTag(&tag);
    let list = pacts::published(&mut conn, Some(owner.id), Some(&consumer), which).await?;
    let content = list.into_iter().next().ok_or_else(not_found)?.content_id;
    drop(conn);
    one(&broker, &ctx, &provider, &consumer, &content, None).await
}

async fn delete(
    State(broker): State<Broker>,
    Path((provider, consumer, content_id, number)): Path<(String, String, String, i64)>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let owner = pacticipants::get(conn, &provider).await?;
    let asker = pacticipants::get(conn, &consumer).await?;
    let content = pacts::content(conn, asker.id, owner.id, &content_id).await?.ok_or_else(not_found)?;
    if !verifications::delete(conn, content.id, number).await? {
        return Err(not_found());
    }
    broker.commit(write).await?;
    Ok(no_content())
}

async fn one(
    broker: &Broker,
    ctx: &Ctx,
    provider: &str,
    consumer: &str,
    content_id: &str,
    number: Option<i64>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, provider).await?;
    let asker = pacticipants::get(&mut conn, consumer).await?;
    let content = pacts::content(&mut conn, asker.id, owner.id, content_id).await?.ok_or_else(not_found)?;
    let found = match number {
        Some(number) => verifications::get(&mut conn, number).await?.filter(|v| v.content_row == content.id),
        None => verifications::latest(&mut conn, content.id).await?,
    };
    let verification = found.ok_or_else(not_found)?;
    let shown = show(&mut conn, &ctx.links, provider, consumer, content_id, &verification).await?;
    Ok(ctx.ok(&shown))
}

async fn of_consumer_version(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((consumer, version)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let (_, row) = versions::get(&mut conn, &consumer, &version).await?;
    let (mut embedded, mut good, mut bad, mut unknown) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for publication in pacts::by_version(&mut conn, row.id).await? {
        match verifications::latest(&mut conn, publication.content_row).await? {
            None => unknown.push(publication.provider.clone()),
            Some(found) => {
                if found.success { &mut good } else { &mut bad }.push(publication.provider.clone());
                let id = &publication.content_id;
                embedded
                    .push(show(&mut conn, &ctx.links, &publication.provider, &consumer, id, &found).await?);
            }
        }
    }
    let success = bad.is_empty() && unknown.is_empty() && !good.is_empty();
    let mut summary = json!({ "successful": good, "failed": bad });
    if !unknown.is_empty() {
        summary["unknown"] = json!(unknown);
    }
    let own = ctx.links.to("/verification-results/consumer/{}/version/{}/latest", &[&consumer, &version]);
    Ok(ctx.ok(&json!({
        "success": success,
        "providerSummary": summary,
        "_embedded": { "verificationResults": embedded },
        "_links": { "self": { "href": own, "title": format!("Latest verification results for {consumer} version {version}") } },
    })))
}

async fn show(
    conn: &mut Conn,
    links: &Links,
    provider: &str,
    consumer: &str,
    content_id: &str,
    verification: &Verification,
) -> Result<Value, BrokerError> {
    let publication = pacts::last_with_content(conn, verification.content_row).await?;
    let pact = name(consumer, publication.as_ref().map(|p| p.version.as_str()), provider);
    let own = links.result(provider, consumer, content_id, verification.id);
    let mut body = json!({
        "providerName": provider,
        "providerApplicationVersion": verification.provider_version,
        "success": verification.success,
        "verificationDate": iso(verification.created_at),
        "_links": {
            "self": link("Verification result", &format!("Verification result {} for {pact}", verification.id), own.as_str()),
            "pb:pact-version": link("Pact", &pact, links.content(provider, consumer, content_id)),
            "pb:triggered-webhooks": {
                "title": "Webhooks triggered by the publication of this result", "href": format!("{own}/triggered-webhooks"),
            },
        },
    });
    if let Some(name) = &verification.posted_by {
        body["postedBy"] = name.as_str().into();
    }
    if let Some(url) = &verification.build_url {
        body["buildUrl"] = url.as_str().into();
    }
    for (field, stored) in
        [("testResults", &verification.test_results), ("verifiedBy", &verification.verified_by)]
    {
        if let Some(value) = stored.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
            body[field] = value;
        }
    }
    Ok(body)
}
