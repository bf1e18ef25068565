//! The resources around contracts: labels, lists and their deletion, badges, integrations, graphs, provider states.

use http::Method;
use serde_json::json;

use super::support::{Answer, Bench, pact, path_of, publication};

async fn delete(bench: &Bench, path: &str) -> Answer {
    bench.write(Method::DELETE, path, &json!({})).await
}

#[tokio::test]
async fn labels() {
    let bench = Bench::new().await;
    bench.put("/pacticipants/C/labels/team-a", &json!({})).await.is(201);
    bench.put("/pacticipants/C/labels/team-a", &json!({})).await.is(200);
    bench.put("/pacticipants/D/labels/team%2Fb", &json!({})).await.is(201);
    assert_eq!(bench.get("/pacticipants/C").await.is(200)["_embedded"]["labels"][0]["name"], "team-a");
    let with = bench.get("/pacticipants/label/team%2Fb").await.is(200);
    assert_eq!(with["_embedded"]["pacticipants"][0]["name"], "D");
    let all = bench.get("/labels").await.is(200);
    assert_eq!(all["_embedded"]["labels"], json!([{ "name": "team-a" }, { "name": "team/b" }]));
    assert_eq!(bench.get("/pacticipants/C/labels/team-a").await.is(200)["name"], "team-a");
    assert_eq!(delete(&bench, "/pacticipants/C/labels/team-a").await.status, 204);
    bench.get("/pacticipants/C/labels/team-a").await.is(404);
}

#[tokio::test]
async fn lists_come_in_pages_and_the_search_stays() {
    let bench = Bench::new().await;
    for version in ["1", "2", "3"] {
        bench
            .publish(&pact("Consumer", "Provider", "/x", version), version, &format!("feat/{version}"))
            .await
            .is(200);
    }
    let page = bench.get("/pacticipants/Consumer/versions?page=2&size=2").await.is(200);
    assert_eq!(page["_links"]["pb:versions"].as_array().unwrap().len(), 1);
    assert_eq!(page["page"], json!({ "number": 2, "size": 2, "totalElements": 3, "totalPages": 2 }));
    let previous = bench.get(path_of(&page["_links"]["previous"]["href"])).await.is(200);
    assert_eq!(previous["_links"]["pb:versions"][0]["name"], "3");
    let branches = bench.get("/pacticipants/Consumer/branches?q=feat&pageSize=2").await.is(200);
    assert_eq!(branches["page"]["totalElements"], 3);
    let next = path_of(&branches["_links"]["next"]["href"]).to_owned();
    assert!(next.contains("q=feat"), "{next}");
    assert_eq!(bench.get(&next).await.is(200)["_embedded"]["branches"].as_array().unwrap().len(), 1);
    let on_branch = bench.get("/pacticipants/Consumer/branches/feat%2F2/versions").await.is(200);
    assert_eq!(on_branch["_embedded"]["versions"][0]["number"], "2");
}

