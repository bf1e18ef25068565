//! Clean-up, backup, taking over what another broker has.

use http::Method;
use serde_json::{Value, json};
use tracepact_base::SystemClock;
use tracepact_broker::{Broker, BrokerConfig};

use super::support::{ADMIN, Bench, pact};

const DAY_NS: u64 = 86_400_000_000_000;

async fn clean(bench: &Bench, body: Value) -> Value {
    bench.post("/tracepact/v1/contracts/clean", &body).await.is(200)
}

fn versions(answer: &Value) -> Vec<String> {
    let list = answer["deleted"].as_array().unwrap().iter();
    list.map(|d| format!("{} {}", d["pacticipant"].as_str().unwrap(), d["version"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn clean_up_says_first_what_it_would_delete_and_never_deletes_what_is_live() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    for version in ["1", "2", "3", "4"] {
        bench.publish(&pact("orders", "products", "/x", version), version, "main").await.is(200);
        bench.verify("products", &format!("p{version}"), "main", true).await;
    }
    bench.deploy("orders", "2", "prod", None).await;
    bench.deploy("products", "p1", "prod", Some("eu")).await;
    bench.clock.advance_ns(200 * DAY_NS);
    let wanted = ["orders 1", "orders 3", "products p3"];
    // p2 verified the contract of the deployed version 2, p4 and version 4 are heads, p1 is deployed.
    let dry = clean(&bench, json!({})).await;
    assert_eq!(versions(&dry), wanted, "{dry}");
    assert_eq!((&dry["dry_run"], &dry["kept"]["deployed"]), (&json!(true), &json!(2)));
    bench.get("/pacticipants/orders/versions/1").await.is(200);
    // Even with nothing to keep.
    let all = clean(&bench, json!({ "keep": [] })).await;
    assert_eq!(versions(&all), ["orders 1", "orders 3", "orders 4", "products p3", "products p4"]);
    let done = clean(&bench, json!({ "dry_run": false, "limit": 2 })).await;
    assert_eq!((versions(&done).len(), &done["left"]), (2, &json!(1)));
    let done = clean(&bench, json!({ "dry_run": false })).await;
    assert_eq!(versions(&done), ["products p3"]);
    for gone in ["orders/versions/1", "orders/versions/3", "products/versions/p3"] {
        bench.get(&format!("/pacticipants/{gone}")).await.is(404);
    }
    for stays in ["orders/versions/2", "orders/versions/4", "products/versions/p1", "products/versions/p2"] {
        bench.get(&format!("/pacticipants/{stays}")).await.is(200);
    }
    let counts = bench.get("/metrics").await.is(200);
    assert_eq!(counts["pactVersions"]["count"], 2, "contents that nobody carries are gone: {counts}");
}

#[tokio::test]
async fn clean_up_refuses_what_it_does_not_understand() {
    let bench = Bench::new().await;
    for body in [
        json!({ "keep": [{}] }),
        json!({ "keep": [{ "branches": "main" }] }),
        json!({ "keep": [{ "branch": false }] }),
        json!({ "keep": [{ "pacticipant": "nobody", "latest": true }] }),
        json!({ "limit": 0 }),
    ] {
        bench.post("/tracepact/v1/contracts/clean", &body).await.is(400);
    }
    let request = http::Request::post("/tracepact/v1/contracts/clean")
        .header("host", "localhost")
        .header("content-type", "application/json");
    assert_eq!(bench.send(request.body("{}".into()).unwrap()).await.status, 401);
}

#[tokio::test]
async fn a_backup_taken_while_publishing_is_a_whole_database() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let request = http::Request::get("/tracepact/v1/contracts/backup")
        .header("host", "localhost")
        .header("authorization", format!("Bearer {ADMIN}"));
    let publishing = async {
        for version in 2..20 {
            bench
                .publish(&pact("C", "P", "/x", &version.to_string()), &version.to_string(), "main")
                .await
                .is(200);
        }
    };
    let (response, ()) =
        tokio::join!(bench.send_for_bytes(request.body(axum::body::Body::empty()).unwrap()), publishing);
    let (status, bytes) = response;
    if !super::databases::is_file() {
        assert!(status == 422 && String::from_utf8_lossy(&bytes).contains("pg_dump"), "{status}");
        return;
    }
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
    assert!(bytes.starts_with(b"SQLite format 3\0"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("restored.db");
    std::fs::write(&file, &bytes).unwrap();
    let broker = Broker::open(BrokerConfig::new(file.as_path()), SystemClock::shared()).await.unwrap();
    let restored = Bench::over(broker, folder);
    restored.get("/pacts/provider/P/consumer/C/version/1").await.is(200);
    restored.publish(&pact("C", "P", "/x", "99"), "99", "main").await.is(200);
}

#[tokio::test]
async fn what_another_broker_has_is_taken_over_once_with_its_instants() {
    let bench = Bench::new().await;
    let content = pact("orders", "products", "/x", "1.0");
    let part = json!({
        "pacticipants": [{ "name": "orders", "main_branch": "main", "labels": ["team-a"], "created_at": "2026-01-01T00:00:00Z" }],
        "environments": [{ "name": "prod", "production": true }],
        "versions": [
            { "pacticipant": "orders", "version": "1", "branches": ["main"], "tags": ["dev"], "created_at": "2026-01-02T00:00:00+00:00" },
            { "pacticipant": "products", "version": "9", "branches": ["main"], "created_at": "2026-01-03T00:00:00Z" },
        ],
        "pacts": [{ "version": "1", "content": content, "created_at": "2026-01-02T00:00:01Z" }],
        "results": [{
            "consumer": "orders", "consumer_version": "1", "provider": "products", "provider_version": "9",
            "success": true, "created_at": "2026-01-03T00:00:01Z",
        }],
        "deployments": [{ "pacticipant": "products", "version": "9", "environment": "prod" }],
    });
    let done = bench.post("/tracepact/v1/contracts/import", &part).await.is(200);
    assert_eq!(
        (&done["versions"], &done["pacts"], &done["results"], &done["presences"]),
        (&json!(2), &json!(1), &json!(1), &json!(1)),
        "{done}"
    );
    let again = bench.post("/tracepact/v1/contracts/import", &part).await.is(200);
    for what in ["pacticipants", "environments", "versions", "pacts", "results", "presences"] {
        assert_eq!(again[what], 0, "{what}: {again}");
    }
    let shown = bench.get("/pacts/provider/products/consumer/orders/latest").await;
    assert!(shown.text.contains(r#""body":1.0"#), "numbers keep their form: {}", shown.text);
    assert_eq!(shown.is(200)["createdAt"], "2026-01-02T00:00:01+00:00");
    assert_eq!(bench.matrix("orders", "1", "prod").await["summary"]["deployable"], true);
    // A branch made of a tag is an aid for clients that publish; what is taken over has its own branches.
    let version = bench.get("/pacticipants/orders/versions/1").await.is(200);
    assert_eq!(version["_embedded"]["branchVersions"].as_array().unwrap().len(), 1);
    // What differs here stays and is told.
    let other = json!({ "pacts": [{ "version": "1", "content": pact("orders", "products", "/x", "2") }] });
    let done = bench.post("/tracepact/v1/contracts/import", &other).await.is(200);
    assert!(done["kept"][0].as_str().unwrap().contains("orders 1"), "{done}");
    // All of a part or nothing.
    let broken = json!({
        "versions": [{ "pacticipant": "orders", "version": "2" }],
        "results": [{ "consumer": "orders", "consumer_version": "7", "provider": "products", "provider_version": "9", "success": true }],
    });
    bench.write(Method::POST, "/tracepact/v1/contracts/import", &broken).await.is(404);
    bench.get("/pacticipants/orders/versions/2").await.is(404);
}
