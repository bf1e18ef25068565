//! What each relation means: where the curies of every resource point.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::{browser, index, not_found};
use crate::{Broker, BrokerError};

const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    routes.get("/doc/{relation}", Scope::Public, get)
}

/// (relation without its prefix, methods, what it is) of those that the index does not have.
const OTHERS: &[(&str, &str, &str)] = &[
    ("consumer", "GET", "The pacticipant that consumes."),
    ("provider", "GET", "The pacticipant that provides."),
    ("consumer-version", "GET", "The consumer's version that this pact was published with."),
    ("consumer-versions", "GET", "The consumer's versions that this pact was selected for."),
    ("version", "GET, PUT, DELETE", "A version of a pacticipant; put the number in place of {version}."),
    ("versions", "GET", "The versions of a pacticipant, newest first, in pages."),
    (
        "version-tag",
        "GET, PUT, DELETE",
        "A tag of a version. PUT creates version and tag when they are missing.",
    ),
    ("tag", "GET, PUT, DELETE", "A tag of this version."),
    ("tag-version", "PUT", "Tags the consumer's version."),
    ("tag-prod-version", "PUT", "Tags the consumer's version with prod. Recording deployments says more."),
    (
        "branches",
        "GET, DELETE",
        "The branches of a pacticipant. DELETE takes exclude[]; the main branch always stays.",
    ),
    ("branch", "GET, DELETE", "A branch. Its versions stay when it is deleted."),
    ("branch-version", "GET, PUT, DELETE", "A version on a branch. PUT creates what is missing."),
    ("latest-version", "GET", "The version that came last."),
    ("label", "GET, PUT, DELETE", "A label of a pacticipant."),
    ("pacticipants-with-label", "GET", "The pacticipants that carry a label."),
    ("pact-version", "GET", "The content of the pact. Results belong to it, whichever versions carry it."),
    ("pact-versions", "GET, DELETE", "The pacts of a list."),
    ("pacts", "GET", "The pacts of a list, one link for each."),
    ("latest-pact-version", "GET", "The pact of the consumer's latest version."),
    ("latest-untagged-pact-version", "GET", "The pact of the consumer's latest version without a tag."),
    ("latest-tagged-pact-version", "GET", "The pact of the consumer's latest version with a tag."),
    ("all-pact-versions", "GET, DELETE", "The pacts of the pair, newest first."),
    ("previous-distinct", "GET", "The newest earlier pact of the pair with another content."),
    (
        "diff-previous-distinct",
        "GET",
        "How this pact differs from the newest earlier one with another content, as text.",
    ),
    ("diff", "GET", "How this content differs from another, as text."),
    (
        "publish-verification-results",
        "POST",
        "Publishes a result: success, providerApplicationVersion, and optionally buildUrl, testResults, verifiedBy.",
    ),
    ("latest-verification-results", "GET", "The result that came last for this content."),
    (
        "latest-verification-results-where-pacticipant-is-consumer",
        "GET",
        "The results that came last for the pacts of this version.",
    ),
    ("triggered-webhooks", "GET", "The webhooks that fired because of this."),
    ("pact-webhooks", "GET, POST", "The webhooks of the pair."),
    ("consumer-webhooks", "GET, POST", "The webhooks of the consumer."),
    ("create", "POST", "Makes a webhook."),
    ("execute", "POST", "Runs the webhook once, whether or not it is enabled, and says what came back."),
    ("logs", "GET", "What was sent and answered, attempt by attempt."),
    ("webhook-status", "GET", "How the webhooks of the pair went."),
    ("matrix-for-consumer-version", "GET", "The matrix of the consumer's version."),
    ("matrix", "GET", "The matrix of the pair."),
    ("dashboard", "GET", "The latest pact of the pair and how it stands."),
    ("group", "GET", "Everyone connected with the pacticipant, as CSV."),
    ("delete_integration", "DELETE", "Forgets every pact and result of the pair."),
    ("deployed-environments", "GET", "Where the version is deployed."),
    ("released-environments", "GET", "Where the version is released and supported."),
    (
        "record-deployment",
        "POST",
        "Records that the version runs in the environment whose name the link has. applicationInstance tells instances apart; what ran there under the same one is replaced.",
    ),
    (
        "record-release",
        "POST",
        "Records that the version was released to the environment; earlier releases stay supported.",
    ),
    ("currently-deployed-deployed-versions", "GET", "What runs in the environment."),
    ("currently-supported-released-versions", "GET", "What is released and supported in the environment."),
    (
        "can-i-deploy-badge",
        "GET",
        "A picture that says whether the latest version with a tag can be deployed.",
    ),
    (
        "can-i-deploy-branch-to-environment-badge",
        "GET",
        "A picture that says whether the latest version of a branch can be deployed.",
    ),
    ("pacticipant-version-tags", "GET", "The tags that were published."),
    ("contracts", "GET", "The contracts that were published."),
];

async fn get(Path(relation): Path<String>) -> Result<Response, BrokerError> {
    let name = relation.split_once(':').map_or(relation.as_str(), |(_, name)| name);
    let listed = index::RELATIONS.iter().find(|(known, ..)| known.trim_start_matches("pb:") == name);
    let other = OTHERS.iter().find(|(known, ..)| *known == name);
    let (methods, what, template) = match (listed, other) {
        (Some((_, template, title)), _) => (None, *title, Some(*template)),
        (None, Some((_, methods, what))) => (Some(*methods), *what, None),
        (None, None) => return Err(not_found()),
    };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>pb:{name}</title></head><body>\n<h1>pb:{name}</h1>\n<p>{what}</p>\n"
    );
    if let Some(methods) = methods {
        page.push_str(&format!("<p>Methods: <code>{methods}</code></p>\n"));
    }
    if let Some(template) = template {
        page.push_str(&format!("<p>Address: <code>{}</code></p>\n", template.replace('&', "&amp;")));
    }
    page.push_str("</body></html>\n");
    let response =
        (StatusCode::OK, [(header::CONTENT_TYPE, "text/html;charset=utf-8")], page).into_response();
    Ok(browser::with_policy(response, POLICY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_safe_in_html_and_names_are_unique() {
        for (index, (name, methods, what)) in OTHERS.iter().enumerate() {
            assert!(!format!("{name}{methods}{what}").contains(['<', '>', '&', '"']), "{name}");
            assert!(OTHERS[..index].iter().all(|(other, ..)| other != name), "{name} stands twice");
        }
        assert!(index::RELATIONS.iter().all(|(.., title)| !title.contains(['<', '>', '&'])));
    }
}
