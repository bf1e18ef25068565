//! What a provider's build is to verify. The Rust verifier first GETs this without parameters and POSTs to the `self` it
//! finds there; others POST at once; old ones GET with parameters.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_base::time_format;
use tracepact_contract_model::{check_name, parse_nested, parse_selectors};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::metadata::Metadata;
use super::pact::name;
use super::{Ctx, JsonObject};
use crate::selection::{Selected, Wanted, select};
use crate::store::pacticipants;
use crate::{Broker, BrokerError};

const PATH: &str = "/pacts/provider/{provider}/for-verification";
/// Most selectors in one question.
const SELECTORS_MAX: usize = 200;

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    // The POST carries a question and changes nothing, so it needs no more than reading.
    routes.get(PATH, Scope::Read, get).post(PATH, Scope::Read, post)
}

async fn get(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(provider): Path<String>,
) -> Result<Response, BrokerError> {
    let query = parse_nested(&ctx.query)?.to_json();
    answer(&broker, &ctx, &provider, &query).await
}

async fn post(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(provider): Path<String>,
    JsonObject(body): JsonObject,
) -> Result<Response, BrokerError> {
    answer(&broker, &ctx, &provider, &body).await
}

async fn answer(
    broker: &Broker,
    ctx: &Ctx,
    provider: &str,
    question: &Value,
) -> Result<Response, BrokerError> {
    let wanted = read(question)?;
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, provider).await?;
    let selected = select(&mut conn, &owner, &wanted).await?;
    drop(conn);
    let entries: Vec<Value> = selected.iter().map(|one| entry(ctx, provider, one, &wanted)).collect();
    Ok(ctx.ok(&json!({
        "_embedded": { "pacts": entries },
        "_links": {
            "self": {
                "href": ctx.links.to("/pacts/provider/{}/for-verification", &[provider]),
                "title": "Pacts to be verified",
            },
        },
    })))
}

/// Reads the question in its two spellings: camelCase of the body, snake_case of the query.
fn read(question: &Value) -> Result<Wanted, BrokerError> {
    let either = |camel: &str, snake: &str| {
        question.get(camel).or_else(|| question.get(snake)).filter(|v| !v.is_null())
    };
    let list =
        either("consumerVersionSelectors", "consumer_version_selectors").cloned().unwrap_or(Value::Null);
    if list.as_array().is_some_and(|items| items.len() > SELECTORS_MAX) {
        return Err(BrokerError::invalid(
            "consumerVersionSelectors",
            format!("at most {SELECTORS_MAX} selectors"),
        ));
    }
    let selectors = parse_selectors(&list)?;
    let pending = match either("includePendingStatus", "include_pending_status") {
        None => None,
        Some(Value::Bool(value)) => Some(*value),
        Some(Value::String(text)) if text == "true" || text == "false" => Some(text == "true"),
        Some(_) => return Err(BrokerError::invalid("includePendingStatus", "must be true or false")),
    };
    let branch = match either("providerVersionBranch", "provider_version_branch") {
        None => None,
        Some(Value::String(text)) if text.is_empty() => Some(String::new()),
        Some(Value::String(text)) => Some(check_name("providerVersionBranch", text)?.to_owned()),
        Some(Value::Bool(value)) => Some(value.to_string()),
        Some(_) => return Err(BrokerError::invalid("providerVersionBranch", "must be a string")),
    };
    let tags = match either("providerVersionTags", "provider_version_tags") {
        None => Vec::new(),
        Some(Value::String(tag)) => vec![tag.clone()],
        Some(Value::Array(tags)) => tags
            .iter()
            .map(|t| t.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| BrokerError::invalid("providerVersionTags", "must be a list of strings"))?,
        Some(_) => return Err(BrokerError::invalid("providerVersionTags", "must be a list of strings")),
    };
    let wip_since = match either("includeWipPactsSince", "include_wip_pacts_since") {
        None => None,
        Some(Value::String(text)) => Some(instant(text).ok_or_else(|| {
            BrokerError::invalid(
                "includeWipPactsSince",
                "must be a date such as 2026-01-31, or a date and time",
            )
        })?),
        Some(_) => return Err(BrokerError::invalid("includeWipPactsSince", "must be a date")),
    };
    if branch.as_deref() == Some("") && tags.is_empty() && (pending == Some(true) || wip_since.is_some()) {
        return Err(BrokerError::invalid(
            "providerVersionBranch",
            "can't be blank when pending or WIP pacts are asked for",
        ));
    }
    let branch = branch.filter(|b| !b.is_empty());
    let matching = selectors.iter().any(|s| s.kind == tracepact_contract_model::SelectorKind::MatchingBranch);
    if matching && branch.is_none() {
        return Err(BrokerError::invalid(
            "consumerVersionSelectors",
            "matchingBranch needs a providerVersionBranch",
        ));
    }
    // Left out it counts as asked for: what upstream does, and what its newer clients rely on.
    Ok(Wanted { selectors, pending: pending.unwrap_or(true), wip_since, branch, tags })
}

