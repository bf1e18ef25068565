//! The stub over HTTP.

use std::net::SocketAddr;

use serde_json::Value;
use tracepact_contract_model::ContractFile;
use tracepact_verify::provider::verify;
use tracepact_verify::stub::{ContractState, Contracts, Faults, Stub, StubOptions};
use tracepact_verify::{Error, ProviderCheck};

use super::support::{TestBroker, contract, crypto, products, serve};

pub(crate) fn options() -> StubOptions {
    StubOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        faults: Faults::new(0, 0, 0.0, "503", 1).unwrap(),
        kafka: None,
    }
}

/// Runs a stub until the test ends; its address.
async fn start(contracts: Contracts, options: StubOptions) -> String {
    crypto();
    let stub = Stub::open(contracts, options).await.unwrap();
    let url = format!("http://{}", stub.address());
    assert!(stub.start_line().contains(&url), "{}", stub.start_line());
    tokio::spawn(stub.run(std::future::pending()));
    url
}

async fn drafts(more: &str) -> Contracts {
    let mut contracts = Contracts::default();
    contracts.add_file(contract(more), None).await.unwrap();
    contracts
}

#[tokio::test]
async fn it_answers_what_the_contract_says_and_how_far_it_is() {
    let url = start(drafts("").await, options()).await;
    let answer = reqwest::get(format!("{url}/items/1")).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["tracepact-contract-state"], "draft");
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        serde_json::json!({"id": 1, "name": "tea", "price": 9.5})
    );
    // Nothing the contract says: what came closest, and why it was not meant.
    let answer = reqwest::Client::new().post(format!("{url}/items/1")).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["tracepact-contract-state"].to_str().unwrap()),
        (404, "draft")
    );
    let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(problem["closest"]["interaction"], "an item is read");
    assert!(problem["closest"]["mismatches"][0].as_str().unwrap().contains("POST"), "{problem}");
}

#[tokio::test]
async fn provider_states_are_chosen_by_header() {
    let gone = "  - description: a missing item is read\n    states: [item 1 is gone]\n    \
                request: {method: GET, path: /items/1}\n    response: {status: 404}\n";
    let url = start(drafts(gone).await, options()).await;
    let status = async |state: Option<&str>| {
        let mut request = reqwest::Client::new().get(format!("{url}/items/1"));
        if let Some(state) = state {
            request = request.header("Tracepact-Provider-State", state);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(None).await, 200);
    assert_eq!(status(Some("item 1 exists")).await, 200);
    assert_eq!(status(Some("item 1 is gone")).await, 404);
    assert_eq!(status(Some("nobody has this")).await, 404);
}

#[tokio::test]
async fn faults_come_by_option_and_by_header() {
    let url = start(
        drafts("").await,
        StubOptions { faults: Faults::new(0, 0, 1.0, "429", 1).unwrap(), ..options() },
    )
    .await;
    let ask = |fault: Option<&'static str>| {
        let mut request = reqwest::Client::new().get(format!("{url}/items/1"));
        if let Some(fault) = fault {
            request = request.header("Tracepact-Stub-Fault", fault);
        }
        request.send()
    };
    let answer = ask(None).await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["tracepact-contract-state"], "draft");
    assert_eq!(ask(Some("500")).await.unwrap().status(), 500);
    assert_eq!(ask(Some("nonsense")).await.unwrap().status(), 400);
    // The connection breaks off, before or after the head arrived.
    let broken = match ask(Some("reset")).await {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(broken);
}

#[tokio::test]
async fn a_proposal_can_be_stubbed_at_once_and_is_verified_only_when_it_was() {
    let broker = TestBroker::start().await;
    let id = broker.propose(&contract("")).await;
    let of_proposal = async || {
        let mut contracts = Contracts::default();
        contracts.add_proposal(&id, &broker.client).await.unwrap();
        contracts
    };
    let contracts = of_proposal().await;
    assert_eq!(contracts.weakest(), ContractState::Proposed);
    let refused = contracts.require_verified().unwrap_err();
    assert!(matches!(refused, Error::NotVerified(_)) && refused.exit_code() == 1, "{refused}");
    broker.client.answer(&id, tracepact_verify::proposals::Step::Accept, Some("ada"), None).await.unwrap();
    assert_eq!(of_proposal().await.weakest(), ContractState::Accepted);
    // The provider is seen to keep it.
    let check = ProviderCheck {
        provider: "products".into(),
        provider_url: serve(products(serde_json::json!({"id": 2, "name": "coffee", "price": 1}))).await,
        version: "p1".into(),
        branch: Some("main".into()),
        wip_since: None,
        publish: true,
        message_path: None,
        state_change_url: None,
        config: None,
        build_url: Some("https://ci.example.org/1".into()),
        request_timeout_ms: 30_000,
    };
    let outcome = verify(&check, &broker.client).await.unwrap();
    assert!(outcome.ok && outcome.published, "{outcome:?}");
    let contracts = of_proposal().await;
    contracts.require_verified().unwrap();
    assert!(contracts.describe().contains("orders → products (verified)"), "{}", contracts.describe());
    let url = start(contracts, options()).await;
    let answer = reqwest::get(format!("{url}/items/1")).await.unwrap();
    assert_eq!(answer.headers()["tracepact-contract-state"], "verified");
    // A file of the same content is the same contract.
    let mut file = Contracts::default();
    file.add_file(contract(""), Some(&broker.client)).await.unwrap();
    assert_eq!(file.weakest(), ContractState::Verified);
    let mut other = Contracts::default();
    let changed = contract("").to_yaml().replace("tea", "milk");
    other.add_file(ContractFile::from_yaml(&changed).unwrap(), Some(&broker.client)).await.unwrap();
    assert_eq!(other.weakest(), ContractState::Draft);
    // What came to nothing is not stubbed.
    let rejected = broker.propose(&ContractFile::from_yaml(&changed).unwrap()).await;
    broker
        .client
        .answer(&rejected, tracepact_verify::proposals::Step::Reject, None, Some("no"))
        .await
        .unwrap();
    assert_eq!(
        Contracts::default().add_proposal(&rejected, &broker.client).await.unwrap_err().exit_code(),
        2
    );
}
