//! The index: every relation a client may look for, as one table.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::Ctx;

/// (relation, template, title). A template with a brace is marked as one.
pub(super) const RELATIONS: &[(&str, &str, &str)] = &[
    (
        "pb:publish-pact",
        "/pacts/provider/{provider}/consumer/{consumer}/version/{consumerApplicationVersion}",
        "Publish a pact",
    ),
    ("pb:publish-contracts", "/contracts/publish", "Publish contracts"),
    ("pb:latest-pact-versions", "/pacts/latest", "Latest pact versions"),
    (
        "pb:tagged-pact-versions",
        "/pacts/provider/{provider}/consumer/{consumer}/tag/{tag}",
        "Versions of a pact whose consumer version has a tag",
    ),
    (
        "pb:branch-pact-versions",
        "/pacts/provider/{provider}/consumer/{consumer}/branch/{branch}",
        "Versions of a pact on a consumer branch",
    ),
    (
        "pb:latest-branch-pact-versions",
        "/pacts/provider/{provider}/consumer/{consumer}/branch/{branch}/latest/versions",
        "The latest version of a pact on a consumer branch",
    ),
    (
        "pb:main-branch-pact-versions",
        "/pacts/provider/{provider}/consumer/{consumer}/branch/versions",
        "Versions of a pact on the consumer's main branch",
    ),
    (
        "pb:latest-main-branch-pact-versions",
        "/pacts/provider/{provider}/consumer/{consumer}/branch/latest/versions",
        "The latest version of a pact on the consumer's main branch",
    ),
    (
        "pb:provider-pacts-with-main-branch",
        "/pacts/provider/{provider}/branch",
        "Pacts of a provider on its consumers' main branches",
    ),
    (
        "pb:provider-pacts-with-branch",
        "/pacts/provider/{provider}/branch/{branch}",
        "Pacts of a provider on a consumer branch",
    ),
    (
        "pb:latest-provider-pacts-with-main-branch",
        "/pacts/provider/{provider}/branch/latest",
        "Latest pacts of a provider on its consumers' main branches",
    ),
    (
        "pb:latest-provider-pacts-with-branch",
        "/pacts/provider/{provider}/branch/{branch}/latest",
        "Latest pacts of a provider on a consumer branch",
    ),
    ("pb:pacticipants", "/pacticipants", "Pacticipants"),
    ("pb:pacticipant", "/pacticipants/{pacticipant}", "A pacticipant by name"),
    ("pb:latest-provider-pacts", "/pacts/provider/{provider}/latest", "Latest pacts of a provider"),
    (
        "pb:latest-provider-pacts-with-tag",
        "/pacts/provider/{provider}/latest/{tag}",
        "Latest pacts of a provider with a tag",
    ),
    ("pb:provider-pacts-with-tag", "/pacts/provider/{provider}/tag/{tag}", "Pacts of a provider with a tag"),
    ("pb:provider-pacts", "/pacts/provider/{provider}", "All pacts of a provider"),
    (
        "pb:latest-version",
        "/pacticipants/{pacticipant}/latest-version",
        "The latest version of a pacticipant",
    ),
    (
        "pb:latest-tagged-version",
        "/pacticipants/{pacticipant}/latest-version/{tag}",
        "The latest version of a pacticipant with a tag",
    ),
    (
        "pb:pacticipant-version-tag",
        "/pacticipants/{pacticipant}/versions/{version}/tags/{tag}",
        "A tag of a version",
    ),
    ("pb:pacticipant-branch", "/pacticipants/{pacticipant}/branches/{branch}", "A branch of a pacticipant"),
    (
        "pb:pacticipant-branch-version",
        "/pacticipants/{pacticipant}/branches/{branch}/versions/{version}",
        "A version on a branch",
    ),
    (
        "pb:pacticipant-version",
        "/pacticipants/{pacticipant}/versions/{version}",
        "A version of a pacticipant",
    ),
    (
        "pb:can-i-deploy-pacticipant-version-to-tag",
        "/can-i-deploy?pacticipant={pacticipant}&version={version}&to={tag}",
        "Whether a version can be deployed beside what has a tag",
    ),
    (
        "pb:can-i-deploy-pacticipant-version-to-environment",
        "/can-i-deploy?pacticipant={pacticipant}&version={version}&environment={environment}",
        "Whether a version can be deployed to an environment",
    ),
    (
        "pb:provider-pacts-for-verification",
        "/pacts/provider/{provider}/for-verification",
        "What a provider's build is to verify",
    ),
    ("pb:integrations", "/integrations", "Integrations"),
    ("pb:metrics", "/metrics", "How much the broker holds"),
    ("pb:webhooks", "/webhooks", "Webhooks"),
    ("pb:webhook", "/webhooks/{uuid}", "A webhook"),
    ("pb:environments", "/environments", "Environments"),
    ("pb:environment", "/environments/{uuid}", "An environment"),
];

pub(super) async fn get(ctx: Ctx) -> Response {
    let base = ctx.links.base();
    let mut links = Map::new();
    links.insert("self".into(), json!({ "href": base, "title": "Index", "templated": false }));
    for (relation, template, title) in RELATIONS {
        let mut link = json!({ "href": format!("{base}{template}"), "title": title });
        // The original leaves the flag out here, and to some clients its presence means something.
        if *relation != "pb:metrics" {
            link["templated"] = template.contains('{').into();
        }
        links.insert((*relation).into(), link);
    }
    links.insert(
        "beta:provider-pacts-for-verification".into(),
        json!({
            "name": "beta",
            "href": format!("{base}/pacts/provider/{{provider}}/for-verification"),
            "title": "The old name of pb:provider-pacts-for-verification",
            "templated": true,
        }),
    );
    let curie = |name: &str| json!({ "name": name, "href": format!("{base}/doc/{{rel}}?context=index"), "templated": true });
    links.insert("curies".into(), Value::Array(vec![curie("pb"), curie("beta")]));
    ctx.ok(&json!({ "_links": links }))
}