#[tokio::test]
async fn deleting_all_branches_keeps_those_named_and_the_main_branch() {
    let bench = Bench::new().await;
    for (version, branch) in [("1", "main"), ("2", "feat/a"), ("3", "feat/b")] {
        bench.publish(&pact("Consumer", "Provider", "/x", "1"), version, branch).await.is(200);
    }
    let answer =
        delete(&bench, "/pacticipants/Consumer/branches?exclude[]=feat%2Fb".replace(['[', ']'], "").as_str())
            .await;
    assert_eq!(answer.status, 202, "an unknown parameter is ignored: {}", answer.text);
    bench.publish(&pact("Consumer", "Provider", "/x", "1"), "2", "feat/a").await.is(200);
    bench.publish(&pact("Consumer", "Provider", "/x", "1"), "3", "feat/b").await.is(200);
    let answer = delete(&bench, "/pacticipants/Consumer/branches?exclude%5B%5D=feat%2Fb").await;
    assert!(answer.is(202)["notices"][0]["text"].as_str().unwrap().contains("1 branches"));
    let left = bench.get("/pacticipants/Consumer/branches").await.is(200);
    let mut names: Vec<&str> = left["_embedded"]["branches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["feat/b", "main"]);
    bench.get("/pacticipants/Consumer/versions/2").await.is(200);
    let off = delete(&bench, "/pacticipants/Consumer/branches/feat%2Fb/versions/3").await;
    assert_eq!(off.status, 204);
    bench.get("/pacticipants/Consumer/branches/feat%2Fb/versions/3").await.is(404);
}

#[tokio::test]
async fn put_of_a_version_replaces_and_patch_adds() {
    let bench = Bench::new().await;
    let path = "/pacticipants/C/versions/1";
    let all = json!({ "buildUrl": "http://ci.example.org/1", "tags": [{ "name": "a" }, { "name": "b" }] });
    bench.put(path, &all).await.is(201);
    bench.write(Method::PATCH, path, &json!({ "tags": [{ "name": "c" }] })).await.is(200);
    let shown = bench.get(path).await.is(200);
    assert_eq!(shown["_embedded"]["tags"].as_array().unwrap().len(), 3);
    assert_eq!(shown["buildUrl"], "http://ci.example.org/1");
    let shown = bench.put(path, &json!({ "tags": [{ "name": "b" }] })).await.is(200);
    assert_eq!(shown["_embedded"]["tags"].as_array().unwrap().len(), 1);
    assert!(shown.get("buildUrl").is_none());
    bench.put(path, &json!({ "tags": [{ "nome": 1 }] })).await.is(400);
}

#[tokio::test]
async fn pacts_of_a_list_are_deleted_and_the_latest_without_a_tag_is_found() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let mut tagged = publication(&pact("C", "P", "/x", "2"), "2", Some("feat"), "overwrite");
    tagged["tags"] = json!(["dev"]);
    bench.post("/contracts/publish", &tagged).await.is(200);
    let untagged = bench.get("/pacts/provider/P/consumer/C/latest-untagged").await;
    assert_eq!(untagged.headers["x-pact-consumer-version"], "1");
    let old = bench.get("/pact/provider/P/consumer/C/latest").await.is(200);
    assert_eq!(old["interactions"][0]["response"]["body"], 2);
    assert_eq!(delete(&bench, "/pacts/provider/P/consumer/C/tag/dev").await.status, 204);
    let left = bench.get("/pacts/provider/P/consumer/C/versions").await.is(200);
    assert_eq!(left["_links"]["pact-versions"].as_array().unwrap().len(), 1);
    // Without the right to delete nothing is.
    let request = http::Request::delete("/pacts/provider/P/consumer/C/versions").header("host", "localhost");
    assert_eq!(bench.send(request.body(axum::body::Body::empty()).unwrap()).await.status, 401);
}

#[tokio::test]
async fn badges_say_what_the_gate_says() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    let one = "/pacts/provider/products/consumer/orders/latest/badge";
    let text = async |path: &str| bench.get(&format!("{path}.svg")).await.text;
    assert!(text(one).await.contains("pact not found"));
    bench.publish(&pact("orders", "products", "/x", "1"), "1", "main").await.is(200);
    assert!(text(one).await.contains(">unknown<"));
    bench.verify("products", "9", "main", true).await;
    assert!(text(one).await.contains(">verified<"));
    let to_prod = "/pacticipants/orders/branches/main/latest-version/can-i-deploy/to-environment/prod/badge";
    assert!(text(to_prod).await.contains(">unknown<"));
    bench.deploy("products", "9", "prod", None).await;
    assert!(text(to_prod).await.contains(">yes<"));
    let same = bench.get(to_prod.trim_end_matches("/badge")).await.is(200);
    assert_eq!(same["summary"]["deployable"], true);
    assert!(text("/pacticipants/orders/main-branch/can-i-merge/badge").await.contains(">yes<"));
    bench.verify("products", "9", "main", false).await;
    assert!(text(to_prod).await.contains(">no<"));
    assert!(text(one).await.contains(">failed<"));
    assert!(text("/pacticipants/nobody/main-branch/can-i-merge/badge").await.contains(">not found<"));
}

