//! Waivers and ignored versions: what they let pass, who may give them, and that every use is written down.

use http::Method;
use serde_json::{Value, json};

use super::support::{Bench, pact};

/// `orders` 1 runs in prod, `products` v2 breaks it.
async fn broken() -> Bench {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench.publish(&pact("orders", "products", "/items/1", "1"), "1", "main").await.is(200);
    bench.deploy("orders", "1", "prod", None).await;
    bench.verify("products", "v2", "main", false).await;
    assert_eq!(bench.native("products", "v2", "prod").await["deployable"], false);
    bench
}

fn wish() -> Value {
    json!({ "environment": "prod", "name": "INC-17", "reason": "the shop is down", "by": "grace", "consumer": "orders",
            "provider": "products", "provider_version": "v2", "expires_in_s": 3600 })
}

#[tokio::test]
async fn a_waiver_opens_the_gate_is_listed_everywhere_and_ends() {
    let bench = broken().await;
    let made = bench.post("/tracepact/v1/waivers", &wish()).await.is(201);
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made["state"], "standing");

    let native = bench.native("products", "v2", "prod").await;
    assert_eq!(native["deployable"], true);
    assert_eq!(native["rows"][0]["waived_by"], "INC-17");
    assert_eq!(native["rows"][0]["success"], false);
    assert_eq!(native["waivers"][0]["by"], "grace");
    assert_eq!(native["explain"][0]["kind"], "waived");
    let text = native["explain"][0]["text"].as_str().unwrap();
    assert!(text.ends_with("the waiver \"INC-17\" of grace: the shop is down."), "{text}");
    let matrix = bench.matrix("products", "v2", "prod").await;
    assert_eq!((&matrix["summary"]["deployable"], &matrix["summary"]["ignored"]), (&json!(true), &json!(1)));
    assert_eq!(matrix["explain"], native["explain"]);
    assert_eq!(matrix["waivers"][0]["name"], "INC-17");
    assert_eq!(matrix["matrix"][0]["ignored"], true);

    // Another version is not covered.
    bench.verify("products", "v3", "main", false).await;
    assert_eq!(bench.native("products", "v3", "prod").await["deployable"], false);

    // The decision and the waiver's history keep the use.
    let kept = bench.get("/tracepact/v1/contracts/decisions").await.is(200);
    let yes = kept["decisions"].as_array().unwrap().iter().find(|d| d["deployable"] == true).unwrap();
    assert_eq!(yes["exceptions"]["waivers"][0]["name"], "INC-17");
    let shown = bench.get(&format!("/tracepact/v1/waivers/{id}")).await.is(200);
    let steps: Vec<&str> =
        shown["history"].as_array().unwrap().iter().map(|h| h["action"].as_str().unwrap()).collect();
    assert_eq!(steps, ["created", "used"]);
    assert_eq!(shown["history"][1]["detail"], "products v2 to prod");

    // It ends by itself.
    bench.clock.advance_ns(3_601_000_000_000);
    assert_eq!(bench.native("products", "v2", "prod").await["deployable"], false);
    let list = bench.get("/tracepact/v1/waivers?environment=prod").await.is(200);
    assert_eq!(list["waivers"][0]["state"], "expired");
    bench.post(&format!("/tracepact/v1/waivers/{id}/revoke"), &json!({ "by": "ada" })).await.is(422);
}

#[tokio::test]
async fn a_waiver_can_be_revoked() {
    let bench = broken().await;
    let made = bench.post("/tracepact/v1/waivers", &wish()).await.is(201);
    let revoke = format!("/tracepact/v1/waivers/{}/revoke", made["id"].as_str().unwrap());
    assert_eq!(bench.native("products", "v2", "prod").await["deployable"], true);
    let done = bench.post(&revoke, &json!({ "by": "ada", "reason": "fixed" })).await.is(200);
    assert_eq!((&done["state"], &done["revoked_by"]), (&json!("revoked"), &json!("ada")));
    assert_eq!(bench.native("products", "v2", "prod").await["deployable"], false);
    bench.post(&revoke, &json!({ "by": "ada" })).await.is(200);
}

