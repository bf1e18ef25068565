//! What is where: deployments to environments and releases in them.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_base::EventKind;
use tracepact_contract_model::{check_name, parse_nested};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::environments::show as show_environment;
use super::links::{href, link};
use super::{Ctx, JsonObject, iso};
use crate::broker::{about, tell};
use crate::store::environments::{self, Environment, Presence};
use crate::store::{Conn, versions};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    const DEPLOYED_TO: &str =
        "/pacticipants/{name}/versions/{version}/deployed-versions/environment/{environment}";
    const RELEASED_TO: &str =
        "/pacticipants/{name}/versions/{version}/released-versions/environment/{environment}";
    routes
        .post(DEPLOYED_TO, Scope::Publish, record_deployment)
        .get(DEPLOYED_TO, Scope::Read, deployments_of_version)
        .post(RELEASED_TO, Scope::Publish, record_release)
        .get(RELEASED_TO, Scope::Read, releases_of_version)
        .get(
            "/environments/{environment}/deployed-versions/currently-deployed",
            Scope::Read,
            currently_deployed,
        )
        .get(
            "/environments/{environment}/released-versions/currently-supported",
            Scope::Read,
            currently_supported,
        )
        .get("/deployed-versions/{uuid}", Scope::Read, get_deployed)
        .patch("/deployed-versions/{uuid}", Scope::Publish, patch_deployed)
        .get("/released-versions/{uuid}", Scope::Read, get_released)
        .patch("/released-versions/{uuid}", Scope::Publish, patch_released)
}

async fn record_deployment(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, version, environment)): Path<(String, String, String)>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    // `target` is the old name of the instance.
    let instance = match body.text("applicationInstance")? {
        Some(instance) => Some(instance),
        None => body.text("target")?,
    };
    let instance = match instance {
        Some(text) => check_name("applicationInstance", text)?.to_owned(),
        None => String::new(),
    };
    record(&broker, &ctx, &name, &version, &environment, Some(instance)).await
}

async fn record_release(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, version, environment)): Path<(String, String, String)>,
    _body: JsonObject,
) -> Result<Response, BrokerError> {
    record(&broker, &ctx, &name, &version, &environment, None).await
}

/// Records a deployment to `instance`, or a release without one.
async fn record(
    broker: &Broker,
    ctx: &Ctx,
    name: &str,
    version: &str,
    environment: &str,
    instance: Option<String>,
) -> Result<Response, BrokerError> {
    let now = broker.now();
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let (owner, row) = versions::get(conn, name, version).await?;
    let environment = environments::get(conn, environment).await?;
    let (id, new) = match &instance {
        Some(instance) => environments::deploy(conn, environment.id, owner.id, row.id, instance, now).await?,
        None => environments::release(conn, environment.id, owner.id, row.id, now).await?,
    };
    if new {
        let verb = if instance.is_some() { "deployed to" } else { "released in" };
        let action = if instance.is_some() { "deployed" } else { "released" };
        let event =
            broker.event(EventKind::Deploy, format!("{name} {version} was {verb} {}", environment.name));
        let mut event = about(event, name)
            .with("action", action)
            .with("version", version)
            .with("environment", environment.name.as_str())
            .link("contract", "/contracts");
        if let Some(instance) = instance.as_deref().filter(|i| !i.is_empty()) {
            event = event.with("instance", instance);
        }
        tell(conn, event).await?;
    }
    let presence = environments::presence(conn, &id, instance.is_none()).await?;
    broker.commit(write).await?;
    let released = instance.is_none();
    let body = show_presence(ctx, &presence, Some(&environment), released);
    let place = place(ctx, &id, released);
    // A deployment answers 201 even when it is there already, which its clients expect.
    Ok(ctx.made(new || !released, &place, &body))
}

fn place(ctx: &Ctx, uuid: &str, released: bool) -> String {
    ctx.links.to(if released { "/released-versions/{}" } else { "/deployed-versions/{}" }, &[uuid])
}

fn show_presence(ctx: &Ctx, presence: &Presence, environment: Option<&Environment>, released: bool) -> Value {
    let links = &ctx.links;
    let number = &presence.version;
    let mut body = json!({
        "uuid": presence.uuid,
        "createdAt": iso(presence.created_at),
        "_embedded": {
            "pacticipant": {
                "name": presence.pacticipant,
                "_links": { "self": href(links.pacticipant(&presence.pacticipant)) },
            },
            "version": {
                "number": number,
                "_links": { "self": link("Version", number, links.version(&presence.pacticipant, number)) },
            },
        },
        "_links": { "self": href(place(ctx, &presence.uuid, released)) },
    });
    let (flag, ended) = if released {
        ("currentlySupported", "supportEndedAt")
    } else {
        ("currentlyDeployed", "undeployedAt")
    };
    body[flag] = presence.ended_at.is_none().into();
    if let Some(at) = presence.ended_at {
        body[ended] = iso(at).into();
    }
    // Absent, not null, for the unnamed instance.
    if !presence.instance.is_empty() {
        body["target"] = presence.instance.as_str().into();
        body["applicationInstance"] = presence.instance.as_str().into();
    }
    if let Some(environment) = environment {
        body["_embedded"]["environment"] = show_environment(ctx, environment);
    }
    body
}

