//! How each state of a proposal shows to clients that only know the Pact Broker's protocol: one test for each row of
//! the table in `selection/agreements.rs`, through for-verification.

use serde_json::{Value, json};

use super::support::{Bench, pact, path_of, result};

const CONTENT_PATH: &str = "/items/1";

/// A provider `products` with a version on its main branch, and nothing else.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench.put("/pacticipants/products/branches/main/versions/p0", &json!({})).await.is(201);
    bench
}

fn content(body: &str) -> String {
    pact("orders", "products", CONTENT_PATH, body)
}

/// Registers a proposal on branch `feat`; its id.
async fn propose(bench: &Bench, body: &str, draft: bool) -> String {
    let new = json!({
        "consumer": "orders", "provider": "products", "consumer_branch": "feat", "draft": draft,
        "content": serde_json::from_str::<Value>(&content(body)).unwrap(), "author": "grace",
    });
    bench.post("/tracepact/v1/proposals", &new).await.is(201)["id"].as_str().unwrap().to_owned()
}

async fn answer(bench: &Bench, id: &str, what: &str) -> Value {
    bench
        .post(&format!("/tracepact/v1/proposals/{id}/{what}"), &json!({"who": "ada", "reason": "because"}))
        .await
        .is(200)
}

async fn state(bench: &Bench, id: &str) -> String {
    bench.get(&format!("/tracepact/v1/proposals/{id}")).await.is(200)["state"].as_str().unwrap().to_owned()
}

/// What a build of `branch` is told to verify.
async fn asked(bench: &Bench, branch: &str, selectors: Value, wip: bool) -> Vec<Value> {
    let mut question = json!({
        "providerVersionBranch": branch, "includePendingStatus": true, "consumerVersionSelectors": selectors,
    });
    if wip {
        question["includeWipPactsSince"] = "2020-01-01".into();
    }
    let list = bench.post("/pacts/provider/products/for-verification", &question).await.is(200);
    list["_embedded"]["pacts"].as_array().unwrap().clone()
}

fn main_branch() -> Value {
    json!([{ "mainBranch": true }, { "deployedOrReleased": true }])
}

fn feature() -> Value {
    json!([{ "branch": "feat" }])
}

fn pending(entry: &Value) -> bool {
    entry["verificationProperties"]["pending"].as_bool().unwrap()
}

fn notices(entry: &Value) -> String {
    entry["verificationProperties"]["notices"].to_string()
}

/// Publishes a result for an entry, as a build of `version` on main.
async fn publish_result(bench: &Bench, entry: &Value, version: &str, success: bool) {
    bench.put(&format!("/pacticipants/products/branches/main/versions/{version}"), &json!({})).await;
    let content = bench.get(path_of(&entry["_links"]["self"]["href"])).await.is(200);
    let results = path_of(&content["_links"]["pb:publish-verification-results"]["href"]).to_owned();
    bench.post(&results, &result(version, success, &content)).await.is(201);
}

#[tokio::test]
async fn no_proposal_is_as_in_pact() {
    let bench = bench().await;
    bench.publish(&content("1"), "c1", "main").await.is(200);
    let entries = asked(&bench, "main", main_branch(), false).await;
    assert!(pending(&entries[0]), "never verified");
    publish_result(&bench, &entries[0], "p1", true).await;
    let entries = asked(&bench, "main", main_branch(), false).await;
    assert!(!pending(&entries[0]), "verified once, so a failure breaks the build");
    assert!(!notices(&entries[0]).contains("propos"));
}

#[tokio::test]
async fn a_draft_is_there_only_when_selected_and_never_breaks() {
    let bench = bench().await;
    let id = propose(&bench, "1", true).await;
    bench.publish(&content("1"), "c1", "feat").await.is(200);
    assert!(asked(&bench, "main", main_branch(), true).await.is_empty(), "not even as work in progress");
    let entries = asked(&bench, "main", feature(), false).await;
    assert!(pending(&entries[0]));
    assert!(notices(&entries[0]).contains("drafts this contract"), "{}", notices(&entries[0]));
    publish_result(&bench, &entries[0], "p1", true).await;
    assert!(pending(&asked(&bench, "main", feature(), false).await[0]), "a success changes nothing");
    assert_eq!(state(&bench, &id).await, "draft");
    answer(&bench, &id, "ready").await;
    assert_eq!(state(&bench, &id).await, "proposed");
}

#[tokio::test]
async fn a_draft_that_was_never_published_can_be_selected_by_its_branch() {
    let bench = bench().await;
    propose(&bench, "1", true).await;
    assert!(asked(&bench, "main", main_branch(), true).await.is_empty());
    assert_eq!(asked(&bench, "main", feature(), false).await.len(), 1);
    assert_eq!(asked(&bench, "feat", json!([{ "matchingBranch": true }]), false).await.len(), 1);
}

#[tokio::test]
async fn a_proposal_is_pending_and_work_in_progress_whatever_succeeds() {
    let bench = bench().await;
    let id = propose(&bench, "1", false).await;
    assert!(
        asked(&bench, "main", main_branch(), false).await.is_empty(),
        "nobody asked for work in progress"
    );
    let entries = asked(&bench, "main", main_branch(), true).await;
    assert_eq!(entries[0]["verificationProperties"]["wip"], true);
    assert!(pending(&entries[0]));
    publish_result(&bench, &entries[0], "p1", true).await;
    assert_eq!(state(&bench, &id).await, "proposed", "a success never accepts");
    bench.publish(&content("1"), "c1", "feat").await.is(200);
    let entries = asked(&bench, "main", feature(), false).await;
    assert!(pending(&entries[0]));
    publish_result(&bench, &entries[0], "p2", false).await;
    assert!(pending(&asked(&bench, "main", feature(), false).await[0]));
    // A client that never heard of pending pacts is told all the same.
    let question = json!({ "consumerVersionSelectors": feature(), "includePendingStatus": false });
    let list = bench.post("/pacts/provider/products/for-verification", &question).await.is(200);
    assert!(pending(&list["_embedded"]["pacts"][0]));
}

