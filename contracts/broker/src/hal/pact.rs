//! One pact: by consumer version, by content, the latest of a line; publishing by PUT; the difference to others.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use tracepact_contract_model::{Pact, diff};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::{Links, href, link};
use super::metadata::Metadata;
use super::{Ctx, Raw, iso, not_found};
use crate::publish::{Change, Contract, Publication};
use crate::store::pacts::{self, Content, Published, Which};
use crate::store::{Conn, pacticipants, versions};
use crate::{Broker, BrokerError};

const VERSION: &str = "/pacts/provider/{provider}/consumer/{consumer}/version/{version}";
const VERSION_OLD: &str = "/pacts/provider/{provider}/consumer/{consumer}/versions/{version}";
const VERSION_OLDEST: &str = "/pact/provider/{provider}/consumer/{consumer}/version/{version}";
const CONTENT: &str = "/pacts/provider/{provider}/consumer/{consumer}/pact-version/{content}";

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    routes
        .put(VERSION, Scope::Publish, put)
        .patch(VERSION, Scope::Publish, patch)
        .get(VERSION, Scope::Read, by_version)
        .delete(VERSION, Scope::Admin, delete)
        .get(VERSION_OLD, Scope::Read, by_version)
        .put(VERSION_OLD, Scope::Publish, put)
        .get(VERSION_OLDEST, Scope::Read, by_version)
        .put(VERSION_OLDEST, Scope::Publish, put)
        .get("/pact/provider/{provider}/consumer/{consumer}/latest", Scope::Read, latest)
        .get(CONTENT, Scope::Read, by_content)
        .get(&format!("{CONTENT}/metadata/{{metadata}}"), Scope::Read, by_content_with_metadata)
        .get("/pacts/provider/{provider}/consumer/{consumer}/latest", Scope::Read, latest)
        .get("/pacts/provider/{provider}/consumer/{consumer}/latest/{tag}", Scope::Read, latest_with_tag)
        .get("/pacts/provider/{provider}/consumer/{consumer}/latest-untagged", Scope::Read, latest_untagged)
        .get(
            "/pacts/provider/{provider}/consumer/{consumer}/branch/{branch}/latest",
            Scope::Read,
            latest_on_branch,
        )
        .get(&format!("{VERSION}/previous-distinct"), Scope::Read, previous_distinct)
        .get(&format!("{VERSION}/diff/previous-distinct"), Scope::Read, diff_previous)
        .get(&format!("{VERSION}/diff/version/{{other}}"), Scope::Read, diff_versions)
        .get(&format!("{CONTENT}/diff/pact-version/{{other}}"), Scope::Read, diff_contents)
}

/// A pact with everything its answer needs.
struct Found {
    provider: String,
    consumer: String,
    content: Content,
    /// The consumer version it is shown for.
    version: Option<(i64, String)>,
}

async fn put(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, version)): Path<(String, String, String)>,
    Raw(body): Raw,
) -> Result<Response, BrokerError> {
    publish(broker, ctx, provider, consumer, version, &body, false).await
}

async fn patch(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, version)): Path<(String, String, String)>,
    Raw(body): Raw,
) -> Result<Response, BrokerError> {
    publish(broker, ctx, provider, consumer, version, &body, true).await
}

