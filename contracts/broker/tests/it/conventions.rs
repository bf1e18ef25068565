//! What holds around every answer: media types, refusals, file extensions, browsers, links behind a proxy.

use http::{Method, Request};
use serde_json::json;

use super::support::{ADMIN, Answer, Bench, pact, path_of};

async fn get(bench: &Bench, path: &str, accept: &str) -> Answer {
    let request = Request::get(path).header("host", "localhost").header("accept", accept);
    bench.send(request.body(axum::body::Body::empty()).unwrap()).await
}

fn media(answer: &Answer) -> &str {
    answer.headers["content-type"].to_str().unwrap().split(';').next().unwrap()
}

async fn with_one_pact() -> Bench {
    let bench = Bench::new().await;
    bench.publish(&pact("Consumer", "Provider", "/x", "1"), "1", "main").await.is(200);
    bench
}

#[tokio::test]
async fn the_media_type_follows_the_accept_header() {
    let bench = with_one_pact().await;
    for (path, accept, wanted) in [
        ("/", "application/json", "application/json"),
        ("/", "application/vnd.pactbrokerextended.v1+json", "application/hal+json"),
        ("/", "", "application/hal+json"),
        ("/matrix?q%5B%5D%5Bpacticipant%5D=Consumer", "text/plain", "text/plain"),
        ("/integrations", "text/vnd.graphviz", "text/vnd.graphviz"),
        ("/relationships", "text/csv", "text/csv"),
        ("/pacticipants.json", "", "application/hal+json"),
        ("/groups/Consumer.csv", "", "text/csv"),
        ("/pacts/provider/Provider/consumer/Consumer/latest/badge.svg", "", "image/svg+xml"),
    ] {
        let answer = get(&bench, path, accept).await;
        assert_eq!(
            (answer.status.as_u16(), media(&answer)),
            (200, wanted),
            "{path} {accept}: {}",
            answer.text
        );
        assert_eq!(answer.headers["vary"], "Accept", "{path}");
        assert!(answer.headers["x-pact-broker-version"].to_str().unwrap().starts_with("2."), "{path}");
    }
    assert_eq!(get(&bench, "/pacticipants", "image/png").await.status, 406);
    assert_eq!(get(&bench, "/relationships", "application/hal+json").await.status, 406);
}

#[tokio::test]
async fn a_name_that_ends_like_a_file_is_still_a_name() {
    let bench = with_one_pact().await;
    bench.post("/pacticipants", &json!({ "name": "data.json" })).await.is(201);
    assert_eq!(bench.get("/pacticipants/data.json").await.is(200)["name"], "data.json");
    assert_eq!(bench.get("/pacticipants/Consumer.json").await.is(200)["name"], "Consumer");
    assert_eq!(bench.get("/pacticipants/Consumer/").await.is(200)["name"], "Consumer");
}

#[tokio::test]
async fn refusals_have_the_form_the_client_asked_for() {
    let bench = with_one_pact().await;
    for (path, status) in
        [("/pacticipants/Nobody", 404), ("/no/such/resource", 404), ("/pacticipants?page=x", 400)]
    {
        let plain = get(&bench, path, "application/hal+json").await;
        assert_eq!((plain.status.as_u16(), media(&plain)), (status, "application/hal+json"), "{path}");
        let body = plain.json();
        assert!(body["error"].is_string() || body["errors"].is_object(), "{path}: {body}");
        let problem = get(&bench, path, "application/hal+json, application/problem+json").await;
        assert_eq!(
            (problem.status.as_u16(), media(&problem)),
            (status, "application/problem+json"),
            "{path}"
        );
        let body = problem.json();
        assert_eq!(body["status"], status, "{path}: {body}");
        assert!(
            body["title"].is_string() && body["detail"].is_string() && body["type"].is_string(),
            "{body}"
        );
    }
    let problem = get(&bench, "/pacticipants?page=x", "application/problem+json").await.json();
    assert_eq!(problem["errors"][0]["pointer"], "/page");
    assert_eq!(problem["instance"], "/pacticipants");
}

