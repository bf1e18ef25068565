//! What the broker tells a provider's build about the contracts it verifies. The Pact project's verifier prints all of it, and
//! keeps of it what belongs to the last contract only.

use serde_json::{Value, json};

use crate::broker_client::encode;
use crate::{BrokerClient, ProviderCheck};

/// The notices for before the verification, each once, in the order of the contracts. Without an answer there are none: they
/// say why something is verified, and the verification itself asks again.
pub(crate) async fn before_verification(
    check: &ProviderCheck,
    selectors: &Value,
    broker: &BrokerClient,
) -> Vec<String> {
    let mut question = json!({ "includePendingStatus": true, "consumerVersionSelectors": selectors });
    if let Some(branch) = &check.branch {
        question["providerVersionBranch"] = branch.as_str().into();
    }
    if let Some(since) = &check.wip_since {
        question["includeWipPactsSince"] = since.as_str().into();
    }
    let path = format!("/pacts/provider/{}/for-verification", encode(&check.provider));
    match broker.post(&path, &question, "the contracts to verify").await {
        Ok(answer) => of_answer(&answer),
        Err(error) => {
            tracing::debug!(%error, "no notices");
            Vec::new()
        }
    }
}

fn of_answer(answer: &Value) -> Vec<String> {
    let list = |value: &Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let mut told: Vec<String> = Vec::new();
    for pact in list(answer, "/_embedded/pacts") {
        for notice in list(&pact, "/verificationProperties/notices") {
            let text = notice["text"].as_str().filter(|_| notice["when"] == "before_verification");
            if let Some(text) = text.filter(|text| told.iter().all(|known| known != text)) {
                told.push(text.to_owned());
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_contract_is_heard_and_nothing_twice() {
        let pact = |text: &str| {
            json!({ "verificationProperties": { "notices": [
                { "when": "before_verification", "text": text },
                { "when": "after_verification:success_true_published_true", "text": "later" },
            ] } })
        };
        let answer = json!({ "_embedded": { "pacts": [pact("one"), pact("two"), pact("one")] } });
        assert_eq!(of_answer(&answer), ["one", "two"]);
        assert!(of_answer(&json!({ "error": "no" })).is_empty());
    }
}
