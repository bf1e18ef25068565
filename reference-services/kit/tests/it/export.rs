use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::SpanKind;
use tracepact_kit::{Exporter, Telemetry, spans};

use super::collector::{Answer, Collector};
use super::support::{free_address, settings, start, until};

fn make_spans(telemetry: &Telemetry, count: usize) {
    for _ in 0..count {
        let cx = telemetry.tracing().start(&Context::new(), SpanKind::Server, "work", Vec::new(), Vec::new());
        spans::end(&cx);
    }
}

fn accounted(telemetry: &Telemetry) -> bool {
    let counters = telemetry.counters();
    counters.exported.get() + counters.given_up_total() == counters.sampled.get()
}

#[tokio::test]
async fn spans_outlive_a_collector_that_starts_late_over_grpc() {
    let (collector, address) = (Collector::default(), free_address().await);
    let telemetry = start(settings(Exporter::OtlpGrpc, &format!("http://{address}")));
    make_spans(&telemetry, 30);
    // The exporter meets a closed port first.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(telemetry.counters().exported.get(), 0);
    let server = collector.serve_grpc_at(address);
    until("all spans", async || collector.spans().len() == 30).await;
    until("the count", async || telemetry.counters().exported.get() == 30).await;
    let resource = collector.resources()[0].resource.clone().unwrap();
    let named = |key: &str| {
        let attribute = resource.attributes.iter().find(|a| a.key == key)?;
        format!("{:?}", attribute.value).split('"').nth(1).map(str::to_owned)
    };
    assert_eq!(named("service.name").as_deref(), Some("tested"));
    assert_eq!(named("service.instance.id").as_deref(), Some("tested-1"));
    assert_eq!(named("service.version").as_deref(), Some("1.2.3"));
    // And a restart in the middle.
    server.abort();
    let _aborted = server.await;
    make_spans(&telemetry, 20);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let _server = collector.serve_grpc_at(address);
    until("the rest", async || telemetry.counters().exported.get() == 50).await;
    assert!(accounted(&telemetry) && telemetry.counters().given_up_total() == 0);
    telemetry.shutdown().await;
}

#[tokio::test]
async fn retry_after_is_honoured_over_http_and_for_zipkin() {
    for exporter in [Exporter::OtlpHttp, Exporter::Zipkin] {
        let (collector, address) = (Collector::default(), free_address().await);
        let _server = collector.serve_at(address).await;
        collector.script(&[Answer::Status(503, Some(2))]);
        let telemetry = start(settings(exporter, &format!("http://{address}")));
        make_spans(&telemetry, 3);
        until("the spans", async || telemetry.counters().exported.get() == 3).await;
        let arrivals = collector.arrivals();
        assert_eq!(arrivals.len(), 2, "{exporter:?}");
        assert!(arrivals[1] - arrivals[0] >= Duration::from_millis(1900), "{exporter:?}");
        telemetry.shutdown().await;
    }
}

#[tokio::test]
async fn what_is_refused_is_given_up_at_once_and_counted() {
    for exporter in [Exporter::OtlpHttp, Exporter::Zipkin, Exporter::OtlpGrpc] {
        let (collector, address) = (Collector::default(), free_address().await);
        let _server = match exporter {
            Exporter::OtlpGrpc => collector.serve_grpc_at(address),
            _ => collector.serve_at(address).await,
        };
        let mut settings = settings(exporter, &format!("http://{address}"));
        settings.retry_for = Duration::from_secs(60);
        let telemetry = start(settings);
        collector.script(&[Answer::Status(400, None)]);
        make_spans(&telemetry, 4);
        until("refused", async || telemetry.counters().given_up("refused") == 4).await;
        make_spans(&telemetry, 5);
        until("the next batch", async || telemetry.counters().exported.get() == 5).await;
        assert!(accounted(&telemetry));
        telemetry.shutdown().await;
    }
}

#[tokio::test]
async fn an_unreachable_collector_exhausts_the_bound_and_a_full_queue_is_counted() {
    let address = free_address().await;
    let mut settings = settings(Exporter::Zipkin, &format!("http://{address}"));
    settings.retry_for = Duration::from_millis(600);
    settings.queue_spans_max = 10;
    settings.batch_spans_max = 5;
    let telemetry = start(settings);
    make_spans(&telemetry, 100);
    until("both", async || {
        let counters = telemetry.counters();
        counters.given_up("retries_exhausted") >= 5 && counters.given_up("queue_full") >= 80
    })
    .await;
    until("every span accounted for", async || accounted(&telemetry)).await;
    assert!(telemetry.metrics_text().contains("tracepact_kit_spans_ended_total{sampled=\"true\"} 100"));
    telemetry.shutdown().await;
}