#[tokio::test]
async fn integrations_are_listed_and_deleted_without_losing_what_is_deployed() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench.publish(&pact("orders", "products", "/x", "1"), "1", "main").await.is(200);
    bench.publish(&pact("web", "orders", "/y", "1"), "1", "main").await.is(200);
    bench.verify("products", "9", "main", true).await;
    bench.deploy("products", "9", "prod", None).await;
    let list = bench.get("/integrations").await.is(200);
    let all = list["_embedded"]["integrations"].as_array().unwrap();
    assert_eq!((all.len(), &all[0]["verificationStatus"]), (2, &json!("success")));
    assert_eq!(bench.get("/groups/web").await.text.lines().count(), 3);
    let dashboard = bench.get(path_of(&all[0]["_links"]["pb:dashboard"]["href"])).await.is(200);
    assert_eq!(dashboard["items"][0]["provider"]["version"]["number"], "9");
    assert_eq!(dashboard["items"][0]["verificationStatus"], "success");
    let matrix = bench.get(path_of(&all[0]["_links"]["pb:matrix"]["href"])).await.is(200);
    assert_eq!(matrix["matrix"][0]["verificationResult"]["success"], true);
    let place = path_of(&all[0]["_links"]["pb:delete_integration"]["href"]).to_owned();
    assert_eq!(delete(&bench, &place).await.status, 204);
    delete(&bench, &place).await.is(404);
    // What runs somewhere stays known, even without a contract.
    bench.get("/pacticipants/products/versions/9").await.is(200);
    bench.get("/pacticipants/orders").await.is(200);
    assert_eq!(delete(&bench, "/integrations").await.status, 204);
    bench.get("/pacticipants/web").await.is(404);
}

#[tokio::test]
async fn the_webhooks_of_a_pair_go_with_it_and_others_keep_whom_they_are_for() {
    let bench = Bench::new().await;
    bench.publish(&pact("web", "orders", "/y", "1"), "1", "main").await.is(200);
    let hook = json!({ "request": { "method": "POST", "url": "https://ci.example.org/build" } });
    bench.post("/webhooks/provider/orders/consumer/web", &hook).await.is(201);
    let other = bench.post("/webhooks/consumer/web", &hook).await.is(201);
    assert_eq!(delete(&bench, "/integrations/provider/orders/consumer/web").await.status, 204);
    let left = bench.get("/webhooks").await.is(200);
    let left = left["_links"]["pb:webhooks"].as_array().unwrap();
    assert_eq!((left.len(), &left[0]["href"]), (1, &other["_links"]["self"]["href"]));
    bench.get("/pacticipants/web").await.is(200);
    bench.get("/pacticipants/orders").await.is(404);
}

#[tokio::test]
async fn provider_states_are_told_by_consumer_branch_and_environment() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    let with_state = |consumer: &str, state: &str| {
        pact(consumer, "P", "/x", "1")
            .replace(r#""description""#, &format!(r#""providerState":"{state}","description""#))
    };
    bench.publish(&with_state("A", "an item exists"), "1", "main").await.is(200);
    bench.publish(&with_state("B", "an item exists"), "1", "feat").await.is(200);
    let all = bench.get("/pacts/provider/P/provider-states").await.is(200);
    assert_eq!(all["providerStates"], json!([{ "name": "an item exists", "consumers": ["A", "B"] }]));
    let branch = bench.get("/pacts/provider/P/provider-states/branch/feat").await.is(200);
    assert_eq!(branch["providerStates"][0]["consumers"], json!(["B"]));
    bench.deploy("A", "1", "prod", None).await;
    let live = bench.get("/pacts/provider/P/provider-states/environment/prod").await.is(200);
    assert_eq!(live["providerStates"][0]["consumers"], json!(["A"]));
    bench.get("/pacts/provider/P/provider-states/environment/nowhere").await.is(404);
}

#[tokio::test]
async fn counts_and_health() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    bench.verify("P", "9", "main", false).await;
    let counts = bench.get("/metrics").await.is(200);
    assert_eq!(counts["pacticipants"]["count"], 2);
    assert_eq!(counts["verificationResults"]["failureCount"], 1);
    assert_eq!(counts["verificationResultsPerPactVersion"]["distribution"], json!({ "1": 1 }));
    assert_eq!(bench.get("/diagnostic/status/dependencies").await.is(200)["database"]["ok"], true);
    assert_eq!(bench.get("/diagnostic/status/heartbeat").await.is(200)["ok"], true);
}

