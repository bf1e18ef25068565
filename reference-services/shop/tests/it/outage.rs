//! Products breaks its contract, the circuit opens, the fallback serves, and all is well again after the rollback.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use tracepact_shop::outcomes::Outcome;

use crate::processes::{Shop, binary, tea, until};

const QUICK: &[&str] = &[
    "--breaker-volume",
    "3",
    "--breaker-window-ms",
    "3000",
    "--breaker-sleep-ms",
    "700",
    "--products-timeout-ms",
    "500",
];

async fn breakers_open(shop: &Shop) -> usize {
    let mut open = 0;
    for name in ["orders-1", "orders-2"] {
        let text = shop.get(name, "/metrics").await.body;
        open += usize::from(text.as_str().unwrap().contains("shop_breaker_open{breaker=\"products\"} 1"));
    }
    open
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answer_fails_orders_opens_the_circuit_and_then_the_fallback_serves() {
    let mut shop = Shop::open(&[("orders", QUICK), ("gateway", &["--breaker-volume", "1000"])]).await;
    // Each instance learns the price.
    for _ in 0..2 {
        assert_eq!(shop.order(tea()).await.status, 201);
    }
    let address = shop.address("products");
    shop.stop("products").await;
    shop.service("products", "products", &["--http-addr", &address, "--api", "item"]).await;
    assert_eq!(shop.get("products", "/item/p-1").await.status, 200);
    assert_eq!(shop.get("products", "/product/p-1").await.status, 404);

    let failed = shop.order(tea()).await;
    assert_eq!((failed.status, failed.body["dependency"].as_str()), (502, Some("products")), "{failed:?}");
    let spans = shop.collector.prescribed(&failed.trace_id(), Outcome::Failed).await;
    let why = spans.iter().find(|span| span.service == "products").unwrap();
    assert_eq!(why.attributes["http.response.status_code"], "404", "the trace shows why");

    let opened = until(20, || async {
        shop.order(tea()).await;
        breakers_open(&shop).await == 2
    })
    .await;
    assert!(opened, "the circuits did not open");
    let mut served = None;
    // A probe may still be sent to products, and fails; the others are served.
    for _ in 0..6 {
        let answer = shop.order(tea()).await;
        if answer.status == 201 {
            served = Some(answer);
            break;
        }
    }
    let served = served.expect("no order was served by the fallback");
    assert_eq!(served.body["served_by_fallback"], json!(true));
    assert_eq!(served.body["amount_cents"], 1990);
    shop.collector.prescribed(&served.trace_id(), Outcome::ServedByFallback).await;
    let never_seen = shop.order(json!({"product_id": "p-5"})).await;
    assert!(
        [502, 503].contains(&never_seen.status),
        "without a known price there is no fallback: {never_seen:?}"
    );

    shop.stop("products").await;
    shop.service("products", "products", &["--http-addr", &address]).await;
    let closed = until(20, || async {
        let answer = shop.order(tea()).await;
        answer.status == 201 && breakers_open(&shop).await == 0
    })
    .await;
    assert!(closed, "the circuits did not close");
    let well = shop.order(tea()).await;
    shop.collector.prescribed(&well.trace_id(), Outcome::PaidAtOnce).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_products_does_not_stop_orders() {
    let mut shop = Shop::open(&[("orders", QUICK)]).await;
    for _ in 0..2 {
        assert_eq!(shop.order(tea()).await.status, 201);
    }
    shop.fault("products", json!({"kind": "latency", "ms": 3000})).await;
    let late = shop.order(tea()).await;
    assert_eq!((late.status, &late.body["served_by_fallback"]), (201, &json!(true)), "{late:?}");
    shop.collector.prescribed(&late.trace_id(), Outcome::ServedByFallback).await;
    let address = shop.address("products");
    shop.kill("products");
    let gone = shop.order(tea()).await;
    assert_eq!((gone.status, &gone.body["served_by_fallback"]), (201, &json!(true)), "{gone:?}");
    // Back again, products takes the stock of what was paid meanwhile.
    shop.service("products", "products", &["--http-addr", &address]).await;
    shop.joined("products").await;
    shop.collector.prescribed(&gone.trace_id(), Outcome::ServedByFallback).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_on_the_same_address_is_rolled_out_without_a_failed_order() {
    let mut shop = Shop::open(&[("products", &["--reuse-port"])]).await;
    let address = shop.address("products");
    let sending = async {
        let mut statuses = Vec::new();
        let end = Instant::now() + Duration::from_secs(4);
        while Instant::now() < end {
            let answer = shop.order(tea()).await;
            statuses.push((answer.status, answer.body["served_by_fallback"].clone()));
        }
        statuses
    };
    let log = shop.path("products-3.log");
    let rollout = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let child = std::process::Command::new(binary())
            .args([
                "products",
                "--http-addr",
                &address,
                "--reuse-port",
                "--api",
                "both",
                "--kafka",
                &shop.kafka,
            ])
            .args(["--exporter", "none", "--service-version", "3", "--addr-file"])
            .arg(shop.path("products-3.json"))
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        assert!(until(10, || std::future::ready(shop.path("products-3.json").is_file())).await);
        child
    };
    let (before, mut child) = tokio::join!(sending, rollout);
    let (took, well) = shop.stop("products").await;
    let mut after = Vec::new();
    for _ in 0..20 {
        let answer = shop.order(tea()).await;
        after.push((answer.status, answer.body["served_by_fallback"].clone()));
    }
    let version =
        shop.send(shop.client().get(format!("http://{address}/health"))).await.body["version"].clone();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(well && took < Duration::from_secs(10), "{took:?}");
    assert_eq!(version, "3");
    for answer in before.iter().chain(&after) {
        assert_eq!(answer, &(201, json!(false)));
    }
    assert!(before.len() > 20);
}