#[tokio::test]
async fn shutdown_sends_what_is_queued_and_counts_what_it_cannot() {
    let (collector, address) = (Collector::default(), free_address().await);
    let server = collector.serve_at(address).await;
    let mut quick = settings(Exporter::OtlpHttp, &format!("http://{address}"));
    quick.batch_delay = Duration::from_secs(3600);
    let telemetry = start(quick.clone());
    make_spans(&telemetry, 7);
    telemetry.shutdown().await;
    assert_eq!(collector.spans().len(), 7);
    server.abort();
    let _aborted = server.await;
    quick.shutdown_within = Duration::from_millis(300);
    let telemetry = start(quick);
    make_spans(&telemetry, 7);
    let counters = telemetry.counters().clone();
    telemetry.shutdown().await;
    assert_eq!(counters.given_up("shutdown"), 7);
}

#[tokio::test]
async fn unsampled_spans_are_counted_and_stay_here() {
    let (collector, address) = (Collector::default(), free_address().await);
    let _server = collector.serve_at(address).await;
    let mut settings = settings(Exporter::OtlpHttp, &format!("http://{address}"));
    settings.sample_ratio = 0.0;
    let telemetry = start(settings);
    make_spans(&telemetry, 6);
    let counters = telemetry.counters().clone();
    telemetry.shutdown().await;
    assert_eq!((counters.unsampled.get(), counters.sampled.get(), collector.spans().len()), (6, 0, 0));
}

#[tokio::test]
async fn zipkin_spans_have_the_shape_zipkin_reads() {
    let (collector, address) = (Collector::default(), free_address().await);
    let _server = collector.serve_at(address).await;
    let telemetry = start(settings(Exporter::Zipkin, &format!("http://{address}")));
    let tracing = telemetry.tracing();
    let root = tracing.start(&Context::new(), SpanKind::Server, "GET /a", Vec::new(), Vec::new());
    let peer = vec![opentelemetry::KeyValue::new("peer.service", "products")];
    let child = tracing.start(&root, SpanKind::Client, "GET", peer, Vec::new());
    spans::fail(&child, "503", "");
    spans::end(&child);
    spans::end(&root);
    telemetry.shutdown().await;
    let spans = collector.zipkin();
    let child = spans.iter().find(|s| s["kind"] == "CLIENT").unwrap();
    let root = spans.iter().find(|s| s["kind"] == "SERVER").unwrap();
    assert_eq!(child["parentId"], root["id"]);
    assert_eq!(child["traceId"], root["traceId"]);
    assert_eq!(child["remoteEndpoint"]["serviceName"], "products");
    assert_eq!(child["localEndpoint"]["serviceName"], "tested");
    assert_eq!(child["tags"]["error"], "503");
    assert!(root.get("parentId").is_none() && root["duration"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_collector_killed_during_a_call_costs_no_span() {
    let (collector, behind) = (Collector::default(), free_address().await);
    let _server = collector.serve_grpc_at(behind);
    let front = std::sync::Arc::new(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let endpoint = format!("http://{}", front.local_addr().unwrap());
    // The way to the collector; aborting it cuts the connections in the middle of a call.
    let way = |front: std::sync::Arc<tokio::net::TcpListener>| {
        tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            loop {
                let (mut client, _) = front.accept().await.unwrap();
                open.spawn(async move {
                    if let Ok(mut server) = tokio::net::TcpStream::connect(behind).await {
                        let _closed = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        })
    };
    let first = way(front.clone());
    collector.script(&[Answer::Hang]);
    let telemetry = start(settings(Exporter::OtlpGrpc, &endpoint));
    make_spans(&telemetry, 9);
    until("the call is in flight", async || collector.arrivals().len() == 1).await;
    first.abort();
    let _aborted = first.await;
    let _second = way(front);
    until("all spans", async || telemetry.counters().exported.get() == 9).await;
    assert_eq!(telemetry.counters().given_up_total(), 0);
    telemetry.shutdown().await;
}

#[tokio::test]
async fn partly_rejected_batches_are_counted_as_such() {
    use tracing_subscriber::layer::SubscriberExt as _;
    let watching = tracing_subscriber::registry().with(spans::partial::PartialSuccessLayer);
    let _scope = tracing::subscriber::set_default(watching);
    let (collector, address) = (Collector::default(), free_address().await);
    let _server = collector.serve_grpc_at(address);
    collector.script(&[Answer::Partial(2)]);
    let telemetry = start(settings(Exporter::OtlpGrpc, &format!("http://{address}")));
    make_spans(&telemetry, 5);
    until("both counts", async || {
        telemetry.counters().given_up("rejected") == 2 && telemetry.counters().exported.get() == 3
    })
    .await;
    telemetry.shutdown().await;
}