async fn deployments_of_version(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(names): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    of_version(&broker, &ctx, names, false).await
}

async fn releases_of_version(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(names): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    of_version(&broker, &ctx, names, true).await
}

async fn of_version(
    broker: &Broker,
    ctx: &Ctx,
    (name, version, environment): (String, String, String),
    released: bool,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let (_, row) = versions::get(&mut conn, &name, &version).await?;
    let environment = environments::get(&mut conn, &environment).await?;
    let mut list = environments::of_version(&mut conn, row.id, released).await?;
    list.retain(|p| p.environment_id == environment.id);
    Ok(ctx.ok(&listed(ctx, &list, released, "Versions in the environment")))
}

fn listed(ctx: &Ctx, list: &[Presence], released: bool, title: &str) -> Value {
    let key = if released { "releasedVersions" } else { "deployedVersions" };
    let embedded: Vec<Value> = list.iter().map(|p| show_presence(ctx, p, None, released)).collect();
    json!({ "_embedded": { key: embedded }, "_links": { "self": { "href": ctx.links.base(), "title": title } } })
}

async fn currently_deployed(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Response, BrokerError> {
    current(&broker, &ctx, &id, false).await
}

async fn currently_supported(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Response, BrokerError> {
    current(&broker, &ctx, &id, true).await
}

async fn current(broker: &Broker, ctx: &Ctx, id: &str, released: bool) -> Result<Response, BrokerError> {
    let query = parse_nested(&ctx.query)?;
    let mut conn = broker.store().read().await?;
    let environment = environments::get(&mut conn, id).await?;
    let mut list =
        environments::current(&mut conn, released, Some(environment.id), query.text("pacticipant")).await?;
    if released {
        if let Some(version) = query.text("version") {
            list.retain(|p| p.version == version);
        }
    } else if query.get("applicationInstance").is_some() || query.get("target").is_some() {
        // Blank means the unnamed instance.
        let instance = query.text("applicationInstance").or_else(|| query.text("target")).unwrap_or_default();
        list.retain(|p| p.instance == instance);
    }
    let what = if released {
        "released-versions/currently-supported"
    } else {
        "deployed-versions/currently-deployed"
    };
    let mut body = listed(ctx, &list, released, &format!("Current versions in {}", environment.name));
    let asked = if ctx.query.is_empty() { String::new() } else { format!("?{}", ctx.query) };
    body["_links"]["self"]["href"] =
        format!("{}/{what}{asked}", ctx.links.environment(&environment.uuid)).into();
    Ok(ctx.ok(&body))
}

async fn get_deployed(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Response, BrokerError> {
    get_presence(&broker, &ctx, &id, false).await
}

async fn get_released(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Response, BrokerError> {
    get_presence(&broker, &ctx, &id, true).await
}

async fn get_presence(broker: &Broker, ctx: &Ctx, id: &str, released: bool) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let presence = environments::presence(&mut conn, id, released).await?;
    let environment = environment_of(&mut conn, &presence).await?;
    Ok(ctx.ok(&show_presence(ctx, &presence, environment.as_ref(), released)))
}

async fn environment_of(conn: &mut Conn, presence: &Presence) -> Result<Option<Environment>, BrokerError> {
    Ok(environments::list(conn, None).await?.into_iter().find(|e| e.id == presence.environment_id))
}

async fn patch_deployed(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(id): Path<String>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    end(&broker, &ctx, &id, false, body.flag("currentlyDeployed")?).await
}

async fn patch_released(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(id): Path<String>,
    body: JsonObject,
) -> Result<Response, BrokerError> {
    end(&broker, &ctx, &id, true, body.flag("currentlySupported")?).await
}

async fn end(
    broker: &Broker,
    ctx: &Ctx,
    id: &str,
    released: bool,
    current: Option<bool>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let before = environments::presence(conn, id, released).await?;
    let environment = environment_of(conn, &before).await?;
    match current {
        Some(true) if before.ended_at.is_some() => {
            return Err(BrokerError::State("what has ended cannot be current again; record it anew".into()));
        }
        Some(false) if before.ended_at.is_none() => {
            environments::end(conn, id, released, broker.now()).await?;
            let name = environment.as_ref().map(|e| e.name.as_str()).unwrap_or_default();
            let verb = if released { "is no longer supported in" } else { "was undeployed from" };
            let title = format!("{} {} {verb} {name}", before.pacticipant, before.version);
            let event = about(broker.event(EventKind::Deploy, title), &before.pacticipant)
                .with("action", if released { "support_ended" } else { "undeployed" })
                .with("version", before.version.as_str())
                .with("environment", name);
            tell(conn, event).await?;
        }
        _ => {}
    }
    let presence = environments::presence(conn, id, released).await?;
    broker.commit(write).await?;
    Ok(ctx.ok(&show_presence(ctx, &presence, environment.as_ref(), released)))
}
