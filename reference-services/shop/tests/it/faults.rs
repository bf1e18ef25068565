//! Faults, and what the shop promises in spite of them.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use tracepact_shop::outcomes::Outcome;

use crate::processes::{Shop, tea, until};

#[tokio::test(flavor = "multi_thread")]
async fn dropped_dead_lettered_and_duplicated_orders_are_told_apart_by_their_trees() {
    let shop = Shop::open(&[("orders", &["--reply-wait-ms", "700"])]).await;
    for (kind, outcome, status) in [
        ("drop", Outcome::DroppedAtPayments, 202),
        ("dead_letter", Outcome::DeadLettered, 202),
        ("duplicate", Outcome::Duplicated, 201),
    ] {
        shop.fault("payments", json!({"kind": kind, "count": 1, "topic": "order-placed"})).await;
        let struck = shop.order(tea()).await;
        assert_eq!(struck.status, status, "{kind}: {struck:?}");
        shop.collector.prescribed(&struck.trace_id(), outcome).await;
        assert_eq!(shop.struck("payments", kind).await, [struck.order_id()]);
        let delivery = shop.get("deliveries", &format!("/deliveries/{}", struck.order_id())).await;
        assert_eq!(
            delivery.status == 200,
            kind == "duplicate",
            "only what is paid is delivered: {delivery:?}"
        );
        let next = shop.order(tea()).await;
        shop.collector.prescribed(&next.trace_id(), Outcome::PaidAtOnce).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_commits_only_after_its_result_so_a_crash_loses_nothing() {
    let mut shop = Shop::open(&[("orders", &["--reply-wait-ms", "300"])]).await;
    shop.fault("payments", json!({"kind": "delay", "ms": 60000, "topic": "order-placed"})).await;
    let placed = shop.order(tea()).await;
    assert_eq!(placed.status, 202);
    let id = placed.order_id();
    assert!(until(5, || async { shop.struck("payments", "delay").await.contains(&id) }).await);
    shop.kill("payments");
    shop.service("payments", "payments", &[]).await;
    let paid = until(30, || async { shop.look(&id).await.body["state"] == json!("delivering") }).await;
    assert!(paid, "the record was committed before its result: {:?}", shop.look(&id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn consuming_stops_without_leaving_the_group_and_goes_on() {
    let shop = Shop::open(&[("orders", &["--reply-wait-ms", "300"])]).await;
    shop.fault("payments", json!({"kind": "stop_consuming"})).await;
    let before = shop.get("payments", "/health").await.body["consumer"]["rebalances"].clone();
    let placed = shop.order(tea()).await;
    assert_eq!((placed.status, placed.body["state"].as_str()), (202, Some("placed")));
    shop.no_faults("payments").await;
    assert!(shop.reaches(&placed.order_id(), "delivering").await);
    assert_eq!(shop.get("payments", "/health").await.body["consumer"]["rebalances"], before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_holder_died_is_brought_to_its_end_by_the_other_instance() {
    let mut shop = Shop::open(&[("orders", &["--reply-wait-ms", "300"])]).await;
    shop.fault("payments", json!({"kind": "delay", "ms": 2000, "count": 1, "topic": "order-placed"})).await;
    let placed = shop.order(tea()).await;
    assert_eq!(placed.status, 202);
    let holder = placed.body["callback"].as_str().unwrap();
    let name = if holder.contains(&shop.address("orders-1")) { "orders-1" } else { "orders-2" };
    shop.kill(name);
    let id = placed.order_id();
    let delivered =
        until(30, || async { shop.get("deliveries", &format!("/deliveries/{id}")).await.status == 200 })
            .await;
    assert!(delivered, "nobody took the order over");
    assert!(shop.reaches(&id, "delivering").await, "the gateway finds who holds it now");
}

#[tokio::test(flavor = "multi_thread")]
async fn switches_need_flag_and_token_and_a_crash_is_a_crash() {
    let mut shop = Shop::empty().await;
    let kafka = shop.kafka.clone();
    shop.service("deliveries", "deliveries", &[]).await;
    let url = format!("{}/faults", shop.url("deliveries"));
    let rule = json!({"kind": "error", "status": 503, "count": 1});
    assert_eq!(shop.send(shop.client().put(&url).json(&rule)).await.status, 401);
    assert_eq!(shop.send(shop.client().get(&url).bearer_auth("wrong-token-wrong")).await.status, 401);
    shop.fault("deliveries", rule).await;
    assert_eq!(shop.get("deliveries", "/deliveries/x").await.status, 503);
    assert_eq!(shop.get("deliveries", "/deliveries/x").await.status, 404);
    shop.fault("deliveries", json!({"kind": "latency", "ms": 400})).await;
    let started = Instant::now();
    shop.get("deliveries", "/deliveries/x").await;
    assert!(started.elapsed() >= Duration::from_millis(400));
    assert_eq!(shop.get("deliveries", "/health").await.status, 200);
    shop.fault("deliveries", json!({"kind": "crash"})).await;
    let crashed = shop.client().get(format!("{}/deliveries/x", shop.url("deliveries"))).send().await;
    assert!(crashed.is_err());
    shop.kill("deliveries");

    let beyond = shop.run(&[
        "deliveries",
        "--kafka",
        &kafka,
        "--http-addr",
        "0.0.0.0:0",
        "--faults",
        "--faults-token-file",
        shop.path("faults.token").to_str().unwrap(),
    ]);
    assert!(!beyond.status.success());
    assert!(String::from_utf8_lossy(&beyond.stderr).contains("loopback"));
}
