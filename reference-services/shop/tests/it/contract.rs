//! The contract between orders (consumer) and products (provider): what orders' own code needs, written as a pact by
//! `pact_consumer`, and held against products' own router by `pact_verifier`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pact_consumer::prelude::*;
use pact_consumer::{json_pattern, json_pattern_internal, like};
use pact_verifier::callback_executors::HttpRequestProviderStateExecutor;
use pact_verifier::{
    FilterInfo, NullRequestFilterExecutor, PactSource, ProviderInfo, ProviderTransport, VerificationOptions,
    verify_provider_async,
};
use serde_json::Value;
use tracepact_base::SystemClock;
use tracepact_kit::Tracing;
use tracepact_kit::breaker::{Breaker, BreakerSettings};
use tracepact_kit::http::Client;
use tracepact_kit::kafka::{Failure, Record};
use tracepact_listener::Access;
use tracepact_shop::domain::message::PRODUCT_CHANGED;
use tracepact_shop::domain::stock::Stock;
use tracepact_shop::orders::events::note_change;
use tracepact_shop::orders::products::{Products as OrdersView, Quote, QuoteError};
use tracepact_shop::products::{Api, Products, routes};
use tracepact_shop::upstream::{Retry, Upstream};

/// Products as orders' code sees it, at `base`.
fn orders_view(base: &str) -> OrdersView {
    let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = Client::new(reqwest::Client::builder().no_proxy().build().unwrap());
    let upstream = Upstream::new(
        &client,
        "products",
        &[base.to_owned()],
        Duration::from_secs(5),
        Retry::OnConnectFailure,
    );
    let breaker = Breaker::new("products", "products", BreakerSettings::default(), SystemClock::shared());
    OrdersView::new(upstream, breaker, Tracing::current())
}

/// Runs orders' code against a mock of products and writes what it needed to `folder`.
async fn agree(folder: &Path) -> PathBuf {
    let mut pact = PactBuilder::new_v4("orders", "products");
    pact.with_output_dir(folder);
    pact.interaction("a product is read", "", |mut i| {
        i.given("product p-1 exists");
        i.request.get().path("/product/p-1");
        i.response.ok().json_body(json_pattern!({
            "id": "p-1",
            "name": like!("Green tea"),
            "price": like!(1990),
        }));
        i
    });
    pact.interaction("a product that does not exist is read", "", |mut i| {
        i.given("there is no product p-none");
        i.request.get().path("/product/p-none");
        // Without this body orders takes a 404 for a missing route, that is, for a failure of products.
        i.response.not_found().content_type("application/problem+json");
        i.response.json_body(json_pattern!({ "error": "product_not_found" }));
        i
    });
    pact.interaction("stock is reserved", "", |mut i| {
        i.given("product p-1 exists");
        i.request.post().path("/reservations").content_type("application/json").json_body(json_pattern!({
            "order_id": like!("o-1"),
            "product_id": like!("p-1"),
            "quantity": like!(2),
        }));
        i.response.created().json_body(json_pattern!({ "order_id": like!("o-1") }));
        i
    });
    {
        let mock = pact.start_mock_server(None, None);
        let view = orders_view(mock.url().as_str());
        let quote = view.quote("o-1", "p-1", 2).await;
        assert_eq!(quote, Ok(Quote { price: 1990, served_by_fallback: false }));
        let missing = view.quote("o-2", "p-none", 1).await;
        assert_eq!(missing, Err(QuoteError::NoSuchProduct("p-none".into())));
        // Dropping the mock checks that everything was asked, and writes the file.
    }
    let mut pact = PactBuilder::new_v4("orders", "products");
    pact.with_output_dir(folder);
    pact.message_interaction("product changed", |mut i| {
        i.json_body(json_pattern!({
            "productId": like!("p-1"),
            "productName": like!("Green tea"),
            "price": like!(1990),
        }));
        i
    });
    let view = orders_view("http://127.0.0.1:1");
    for message in pact.messages() {
        let payload = message.contents.contents.value().unwrap().to_vec();
        note_change(&view, &record(payload)).unwrap();
    }
    assert_eq!(view.last_price("p-1"), Some(1990));
    folder.join("orders-products.json")
}