/// A date or a date and time; without an offset it is UTC.
fn instant(text: &str) -> Option<i64> {
    let text = text.trim().replace(' ', "T");
    let ns = time_format::from_rfc3339(&text)
        .or_else(|| time_format::from_rfc3339(&format!("{text}Z")))
        .or_else(|| time_format::from_rfc3339(&format!("{text}T00:00:00Z")))?;
    i64::try_from(ns).ok()
}

fn entry(ctx: &Ctx, provider: &str, one: &Selected, wanted: &Wanted) -> Value {
    let metadata =
        Metadata { version: one.version.as_ref().map(|(id, _)| *id), pending: one.pending, wip: one.wip }
            .encode();
    let content = ctx.links.content(provider, &one.consumer, &one.content_id);
    let mut properties = json!({ "notices": notices(provider, &content, one, wanted) });
    // What only a proposal stands behind never breaks a build, also of one that did not ask for pending pacts.
    if wanted.pending || one.wip || one.unbound.is_some() || one.accepted.is_some() {
        properties["pending"] = one.pending.into();
    }
    if one.wip {
        properties["wip"] = true.into();
    }
    let number = one.version.as_ref().map(|(_, number)| number.as_str());
    // Single link objects only: the Rust client takes an array in here for a failure and reports no pacts at all.
    json!({
        "shortDescription": one.short,
        "verificationProperties": properties,
        "_links": {
            "self": { "href": format!("{content}/metadata/{metadata}"), "name": name(&one.consumer, number, provider) },
        },
    })
}

fn notices(provider: &str, content: &str, one: &Selected, wanted: &Wanted) -> Vec<Value> {
    let who = match &wanted.branch {
        Some(branch) => format!("a version of {provider} from branch '{branch}'"),
        None => provider.to_owned(),
    };
    let mut out = Vec::new();
    let mut say = |when: &str, text: String| out.push(json!({ "when": when, "text": text }));
    let reasons = one.reasons.iter().map(|r| format!("\n    * {r}")).collect::<String>();
    say("before_verification", format!("The pact at {content} is verified because it is:{reasons}"));
    if let Some(accepted) = &one.accepted {
        let by = accepted.by.as_deref().map(|who| format!(" ({who})")).unwrap_or_default();
        say(
            "before_verification",
            format!(
                "{provider}{by} accepted this contract, which {} proposed on branch '{}'. A failure breaks the build.",
                one.consumer, accepted.branch
            ),
        );
    }
    if let Some(unbound) = &one.unbound {
        say("before_verification", format!("{unbound} A failure does not break the build."));
        for (published, successful) in
            [("true", "true"), ("true", "false"), ("false", "true"), ("false", "false")]
        {
            say(
                &format!("after_verification:success_{successful}_published_{published}"),
                format!("{unbound} It stays pending until {provider} accepts it."),
            );
        }
        return out;
    }
    if one.pending {
        let state = if one.wip { "work in progress" } else { "pending" };
        say(
            "before_verification",
            format!(
                "It is {state}: {who} has not published a successful result for it yet. A failure does not break the build."
            ),
        );
        say(
            "after_verification:success_true_published_false",
            format!("It stays {state} for {who}, because the successful result was not published."),
        );
        say("after_verification:success_false_published_false", format!("It stays {state} for {who}."));
        let next = if one.wip {
            format!("It stays {state} until a selector of the provider's build includes it.")
        } else {
            format!("It is no longer pending for {who}; from now on a failure breaks the build.")
        };
        say("after_verification:success_true_published_true", next);
        say(
            "after_verification:success_false_published_true",
            format!("It stays {state} for {who} until a successful result is published."),
        );
    } else if wanted.pending && one.accepted.is_none() {
        say(
            "before_verification",
            format!("{who} has verified it successfully before. A failure breaks the build."),
        );
    }
    out
}
