//! The line of a proposal: what supersedes, restores, withdraws and retires; where a provider accepts; what is told.

use serde_json::{Value, json};
use tracepact_base::Event;

use super::support::{Bench, pact};

fn content(body: &str) -> Value {
    serde_json::from_str(&pact("orders", "products", "/items/1", body)).unwrap()
}

async fn propose(bench: &Bench, body: &str) -> Value {
    let new = json!({
        "consumer": "orders", "provider": "products", "consumer_branch": "feat", "content": content(body),
        "author": "grace", "pull_request_url": "https://git.example.org/products/pull/7",
    });
    bench.post("/tracepact/v1/proposals", &new).await.is(201)
}

async fn get(bench: &Bench, proposal: &Value) -> Value {
    bench.get(&format!("/tracepact/v1/proposals/{}", proposal["id"].as_str().unwrap())).await.is(200)
}

async fn act(bench: &Bench, proposal: &Value, what: &str, body: Value) -> super::support::Answer {
    bench.post(&format!("/tracepact/v1/proposals/{}/{what}", proposal["id"].as_str().unwrap()), &body).await
}

#[tokio::test]
async fn new_content_supersedes_and_its_rejection_restores() {
    let bench = Bench::new().await;
    let first = propose(&bench, r#"{"id":1}"#).await;
    act(&bench, &first, "accept", json!({"who": "ada"})).await.is(200);
    let second = propose(&bench, r#"{"id":1,"price":2}"#).await;
    assert_eq!(get(&bench, &first).await["state"], "superseded");
    assert_eq!((&second["state"], &second["breaking"]), (&json!("proposed"), &json!(true)));
    assert!(second["difference"].as_str().unwrap().contains("$.response.body.price"));
    assert!(second["changes"].as_str().unwrap().contains("response.body.price: it is expected now"));
    assert_eq!(second["line"][0]["id"], first["id"]);
    act(&bench, &first, "accept", json!({})).await.is(409);
    act(&bench, &second, "reject", json!({"reason": "too dear"})).await.is(200);
    assert_eq!(get(&bench, &first).await["state"], "accepted", "nothing took its place");
    // Asking for less than was accepted is no demand.
    let third = propose(&bench, "{}").await;
    assert_eq!(
        (&third["breaking"], &get(&bench, &first).await["state"]),
        (&json!(false), &json!("superseded"))
    );
    act(&bench, &third, "accept", json!({})).await.is(200);
    assert_eq!(get(&bench, &first).await["state"], "superseded");
    let refused = act(&bench, &second, "accept", json!({})).await;
    assert!(refused.text.contains("newer content"), "{}", refused.text);
    refused.is(409);
}

#[tokio::test]
async fn publishing_other_content_on_the_branch_needs_a_new_acceptance() {
    let bench = Bench::new().await;
    let first = propose(&bench, "1").await;
    act(&bench, &first, "accept", json!({"who": "ada"})).await.is(200);
    let pact_of = |body: &str| pact("orders", "products", "/items/1", body);
    bench.publish(&pact_of("1"), "c1", "feat").await.is(200);
    assert_eq!(get(&bench, &first).await["state"], "accepted");
    bench.publish(&pact_of("2"), "c2", "feat").await.is(200);
    assert_eq!(get(&bench, &first).await["state"], "superseded");
    let list = bench.get("/tracepact/v1/proposals?state=proposed").await.is(200);
    let second = get(&bench, &list["proposals"][0]).await;
    assert_eq!(second["pull_request_url"], first["pull_request_url"]);
    assert!(second["history"][0]["reason"].as_str().unwrap().contains("orders c2 published other content"));
    // Old clients: first the pact, then the branch.
    let parsed: Value = serde_json::from_str(&pact_of("3")).unwrap();
    bench.put("/pacts/provider/products/consumer/orders/version/c3", &parsed).await.is(201);
    bench.put("/pacticipants/orders/branches/feat/versions/c3", &json!({})).await.is(201);
    assert_eq!(get(&bench, &second).await["state"], "superseded");
    // Another branch without a line stays without one.
    bench.publish(&pact_of("4"), "c4", "main").await.is(200);
    assert_eq!(bench.get("/tracepact/v1/proposals").await.is(200)["proposals"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_end_of_the_branch_withdraws() {
    let bench = Bench::new().await;
    let first = propose(&bench, "1").await;
    bench.publish(&pact("orders", "products", "/items/1", "1"), "c1", "feat").await.is(200);
    let gone = bench.write(http::Method::DELETE, "/pacticipants/orders/branches/feat", &json!({})).await;
    assert_eq!(gone.status, 204);
    let shown = get(&bench, &first).await;
    assert_eq!(shown["state"], "withdrawn");
    assert!(shown["history"][1]["reason"].as_str().unwrap().contains("branch 'feat' of orders was deleted"));
    act(&bench, &first, "accept", json!({})).await.is(409);
}

#[tokio::test]
async fn a_provider_accepts_in_one_place_only() {
    let bench = Bench::new().await;
    let first = propose(&bench, "1").await;
    let path = "/tracepact/v1/providers/products/acceptance";
    assert_eq!(bench.get(path).await.is(200)["mode"], "broker");
    let report = json!({ "contracts": [{ "content": content("1") }], "commit": "abc123", "who": "ci" });
    let sync = "/tracepact/v1/providers/products/sync";
    let refused = bench.post(sync, &report).await;
    assert!(refused.text.contains("accepts contracts in the broker"), "{}", refused.text);
    refused.is(409);
    bench.put(path, &json!({ "mode": "odd" })).await.is(400);
    bench.put(path, &json!({ "mode": "repository", "team": "catalogue" })).await.is(200);
    let refused = act(&bench, &first, "accept", json!({})).await;
    assert!(refused.text.contains("https://git.example.org/products/pull/7"), "{}", refused.text);
    refused.is(409);
    let shown = get(&bench, &first).await;
    assert_eq!((&shown["mode"], &shown["team"]), (&json!("repository"), &json!("catalogue")));
    // The merge is the acceptance, with the provider's token.
    let request =
        http::Request::post(sync).header("host", "localhost").header("content-type", "application/json");
    assert_eq!(bench.send(request.body(report.to_string().into()).unwrap()).await.status, 401);
    let done = bench.post(sync, &report).await.is(200);
    assert_eq!(done["accepted"][0]["id"], first["id"]);
    let shown = get(&bench, &first).await;
    assert_eq!(shown["state"], "accepted");
    assert!(shown["history"][1]["reason"].as_str().unwrap().contains("abc123"));
    assert_eq!(bench.post(sync, &report).await.is(200)["unchanged"][0]["id"], first["id"]);
    // A file nobody proposed is accepted as well; one that is with somebody else is not.
    let other = pact("web", "products", "/items", "[]");
    let mut report = report;
    let added = json!({ "content": serde_json::from_str::<Value>(&other).unwrap(), "consumer_branch": "x" });
    report["contracts"].as_array_mut().unwrap().push(added);
    assert_eq!(bench.post(sync, &report).await.is(200)["accepted"][0]["consumer"], "web");
    let foreign: Value = serde_json::from_str(&pact("web", "stock", "/", "1")).unwrap();
    bench.post(sync, &json!({ "contracts": [{ "content": foreign }] })).await.is(400);
}

#[tokio::test]
async fn a_file_that_is_gone_retires_only_what_nobody_live_needs() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench.put("/tracepact/v1/providers/products/acceptance", &json!({ "mode": "repository" })).await.is(200);
    bench.publish(&pact("orders", "products", "/items/1", "1"), "c1", "main").await.is(200);
    bench.deploy("orders", "c1", "prod", None).await;
    let sync = "/tracepact/v1/providers/products/sync";
    let report = json!({ "contracts": [{ "content": content("1") }] });
    let accepted = bench.post(sync, &report).await.is(200)["accepted"][0].clone();
    let kept = bench.post(sync, &json!({ "contracts": [] })).await.is(200);
    assert_eq!(kept["still_needed"][0]["id"], accepted["id"]);
    assert_eq!(kept["still_needed"][0]["consumer"], "orders c1 in prod");
    assert_eq!(get(&bench, &accepted).await["state"], "accepted");
    bench.publish(&pact("orders", "products", "/items/1", "2"), "c2", "other").await.is(200);
    bench.deploy("orders", "c2", "prod", None).await;
    assert_eq!(
        bench.post(sync, &json!({ "contracts": [] })).await.is(200)["retired"][0]["id"],
        accepted["id"]
    );
    assert_eq!(get(&bench, &accepted).await["state"], "retired");
}

#[tokio::test]
async fn every_step_is_told_with_its_meaning_and_the_discussion_stays() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench.put("/pacticipants/products/branches/main/versions/p1", &json!({})).await.is(201);
    bench.deploy("products", "p1", "prod", None).await;
    let first = propose(&bench, "1").await;
    assert_eq!(first["affected"], json!(["products p1 (prod)"]));
    act(&bench, &first, "comments", json!({"author": "ada", "text": "which currency?\nEUR?"})).await.is(200);
    act(&bench, &first, "comments", json!({"text": " "})).await.is(400);
    act(&bench, &first, "comments", json!({"text": "x".repeat(10_001)})).await.is(400);
    act(&bench, &first, "reject", json!({"who": "ada", "reason": "say the currency"})).await.is(200);
    let shown = get(&bench, &first).await;
    assert_eq!(shown["comments"][0]["text"], "which currency?\nEUR?");
    let events: Vec<Event> = bench.events().await;
    let of = |action: &str| {
        events.iter().find(|e| e.attributes.get("action").map(String::as_str) == Some(action)).unwrap()
    };
    let proposed = of("proposed");
    assert_eq!(proposed.attributes["breaking"], "true");
    assert_eq!(proposed.attributes["affected"], "products p1 (prod)");
    assert!(proposed.links.iter().any(|l| l.rel == "pull-request"));
    assert_eq!(of("rejected").cause.as_deref(), Some("say the currency"));
    assert_eq!(of("commented").attributes["who"], "ada");
}

#[tokio::test]
async fn a_check_before_the_pull_request_tells_what_is_known_to_hold() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench
        .publish(&pact("web", "products", "/items/1", r#"{"id":1,"name":"tea"}"#), "w1", "main")
        .await
        .is(200);
    bench.verify("products", "p1", "main", true).await;
    bench.deploy("products", "p1", "prod", None).await;
    let check = async |body: &str| {
        let question = json!({ "content": content(body), "environment": "prod" });
        bench.post("/tracepact/v1/contracts/check", &question).await.is(200)
    };
    let known = check(r#"{"id":1}"#).await;
    assert_eq!((&known["kept"], &known["versions"][0]["version"]), (&json!(true), &json!("p1")));
    let unknown = check(r#"{"id":1,"price":3}"#).await;
    assert_eq!(
        (&unknown["kept"], &unknown["versions"][0]["interactions"][0]["state"]),
        (&json!(false), &json!("unknown"))
    );
    assert!(unknown.get("breaking").is_none(), "no version of orders is live");
    let question = json!({ "content": content("1"), "environment": "nowhere" });
    bench.post("/tracepact/v1/contracts/check", &question).await.is(400);
}