#[tokio::test]
async fn an_accepted_contract_is_added_for_the_main_branch_and_breaks_it() {
    let bench = bench().await;
    let id = propose(&bench, "1", false).await;
    answer(&bench, &id, "accept").await;
    let entries = asked(&bench, "main", main_branch(), false).await;
    assert_eq!(entries.len(), 1);
    assert!(!pending(&entries[0]));
    assert!(
        notices(&entries[0]).contains("products (ada) accepted this contract"),
        "{}",
        notices(&entries[0])
    );
    assert!(asked(&bench, "another", main_branch(), false).await.is_empty(), "only the main branch owes it");
    bench.publish(&content("1"), "c1", "feat").await.is(200);
    assert!(!pending(&asked(&bench, "another", feature(), false).await[0]), "selected, it binds there too");
}

#[tokio::test]
async fn it_is_enforced_from_the_first_success_on_the_main_branch() {
    let bench = bench().await;
    let id = propose(&bench, "1", false).await;
    answer(&bench, &id, "accept").await;
    let entries = asked(&bench, "main", main_branch(), false).await;
    // On another branch it is not there yet.
    bench.put("/pacticipants/products/branches/side/versions/s1", &json!({})).await.is(201);
    let content = bench.get(path_of(&entries[0]["_links"]["self"]["href"])).await.is(200);
    let results = path_of(&content["_links"]["pb:publish-verification-results"]["href"]).to_owned();
    bench.post(&results, &result("s1", true, &content)).await.is(201);
    assert_eq!(state(&bench, &id).await, "accepted");
    publish_result(&bench, &entries[0], "p1", true).await;
    assert_eq!(state(&bench, &id).await, "enforced");
    let entries = asked(&bench, "main", main_branch(), false).await;
    assert!(!pending(&entries[0]));
    assert!(notices(&entries[0]).contains("ada"));
}

#[tokio::test]
async fn what_was_rejected_withdrawn_or_superseded_is_no_work_in_progress_and_never_breaks() {
    for end in ["rejected", "withdrawn", "superseded"] {
        let bench = bench().await;
        let id = propose(&bench, "1", false).await;
        bench.publish(&content("1"), "c1", "feat").await.is(200);
        // Verified before it ended: by Pact's rules alone it would break the build from here on.
        publish_result(&bench, &asked(&bench, "main", feature(), false).await[0], "p1", true).await;
        match end {
            "rejected" => drop(answer(&bench, &id, "reject").await),
            "withdrawn" => drop(answer(&bench, &id, "withdraw").await),
            _ => drop(propose(&bench, "2", false).await),
        }
        assert_eq!(state(&bench, &id).await, end);
        let wip = asked(&bench, "new-branch", main_branch(), true).await;
        let own =
            |entries: &[Value]| entries.iter().filter(|e| !notices(e).contains("work in progress")).count();
        assert_eq!(wip.len(), usize::from(end == "superseded"), "{end}: only what superseded it");
        assert_eq!(own(&wip), 0);
        let entries = asked(&bench, "main", json!([{ "consumer": "orders", "latest": true }]), false).await;
        assert!(pending(&entries[0]), "{end}");
        assert!(notices(&entries[0]).contains(end), "{end}: {}", notices(&entries[0]));
    }
}

#[tokio::test]
async fn a_retired_contract_is_as_without_a_proposal() {
    let bench = bench().await;
    let mode = json!({ "mode": "repository" });
    bench.put("/tracepact/v1/providers/products/acceptance", &mode).await.is(200);
    let id = propose(&bench, "1", false).await;
    let file = json!({ "contracts": [{ "content": serde_json::from_str::<Value>(&content("1")).unwrap() }] });
    bench.post("/tracepact/v1/providers/products/sync", &file).await.is(200);
    assert_eq!(state(&bench, &id).await, "accepted");
    bench.post("/tracepact/v1/providers/products/sync", &json!({ "contracts": [] })).await.is(200);
    assert_eq!(state(&bench, &id).await, "retired");
    assert!(asked(&bench, "main", main_branch(), false).await.is_empty());
    bench.publish(&content("1"), "c1", "feat").await.is(200);
    let entries = asked(&bench, "main", feature(), false).await;
    assert!(pending(&entries[0]), "never verified");
    publish_result(&bench, &entries[0], "p1", true).await;
    assert!(!pending(&asked(&bench, "main", feature(), false).await[0]), "as in Pact");
}

#[tokio::test]
async fn the_main_branch_is_ruled_by_pact_alone_whatever_is_proposed_elsewhere() {
    let bench = bench().await;
    let id = propose(&bench, "1", false).await;
    bench.publish(&content("1"), "c1", "main").await.is(200);
    let entries = asked(&bench, "main", main_branch(), false).await;
    publish_result(&bench, &entries[0], "p1", true).await;
    assert!(!pending(&asked(&bench, "main", main_branch(), false).await[0]));
    answer(&bench, &id, "reject").await;
    assert!(!pending(&asked(&bench, "main", main_branch(), false).await[0]));
}
