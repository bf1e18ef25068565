//! Proposals: proposed, accepted, enforced, rejected.

use serde_json::{Value, json};

use super::support::{Bench, pact};

fn proposal(content: &str) -> Value {
    json!({
        "consumer": "orders", "provider": "products", "consumer_branch": "feat/items", "title": "Items by id",
        "content": serde_json::from_str::<Value>(content).unwrap(),
        "pull_request_url": "https://git.example.org/products/pull/7", "team": "catalogue",
    })
}

#[tokio::test]
async fn an_accepted_contract_binds_the_provider() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    let content = pact("orders", "products", "/items/1", "1");
    bench.put("/pacticipants/products/branches/main/versions/v0", &json!({})).await.is(201);
    let proposed = bench.post("/tracepact/v1/proposals", &proposal(&content)).await.is(201);
    let id = proposed["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&proposed["state"], &proposed["interactions"][0]),
        (&json!("proposed"), &json!("a request for /items/1: GET /items/1"))
    );
    assert_eq!(
        bench.post("/tracepact/v1/proposals", &proposal(&content)).await.is(200)["id"],
        proposed["id"]
    );
    // Proposed only: nobody is bound, the provider's build is as before.
    assert_eq!(bench.verify("products", "v0", "main", true).await.len(), 0);
    assert_eq!(bench.matrix("products", "v0", "prod").await["summary"]["deployable"], true);
    // Asked for as work in progress it shows, and a success does not accept it.
    let wip = json!({"providerVersionBranch":"main","includeWipPactsSince":"2020-01-01","includePendingStatus":true});
    let list = bench.post("/pacts/provider/products/for-verification", &wip).await.is(200);
    assert_eq!(list["_embedded"]["pacts"][0]["verificationProperties"]["wip"], true);
    // Accepted: in for-verification, not pending; the gate wants a success.
    let path = format!("/tracepact/v1/proposals/{id}/accept");
    let accepted = bench.post(&path, &json!({"who": "ada", "reason": "agreed"})).await.is(200);
    assert_eq!((&accepted["state"], &accepted["history"][1]["who"]), (&json!("accepted"), &json!("ada")));
    let unknown = bench.native("products", "v0", "prod").await;
    assert!(unknown.get("deployable").is_none());
    assert_eq!(unknown["rows"][0]["kind"], "accepted");
    assert!(unknown["rows"][0].get("consumer_version").is_none());
    let entries = bench.verify("products", "v2", "main", false).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["verificationProperties"]["pending"], false);
    let notices = entries[0]["verificationProperties"]["notices"].to_string();
    assert!(notices.contains("ada") && notices.contains("accepted this contract"), "{notices}");
    let refused = bench.matrix("products", "v2", "prod").await;
    assert_eq!(refused["summary"]["deployable"], false);
    assert_eq!(refused["matrix"][0]["kind"], "accepted");
    // Fixed: yes, and the contract is enforced from here on.
    bench.verify("products", "v3", "main", true).await;
    assert_eq!(bench.matrix("products", "v3", "prod").await["summary"]["deployable"], true);
    assert_eq!(bench.get(&format!("/tracepact/v1/proposals/{id}")).await.is(200)["state"], "enforced");
    assert_eq!(
        bench.verify("products", "v4", "main", false).await[0]["verificationProperties"]["pending"],
        false
    );
    assert_eq!(bench.matrix("products", "v4", "prod").await["summary"]["deployable"], false);
}

#[tokio::test]
async fn new_content_needs_its_own_acceptance() {
    let bench = Bench::new().await;
    let first = bench
        .post("/tracepact/v1/proposals", &proposal(&pact("orders", "products", "/items/1", "1")))
        .await
        .is(201);
    let accept = |p: &Value| format!("/tracepact/v1/proposals/{}/accept", p["id"].as_str().unwrap());
    bench.post(&accept(&first), &json!({})).await.is(200);
    let second = bench
        .post("/tracepact/v1/proposals", &proposal(&pact("orders", "products", "/items/1", "2")))
        .await
        .is(201);
    assert!(second["difference"].as_str().unwrap().contains("$.response.body"));
    let state = async |p: &Value| {
        bench.get(&format!("/tracepact/v1/proposals/{}", p["id"].as_str().unwrap())).await.is(200)["state"]
            .clone()
    };
    assert_eq!((state(&first).await, state(&second).await), (json!("superseded"), json!("proposed")));
    bench.post(&accept(&second), &json!({})).await.is(200);
    assert_eq!((state(&first).await, state(&second).await), (json!("superseded"), json!("accepted")));
    bench.post(&accept(&first), &json!({})).await.is(409);
    let list = bench.get("/tracepact/v1/proposals?provider=products&state=accepted").await.is(200);
    assert_eq!(list["proposals"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn rejecting_and_what_is_refused() {
    let bench = Bench::new().await;
    let made = bench
        .post("/tracepact/v1/proposals", &proposal(&pact("orders", "products", "/items/1", "1")))
        .await
        .is(201);
    let path = format!("/tracepact/v1/proposals/{}", made["id"].as_str().unwrap());
    let request = http::Request::post(format!("{path}/accept"))
        .header("host", "localhost")
        .header("content-type", "application/json");
    let without_token = bench.send(request.body("{}".into()).unwrap()).await;
    assert_eq!(without_token.status, 401);
    bench.post(&format!("{path}/reject"), &json!({"reason":"not like this"})).await.is(200);
    assert_eq!(bench.get(&path).await.is(200)["history"][1]["reason"], "not like this");
    bench.get("/tracepact/v1/proposals/none").await.is(404);
    for (field, value) in [
        ("content", json!({"consumer": {}})),
        ("consumer", json!("someone else")),
        ("consumer_branch", json!(" ")),
        ("pull_request_url", json!("javascript:alert(1)")),
        ("content_id", json!("both")),
    ] {
        let mut body = proposal(&pact("orders", "products", "/items/1", "1"));
        body[field] = value;
        let answer = bench.post("/tracepact/v1/proposals", &body).await;
        assert_eq!(answer.status, 400, "{field}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}