#[tokio::test]
async fn an_environment_may_demand_a_second_person_and_forbid_ignoring() {
    let bench = broken().await;
    let rules = "/tracepact/v1/environments/prod/rules";
    assert_eq!(bench.get(rules).await.is(200), json!({ "forbid_ignore": false, "second_person": false }));
    let ignoring = "/tracepact/v1/contracts/can-i-deploy?pacticipant=products&version=v2&environment=prod&ignore%5B%5D=orders";
    assert_eq!(bench.get(ignoring).await.is(200)["deployable"], true);
    // Written down.
    let kept = bench.get("/tracepact/v1/contracts/decisions").await.is(200);
    assert_eq!(kept["decisions"][0]["exceptions"]["ignored"], json!(["orders → products"]));

    bench.put(rules, &json!({ "forbid_ignore": true, "second_person": true, "by": "ada" })).await.is(200);
    let answer = bench.get(ignoring).await.is(200);
    assert_eq!(answer["deployable"], false);
    assert!(answer["notices"][0].as_str().unwrap().contains("does not allow ignoring"), "{answer}");
    let matrix = bench
        .get("/matrix?q%5B%5D%5Bpacticipant%5D=products&q%5B%5D%5Bversion%5D=v2&environment=prod&ignore%5B%5D%5Bpacticipant%5D=orders")
        .await
        .is(200);
    assert_eq!(matrix["summary"]["deployable"], false);

    let made = bench.post("/tracepact/v1/waivers", &wish()).await.is(201);
    assert_eq!(made["state"], "waits_for_approval");
    let approve = format!("/tracepact/v1/waivers/{}/approve", made["id"].as_str().unwrap());
    let answer = bench.native("products", "v2", "prod").await;
    assert_eq!(answer["deployable"], false);
    assert!(answer["explain"][0]["text"].as_str().unwrap().contains("once a second person approves it"));
    let own = bench.post(&approve, &json!({ "by": "Grace" })).await;
    assert_eq!(own.status, 422, "{}", own.text);
    bench.post(&approve, &json!({ "by": "ada" })).await.is(200);
    let answer = bench.native("products", "v2", "prod").await;
    assert_eq!(answer["deployable"], true);
    assert_eq!(answer["waivers"][0]["approved_by"], "ada");
}

#[tokio::test]
async fn a_waiver_needs_a_name_a_reason_an_end_and_an_admin() {
    let bench = broken().await;
    for (field, value) in [
        ("environment", json!("nowhere")),
        ("name", json!("")),
        ("reason", json!(" ")),
        ("reason", json!("two\nlines")),
        ("by", json!("")),
        ("expires_in_s", json!(0)),
        ("expires_in_s", json!(91 * 86_400)),
        ("expires_in_s", json!(i64::MAX)),
        ("consumer", json!("a\u{0}b")),
        ("unknown", json!(1)),
    ] {
        let mut body = wish();
        body[field] = value;
        let answer = bench.post("/tracepact/v1/waivers", &body).await;
        assert!([400, 422].contains(&answer.status.as_u16()), "{field}: {} {}", answer.status, answer.text);
        assert!(answer.text.contains("detail"), "{}", answer.text);
    }
    let mut everything = wish();
    for field in ["consumer", "provider", "provider_version"] {
        everything.as_object_mut().unwrap().remove(field);
    }
    bench.post("/tracepact/v1/waivers", &everything).await.is(400);
    bench.post("/tracepact/v1/waivers/nope/approve", &json!({ "by": "ada" })).await.is(404);
    let request = http::Request::builder()
        .method(Method::POST)
        .uri("/tracepact/v1/waivers")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(wish().to_string().into())
        .unwrap();
    assert_eq!(bench.send(request).await.status, 401);
    assert_eq!(bench.native("products", "v2", "prod").await["deployable"], false);
}
