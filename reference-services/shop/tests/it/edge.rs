//! Who may call, what is refused, what is counted, how processes end.

use std::time::Duration;

use serde_json::json;
use tracepact_shop::outcomes::{Kind, Outcome};

use crate::processes::{Shop, tea, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_checks_tokens_limits_consumers_and_begins_traces_of_its_own() {
    let shop = Shop::open(&[("gateway", &["--rate-limit", "0.5", "--rate-burst", "3"])]).await;
    let url = format!("{}/orders", shop.url("gateway"));
    let nobody = shop.send(shop.client().post(&url).json(&tea())).await;
    assert_eq!(nobody.status, 401);
    let stranger = shop.send(shop.client().post(&url).bearer_auth("x.y.z").json(&tea())).await;
    assert_eq!(stranger.status, 401);

    let foreign = "0af7651916cd43dd8448eb211c80319c";
    let request = shop
        .client()
        .post(&url)
        .bearer_auth(shop.token())
        .header("traceparent", format!("00-{foreign}-b7ad6b7169203331-01"))
        .header("baggage", "secret=1");
    let placed = shop.send(request.json(&tea())).await;
    assert_eq!(placed.status, 201);
    assert_ne!(placed.trace_id(), foreign, "the gateway trusts nobody's trace");
    let spans = shop.collector.prescribed(&placed.trace_id(), Outcome::PaidAtOnce).await;
    let root = spans.iter().find(|span| span.parent_id.is_empty()).unwrap();
    assert_eq!(root.links, 1, "and links the foreign context");
    assert_eq!(root.attributes["shop.consumer"], "test");
    assert!(shop.collector.trace(foreign).is_empty());

    let answers = [shop.order(tea()).await, shop.order(tea()).await, shop.order(tea()).await];
    let limited =
        answers.iter().find(|answer| answer.status == 429).expect("the fourth call is one too many");
    let wait: u64 = limited.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_a_reason_and_the_services_live_on() {
    let shop = Shop::open(&[]).await;
    let url = format!("{}/orders", shop.url("gateway"));
    let raw = |body: &'static str, media: &'static str| {
        let request = shop.client().post(&url).bearer_auth(shop.token()).header("content-type", media);
        shop.send(request.body(body))
    };
    assert_eq!(raw("{", "application/json").await.status, 400);
    assert_eq!(raw("{}", "text/plain").await.status, 415);
    for body in [
        json!({"product_id": "p-1", "quantity": 0}),
        json!({"product_id": "../x"}),
        json!({"product_id": "p-1", "order_id": "a b"}),
        json!({"product_id": "p-1", "colour": "red"}),
        json!([1]),
    ] {
        let answer = shop.order(body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.body["detail"].is_string(), "{answer:?}");
    }
    let long = shop.order(json!({"product_id": "p".repeat(100_000)})).await;
    assert_eq!(long.status, 413);
    assert_eq!(shop.look("no-such-order").await.status, 404);
    assert_eq!(shop.get("gateway", "/nothing").await.status, 404);
    for name in ["products", "orders-1", "payments", "deliveries", "notifications"] {
        assert_eq!(shop.get(name, "/nothing").await.status, 404);
        assert_eq!(shop.get(name, "/health").await.status, 200);
    }
    let bad =
        shop.client().post(format!("{}/reservations", shop.url("products"))).json(&json!({"order_id": 1}));
    assert_eq!(shop.send(bad).await.status, 400);
    let event = shop
        .client()
        .post(format!("{}/orders/x/events", shop.url("orders-1")))
        .json(&json!({"event": "none"}));
    assert_eq!(shop.send(event).await.status, 400);
    assert_eq!(shop.order(tea()).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sampled_span_arrives_and_every_process_drains_in_time() {
    let mut shop = Shop::open(&[]).await;
    let gateway = shop.url("gateway");
    let key = shop.path("jwt.key");
    let file = shop.path("orders.json");
    let loaded = shop.run(&[
        "load",
        "--gateway",
        &gateway,
        "--jwt-key-file",
        key.to_str().unwrap(),
        "--rate",
        "20",
        "--orders",
        "40",
        "--seed",
        "7",
        "--cancel-percent",
        "20",
        "--refuse-percent",
        "10",
        "--json",
        file.to_str().unwrap(),
    ]);
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    let result: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let orders = result["orders"].as_array().unwrap();
    assert_eq!(orders.len(), 40);
    let mut cancelled = 0;
    for order in orders {
        let outcome: Outcome = serde_json::from_value(order["outcome"].clone()).unwrap();
        shop.collector.prescribed(order["trace_id"].as_str().unwrap(), outcome).await;
        if let Some(trace) = order["cancel_trace_id"].as_str() {
            cancelled += 1;
            shop.collector.prescribed(trace, Outcome::Cancelled).await;
        }
    }
    assert!(cancelled > 0);

    let services = ["gateway", "products", "orders-1", "orders-2", "payments", "deliveries", "notifications"];
    let counted = || async {
        let (mut ended, mut given_up) = (0, 0);
        for name in services {
            let text = shop.get(name, "/metrics").await.body;
            let sum = |start: &str| -> u64 {
                let lines = text.as_str().unwrap().lines().filter(|line| line.starts_with(start));
                lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
            };
            ended += sum("tracepact_kit_spans_ended_total{sampled=\"true\"}");
            given_up += sum("tracepact_kit_spans_given_up_total");
        }
        (ended, given_up)
    };
    // Health checks and scrapes make no spans, so the sum stands still and can be compared.
    let equal = until(10, || async { counted().await == (shop.collector.all().len() as u64, 0) }).await;
    assert!(equal, "{:?} were ended, {} arrived", counted().await, shop.collector.all().len());
    let ids: std::collections::HashSet<_> =
        shop.collector.all().into_iter().map(|span| span.span_id).collect();
    assert_eq!(ids.len(), shop.collector.all().len());
    assert!(
        shop.collector.all().iter().all(|span| span.kind != Kind::Consumer || !span.parent_id.is_empty())
    );

    for name in services {
        let (took, well) = shop.stop(name).await;
        assert!(well && took < Duration::from_secs(10), "{name}: {took:?}");
    }
}
