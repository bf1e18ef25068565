//! Publishing and fetching.

use http::Method;
use serde_json::json;

use super::support::{Bench, pact, path_of, publication};

#[tokio::test]
async fn a_publication_is_answered_in_the_form_clients_read() {
    let bench = Bench::new().await;
    let mut body = publication(&pact("Consumer", "Provider", "/x", "1"), "1", Some("feat/x"), "overwrite");
    body["tags"] = json!(["dev"]);
    body["buildUrl"] = json!("http://ci.example.org/1");
    let answer = bench.post("/contracts/publish", &body).await.is(200);
    assert_eq!(answer["notices"][0]["text"], "Created Consumer version 1 with branch feat/x and tags dev");
    assert_eq!(answer["_links"]["pb:contracts"][0]["name"], "Pact between Consumer (1) and Provider");
    assert_eq!(answer["_links"]["pb:pacticipant-version-tags"][0]["name"], "dev");
    let shown = bench.get("/pacticipants/Consumer/versions/1").await.is(200);
    assert_eq!(shown["buildUrl"], "http://ci.example.org/1");
    assert_eq!(shown["_embedded"]["branchVersions"][0]["name"], "feat/x");
    assert_eq!(shown["_links"]["pb:pact-versions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_content_again_is_fine_and_another_is_a_conflict_with_the_difference() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", r#"{"id":1}"#), "1", "main").await.is(200);
    let again = pact("C", "P", "/x", r#"{ "id" : 1 }"#)
        .replace(r#""metadata":{"#, r#""metadata":{"pactRust":{"models":"9"},"#);
    bench.publish(&again, "1", "main").await.is(200);
    let answer = bench.publish(&pact("C", "P", "/x", r#"{"id":1.0}"#), "1", "main").await;
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/json"));
    let answer = answer.is(409);
    assert!(answer["errors"]["contracts"][0].as_str().unwrap().contains("Cannot change the content"));
    assert!(answer["notices"][1]["text"].as_str().unwrap().contains("+ $.response.body.id = 1.0"));
    // Nothing of the refused publication stays.
    let shown = bench.get("/pacts/provider/P/consumer/C/version/1").await;
    assert!(shown.text.contains(r#""id":1}"#), "{}", shown.text);
}

#[tokio::test]
async fn merging_adds_interactions_and_loses_none() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let merge = |path: &str, body: &str| publication(&pact("C", "P", path, body), "1", Some("main"), "merge");
    bench.post("/contracts/publish", &merge("/y", "1")).await.is(200);
    let shown = bench.get("/pacts/provider/P/consumer/C/version/1").await.is(200);
    assert_eq!(shown["interactions"].as_array().unwrap().len(), 2);
    bench.post("/contracts/publish", &merge("/y", "2")).await.is(409);
}

#[tokio::test]
async fn numbers_are_served_as_they_were_written() {
    let bench = Bench::new().await;
    bench
        .publish(&pact("C", "P", "/x", r#"{"big":12345678901234567890123,"f":1.0}"#), "1", "main")
        .await
        .is(200);
    let shown = bench.get("/pacts/provider/P/consumer/C/latest").await;
    assert!(shown.text.contains(r#"{"big":12345678901234567890123,"f":1.0}"#), "{}", shown.text);
    let shown = shown.is(200);
    assert!(shown["interactions"][0]["_id"].is_string() && shown["createdAt"].is_string());
    let by_content = bench.get(path_of(&shown["_links"]["pb:pact-version"]["href"])).await.is(200);
    assert_eq!(by_content["interactions"], shown["interactions"]);
}

#[tokio::test]
async fn put_of_a_pact_and_the_difference_to_the_version_before() {
    let bench = Bench::new().await;
    let body = |b: &str| serde_json::from_str::<serde_json::Value>(&pact("C", "P", "/x", b)).unwrap();
    bench.put("/pacts/provider/P/consumer/C/version/1", &body("1")).await.is(201);
    bench.put("/pacts/provider/P/consumer/C/version/1", &body("1")).await.is(200);
    bench.put("/pacts/provider/P/consumer/C/version/1", &body("2")).await.is(409);
    bench.put("/pacts/provider/P/consumer/Other/version/1", &body("1")).await.is(400);
    bench.put("/pacts/provider/P/consumer/C/version/2", &body("2")).await.is(201);
    let text = bench.get("/pacts/provider/P/consumer/C/version/2/diff/previous-distinct").await;
    assert!(text.text.contains("$.response.body"), "{}", text.text);
    let text = bench.get("/pacts/provider/P/consumer/C/version/1/diff/previous-distinct").await;
    assert_eq!(text.status, 200);
    bench.get("/pacts/provider/P/consumer/C/version/1/previous-distinct").await.is(404);
    bench.get("/pacts/provider/P/consumer/C/version/2/previous-distinct").await.is(200);
}

#[tokio::test]
async fn names_with_slashes_spaces_and_letters_beyond_ascii() {
    let bench = Bench::new().await;
    let answer =
        bench.publish(&pact("Web App/ü", "Order & Svc+1", "/x", "1"), "1.0+b1", "feat/ä b").await.is(200);
    let pact = bench.get(path_of(&answer["_links"]["pb:contracts"][0]["href"])).await.is(200);
    assert_eq!(pact["consumer"]["name"], "Web App/ü");
    let list = bench
        .post(
            "/pacts/provider/Order%20%26%20Svc%2B1/for-verification",
            &json!({"consumerVersionSelectors":[{"branch":"feat/ä b"}]}),
        )
        .await
        .is(200);
    let link = path_of(&list["_embedded"]["pacts"][0]["_links"]["self"]["href"]).to_owned();
    bench.get(&link).await.is(200);
    let version = bench.get(path_of(&answer["_links"]["pb:pacticipant-version"]["href"])).await.is(200);
    assert_eq!(version["_embedded"]["branchVersions"][0]["name"], "feat/ä b");
    let path = path_of(&version["_embedded"]["branchVersions"][0]["_links"]["self"]["href"]).to_owned();
    bench.get(&path).await.is(200);
}

#[tokio::test]
async fn collections_find_the_right_versions() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    bench.publish(&pact("C", "P", "/x", "2"), "2", "feat").await.is(200);
    bench.publish(&pact("D", "P", "/x", "1"), "1", "main").await.is(200);
    for (path, expected) in [
        ("/pacts/provider/P/latest", 2),
        ("/pacts/provider/P", 3),
        ("/pacts/provider/P/branch", 2),
        ("/pacts/provider/P/branch/latest", 2),
        ("/pacts/provider/P/branch/feat", 1),
        ("/pacts/provider/P/branch/feat/latest", 1),
        ("/pacts/provider/P/tag/none", 0),
        ("/pacts/latest", 2),
    ] {
        let answer = bench.get(path).await.is(200);
        assert_eq!(answer["_links"]["pb:pacts"].as_array().unwrap().len(), expected, "{path}");
        assert_eq!(answer["_links"]["pacts"].as_array().unwrap().len(), expected, "{path}");
    }
    let latest = bench.get("/pacts/provider/P/consumer/C/latest").await;
    assert_eq!(latest.headers["x-pact-consumer-version"], "2");
    let main = bench.get("/pacts/provider/P/consumer/C/branch/main/latest").await;
    assert_eq!(main.headers["x-pact-consumer-version"], "1");
    bench.get("/pacts/provider/nobody/latest").await.is(404);
    bench.write(Method::DELETE, "/pacts/provider/P/consumer/C/version/2", &json!({})).await.is(200);
    bench.get("/pacts/provider/P/consumer/C/version/2").await.is(404);
}

#[tokio::test]
async fn the_pacticipants_flow_of_the_cli() {
    let bench = Bench::new().await;
    bench.get("/pacticipants/C").await.is(404);
    bench
        .post(
            "/pacticipants",
            &json!({"name":"C","mainBranch":"trunk","repositoryUrl":"http://git.example.org/x"}),
        )
        .await
        .is(201);
    let changed =
        bench.write(Method::PATCH, "/pacticipants/C", &json!({"name":"C","mainBranch":"main"})).await.is(200);
    assert_eq!(
        (&changed["mainBranch"], &changed["repositoryUrl"]),
        (&json!("main"), &json!("http://git.example.org/x"))
    );
    bench.write(Method::PATCH, "/pacticipants/New", &json!({})).await.is(201);
    bench.put("/pacticipants/Missing", &json!({})).await.is(404);
    let page = bench.get("/pacticipants?q=e&page=1&size=1").await.is(200);
    assert_eq!(page["page"]["totalElements"], 1);
    bench.put("/pacticipants/C/branches/feat%2Fa/versions/1", &json!({"name":"feat/a"})).await.is(201);
    bench.put("/pacticipants/C/branches/feat%2Fa/versions/1", &json!({})).await.is(200);
    bench.put("/pacticipants/C/versions/1/tags/t1", &json!({"name":"t1"})).await.is(201);
    assert_eq!(bench.get("/pacticipants/C/latest-version/t1").await.is(200)["number"], "1");
    bench.write(Method::DELETE, "/pacticipants/C/versions/1/tags/t1", &json!({})).await.is(204);
    bench.get("/pacticipants/C/latest-version/t1").await.is(404);
    bench.write(Method::DELETE, "/pacticipants/C/branches/feat%2Fa", &json!({})).await.is(204);
    bench.write(Method::DELETE, "/pacticipants/C", &json!({})).await.is(204);
    bench.get("/pacticipants/C").await.is(404);
}

#[tokio::test]
async fn accept_lines_are_read_leniently() {
    let bench = Bench::new().await;
    for (lines, expected) in [
        (vec![], "application/hal+json;charset=utf-8"),
        (vec!["application/json"], "application/json;charset=utf-8"),
        (vec!["application/hal+json", "application/json"], "application/hal+json;charset=utf-8"),
        (vec!["application/json", "application/hal+json;q=0.5"], "application/hal+json;charset=utf-8"),
        (vec!["image/png", "*/*"], "application/hal+json;charset=utf-8"),
    ] {
        let mut request = http::Request::get("/").header("host", "localhost");
        for line in &lines {
            request = request.header("accept", *line);
        }
        let answer = bench.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.headers["content-type"].to_str().unwrap()),
            (200, expected),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let (database, _dir) = super::databases::fresh().await;
    let config = || tracepact_broker::BrokerConfig::new(database.clone());
    let first = Bench::with(|c| *c = config()).await;
    first.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    first.verify("P", "9", "main", true).await;
    // Not closed, as after a kill.
    drop(first);
    let second = Bench::with(|c| *c = config()).await;
    second.publish(&pact("C", "P", "/x", "2"), "1", "main").await.is(409);
    let summary = second.get("/verification-results/consumer/C/version/1/latest").await.is(200);
    assert_eq!(summary["success"], true);
}

#[tokio::test]
async fn the_api_document_names_every_native_route() {
    let bench = Bench::new().await;
    let document = serde_json::to_value(tracepact_broker::openapi()).unwrap();
    let routes = tracepact_broker::native_routes(bench.broker.clone());
    let mut count = 0;
    for spec in routes.specs() {
        let method = spec.method.as_str().to_lowercase();
        assert!(document["paths"][&spec.path].get(&method).is_some(), "{method} {}", spec.path);
        count += 1;
    }
    let described: usize =
        document["paths"].as_object().unwrap().values().map(|p| p.as_object().unwrap().len()).sum();
    assert_eq!(count, described);
}
