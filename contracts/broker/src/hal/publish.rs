//! `POST /contracts/publish`: a version and all its contracts at once.

use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tracepact_contract_model::Pact;
use tracepact_listener::{Routes, Scope};

use super::links::{href, link};
use super::{Ctx, JsonObject};
use crate::auth::asker::check_publish;
use crate::publish::{Change, Contract, ContractOutcome, Publication, Volatile};
use crate::{Broker, BrokerError};

/// Most contracts in one publication.
const CONTRACTS_MAX: usize = 500;

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    routes.post("/contracts/publish", Scope::Publish, post)
}

async fn post(State(broker): State<Broker>, ctx: Ctx, body: JsonObject) -> Result<Response, BrokerError> {
    let publication = read(&body)?;
    check_publish(&publication.consumer)?;
    let (consumer, version) = (publication.consumer.clone(), publication.version.trim().to_owned());
    let (branch, tags) = (publication.branch.clone(), publication.tags.clone());
    let outcome = broker.publish(publication).await?;
    let links = &ctx.links;

    let mut notices = Vec::new();
    let mut with = String::new();
    if let Some(branch) = &branch {
        with.push_str(&format!(" with branch {branch}"));
    }
    if !tags.is_empty() {
        let joint = if branch.is_some() { "and" } else { "with" };
        with.push_str(&format!(" {joint} tags {}", tags.join(", ")));
    }
    let verb = if outcome.version_created { "Created" } else { "Updated" };
    notices.push(("debug", format!("{verb} {consumer} version {version}{with}")));
    for contract in &outcome.contracts {
        let provider = &contract.provider;
        let what = match contract.change {
            Change::Added => "successfully published",
            Change::Unchanged => "successfully republished with the same content",
            Change::Replaced => "successfully published, replacing the content it had",
            Change::Merged => "successfully merged into what was published before",
        };
        notices.push((
            "success",
            format!("Pact {what} for {consumer} version {version} and provider {provider}."),
        ));
        notices.push((
            "debug",
            format!("  View the published pact at {}", links.pact(provider, &consumer, &version)),
        ));
        for fired in &contract.fired {
            let title = fired.description.as_deref().unwrap_or("without a description");
            let logs = links.to("/triggered-webhooks/{}/logs", &[&fired.triggered]);
            notices.push((
                "debug",
                format!("  Webhook \"{title}\" triggered for event {}. View logs at {logs}", fired.event),
            ));
        }
        if contract.new_content {
            notices.push((
                "prompt",
                format!("  This content is new: {provider} verifies it in its next build, or now when its pipeline is started."),
            ));
        }
    }
    for contract in &outcome.contracts {
        if let Some(volatile) = &contract.volatile {
            notices.extend(told(&consumer, &version, contract, volatile));
        }
    }
    let logs: Vec<Value> = notices
        .iter()
        .map(|(level, text)| json!({ "level": level, "message": text, "deprecationWarning": "Replaced by notices" }))
        .collect();
    let notices: Vec<Value> =
        notices.iter().map(|(kind, text)| json!({ "type": kind, "text": text })).collect();
    let tag_links: Vec<Value> =
        tags.iter().map(|tag| link("Tag", tag, links.tag(&consumer, &version, tag))).collect();
    let contract_links: Vec<Value> = outcome
        .contracts
        .iter()
        .map(|c| {
            let name = format!("Pact between {consumer} ({version}) and {}", c.provider);
            link("Pact", &name, links.pact(&c.provider, &consumer, &version))
        })
        .collect();
    Ok(ctx.ok(&json!({
        "logs": logs,
        "notices": notices,
        "_embedded": {
            "pacticipant": { "name": consumer, "_links": { "self": href(links.pacticipant(&consumer)) } },
            "version": {
                "number": version,
                "_links": { "self": link("Version", &version, links.version(&consumer, &version)) },
            },
        },
        "_links": {
            "pb:pacticipant": link("Pacticipant", &consumer, links.pacticipant(&consumer)),
            "pb:pacticipant-version": link("Pacticipant version", &version, links.version(&consumer, &version)),
            "pb:pacticipant-version-tags": tag_links,
            "pb:contracts": contract_links,
        },
    })))
}

/// Which values made this content new, and what helps.
fn told(
    consumer: &str,
    version: &str,
    contract: &ContractOutcome,
    volatile: &Volatile,
) -> Vec<(&'static str, String)> {
    let provider = &contract.provider;
    let earlier = &volatile.version;
    let mut notices = vec![(
        "warning",
        format!(
            "The pact with {provider} differs from the one of {consumer} version {earlier} in values that look random or like \
             the time of the build. Each publication is a new content then, and {provider} has to verify it again. Give \
             these examples a fixed value:"
        ),
    )];
    notices.extend(volatile.values.iter().map(|value| {
        let text = format!(
            "  {} of {:?}: {} in version {earlier}, {} in version {version}",
            value.path, value.interaction, value.before, value.after
        );
        ("warning", text)
    }));
    notices
}

fn read(body: &JsonObject) -> Result<Publication, BrokerError> {
    let consumer = body.required("pacticipantName")?.to_owned();
    let version = body.required("pacticipantVersionNumber")?.to_owned();
    let Some(Value::Array(items)) = body.0.get("contracts") else {
        return Err(BrokerError::invalid("contracts", "is missing"));
    };
    if items.len() > CONTRACTS_MAX {
        return Err(BrokerError::invalid("contracts", format!("has more than {CONTRACTS_MAX} entries")));
    }
    let mut contracts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let contract = read_contract(item, &consumer)
            .map_err(|reason| BrokerError::invalid("contracts", format!("{reason} (at index {index})")))?;
        contracts.push(contract);
    }
    Ok(Publication {
        consumer,
        version,
        branch: body.text("branch")?.map(str::to_owned),
        tags: body.texts("tags")?,
        build_url: body.text("buildUrl")?.map(str::to_owned),
        contracts,
    })
}

fn read_contract(item: &Value, consumer: &str) -> Result<Contract, String> {
    let text = |field: &str| {
        item.get(field)
            .and_then(Value::as_str)
            .filter(|t| !t.trim().is_empty())
            .ok_or_else(|| format!("{field} can't be blank"))
    };
    let (named_consumer, provider) = (text("consumerName")?, text("providerName")?);
    if named_consumer != consumer {
        return Err(format!("consumerName ({named_consumer}) must be the pacticipantName ({consumer})"));
    }
    if text("specification")? != "pact" {
        return Err("specification can only be 'pact'".into());
    }
    let media = text("contentType")?.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media != "application/json" {
        return Err(format!("contentType can only be application/json, not {media}"));
    }
    let merge = match item.get("onConflict").and_then(Value::as_str) {
        None | Some("overwrite") => false,
        Some("merge") => true,
        Some(other) => return Err(format!("onConflict can only be overwrite or merge, not {other}")),
    };
    let content = STANDARD.decode(text("content")?).map_err(|e| format!("content is not base64: {e}"))?;
    let pact = Pact::parse(&content).map_err(|e| e.to_string())?;
    if pact.consumer != named_consumer {
        return Err(format!(
            "consumer name in the content ({}) must be the consumerName ({named_consumer})",
            pact.consumer
        ));
    }
    if pact.provider != provider {
        return Err(format!(
            "provider name in the content ({}) must be the providerName ({provider})",
            pact.provider
        ));
    }
    Ok(Contract { pact, merge })
}
