//! Integrations: the pairs that have pacts, as a list, as a graph for Graphviz, and their deletion.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::{Value, json};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::href;
use super::paging::Paging;
use super::{Ctx, no_content, not_found};
use crate::store::integrations::{self, Integration};
use crate::store::pacts::Which;
use crate::store::{Conn, pacticipants, pacts, verifications};
use crate::{Broker, BrokerError};

/// The media type of Graphviz's language.
const DOT: &str = "text/vnd.graphviz";

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    const ONE: &str = "/integrations/provider/{provider}/consumer/{consumer}";
    routes.get("/integrations", Scope::Read, list).delete("/integrations", Scope::Admin, delete_all).delete(
        ONE,
        Scope::Admin,
        delete,
    )
}

async fn list(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    let paging = Paging::of(&ctx.query)?;
    let mut conn = broker.store().read().await?;
    let all = integrations::all(&mut conn).await?;
    if ctx.accept.first_of(&[DOT, "application/hal+json", "application/json"]) == Some(DOT) {
        return Ok(([(header::CONTENT_TYPE, "text/vnd.graphviz;charset=utf-8")], dot(&all)).into_response());
    }
    let (page, total) = paging.cut(all, |i| format!("{}\n{}", i.consumer, i.provider));
    let mut embedded = Vec::new();
    for one in &page {
        embedded.push(show(&mut conn, &ctx, one).await?);
    }
    let address = ctx.links.to("/integrations", &[]);
    let mut body = json!({
        "_embedded": { "integrations": embedded },
        "_links": { "self": { "title": "All integrations", "href": address } },
    });
    paging.describe(&mut body, &address, total);
    Ok(ctx.ok(&body))
}

async fn show(conn: &mut Conn, ctx: &Ctx, one: &Integration) -> Result<Value, BrokerError> {
    let (consumer, provider) = (one.consumer.as_str(), one.provider.as_str());
    let newest = pacts::published(conn, Some(one.provider_id), Some(consumer), Which::Latest).await?;
    let result = match newest.first() {
        Some(publication) => verifications::latest(conn, publication.content_row).await?,
        None => None,
    };
    let status = match result.map(|r| r.success) {
        Some(true) => "success",
        Some(false) => "failed",
        None => "never",
    };
    let pair = |pattern: &str| ctx.links.to(pattern, &[provider, consumer]);
    Ok(json!({
        "consumer": { "name": consumer },
        "provider": { "name": provider },
        "verificationStatus": status,
        "_links": {
            "pb:dashboard": { "title": "The latest pact and its result", "href": pair("/dashboard/provider/{}/consumer/{}") },
            "pb:matrix": {
                "title": format!("Matrix of {consumer} and {provider}"), "href": pair("/matrix/provider/{}/consumer/{}"),
            },
            "pb:group": href(ctx.links.to("/groups/{}", &[consumer])),
            "pb:delete_integration": {
                "title": "DELETE here to forget every pact and result of the pair",
                "href": pair("/integrations/provider/{}/consumer/{}"),
            },
        },
    }))
}

async fn delete(
    State(broker): State<Broker>,
    Path((provider, consumer)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let provider = pacticipants::get(conn, &provider).await?.id;
    let consumer = pacticipants::get(conn, &consumer).await?.id;
    let known = integrations::all(conn).await?;
    if !known.iter().any(|i| (i.consumer_id, i.provider_id) == (consumer, provider)) {
        return Err(not_found());
    }
    forget(conn, consumer, provider).await?;
    broker.commit(write).await?;
    Ok(no_content())
}

async fn delete_all(State(broker): State<Broker>) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    for one in integrations::all(conn).await? {
        forget(conn, one.consumer_id, one.provider_id).await?;
    }
    broker.commit(write).await?;
    Ok(no_content())
}

/// As in the original the pacticipants go with their last integration, but never one that is deployed or released: the
/// record of what runs is not a contract's to delete.
async fn forget(conn: &mut Conn, consumer: i64, provider: i64) -> Result<(), BrokerError> {
    integrations::delete(conn, consumer, provider).await?;
    for pacticipant in [consumer, provider] {
        if integrations::is_idle(conn, pacticipant).await? {
            pacticipants::delete(conn, pacticipant).await?;
        }
    }
    Ok(())
}

/// The graph in the DOT language; names are quoted strings in it.
fn dot(all: &[Integration]) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = String::from(
        "digraph {\n  ranksep=3\n  ratio=auto\n  overlap=false\n  node [shape=plaintext fontname=Arial]\n\n",
    );
    for one in all {
        out.push_str(&format!("  {} -> {}\n", quoted(&one.consumer), quoted(&one.provider)));
    }
    out.push_str("}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_their_quotes() {
        let one = Integration {
            consumer_id: 1,
            consumer: "a\" -> \"b\\".into(),
            provider_id: 2,
            provider: "p".into(),
        };
        assert!(dot(&[one]).contains(r#"  "a\" -> \"b\\" -> "p""#));
    }
}