fn record(payload: Vec<u8>) -> Record {
    Record {
        topic: PRODUCT_CHANGED.into(),
        partition: 0,
        offset: 0,
        timestamp_ms: None,
        key: None,
        payload: Some(payload),
        headers: None,
    }
}

/// What `products` did not do of what the pact says: interaction and reason.
async fn broken_by(pact: &Path, api: Api, omit_product_name: bool) -> Vec<(String, String)> {
    let products =
        Arc::new(Products::new(Stock::new(10, 100, 1), None, omit_product_name, SystemClock::shared()));
    let router = routes(products, api).into_router(Arc::new(Access::for_listen([127, 0, 0, 1].into())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = Some(listener.local_addr().unwrap().port());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let transport = |name: &str, path: &str| ProviderTransport {
        transport: name.into(),
        port,
        path: Some(path.into()),
        scheme: Some("http".into()),
    };
    let provider = ProviderInfo {
        name: "products".into(),
        host: "127.0.0.1".into(),
        transports: vec![transport("http", "/"), transport("message", "/contract-messages")],
        ..ProviderInfo::default()
    };
    let options: VerificationOptions<NullRequestFilterExecutor> = VerificationOptions {
        coloured_output: false,
        no_pacts_is_error: true,
        ..VerificationOptions::default()
    };
    let result = verify_provider_async(
        provider,
        vec![PactSource::File(pact.to_str().unwrap().to_owned())],
        FilterInfo::None,
        vec![],
        &options,
        None,
        &Arc::new(HttpRequestProviderStateExecutor::default()),
        None,
    )
    .await
    .unwrap();
    serving.abort();
    assert_eq!(result.interaction_results.len(), 4, "every interaction is verified");
    result
        .interaction_results
        .iter()
        .filter_map(|one| {
            one.result.as_ref().err().map(|why| (one.interaction_description.clone(), format!("{why:?}")))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn products_keeps_what_orders_relies_on_in_versions_1_and_3_and_breaks_it_in_2() {
    let folder = tempfile::tempdir().unwrap();
    let pact = agree(folder.path()).await;
    assert_eq!(broken_by(&pact, Api::Product, false).await, []);
    assert_eq!(broken_by(&pact, Api::Both, false).await, []);
    let broken = broken_by(&pact, Api::Item, false).await;
    let names: Vec<&str> = broken.iter().map(|(interaction, _)| interaction.as_str()).collect();
    assert_eq!(names.len(), 2, "{broken:?}");
    assert!(names.contains(&"a product is read"), "{broken:?}");
    assert!(names.contains(&"a product that does not exist is read"), "a foreign 404 is not products' own");
}

#[tokio::test(flavor = "multi_thread")]
async fn product_changed_must_carry_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let pact = agree(folder.path()).await;
    let broken = broken_by(&pact, Api::Both, true).await;
    let [(interaction, why)] = &broken[..] else { panic!("{broken:?}") };
    assert_eq!(interaction, "product changed");
    assert!(why.contains("productName"), "{why}");
    // And orders' own code refuses such a record.
    let nameless = record(br#"{"productId":"p-1","price":5}"#.to_vec());
    let view = orders_view("http://127.0.0.1:1");
    assert!(matches!(note_change(&view, &nameless), Err(Failure::DeadLetter(_))));
    assert_eq!(view.last_price("p-1"), None);
}

/// The pact in `pacts/` is what orders' code needs today; `target/pacts` has the one made by this run.
#[tokio::test(flavor = "multi_thread")]
async fn the_committed_pact_is_the_one_that_orders_code_makes() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = own.join("../../target/pacts");
    let _absent = std::fs::remove_file(folder.join("orders-products.json"));
    let made = agree(&folder).await;
    let read = |path: &Path| -> Value {
        let mut pact: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        // The versions of the libraries that wrote it.
        pact.as_object_mut().unwrap().remove("metadata");
        pact
    };
    assert_eq!(
        read(&made),
        read(&own.join("pacts/orders-products.json")),
        "copy target/pacts/orders-products.json to reference-services/shop/pacts/"
    );
}
