//! Which provider states the consumers of a provider use: what its tests have to be able to set up.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_contract_model::{Json, Pact};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::Ctx;
use crate::store::pacts::Which;
use crate::store::{environments, pacticipants, pacts};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    const ALL: &str = "/pacts/provider/{provider}/provider-states";
    routes
        .get(ALL, Scope::Read, of_main)
        .get(&format!("{ALL}/branch/{{branch}}"), Scope::Read, of_branch)
        .get(&format!("{ALL}/environment/{{environment}}"), Scope::Read, of_environment)
        .get(&format!("{ALL}/branch/{{branch}}/environment/{{environment}}"), Scope::Read, of_both)
}

async fn of_main(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(provider): Path<String>,
) -> Result<Response, BrokerError> {
    answer(&broker, &ctx, &provider, None, None).await
}

async fn of_branch(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, branch)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    answer(&broker, &ctx, &provider, Some(&branch), None).await
}

async fn of_environment(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, environment)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    answer(&broker, &ctx, &provider, None, Some(&environment)).await
}

async fn of_both(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, branch, environment)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    answer(&broker, &ctx, &provider, Some(&branch), Some(&environment)).await
}

/// States of the consumers' latest pacts: on a branch, live in an environment (by name or uuid), on both, or, when
/// nothing is named, the latest of each consumer.
async fn answer(
    broker: &Broker,
    ctx: &Ctx,
    provider: &str,
    branch: Option<&str>,
    environment: Option<&str>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, provider).await?;
    let mut list = match branch {
        Some(branch) => {
            pacts::published(&mut conn, Some(owner.id), None, Which::LatestOnBranch(branch)).await?
        }
        None if environment.is_none() => {
            pacts::published(&mut conn, Some(owner.id), None, Which::Latest).await?
        }
        None => Vec::new(),
    };
    if let Some(environment) = environment {
        let id = Some(environments::get(&mut conn, environment).await?.id);
        for which in [Which::Deployed(id), Which::Released(id)] {
            list.extend(pacts::published(&mut conn, Some(owner.id), None, which).await?);
        }
    }
    // (name, parameters) → consumers
    let mut states: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut read = BTreeSet::new();
    for publication in list {
        if !read.insert(publication.content_row) {
            continue;
        }
        let content = pacts::content_by_row(&mut conn, publication.content_row).await?;
        for (name, parameters) in used(&Pact::parse(content.body.as_bytes())?) {
            states.entry((name, parameters)).or_default().insert(publication.consumer.clone());
        }
    }
    let shown: Vec<Value> = states
        .into_iter()
        .map(|((name, parameters), consumers)| {
            let mut state = json!({ "name": name, "consumers": consumers });
            if let Ok(params) = serde_json::from_str::<Value>(&parameters) {
                state["params"] = params;
            }
            state
        })
        .collect();
    Ok(ctx.ok(&json!({ "providerStates": shown })))
}

/// Name and parameters (JSON, or empty) of every state that an interaction names, in the spellings of all versions.
fn used(pact: &Pact) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for document in pact.interaction_documents() {
        for key in ["providerStates", "providerState", "provider_state"] {
            match document.get(key) {
                Some(Json::String(name)) => out.push((name.clone(), String::new())),
                Some(states) => out.extend(states.items().iter().filter_map(|state| {
                    let name = state.get("name")?.as_str()?.to_owned();
                    let parameters = state.get("params").filter(|p| !p.fields().is_empty());
                    Some((name, parameters.map(|p| p.write(true)).unwrap_or_default()))
                })),
                None => {}
            }
        }
    }
    out
}