#[tokio::test]
async fn methods() {
    let bench = with_one_pact().await;
    let ask = |method: Method| {
        Request::builder().method(method).uri("/pacticipants/Consumer").header("host", "localhost")
    };
    let answer = bench.send(ask(Method::OPTIONS).body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
    let allowed = answer.headers["access-control-allow-methods"].to_str().unwrap();
    assert!(["GET", "PUT", "PATCH", "DELETE", "OPTIONS"].iter().all(|m| allowed.contains(m)), "{allowed}");
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    let post = ask(Method::POST)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {ADMIN}"));
    let answer = bench.send(post.body("{}".into()).unwrap()).await;
    assert_eq!(answer.status, 405);
    assert!(answer.json()["error"].as_str().unwrap().contains("POST"));
}

#[tokio::test]
async fn a_browser_is_sent_to_pages() {
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let bench = Bench::with(|config| config.dashboard_port = Some(9411)).await;
    for (path, wanted) in [
        ("/", "http://localhost:9411/contracts"),
        ("/pacticipants/Web%20App", "http://localhost:9411/contracts?pacticipant=Web%20App"),
        ("/pacts/latest", "http://localhost/hal-browser/browser.html#/pacts/latest"),
    ] {
        let answer = get(&bench, path, BROWSER).await;
        assert_eq!(answer.status, 303, "{path}");
        assert_eq!(answer.headers["location"], wanted);
    }
    for (path, wanted) in [
        ("/hal-browser/browser.html", "text/html"),
        ("/hal-browser/browser.js", "text/javascript"),
        ("/hal-browser/browser.css", "text/css"),
        ("/doc/pb:record-deployment", "text/html"),
        ("/doc/publish-contracts?context=index", "text/html"),
    ] {
        let answer = get(&bench, path, BROWSER).await;
        assert_eq!((answer.status.as_u16(), media(&answer)), (200, wanted), "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
    }
    assert_eq!(get(&bench, "/doc/pb:nothing", BROWSER).await.status, 404);
}

#[tokio::test]
async fn every_relation_has_its_page() {
    let bench = with_one_pact().await;
    bench.environment("prod").await;
    let mut open = vec![
        "/".to_owned(),
        "/pacticipants/Consumer".into(),
        "/pacticipants/Consumer/versions/1".into(),
        "/pacts/provider/Provider/consumer/Consumer/latest".into(),
        "/pacts/provider/Provider/latest".into(),
        "/integrations".into(),
        "/environments".into(),
    ];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(path) = open.pop() {
        collect(&bench.get(&path).await.is(200), &mut seen);
    }
    assert!(seen.len() > 40, "{seen:?}");
    for relation in seen {
        let page = bench.get(&format!("/doc/{}", relation.replace("pb:", ""))).await;
        assert_ne!(page.status, 404, "{relation} has no page");
    }
}

fn collect(body: &serde_json::Value, seen: &mut std::collections::BTreeSet<String>) {
    match body {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                if key == "_links" {
                    seen.extend(value.as_object().unwrap().keys().filter(|k| k.starts_with("pb:")).cloned());
                }
                collect(value, seen);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, seen)),
        _ => {}
    }
}

#[tokio::test]
async fn links_begin_with_the_configured_address() {
    let bench = Bench::with(|config| {
        config.base_urls = vec!["https://pacts.example.org/broker".into(), "http://localhost".into()];
    })
    .await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let shown = bench.get("/pacticipants/C").await.is(200);
    assert_eq!(shown["_links"]["self"]["href"], "http://localhost/pacticipants/C");
    let elsewhere = Request::get("/pacticipants/C").header("host", "127.0.0.1:9292");
    let shown = bench.send(elsewhere.body(axum::body::Body::empty()).unwrap()).await.is(200);
    assert_eq!(shown["_links"]["self"]["href"], "https://pacts.example.org/broker/pacticipants/C");
}

#[tokio::test]
async fn names_with_every_kind_of_character_are_found_again() {
    let bench = Bench::new().await;
    for (index, name) in
        ["a/b", "a b", "ü+&=?#", "100%", "a%2Fb", "日本", "x.json", "..a", "'\"<>"].iter().enumerate()
    {
        let consumer = format!("{name} c{index}");
        let document = json!({
            "consumer": { "name": consumer }, "provider": { "name": "The provider" },
            "interactions": [{ "description": "x", "request": { "method": "GET", "path": "/x" }, "response": { "status": 200 } }],
        });
        bench.publish(&document.to_string(), name, name).await.is(200);
        let shown = bench.get("/pacticipants").await.is(200);
        let links = shown["_links"]["pb:pacticipants"].as_array().unwrap();
        let link = links.iter().find(|l| l["name"] == consumer.as_str()).unwrap();
        let one = bench.get(path_of(&link["href"])).await.is(200);
        assert_eq!(one["name"], consumer.as_str());
        let version =
            bench.get(path_of(&one["_embedded"]["latestVersion"]["_links"]["self"]["href"])).await.is(200);
        assert_eq!(
            (&version["number"], &version["_embedded"]["branchVersions"][0]["name"]),
            (&json!(name), &json!(name))
        );
        let pact = bench.get(path_of(&version["_links"]["pb:pact-versions"][0]["href"])).await.is(200);
        assert_eq!(pact["consumer"]["name"], consumer.as_str());
    }
}