#[tokio::test]
async fn a_name_that_is_nearly_one_that_is_there_is_refused_once() {
    let bench = Bench::new().await;
    bench.publish(&pact("Order Service", "products", "/x", "1"), "1", "main").await.is(200);
    let answer = bench.publish(&pact("order-service", "products", "/x", "1"), "1", "main").await.is(409);
    assert!(answer["errors"]["contracts"][0].as_str().unwrap().contains("Order Service"), "{answer}");
    bench.get("/pacticipants/order-service").await.is(404);
    let body: serde_json::Value = serde_json::from_str(&pact("orders", "products", "/x", "1")).unwrap();
    let old = bench.put("/pacts/provider/products/consumer/orders/version/1", &body).await;
    assert!(old.status == 409 && old.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    bench.post("/pacticipants", &json!({ "name": "order-service" })).await.is(201);
    bench.publish(&pact("order-service", "products", "/x", "1"), "1", "main").await.is(200);
    let free = Bench::with(|config| config.check_similar_names = false).await;
    free.publish(&pact("Order Service", "products", "/x", "1"), "1", "main").await.is(200);
    free.publish(&pact("order-service", "products", "/x", "1"), "1", "main").await.is(200);
}

#[tokio::test]
async fn random_values_are_pointed_out_with_field_and_versions() {
    let bench = Bench::new().await;
    let with = |id: &str| pact("C", "P", "/x", &format!(r#"{{"id":"{id}","name":"Ann"}}"#));
    bench.publish(&with("3f0e8a52-1b44-4a8e-9d7e-0a1b2c3d4e5f"), "1", "main").await.is(200);
    let answer = bench.publish(&with("7d1c9b63-2c55-4b9f-8e8f-1b2c3d4e5f60"), "2", "main").await.is(200);
    let warnings: Vec<&str> = answer["notices"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|n| n["type"] == "warning")
        .map(|n| n["text"].as_str().unwrap())
        .collect();
    assert_eq!(warnings.len(), 2, "{answer}");
    for part in ["$.response.body.id", "in version 1", "in version 2", "7d1c9b63"] {
        assert!(warnings[1].contains(part), "{part}: {}", warnings[1]);
    }
    let answer = bench.publish(&with("fixed"), "3", "main").await.is(200);
    assert!(answer["notices"].as_array().unwrap().iter().all(|n| n["type"] != "warning"), "{answer}");
}

#[tokio::test]
async fn secrets_in_headers_are_not_shown_in_differences_and_results() {
    let bench = Bench::new().await;
    let with = |token: &str| {
        pact("C", "P", "/x", "1").replace(
            r#""path":"/x"}"#,
            &format!(r#""path":"/x","headers":{{"Authorization":"Bearer {token}"}}}}"#),
        )
    };
    bench.publish(&with("first-secret"), "1", "main").await.is(200);
    let refused = bench.publish(&with("second-secret"), "1", "main").await;
    assert!(refused.status == 409 && refused.text.contains("Authorization"), "{}", refused.text);
    assert!(!refused.text.contains("first-secret") && !refused.text.contains("second-secret"));
    bench.publish(&with("second-secret"), "2", "main").await.is(200);
    let text = bench.get("/pacts/provider/P/consumer/C/version/2/diff/previous-distinct").await.text;
    assert!(text.contains("Authorization") && !text.contains("-secret"), "{text}");
    let shown = bench.get("/pacts/provider/P/consumer/C/version/2").await;
    assert!(shown.text.contains("second-secret"), "the verifier needs it");
    let results = path_of(&shown.is(200)["_links"]["pb:publish-verification-results"]["href"]).to_owned();
    let mismatch = json!({ "attribute": "header", "identifier": "Authorization", "description": "expected 'Bearer second-secret'" });
    let body = json!({ "success": false, "providerApplicationVersion": "9", "testResults": [{ "mismatches": [mismatch] }] });
    let made = bench.post(&results, &body).await;
    assert!(made.status == 201 && !made.text.contains("second-secret"), "{}", made.text);
}
