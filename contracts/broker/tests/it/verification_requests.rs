//! A deploy that waits asks for the verifications it lacks: whom that tells, and what it leaves alone.

use http::Method;
use serde_json::{Value, json};

use super::support::{Bench, pact};
use super::webhooks::{Receiver, allow_loopback, make, run};

fn deploy(pacticipant: &str, version: &str) -> Value {
    json!({ "pacticipant": pacticipant, "version": version, "environment": "prod" })
}

const ASK: &str = "/tracepact/v1/contracts/verification-requests";

#[tokio::test]
async fn the_webhooks_of_what_is_missing_are_fired_and_of_nothing_else() {
    let bench = Bench::with(allow_loopback).await;
    bench.environment("prod").await;
    for provider in ["P", "Q"] {
        bench.publish(&pact("C", provider, "/x", "1"), "1", "main").await.is(200);
        bench.put(&format!("/pacticipants/{provider}/branches/main/versions/9"), &json!({})).await.is(201);
        bench.deploy(provider, "9", "prod", None).await;
    }
    // Q keeps the contract already.
    bench.verify("Q", "9", "main", true).await;
    // Nobody wants to be told: that is said.
    let answer = bench.post(ASK, &deploy("C", "1")).await.is(200);
    assert_eq!(answer["requests"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(
        answer["requests"][0],
        json!({ "consumer": "C", "consumer_version": "1", "provider": "P", "provider_version": "9", "webhooks": 0 })
    );
    let receiver = Receiver::start().await;
    let hook = |event: &str| {
        json!({
            "events": [{ "name": event }],
            "request": { "method": "POST", "url": format!("{}/${{pactbroker.providerName}}", receiver.address),
                         "body": { "verify": "${pactbroker.providerVersionNumber}", "pact": "${pactbroker.pactUrl}",
                                   "why": "${pactbroker.providerVersionDescriptions}" } },
        })
    };
    make(&bench, &hook("contract_requiring_verification_published")).await;
    make(&bench, &hook("contract_published")).await;
    let _running = run(&bench);
    let answer = bench.post(ASK, &deploy("C", "1")).await.is(200);
    assert_eq!(answer["requests"][0]["webhooks"], 1, "{answer}");
    let requests = receiver.wait_for(1).await;
    let (line, headers, body) = &requests[0];
    assert_eq!(line, "POST /P");
    assert_eq!(headers["tracepact-event"], "contract_requiring_verification_published");
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["verify"], &told["why"]), (&json!("9"), &json!("C 1 waits for prod")));
    bench
        .get(told["pact"].as_str().unwrap().strip_prefix("https://pacts.example.org").unwrap())
        .await
        .is(200);
    // A result, whatever it is, is an answer.
    bench.verify("P", "9", "main", false).await;
    let answer = bench.post(ASK, &deploy("C", "1")).await.is(200);
    assert_eq!(answer["requests"], json!([]));
    assert_eq!(receiver.wait_for(1).await.len(), 1);
}

#[tokio::test]
async fn only_who_may_deploy_there_may_ask() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    assert_eq!(
        bench.post(ASK, &json!({ "pacticipant": "C", "version": "1", "environment": "no" })).await.status,
        400
    );
    let token = async |name: &str, grants: &[&str]| {
        let path = format!("/tracepact/v1/broker/users/{name}");
        bench.write(Method::PUT, &path, &json!({ "grants": grants })).await.is(201);
        let made =
            bench.write(Method::POST, &format!("{path}/tokens"), &json!({ "name": "ci" })).await.is(201);
        made["token"].as_str().unwrap().to_owned()
    };
    for (name, grants, status) in [
        ("reader", &[][..], 403),
        ("publisher", &["publish:C"][..], 403),
        ("deployer", &["deploy:prod"][..], 200),
    ] {
        let token = token(name, grants).await;
        let request = http::Request::post(ASK)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        let answer = bench.send(request.body(deploy("C", "1").to_string().into()).unwrap()).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text);
    }
}
