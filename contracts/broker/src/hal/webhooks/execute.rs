//! Trying a webhook out: sent at once, with the newest matching contract, and what came back.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::super::{Ctx, JsonObject, not_found};
use super::target;
use crate::store::{Conn, pacticipants, pacts, uuid, verifications, webhooks};
use crate::webhooks::definition::{Definition, Party, Target};
use crate::webhooks::send::{Delivery, send};
use crate::webhooks::template::Variables;
use crate::webhooks::variables::{self, Subject};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    routes.post("/webhooks/execute", Scope::Publish, unsaved).post(
        "/webhooks/{uuid}/execute",
        Scope::Publish,
        saved,
    )
}

async fn saved(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(id): Path<String>,
    _body: JsonObject,
) -> Result<Response, BrokerError> {
    let row = webhooks::find(&mut broker.store().read().await?, &id).await?.ok_or_else(not_found)?;
    let own = ctx.links.to("/webhooks/{}", &[&row.uuid]);
    let tried = execute(&broker, &target(&row)?, row.consumer.as_deref(), row.provider.as_deref()).await?;
    Ok(ctx.ok(&with_links(tried, Some(&own), &format!("{own}/execute"))))
}

async fn unsaved(State(broker): State<Broker>, ctx: Ctx, body: JsonObject) -> Result<Response, BrokerError> {
    let definition = Definition::read(&body.0, &broker.config().webhooks, None)?;
    let named = |party: &Party| match party {
        Party::Name(name) => Some(name.clone()),
        Party::Any | Party::Label(_) => None,
    };
    let (consumer, provider) = (named(&definition.consumer), named(&definition.provider));
    let tried = execute(&broker, &definition.target, consumer.as_deref(), provider.as_deref()).await?;
    Ok(ctx.ok(&with_links(tried, None, &ctx.links.to("/webhooks/execute", &[]))))
}

fn with_links(mut body: Value, webhook: Option<&str>, again: &str) -> Value {
    if let Some(webhook) = webhook {
        body["_links"]["webhook"] = json!({ "href": webhook });
    }
    body["_links"]["try-again"] = json!({ "title": "Execute the webhook again", "href": again });
    body
}

async fn execute(
    broker: &Broker,
    target: &Target,
    consumer: Option<&str>,
    provider: Option<&str>,
) -> Result<Value, BrokerError> {
    let mut conn = broker.store().read().await?;
    let mut variables = newest(broker, &mut conn, consumer, provider).await?;
    // The connection is not kept while somebody else answers.
    drop(conn);
    variables.insert("eventName".into(), "test".into());
    let delivery = Delivery { target, variables: &variables, id: &uuid(), event: "test" };
    let attempt = send(&broker.config().webhooks, broker.clock(), &delivery).await;
    let mut body = json!({ "request": attempt.request, "logs": attempt.log, "success": attempt.success });
    if let Some(error) = attempt.error {
        body["error"] = json!({ "message": error });
    }
    if let Some(response) = attempt.response {
        body["response"] = response;
    }
    Ok(body)
}

/// The variables of the newest contract of these sides and of its newest result; names alone when there is none.
async fn newest(
    broker: &Broker,
    conn: &mut Conn,
    consumer: Option<&str>,
    provider: Option<&str>,
) -> Result<Variables, BrokerError> {
    let Some(published) = pacts::newest(conn, consumer, provider).await? else {
        let names = [("consumerName", consumer), ("providerName", provider)];
        return Ok(names
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.unwrap_or_default().to_owned()))
            .collect());
    };
    let consumer = pacticipants::get(conn, &published.consumer).await?;
    let provider = pacticipants::get(conn, &published.provider).await?;
    let version = variables::last_version_with(conn, &consumer, published.content_row).await?;
    let verification = verifications::latest(conn, published.content_row).await?.map(|v| v.id);
    let subject = Subject {
        consumer: &consumer,
        provider: &provider,
        consumer_version: version.as_ref(),
        content_row: Some(published.content_row),
        verification,
    };
    variables::of(broker, conn, &subject).await
}