async fn publish(
    broker: Broker,
    ctx: Ctx,
    provider: String,
    consumer: String,
    version: String,
    body: &[u8],
    merge: bool,
) -> Result<Response, BrokerError> {
    let pact = Pact::parse(body).map_err(|e| BrokerError::invalid("pact", e.to_string()))?;
    for (what, path, content) in
        [("consumer", &consumer, &pact.consumer), ("provider", &provider, &pact.provider)]
    {
        if path != content {
            return Err(BrokerError::invalid(
                &format!("{what}.name"),
                format!("({content}) does not match the {what} name in the path ({path})"),
            ));
        }
    }
    let publication = Publication {
        consumer: consumer.clone(),
        version: version.clone(),
        branch: None,
        tags: Vec::new(),
        build_url: None,
        contracts: vec![Contract { pact, merge }],
    };
    let outcome = match broker.publish(publication).await {
        // The old way of publishing has text for this, which its clients print.
        Err(BrokerError::SimilarName(reason)) => {
            let headers = [(header::CONTENT_TYPE, "text/plain;charset=utf-8")];
            return Ok((StatusCode::CONFLICT, headers, reason).into_response());
        }
        outcome => outcome?,
    };
    let added = outcome.contracts.iter().any(|c| c.change == Change::Added);
    let mut conn = broker.store().read().await?;
    let found = find_version(&mut conn, &provider, &consumer, version.trim()).await?;
    let text = text(&ctx.links, &found, None);
    let mut response = ctx.text(if added { StatusCode::CREATED } else { StatusCode::OK }, text);
    if let Ok(place) = HeaderValue::from_str(&ctx.links.pact(&provider, &consumer, version.trim())) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn delete(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, version)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let owner = pacticipants::get(conn, &provider).await?;
    let (_, row) = versions::get(conn, &consumer, &version).await?;
    if !pacts::delete(conn, row.id, owner.id).await? {
        return Err(not_found());
    }
    broker.commit(write).await?;
    let latest = ctx.links.to("/pacts/provider/{}/consumer/{}/latest", &[&provider, &consumer]);
    Ok(ctx.ok(
        &json!({ "_links": { "index": href(ctx.links.base()), "pb:latest-pact-version": href(latest) } }),
    ))
}

async fn by_version(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, version)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let found = find_version(&mut conn, &provider, &consumer, &version).await?;
    Ok(ctx.text(StatusCode::OK, text(&ctx.links, &found, None)))
}

async fn by_content(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, content)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    show_content(broker, ctx, provider, consumer, content, None).await
}

async fn by_content_with_metadata(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, content, metadata)): Path<(String, String, String, String)>,
) -> Result<Response, BrokerError> {
    show_content(broker, ctx, provider, consumer, content, Some(metadata)).await
}

async fn show_content(
    broker: Broker,
    ctx: Ctx,
    provider: String,
    consumer: String,
    content: String,
    metadata: Option<String>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let mut found = find_content(&mut conn, &provider, &consumer, &content).await?;
    if let Some(id) = metadata.as_deref().and_then(|m| Metadata::decode(m).version) {
        let owner = pacticipants::get(&mut conn, &provider).await?;
        let publication = pacts::by_version_and_provider(&mut conn, id, owner.id).await?;
        if let Some(p) = publication.filter(|p| p.content_row == found.content.id) {
            found.version = Some((p.version_id, p.version));
        }
    }
    Ok(ctx.text(StatusCode::OK, text(&ctx.links, &found, metadata.as_deref())))
}

async fn latest(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    show_first(broker, ctx, &provider, &consumer, Which::Latest).await
}

async fn latest_with_tag(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, tag)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    show_first(broker, ctx, &provider, &consumer, Which::LatestWithTag(&tag)).await
}

async fn latest_untagged(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    show_first(broker, ctx, &provider, &consumer, Which::LatestUntagged).await
}

async fn latest_on_branch(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, branch)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    show_first(broker, ctx, &provider, &consumer, Which::LatestOnBranch(&branch)).await
}

async fn show_first(
    broker: Broker,
    ctx: Ctx,
    provider: &str,
    consumer: &str,
    which: Which<'_>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, provider).await?;
    let list = pacts::published(&mut conn, Some(owner.id), Some(consumer), which).await?;
    let publication = list.into_iter().next().ok_or_else(not_found)?;
    show_publication(&mut conn, &ctx, publication).await
}

