//! Fuzz targets: plain functions over bytes, run over a committed corpus and mutations of it.

use serde_json::Value;

use crate::auth::secrets::lookup_of;
use crate::webhooks::WebhookPolicy;
use crate::webhooks::definition::{Definition, Target, is_secret_header};
use crate::webhooks::template::{self, Variables};

/// A webhook as it is sent: never panics; what is taken shows no secret and keeps its host whatever the variables say.
pub fn fuzz_webhook(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = lookup_of(text);
    let Ok(body) = serde_json::from_str::<Value>(text) else { return };
    let policy = WebhookPolicy::default();
    let Ok(definition) = Definition::read(&body, &policy, None) else { return };
    let (_, shown) = definition.target.shown();
    let shown = shown.to_string();
    // Secrets of the corpus carry this mark.
    for secret in definition.target.secrets().iter().filter(|secret| secret.starts_with("s3cret-")) {
        // The same text may also stand where nothing is hidden: a mutation moves it there, or changes a header's name.
        let visible = match &definition.target {
            Target::Request(request) => {
                let plain: Vec<_> =
                    request.headers.iter().filter(|(name, _)| !is_secret_header(name)).collect();
                format!("{}{:?}{:?}{plain:?}", request.url, request.body, request.username)
                    .contains(secret.as_str())
            }
            Target::GitHub(_) => false,
        };
        assert!(visible || !shown.contains(secret.as_str()), "a secret is shown: {shown}");
    }
    if let Target::Request(request) = &definition.target {
        let hostile = "@evil.example/?#\r\n".to_owned();
        let variables: Variables =
            [("consumerName".to_owned(), hostile.clone()), ("pactUrl".to_owned(), hostile)].into();
        let plain = url::Url::parse(&template::without_variables(&request.url));
        let filled = url::Url::parse(&template::address(&request.url, &variables));
        if let (Ok(plain), Ok(filled)) = (plain, filled) {
            assert_eq!(plain.host_str(), filled.host_str(), "a variable changed the host of {}", request.url);
        }
    }
}
