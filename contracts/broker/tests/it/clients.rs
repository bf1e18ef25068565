//! The Pact project's own verifier, in process, against a broker on a real port.

use std::sync::Arc;

use pact_verifier::callback_executors::HttpRequestProviderStateExecutor;
use pact_verifier::{
    ConsumerVersionSelector, FilterInfo, NullRequestFilterExecutor, PactSource, ProviderInfo,
    ProviderTransport, PublishOptions, VerificationOptions, verify_provider_async,
};

use super::support::{Bench, pact};

/// Serves `router` on a free port until the test ends.
async fn listen(router: axum::Router) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

async fn run_verifier(broker: u16, provider: u16, version: &str) -> (bool, usize) {
    let url = format!("http://127.0.0.1:{broker}");
    let source = PactSource::BrokerWithDynamicConfiguration {
        provider_name: "products".into(),
        broker_url: url,
        enable_pending: true,
        include_wip_pacts_since: None,
        provider_tags: vec!["t1".into()],
        provider_branch: Some("main".into()),
        selectors: vec![serde_json::from_str::<ConsumerVersionSelector>(r#"{"mainBranch":true}"#).unwrap()],
        auth: None,
        links: vec![],
    };
    let info = ProviderInfo {
        name: "products".into(),
        host: "127.0.0.1".into(),
        transports: vec![ProviderTransport {
            transport: "http".into(),
            port: Some(provider),
            path: None,
            scheme: Some("http".into()),
        }],
        ..ProviderInfo::default()
    };
    let options = VerificationOptions::<NullRequestFilterExecutor> {
        coloured_output: false,
        ..VerificationOptions::default()
    };
    let publish = PublishOptions {
        provider_version: Some(version.into()),
        build_url: None,
        provider_tags: vec!["t1".into()],
        provider_branch: Some("main".into()),
    };
    let states = Arc::new(HttpRequestProviderStateExecutor::default());
    let done = verify_provider_async(
        info,
        vec![source],
        FilterInfo::None,
        vec![],
        &options,
        Some(&publish),
        &states,
        None,
    )
    .await
    .unwrap();
    (done.result, done.interaction_results.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pact_verifier_fetches_verifies_and_publishes() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let bench = Bench::new().await;
    bench.environment("prod").await;
    let broker = listen(bench.router.clone()).await;
    bench.publish(&pact("orders", "products", "/items/1", r#"{"id":1}"#), "1", "main").await.is(200);
    bench.deploy("orders", "1", "prod", None).await;
    let right = axum::Router::new()
        .route("/items/1", axum::routing::get(async || axum::Json(serde_json::json!({ "id": 1 }))));
    let right = listen(right).await;
    let wrong = listen(axum::Router::new()).await;
    // Never verified: pending, so the failure does not fail the build, but it is stored.
    assert_eq!(run_verifier(broker, wrong, "v0").await, (true, 1));
    assert_eq!(bench.matrix("products", "v0", "prod").await["summary"]["deployable"], false);
    assert_eq!(run_verifier(broker, right, "v1").await, (true, 1));
    assert_eq!(bench.matrix("products", "v1", "prod").await["summary"]["deployable"], true);
    // From the first success on the same failure fails the build.
    assert_eq!(run_verifier(broker, wrong, "v2").await, (false, 1));
    let refused = bench.native("products", "v2", "prod").await;
    assert_eq!(refused["deployable"], false);
    assert_eq!(refused["rows"][0]["mismatches"][0]["operation"], "GET /items/1");
    let version = bench.get("/pacticipants/products/versions/v1").await.is(200);
    assert_eq!(version["_embedded"]["tags"][0]["name"], "t1");
    assert_eq!(version["_embedded"]["branchVersions"][0]["name"], "main");
}
