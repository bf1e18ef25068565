//! One deploy at a time: leases, their end, and questions that wait for their answer.

use serde_json::{Value, json};

use super::support::{Answer, Bench, pact};

const LEASE: &str = "/tracepact/v1/environments/prod/lease";

async fn take(bench: &Bench, pacticipant: &str, version: &str, wait_s: u64) -> Answer {
    let wish = json!({ "pacticipant": pacticipant, "version": version, "holder": format!("ci of {pacticipant}"),
                       "life_s": 60, "wait_s": wait_s });
    bench.post(LEASE, &wish).await
}

async fn prod() -> Bench {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench.publish(&pact("orders", "products", "/items/1", "1"), "1", "main").await.is(200);
    bench.put("/pacticipants/products/branches/main/versions/7", &json!({})).await.is(201);
    bench
}

fn id(lease: &Value) -> String {
    lease["id"].as_str().unwrap().to_owned()
}

async fn deployed(bench: &Bench, pacticipant: &str) -> Vec<String> {
    let list = bench
        .get(&format!("/environments/prod/deployed-versions/currently-deployed?pacticipant={pacticipant}"))
        .await
        .is(200);
    list["_embedded"]["deployedVersions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["_embedded"]["version"]["number"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_second_deploy_is_told_who_deploys_and_gets_its_turn() {
    let bench = prod().await;
    let first = take(&bench, "orders", "1", 0).await.is(201);
    let refused = take(&bench, "products", "7", 0).await;
    assert_eq!(refused.headers["retry-after"], "5");
    let problem = refused.is(409);
    assert!(
        problem["detail"].as_str().unwrap().starts_with("orders 1 is being deployed to prod by ci of orders"),
        "{problem}"
    );
    let holder = bench.get(LEASE).await.is(200);
    assert_eq!((&holder["held"], &holder["holder"]), (&json!(true), &json!("ci of orders")));
    // The one that waits is woken by the release, long before its time is up.
    let (second, released) = tokio::join!(take(&bench, "products", "7", 60), async {
        tokio::task::yield_now().await;
        bench.write(http::Method::DELETE, &format!("/tracepact/v1/leases/{}", id(&first)), &json!({})).await
    });
    released.is(204);
    let second = second.is(201);
    assert!(second["fence"].as_i64() > first["fence"].as_i64());
    assert!(deployed(&bench, "orders").await.is_empty());
}

#[tokio::test]
async fn a_lease_that_ran_out_records_nothing_and_the_next_holder_is_safe_from_it() {
    let bench = prod().await;
    let first = take(&bench, "orders", "1", 0).await.is(201);
    bench.clock.advance_ns(30_000_000_000);
    bench.put(&format!("/tracepact/v1/leases/{}", id(&first)), &json!({ "life_s": 60 })).await.is(200);
    bench.clock.advance_ns(59_000_000_000);
    take(&bench, "products", "7", 0).await.is(409);
    bench.clock.advance_ns(2_000_000_000);
    // Over, whether or not somebody took it.
    let record = format!("/tracepact/v1/leases/{}/deployment", id(&first));
    bench.post(&record, &json!({})).await.is(409);
    let second = take(&bench, "products", "7", 0).await.is(201);
    bench.post(&record, &json!({})).await.is(409);
    bench.put(&format!("/tracepact/v1/leases/{}", id(&first)), &json!({ "life_s": 60 })).await.is(409);
    // Releasing what is lost takes nothing from the holder.
    bench
        .write(http::Method::DELETE, &format!("/tracepact/v1/leases/{}", id(&first)), &json!({}))
        .await
        .is(204);
    assert_eq!(bench.get(LEASE).await.is(200)["pacticipant"], "products");
    assert!(deployed(&bench, "orders").await.is_empty());
    let record = format!("/tracepact/v1/leases/{}/deployment", id(&second));
    bench.post(&record, &json!({ "application_instance": "eu" })).await.is(201);
    assert_eq!(deployed(&bench, "products").await, ["7"]);
    assert_eq!(bench.get(LEASE).await.is(200)["held"], false);
}

/// Each is fine in an empty environment; together they break.
#[tokio::test]
async fn of_an_incompatible_consumer_and_provider_exactly_one_deploys() {
    let bench = prod().await;
    bench.publish(&pact("web", "cart", "/x", "1"), "1", "main").await.is(200);
    bench.verify("cart", "0", "main", true).await;
    bench.deploy("cart", "0", "prod", None).await;
    bench.verify("cart", "1", "main", false).await;
    let deploy = async |name: &str| -> bool {
        let lease = take(&bench, name, "1", 60).await.is(201);
        // A yes from before would be worth nothing now: the gate is asked under the lease.
        let yes = bench.native(name, "1", "prod").await["deployable"] == json!(true);
        if yes {
            bench.post(&format!("/tracepact/v1/leases/{}/deployment", id(&lease)), &json!({})).await.is(201);
        } else {
            let path = format!("/tracepact/v1/leases/{}", id(&lease));
            bench.write(http::Method::DELETE, &path, &json!({})).await.is(204);
        }
        yes
    };
    let (consumer, provider) = tokio::join!(deploy("web"), deploy("cart"));
    assert!(consumer ^ provider, "web: {consumer}, cart: {provider}");
}

#[tokio::test]
async fn a_question_that_waits_is_answered_by_the_result() {
    let bench = prod().await;
    bench.deploy("products", "7", "prod", None).await;
    let waiting =
        "/tracepact/v1/contracts/can-i-deploy?pacticipant=orders&version=1&environment=prod&wait_s=60";
    let (answer, _) = tokio::join!(bench.get(waiting), async {
        tokio::task::yield_now().await;
        bench.verify("products", "7", "main", true).await
    });
    assert_eq!(answer.is(200)["deployable"], true);
    // It is kept once, however often it was looked at.
    let kept = bench.get("/tracepact/v1/contracts/decisions").await.is(200);
    assert_eq!(kept["decisions"].as_array().unwrap().len(), 1);
    assert_eq!(kept["decisions"][0]["times"], 1);
    bench.get(&waiting.replace("wait_s=60", "wait_s=61")).await.is(400);
    bench.get(&waiting.replace("wait_s=60", "wait_s=soon")).await.is(400);
}

#[tokio::test]
async fn who_waits_is_answered_at_once_when_the_server_stops() {
    let bench = prod().await;
    bench.deploy("products", "7", "prod", None).await;
    let waiting =
        "/tracepact/v1/contracts/can-i-deploy?pacticipant=orders&version=1&environment=prod&wait_s=60";
    let stopping = async {
        tokio::task::yield_now().await;
        bench.broker.stop_waiting();
    };
    let deadline = std::time::Duration::from_secs(50);
    let (answer, ()) = tokio::time::timeout(deadline, async { tokio::join!(bench.get(waiting), stopping) })
        .await
        .expect("the wait does not outlive the server");
    assert!(answer.is(200).get("deployable").is_none());
}

#[tokio::test]
async fn odd_leases_are_refused_with_a_reason() {
    let bench = prod().await;
    for (change, status) in [
        (json!({ "version": "nope" }), 404),
        (json!({ "pacticipant": "nobody" }), 404),
        (json!({ "holder": "" }), 400),
        (json!({ "life_s": 4 }), 400),
        (json!({ "life_s": 601 }), 400),
        (json!({ "wait_s": 61 }), 400),
        (json!({ "x": 1 }), 400),
    ] {
        let mut wish = json!({ "pacticipant": "orders", "version": "1", "holder": "me", "life_s": 60 });
        for (key, value) in change.as_object().unwrap() {
            wish[key] = value.clone();
        }
        let answer = bench.post(LEASE, &wish).await;
        assert_eq!(answer.status.as_u16(), status, "{change}: {}", answer.text);
    }
    let wish = json!({ "pacticipant": "orders", "version": "1", "holder": "me", "life_s": 60 });
    bench.post("/tracepact/v1/environments/nowhere/lease", &wish).await.is(400);
    bench.put("/tracepact/v1/leases/nope", &json!({ "life_s": 60 })).await.is(409);
}
