//! Orders that go well, later, not at all, and back.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use tracepact_shop::outcomes::{Kind, Outcome};

use crate::processes::{Shop, tea, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_paid_at_once_also_when_the_other_instance_consumed_the_result() {
    let shop = Shop::open(&[]).await;
    let (mut by_the_holder, mut by_the_other) = (0, 0);
    // Which instance consumes depends on the partition of the order's id: both ways come within a few orders.
    for _ in 0..40 {
        let answer = shop.order(tea()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.body["state"], "paid");
        let spans = shop.collector.prescribed(&answer.trace_id(), Outcome::PaidAtOnce).await;
        let instance = |name: &str, kind: Kind| {
            let span = spans.iter().find(|s| s.service == "orders" && s.name == name && s.kind == kind);
            span.map(|s| s.instance.clone()).unwrap()
        };
        let holder = instance("POST /orders", Kind::Server);
        assert_eq!(instance("POST /orders/{id}/events", Kind::Server), holder);
        if instance("process payment-result", Kind::Consumer) == holder {
            by_the_holder += 1;
        } else {
            by_the_other += 1;
        }
        if by_the_holder > 0 && by_the_other > 0 {
            break;
        }
    }
    assert!(by_the_other > 0 && by_the_holder > 0, "{by_the_holder} {by_the_other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_not_delivered_and_its_stock_is_free_again() {
    let shop = Shop::open(&[("products", &["--stock", "3"])]).await;
    let refused = shop.order(json!({"product_id": "p-luxury", "quantity": 3})).await;
    assert_eq!((refused.status, refused.body["state"].as_str()), (402, Some("refused")), "{refused:?}");
    shop.collector.prescribed(&refused.trace_id(), Outcome::Refused).await;
    let free =
        until(5, || async { shop.get("products", "/product/p-luxury").await.body["available"] == 3 }).await;
    assert!(free);
    assert_eq!(shop.get("deliveries", &format!("/deliveries/{}", refused.order_id())).await.status, 404);
    let told = shop.told(&refused.order_id(), 1).await;
    assert!(told[0]["payment_refused"].is_object(), "{told:?}");

    let soldout = shop.order(json!({"product_id": "p-soldout"})).await;
    assert_eq!((soldout.status, soldout.body["error"].as_str()), (409, Some("out_of_stock")));
    shop.collector.prescribed(&soldout.trace_id(), Outcome::Rejected).await;
    let unknown = shop.order(json!({"product_id": "p-none"})).await;
    assert_eq!((unknown.status, unknown.body["error"].as_str()), (422, Some("product_not_found")));
    shop.collector.prescribed(&unknown.trace_id(), Outcome::Rejected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_payments_limit_the_answer_is_202_at_once_and_payment_follows() {
    let shop = Shop::open(&[("orders", &["--waiting-limit", "1", "--reply-wait-ms", "1500"])]).await;
    shop.fault("payments", json!({"kind": "latency", "ms": 2500})).await;
    // Two instances with one place each: two callers wait in vain, the other four are answered at once.
    let answers = futures::future::join_all((0..6).map(|_| async {
        let started = Instant::now();
        (shop.order(tea()).await, started.elapsed())
    }))
    .await;
    assert!(answers.iter().all(|(answer, _)| answer.status == 202 && answer.body["state"] == "placed"));
    let at_once = answers.iter().filter(|(_, took)| *took < Duration::from_millis(1000)).count();
    let waited = answers.iter().filter(|(_, took)| *took >= Duration::from_millis(1500)).count();
    assert_eq!((at_once, waited), (4, 2), "{answers:?}");
    for (answer, _) in &answers {
        assert!(shop.reaches(&answer.order_id(), "delivering").await, "{answer:?}");
        shop.collector.prescribed(&answer.trace_id(), Outcome::PaidLater).await;
        let told = shop.told(&answer.order_id(), 2).await;
        assert!(told.contains(&json!("payment_succeeded")), "{told:?}");
    }
    shop.no_faults("payments").await;
    let answer = shop.order(tea()).await;
    assert_eq!(answer.status, 201, "callers wait again once payments is fast: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_takes_back_delivery_payment_and_stock_in_this_order() {
    let shop = Shop::open(&[("products", &["--stock", "5"])]).await;
    let placed = shop.order(json!({"product_id": "p-2", "quantity": 2})).await;
    let id = placed.order_id();
    assert!(shop.reaches(&id, "delivering").await);
    let cancelled = shop.cancel(&id).await;
    assert_eq!((cancelled.status, cancelled.body["state"].as_str()), (202, Some("cancelling")));
    assert!(shop.reaches(&id, "cancelled").await);
    assert_eq!(shop.look(&id).await.body["refunded_payment_id"], json!(format!("pay-{id}")));
    // The tree is the order: the stock's span hangs below the refund, which hangs below the stopped delivery.
    shop.collector.prescribed(&cancelled.trace_id(), Outcome::Cancelled).await;
    shop.collector.prescribed(&placed.trace_id(), Outcome::PaidAtOnce).await;
    assert_eq!(shop.get("deliveries", &format!("/deliveries/{id}")).await.body["state"], "cancelled");
    assert!(until(5, || async { shop.get("products", "/product/p-2").await.body["available"] == 5 }).await);
    let again = shop.cancel(&id).await;
    assert_eq!((again.status, again.body["state"].as_str()), (202, Some("cancelled")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_cancelled_before_its_payment_is_never_delivered_and_its_money_comes_back() {
    let shop = Shop::open(&[("orders", &["--reply-wait-ms", "300"]), ("products", &["--stock", "5"])]).await;
    shop.fault("payments", json!({"kind": "delay", "ms": 2000, "topic": "order-placed"})).await;
    let placed = shop.order(tea()).await;
    assert_eq!(placed.status, 202);
    let id = placed.order_id();
    assert_eq!(shop.cancel(&id).await.body["state"], "cancelling");
    assert!(shop.reaches(&id, "cancelled").await);
    // Payments took the money after the cancellation and gave it back; or, where the cancellation overtook the order on
    // its way through Kafka, never took it. Either way the paid order was not announced.
    let refunded = shop.look(&id).await.body["refunded_payment_id"].clone();
    assert!(refunded.is_null() || refunded == json!(format!("pay-{id}")), "{refunded}");
    let delivery = shop.get("deliveries", &format!("/deliveries/{id}")).await;
    assert_eq!((&delivery.body["state"], &delivery.body["delivery_id"]), (&json!("cancelled"), &json!(null)));
    assert!(until(5, || async { shop.get("products", "/product/p-1").await.body["available"] == 5 }).await);
    let spans = shop.collector.trace(&placed.trace_id());
    assert!(spans.iter().all(|span| span.name != "send order-paid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_order_sent_again_is_placed_once() {
    let shop = Shop::open(&[("products", &["--stock", "10"])]).await;
    let body = json!({"product_id": "p-3", "quantity": 2, "order_id": "again-1"});
    // The gateway sends a number it knows to the instance that knows it.
    for _ in 0..4 {
        let answer = shop.order(body.clone()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.body["payment_id"], "pay-again-1");
    }
    assert_eq!(shop.get("products", "/product/p-3").await.body["available"], 8);
    let other = json!({"product_id": "p-3", "quantity": 3, "order_id": "again-1"});
    assert_eq!(shop.order(other).await.status, 409);
    assert!(shop.reaches("again-1", "delivering").await);
    let told = shop.told("again-1", 2).await;
    assert_eq!(told.len(), 2, "{told:?}");
}
