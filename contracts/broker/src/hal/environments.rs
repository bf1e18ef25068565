//! Environments.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_contract_model::{check_name, parse_nested};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::link;
use super::{Ctx, JsonObject, no_content, stamp};
use crate::store::environments::{self, Environment};
use crate::store::{Conn, uuid};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    routes
        .get("/environments", Scope::Read, list)
        .post("/environments", Scope::Publish, create)
        .get("/environments/{environment}", Scope::Read, get)
        .put("/environments/{environment}", Scope::Publish, put)
        // The CLI's delete-environment; it forgets what is deployed there and so needs more than publishing, but the
        // client sends what it has.
        .delete("/environments/{environment}", Scope::Publish, delete)
}

pub(super) fn show(ctx: &Ctx, environment: &Environment) -> Value {
    let own = ctx.links.environment(&environment.uuid);
    let shown = environment.display_name.as_ref().unwrap_or(&environment.name);
    let mut body = json!({
        "uuid": environment.uuid,
        "name": environment.name,
        "displayName": shown,
        "production": environment.production,
        "_links": {
            "self": link("Environment", &environment.name, own.as_str()),
            "pb:currently-deployed-deployed-versions": {
                "title": format!("Versions currently deployed to {shown}"),
                "href": format!("{own}/deployed-versions/currently-deployed"),
            },
            "pb:currently-supported-released-versions": {
                "title": format!("Versions released and supported in {shown}"),
                "href": format!("{own}/released-versions/currently-supported"),
            },
            "pb:environments": { "title": "Environments", "href": ctx.links.to("/environments", &[]) },
        },
    });
    if let Some(contacts) =
        environment.contacts.as_deref().and_then(|c| serde_json::from_str::<Value>(c).ok())
    {
        body["contacts"] = contacts;
    }
    stamp(&mut body, environment.created_at, environment.updated_at);
    body
}

async fn list(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    let query = parse_nested(&ctx.query)?;
    let mut conn = broker.store().read().await?;
    let list = environments::list(&mut conn, query.text("name")).await?;
    let embedded: Vec<Value> = list.iter().map(|e| show(&ctx, e)).collect();
    let entries: Vec<Value> =
        list.iter().map(|e| link("Environment", &e.name, ctx.links.environment(&e.uuid))).collect();
    Ok(ctx.ok(&json!({
        "_embedded": { "environments": embedded },
        "_links": {
            "self": { "title": "Environments", "href": ctx.links.to("/environments", &[]) },
            "pb:environments": entries,
        },
    })))
}

async fn get(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let environment = environments::get(&mut conn, &id).await?;
    Ok(ctx.ok(&show(&ctx, &environment)))
}

/// Fills `environment` from a body, whose name must not belong to another.
async fn fill(conn: &mut Conn, environment: &mut Environment, body: &JsonObject) -> Result<(), BrokerError> {
    let name = check_name("name", body.required("name")?)?;
    if name.contains(char::is_whitespace) {
        return Err(BrokerError::invalid("name", "cannot contain spaces"));
    }
    if environments::find_by_name(conn, name).await?.is_some_and(|other| other.id != environment.id) {
        return Err(BrokerError::invalid(
            "name",
            format!("another environment with name '{name}' already exists"),
        ));
    }
    environment.name = name.to_owned();
    environment.display_name = match body.text("displayName")? {
        Some(text) => Some(check_name("displayName", text)?.to_owned()),
        None => None,
    };
    environment.production = body.flag("production")?.unwrap_or(false);
    environment.contacts = match body.0.get("contacts") {
        None | Some(Value::Null) => None,
        Some(Value::Array(contacts)) if contacts.is_empty() => None,
        Some(Value::Array(contacts)) => {
            let named =
                |c: &Value| c.get("name").is_some_and(|n| n.as_str().is_some_and(|t| !t.trim().is_empty()));
            if !contacts.iter().all(named) {
                return Err(BrokerError::invalid("contacts", "every contact needs a name"));
            }
            Some(Value::Array(contacts.clone()).to_string())
        }
        Some(_) => return Err(BrokerError::invalid("contacts", "must be a list")),
    };
    Ok(())
}

async fn create(State(broker): State<Broker>, ctx: Ctx, body: JsonObject) -> Result<Response, BrokerError> {
    let now = broker.now();
    let mut environment = Environment {
        id: 0,
        uuid: uuid(),
        name: String::new(),
        display_name: None,
        production: false,
        contacts: None,
        created_at: now,
        updated_at: now,
    };
    let mut write = broker.store().write().await?;
    fill(write.conn(), &mut environment, &body).await?;
    environments::insert(write.conn(), &environment).await?;
    broker.commit(write).await?;
    Ok(ctx.created(&ctx.links.environment(&environment.uuid), &show(&ctx, &environment)))
}

async fn put(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(id): Path<String>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let mut environment = environments::get(write.conn(), &id).await?;
    fill(write.conn(), &mut environment, &body).await?;
    environment.updated_at = broker.now();
    environments::update(write.conn(), &environment).await?;
    broker.commit(write).await?;
    Ok(ctx.ok(&show(&ctx, &environment)))
}

async fn delete(State(broker): State<Broker>, Path(id): Path<String>) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let environment = environments::get(write.conn(), &id).await?;
    environments::delete(write.conn(), environment.id).await?;
    broker.commit(write).await?;
    Ok(no_content())
}
