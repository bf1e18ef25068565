use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use tracepact_ingest::grpc_routes;
use tracepact_listener::Access;

use crate::fake::{NOW_NS, Receivers, gauges, otlp, otlp_span, receivers};

async fn connect(receivers: &Receivers) -> Channel {
    let router = grpc_routes(receivers.ingest.clone())
        .into_router(Arc::new(Access::for_listen([127, 0, 0, 1].into())));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, router).await });
    Channel::from_shared(address).unwrap().connect().await.unwrap()
}

#[tokio::test]
async fn spans_are_taken_plain_and_compressed() {
    let receivers = receivers(|_| {});
    let channel = connect(&receivers).await;
    for (id, encoding) in
        [(1, None), (2, Some(CompressionEncoding::Gzip)), (3, Some(CompressionEncoding::Zstd))]
    {
        let mut client = TraceServiceClient::new(channel.clone());
        if let Some(encoding) = encoding {
            client = client.send_compressed(encoding);
        }
        let answer = client.export(otlp(vec![otlp_span(id, NOW_NS)])).await.unwrap();
        assert_eq!(answer.into_inner().partial_success, None);
    }
    let batches = receivers.store.batches.lock();
    assert_eq!(batches.iter().map(|b| b.spans.len()).sum::<usize>(), 3);
    assert_eq!(batches[2].spans[0].instance.as_deref(), Some("orders-1"));
    assert_eq!(receivers.counter("tracepact_ingest_spans_total", &["grpc", "otlp_proto"]), 3);
}

#[tokio::test]
async fn a_full_store_answers_unavailable_with_a_retry_time() {
    let receivers = receivers(|_| {});
    receivers.exhausted();
    let mut client = TraceServiceClient::new(connect(&receivers).await);
    let status = client.export(otlp(vec![otlp_span(1, NOW_NS)])).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let retry = status.get_details_retry_info().unwrap();
    assert_eq!(retry.retry_delay, Some(Duration::from_millis(2_500)));
}

#[tokio::test]
async fn refused_spans_are_a_partial_success() {
    let receivers = receivers(|_| {});
    let mut client = TraceServiceClient::new(connect(&receivers).await);
    let answer = client.export(otlp(vec![otlp_span(1, 1), otlp_span(2, NOW_NS)])).await.unwrap();
    assert_eq!(answer.into_inner().partial_success.unwrap().rejected_spans, 1);
}

#[tokio::test]
async fn messages_beyond_the_limit_are_refused_and_counted() {
    let receivers = receivers(|config| config.body.decompressed_bytes_max = 1_000);
    let mut client =
        TraceServiceClient::new(connect(&receivers).await).send_compressed(CompressionEncoding::Gzip);
    let mut span = otlp_span(1, NOW_NS);
    span.name = "x".repeat(100_000);
    let status = client.export(otlp(vec![span])).await.unwrap_err();
    assert!(matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted), "{status:?}");
    assert_eq!(receivers.counter("tracepact_ingest_requests_total", &["grpc", "too_large"]), 1);
    assert!(receivers.store.batches.lock().is_empty());
}

#[tokio::test]
async fn metrics_reach_the_boards() {
    let receivers = receivers(|_| {});
    let mut client = MetricsServiceClient::new(connect(&receivers).await);
    let answer = client.export(gauges(&[("tracepact.breaker.state", 2.0)])).await.unwrap();
    assert_eq!(answer.into_inner().partial_success, None);
    let breakers = receivers.boards.breakers.snapshot(NOW_NS);
    assert_eq!((breakers[0].name.as_str(), breakers[0].instance.as_str()), ("products", "orders-1"));
}
