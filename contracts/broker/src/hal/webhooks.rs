//! Webhooks: made, shown, changed, forgotten, tried out.

mod execute;
mod triggered;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::{Links, link};
use super::{Ctx, JsonObject, no_content, not_found, stamp};
use crate::store::webhooks::{self, NewWebhook, WebhookRow};
use crate::store::{self, Conn, pacticipants};
use crate::webhooks::definition::{Definition, Party, Target};
use crate::{Broker, BrokerError};

/// Most webhooks in one list.
const LISTED_MAX: i64 = 1_000;
const PAIR: &str = "/webhooks/provider/{provider}/consumer/{consumer}";

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    let routes = routes
        .get("/webhooks", Scope::Read, list)
        .post("/webhooks", Scope::Publish, create)
        .get("/webhooks/{uuid}", Scope::Read, get)
        .put("/webhooks/{uuid}", Scope::Publish, put)
        .delete("/webhooks/{uuid}", Scope::Publish, delete)
        .get(PAIR, Scope::Read, of_pair)
        .post(PAIR, Scope::Publish, create_for_pair)
        .get("/webhooks/provider/{provider}", Scope::Read, of_provider)
        .post("/webhooks/provider/{provider}", Scope::Publish, create_for_provider)
        .get("/webhooks/consumer/{consumer}", Scope::Read, of_consumer)
        .post("/webhooks/consumer/{consumer}", Scope::Publish, create_for_consumer)
        .get("/pacts/provider/{provider}/consumer/{consumer}/webhooks", Scope::Read, of_pair)
        .post("/pacts/provider/{provider}/consumer/{consumer}/webhooks", Scope::Publish, create_for_pair);
    triggered::routes(execute::routes(routes))
}

async fn list(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    of(&broker, &ctx, None, None).await
}

async fn of_pair(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    of(&broker, &ctx, Some(&consumer), Some(&provider)).await
}

async fn of_provider(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(provider): Path<String>,
) -> Result<Response, BrokerError> {
    of(&broker, &ctx, None, Some(&provider)).await
}

async fn of_consumer(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(consumer): Path<String>,
) -> Result<Response, BrokerError> {
    of(&broker, &ctx, Some(&consumer), None).await
}

/// The address and title of a list.
fn place(links: &Links, consumer: Option<&str>, provider: Option<&str>) -> (String, String) {
    match (consumer, provider) {
        (Some(consumer), Some(provider)) => (
            links.to(PAIR_PATTERN, &[provider, consumer]),
            format!("All webhooks for consumer {consumer} and provider {provider}"),
        ),
        (None, Some(provider)) => {
            (links.to("/webhooks/provider/{}", &[provider]), format!("All webhooks for provider {provider}"))
        }
        (Some(consumer), None) => {
            (links.to("/webhooks/consumer/{}", &[consumer]), format!("All webhooks for consumer {consumer}"))
        }
        (None, None) => (links.to("/webhooks", &[]), "All webhooks".to_owned()),
    }
}

const PAIR_PATTERN: &str = "/webhooks/provider/{}/consumer/{}";

async fn of(
    broker: &Broker,
    ctx: &Ctx,
    consumer: Option<&str>,
    provider: Option<&str>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    for name in [consumer, provider].into_iter().flatten() {
        pacticipants::get(&mut conn, name).await?;
    }
    let rows = webhooks::list(&mut conn, consumer, provider, LISTED_MAX).await?;
    let entries: Vec<Value> = rows
        .iter()
        .map(|row| link(&title(row), &row.uuid, ctx.links.to("/webhooks/{}", &[&row.uuid])))
        .collect();
    let (own, heading) = place(&ctx.links, consumer, provider);
    Ok(ctx.ok(&json!({
        "_links": {
            "self": { "title": heading, "href": own.as_str() },
            "pb:create": { "title": "POST to create a webhook", "href": own },
            "pb:webhooks": entries,
            "curies": ctx.links.curies("webhooks"),
        },
    })))
}

async fn get(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(uuid): Path<String>,
) -> Result<Response, BrokerError> {
    let row = webhooks::find(&mut broker.store().read().await?, &uuid).await?.ok_or_else(not_found)?;
    Ok(ctx.ok(&show(&ctx.links, &row)?))
}

async fn create(State(broker): State<Broker>, ctx: Ctx, body: JsonObject) -> Result<Response, BrokerError> {
    save(&broker, &ctx, body.0, None, true).await
}

async fn create_for_pair(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer)): Path<(String, String)>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    create_for(&broker, &ctx, body.0, Some(&consumer), Some(&provider)).await
}

async fn create_for_provider(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(provider): Path<String>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    create_for(&broker, &ctx, body.0, None, Some(&provider)).await
}

async fn create_for_consumer(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(consumer): Path<String>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    create_for(&broker, &ctx, body.0, Some(&consumer), None).await
}

/// The path says for whom; it must exist, as it must in the body.
async fn create_for(
    broker: &Broker,
    ctx: &Ctx,
    mut body: Value,
    consumer: Option<&str>,
    provider: Option<&str>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    for (side, name) in [("consumer", consumer), ("provider", provider)] {
        if let Some(name) = name {
            pacticipants::get(&mut conn, name).await?;
            body[side] = json!({ "name": name });
        }
    }
    drop(conn);
    save(broker, ctx, body, None, true).await
}

