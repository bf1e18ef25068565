//! HTTP providers: a difference that can be read, results where the gate finds them, the broker's state table.

use serde_json::{Value, json};
use tracepact_verify::ProviderCheck;
use tracepact_verify::proposals::Step;
use tracepact_verify::provider::{verify, verify_contracts};

use super::support::{TestBroker, contract, products, serve};

async fn check(body: Value, version: &str) -> ProviderCheck {
    ProviderCheck {
        provider: "products".into(),
        provider_url: serve(products(body)).await,
        version: version.into(),
        branch: Some("main".into()),
        wip_since: None,
        publish: true,
        message_path: None,
        state_change_url: None,
        config: None,
        build_url: Some("https://ci.example.org/7".into()),
        request_timeout_ms: 30_000,
    }
}

#[tokio::test]
async fn an_accepted_contract_breaks_the_build_and_shows_what_differs() {
    let broker = TestBroker::start().await;
    let id = broker.propose(&contract("")).await;
    // Another consumer's, accepted before: what is told of the one is not lost by the other.
    let text = contract("").to_yaml().replace("consumer: orders", "consumer: tills");
    let other = tracepact_contract_model::ContractFile::from_yaml(&text).unwrap();
    let others = broker.propose(&other).await;
    let bad = json!({"id": "one", "name": "tea", "price": 1});
    // Proposed: nobody's build breaks, and nobody is asked.
    let outcome = verify(&check(bad.clone(), "p1").await, &broker.client).await.unwrap();
    assert!(outcome.ok && outcome.interactions.is_empty(), "{outcome:?}");
    broker.client.answer(&id, Step::Accept, Some("ada"), None).await.unwrap();
    broker.client.answer(&others, Step::Accept, Some("grace"), None).await.unwrap();
    let outcome = verify(&check(bad, "p1").await, &broker.client).await.unwrap();
    assert!(!outcome.ok && outcome.published, "{outcome:?}");
    for who in ["ada", "grace"] {
        assert!(outcome.notices.iter().any(|n| n.contains(who)), "{:?}", outcome.notices);
    }
    let difference = &outcome.interactions[0].differences[0];
    assert_eq!(difference.place, "body $.id");
    assert!(difference.text().contains("+ \"one\""), "{}", difference.text());
    assert_eq!(broker.client.proposal(&id).await.unwrap()["state"], "accepted");
    let outcome = verify(&check(json!({"id": 5, "name": "x", "price": 2.5}), "p2").await, &broker.client)
        .await
        .unwrap();
    assert!(outcome.ok, "{outcome:?}");
    assert_eq!(broker.client.proposal(&id).await.unwrap()["state"], "enforced");
    assert_eq!(broker.client.is_verified(&contract("").pact).await.unwrap(), Some(true));
}

#[tokio::test]
async fn a_contract_is_tried_at_an_address_before_anybody_is_asked() {
    super::support::crypto();
    let pact = [contract("").pact];
    let kept = check(json!({"id": 5, "name": "x", "price": 2.5}), "any").await;
    assert!(verify_contracts(&kept, &pact).await.unwrap().ok);
    let broken = check(json!({"id": 5}), "any").await;
    let outcome = verify_contracts(&broken, &pact).await.unwrap();
    assert!(!outcome.ok && !outcome.published, "{outcome:?}");
}

#[tokio::test]
async fn a_repository_is_reported_and_its_files_are_what_is_accepted() {
    let broker = TestBroker::start().await;
    let id = broker.propose(&contract("")).await;
    let file = contract("");
    let refused = broker.client.sync("products", [&file], None, None).await.unwrap_err();
    assert_eq!(refused.exit_code(), 1, "{refused}");
    broker.client.set_acceptance("products", "repository", Some("catalogue")).await.unwrap();
    let answer = broker.client.sync("products", [&file], Some("abc"), Some("ci")).await.unwrap();
    assert_eq!(answer["accepted"][0]["id"], id.as_str());
    // The YAML file and the pact it was proposed as are one content.
    let again = tracepact_contract_model::ContractFile::from_yaml(&file.to_yaml()).unwrap();
    assert_eq!(broker.client.proposed_pact(&id).await.unwrap().1.content_id, file.pact.content_id);
    assert_eq!(
        broker.client.sync("products", [&again], None, None).await.unwrap()["unchanged"][0]["id"],
        id.as_str()
    );
    let gone = broker.client.sync("products", [], None, None).await.unwrap();
    assert_eq!(gone["retired"][0]["id"], id.as_str());
}