async fn show_publication(
    conn: &mut Conn,
    ctx: &Ctx,
    publication: Published,
) -> Result<Response, BrokerError> {
    let number = publication.version.clone();
    let found = of_publication(conn, publication).await?;
    let mut response = ctx.text(StatusCode::OK, text(&ctx.links, &found, None));
    if let Ok(value) = HeaderValue::from_str(&number) {
        response.headers_mut().insert("x-pact-consumer-version", value);
    }
    Ok(response)
}

async fn previous_distinct(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, version)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let previous = previous(&mut conn, &provider, &consumer, &version).await?.ok_or_else(not_found)?;
    show_publication(&mut conn, &ctx, previous).await
}

async fn diff_previous(
    State(broker): State<Broker>,
    Path((provider, consumer, version)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let new = find_version(&mut conn, &provider, &consumer, &version).await?;
    let Some(publication) = previous(&mut conn, &provider, &consumer, &version).await? else {
        return Ok(plain("There is no earlier pact with another content.\n".into()));
    };
    let old = of_publication(&mut conn, publication).await?;
    difference(&old.content, &new.content)
}

async fn diff_versions(
    State(broker): State<Broker>,
    Path((provider, consumer, version, other)): Path<(String, String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let new = find_version(&mut conn, &provider, &consumer, &version).await?;
    let old = find_version(&mut conn, &provider, &consumer, &other).await?;
    difference(&old.content, &new.content)
}

async fn diff_contents(
    State(broker): State<Broker>,
    Path((provider, consumer, content, other)): Path<(String, String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let new = find_content(&mut conn, &provider, &consumer, &content).await?;
    let old = find_content(&mut conn, &provider, &consumer, &other).await?;
    difference(&old.content, &new.content)
}

fn difference(old: &Content, new: &Content) -> Result<Response, BrokerError> {
    let (old, new) = (Pact::parse(old.body.as_bytes())?, Pact::parse(new.body.as_bytes())?);
    Ok(plain(diff(&old, &new).text()))
}

fn plain(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain;charset=utf-8")], text).into_response()
}

async fn previous(
    conn: &mut Conn,
    provider: &str,
    consumer: &str,
    version: &str,
) -> Result<Option<Published>, BrokerError> {
    let owner = pacticipants::get(conn, provider).await?;
    let (asker, row) = versions::get(conn, consumer, version).await?;
    let content = pacts::of_version(conn, row.id, owner.id).await?.ok_or_else(not_found)?;
    pacts::previous_distinct(conn, asker.id, owner.id, row.id, content.id).await
}

async fn of_publication(conn: &mut Conn, publication: Published) -> Result<Found, BrokerError> {
    let mut content = pacts::content_by_row(conn, publication.content_row).await?;
    content.created_at = publication.created_at;
    Ok(Found {
        provider: publication.provider,
        consumer: publication.consumer,
        content,
        version: Some((publication.version_id, publication.version)),
    })
}

async fn find_version(
    conn: &mut Conn,
    provider: &str,
    consumer: &str,
    version: &str,
) -> Result<Found, BrokerError> {
    let owner = pacticipants::get(conn, provider).await?;
    let (_, row) = versions::get(conn, consumer, version).await?;
    let content = pacts::of_version(conn, row.id, owner.id).await?.ok_or_else(not_found)?;
    Ok(Found {
        provider: provider.to_owned(),
        consumer: consumer.to_owned(),
        content,
        version: Some((row.id, row.number)),
    })
}

async fn find_content(
    conn: &mut Conn,
    provider: &str,
    consumer: &str,
    id: &str,
) -> Result<Found, BrokerError> {
    let owner = pacticipants::get(conn, provider).await?;
    let asker = pacticipants::get(conn, consumer).await?;
    let content = pacts::content(conn, asker.id, owner.id, id).await?.ok_or_else(not_found)?;
    let version = pacts::last_with_content(conn, content.id).await?.map(|p| (p.version_id, p.version));
    Ok(Found { provider: provider.to_owned(), consumer: consumer.to_owned(), content, version })
}

/// What a pact is called in links.
pub(super) fn name(consumer: &str, version: Option<&str>, provider: &str) -> String {
    format!("Pact between {consumer} ({}) and {provider}", version.unwrap_or("proposed"))
}

/// The stored text, every number as it was written, with our links added.
fn text(links: &Links, found: &Found, metadata: Option<&str>) -> String {
    let (p, c, content) = (&found.provider, &found.consumer, &found.content.content_id);
    let number = found.version.as_ref().map(|(_, number)| number.as_str());
    let by_content = links.content(p, c, content);
    let results = match metadata {
        Some(metadata) => {
            format!("{by_content}/metadata/{}/verification-results", super::links::encode(metadata))
        }
        None => format!("{by_content}/verification-results"),
    };
    let own = number.map_or_else(|| by_content.clone(), |number| links.pact(p, c, number));
    let pair = |rest: &str| links.to(&format!("/pacts/provider/{{}}/consumer/{{}}{rest}"), &[p, c]);
    let mut body = json!({
        "self": link("Pact", &name(c, number, p), own.as_str()),
        "pb:consumer": link("Consumer", c, links.pacticipant(c)),
        "pb:provider": link("Provider", p, links.pacticipant(p)),
        "pb:pact-version": link("The content of this pact", content, by_content.as_str()),
        "pb:latest-pact-version": { "title": "The latest version of this pact", "href": pair("/latest") },
        "pb:all-pact-versions": { "title": "All versions of this pact", "href": pair("/versions") },
        "pb:latest-untagged-pact-version": {
            "title": "The latest version of this pact without a tag", "href": pair("/latest-untagged"),
        },
        "pb:latest-tagged-pact-version": {
            "title": "The latest version of this pact with a tag", "href": pair("/latest/{tag}"), "templated": true,
        },
        "pb:diff": {
            "title": "The difference to another content",
            "href": format!("{by_content}/diff/pact-version/{{pactVersion}}"),
            "templated": true,
        },
        "pb:pact-webhooks": {
            "title": "Webhooks of this pair",
            "href": links.to("/webhooks/provider/{}/consumer/{}", &[p, c]),
        },
        "pb:consumer-webhooks": {
            "title": "Webhooks of the consumer", "href": links.to("/webhooks/consumer/{}", &[c]),
        },
        "pb:publish-verification-results": { "title": "Publish verification results", "href": results },
        "pb:latest-verification-results": href(format!("{by_content}/verification-results/latest")),
        "curies": links.curies("pact"),
    });
    if let Some(number) = number {
        let version = links.version(c, number);
        let consumer_version = link("Consumer version", number, version.as_str());
        body["pb:consumer-version"] = consumer_version.clone();
        if metadata.is_some() {
            body["pb:consumer-versions"] = Value::Array(vec![consumer_version]);
        }
        body["pb:triggered-webhooks"] = json!({
            "title": "Webhooks that the publication of this pact triggered", "href": format!("{own}/triggered-webhooks"),
        });
        body["pb:previous-distinct"] = json!({ "title": "The version before with another content", "href": format!("{own}/previous-distinct") });
        body["pb:diff-previous-distinct"] = json!({
            "title": "The difference to the version before with another content",
            "href": format!("{own}/diff/previous-distinct"),
        });
        body["pb:tag-prod-version"] = json!({ "title": "PUT here to tag the consumer version 'prod'", "href": format!("{version}/tags/prod") });
        body["pb:tag-version"] = json!({ "title": "PUT here to tag the consumer version", "href": format!("{version}/tags/{{tag}}") });
        body["pb:matrix-for-consumer-version"] = json!({
            "title": "The matrix of the consumer version",
            "href": links.to("/matrix?q%5B%5D%5Bpacticipant%5D={}&q%5B%5D%5Bversion%5D={}&latestby=cvpv", &[c, number]),
        });
    }
    let stored = found.content.body.strip_suffix('}').unwrap_or(&found.content.body);
    format!("{stored},\"createdAt\":\"{}\",\"_links\":{body}}}", iso(found.content.created_at))
}