async fn put(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(uuid): Path<String>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    let url_safe = uuid.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !url_safe || !(16..=255).contains(&uuid.len()) {
        return Err(BrokerError::invalid(
            "uuid",
            "must contain only letters, digits, - and _, and be 16 to 255 characters long",
        ));
    }
    save(&broker, &ctx, body.0, Some(uuid), false).await
}

async fn save(
    broker: &Broker,
    ctx: &Ctx,
    body: Value,
    uuid: Option<String>,
    create: bool,
) -> Result<Response, BrokerError> {
    let now = broker.now();
    let uuid = uuid.unwrap_or_else(store::uuid);
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let present = if create { None } else { webhooks::find(conn, &uuid).await? };
    let before = present.as_ref().and_then(|row| serde_json::from_str::<Target>(&row.target).ok());
    let definition = Definition::read(&body, &broker.config().webhooks, before.as_ref())?;
    let consumer = side(conn, "consumer", &definition.consumer).await?;
    let provider = side(conn, "provider", &definition.provider).await?;
    let events = format!(" {} ", definition.events.join(" "));
    let target = serde_json::to_string(&definition.target)
        .map_err(|e| BrokerError::Database(sqlx::Error::Encode(Box::new(e))))?;
    let new = NewWebhook {
        uuid: &uuid,
        description: definition.description.as_deref(),
        enabled: definition.enabled,
        consumer_id: consumer.0,
        consumer_label: consumer.1,
        provider_id: provider.0,
        provider_label: provider.1,
        events: &events,
        target: &target,
    };
    webhooks::put(conn, &new, now).await?;
    let row = webhooks::find(conn, &uuid).await?.ok_or_else(not_found)?;
    broker.commit(write).await?;
    let shown = show(&ctx.links, &row)?;
    Ok(ctx.made(present.is_none(), &ctx.links.to("/webhooks/{}", &[&uuid]), &shown))
}

/// The row and the label that stand for a side.
async fn side<'a>(
    conn: &mut Conn,
    field: &str,
    party: &'a Party,
) -> Result<(Option<i64>, Option<&'a str>), BrokerError> {
    match party {
        Party::Any => Ok((None, None)),
        Party::Label(label) => Ok((None, Some(label))),
        Party::Name(name) => match pacticipants::find(conn, name).await? {
            Some(found) => Ok((Some(found.id), None)),
            None => Err(BrokerError::invalid(
                &format!("{field}.name"),
                format!("does not match an existing pacticipant: {name}"),
            )),
        },
    }
}

async fn delete(State(broker): State<Broker>, Path(uuid): Path<String>) -> Result<Response, BrokerError> {
    let now = broker.now();
    let mut write = broker.store().write().await?;
    if !webhooks::delete(write.conn(), &uuid, now).await? {
        return Err(not_found());
    }
    broker.commit(write).await?;
    Ok(no_content())
}

/// What a webhook is called: its description, else for whom and when it is.
fn title(row: &WebhookRow) -> String {
    if let Some(description) = &row.description {
        return description.clone();
    }
    let side = |name: &Option<String>, label: &Option<String>, any: &str| match (name, label) {
        (Some(name), _) => name.clone(),
        (None, Some(label)) => format!("those labelled {label}"),
        (None, None) => any.to_owned(),
    };
    let consumer = side(&row.consumer, &row.consumer_label, "any consumer");
    let provider = side(&row.provider, &row.provider_label, "any provider");
    format!("A webhook for the pacts between {consumer} and {provider}")
}

fn target(row: &WebhookRow) -> Result<Target, BrokerError> {
    serde_json::from_str(&row.target).map_err(|e| BrokerError::Database(sqlx::Error::Decode(Box::new(e))))
}

fn show(links: &Links, row: &WebhookRow) -> Result<Value, BrokerError> {
    let own = links.to("/webhooks/{}", &[&row.uuid]);
    let mut body = json!({ "uuid": row.uuid });
    if let Some(description) = &row.description {
        body["description"] = description.as_str().into();
    }
    let mut relations = json!({
        "self": { "title": title(row), "href": own.as_str() },
        "pb:execute": {
            "title": "Test the execution of the webhook with the latest matching pact or verification by sending a POST request to this URL",
            "href": format!("{own}/execute"),
        },
    });
    for (side, name, label) in
        [("consumer", &row.consumer, &row.consumer_label), ("provider", &row.provider, &row.provider_label)]
    {
        if let Some(name) = name {
            body[side] = json!({ "name": name });
            relations[format!("pb:{side}")] = link(name, name, links.pacticipant(name));
        } else if let Some(label) = label {
            body[side] = json!({ "label": label });
            relations[format!("pb:{side}s")] =
                link(label, label, links.to("/pacticipants/label/{}", &[label]));
        }
    }
    if let (Some(consumer), Some(provider)) = (&row.consumer, &row.provider) {
        let (pair, heading) = place(links, Some(consumer), Some(provider));
        relations["pb:pact-webhooks"] = json!({ "title": heading, "href": pair });
    }
    relations["pb:webhooks"] = json!({ "title": "All webhooks", "href": links.to("/webhooks", &[]) });
    body["enabled"] = row.enabled.into();
    let (field, shown) = target(row)?.shown();
    body[field] = shown;
    body["events"] =
        row.events.split_whitespace().map(|name| json!({ "name": name })).collect::<Vec<_>>().into();
    stamp(&mut body, row.created_at, row.updated_at);
    body["_links"] = relations;
    Ok(body)
}
