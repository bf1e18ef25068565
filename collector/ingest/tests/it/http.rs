use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tonic_types::pb;
use tower::ServiceExt;
use tracepact_base::{Clock, EventKind};
use tracepact_ingest::routes;
use tracepact_listener::Access;
use tracepact_model::{DecodeLimits, decode};
use tracepact_resilience::BreakerState;
use tracepact_store::{EventQuery, EventStore, ReadCtx, SeriesQuery, SeriesStore};

use crate::fake::{NOW_NS, Receivers, gauges, otlp, otlp_span, receivers};

pub(crate) const NOW_US: u64 = NOW_NS / 1_000;

pub(crate) async fn post(
    receivers: &Receivers,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> (StatusCode, HeaderMap, Bytes) {
    let router =
        routes(receivers.ingest.clone()).into_router(Arc::new(Access::for_listen([127, 0, 0, 1].into())));
    let mut request = Request::post(path).header(header::HOST, "127.0.0.1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

pub(crate) async fn zipkin(receivers: &Receivers, body: impl Into<Body>) -> (StatusCode, HeaderMap, String) {
    let (status, headers, body) =
        post(receivers, "/api/v2/spans", &[("content-type", "application/json")], body).await;
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

async fn otlp_http(receivers: &Receivers, body: Vec<u8>) -> (StatusCode, HeaderMap, Bytes) {
    post(receivers, "/v1/traces", &[("content-type", "application/x-protobuf")], body).await
}

pub(crate) fn span(id: &str, timestamp_us: u64) -> String {
    format!(r#"{{"traceId":"463ac35c9f6413ad","id":"{id}","name":"get","timestamp":{timestamp_us}}}"#)
}

#[tokio::test]
async fn zipkin_spans_are_taken_on_both_paths_with_202_and_no_body() {
    for path in ["/api/v2/spans", "/zipkin/api/v2/spans"] {
        for headers in [&[("content-type", "application/json; charset=utf-8")][..], &[]] {
            let receivers = receivers(|_| {});
            let body = format!("[{}]", span("a", NOW_US));
            let (status, _, answer) = post(&receivers, path, headers, body.clone()).await;
            assert_eq!((status, answer.len()), (StatusCode::ACCEPTED, 0));
            let batches = receivers.store.batches.lock();
            assert_eq!(batches[0].body, body.as_bytes());
            assert_eq!(batches[0].spans[0].name.as_ref(), "get");
            assert_eq!(receivers.counter("tracepact_ingest_spans_total", &["http", "zipkin_json"]), 1);
        }
    }
}

#[tokio::test]
async fn nothing_to_store_is_accepted_and_not_written() {
    for body in ["", "[]"] {
        let receivers = receivers(|_| {});
        assert_eq!(zipkin(&receivers, body).await.0, StatusCode::ACCEPTED);
        assert!(receivers.store.batches.lock().is_empty());
    }
}

#[tokio::test]
async fn gzip_is_unpacked_before_it_is_logged() {
    let receivers = receivers(|_| {});
    let body = format!("[{}]", span("a", NOW_US));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body.as_bytes()).unwrap();
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let (status, ..) = post(&receivers, "/api/v2/spans", &headers, encoder.finish().unwrap()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(receivers.store.batches.lock()[0].body, body.as_bytes());
}

#[tokio::test]
async fn malformed_zipkin_is_400_with_the_reason_in_plain_text() {
    for body in ["{", "[{}]", "hello", r#"[{"traceId":"XYZ","id":"1"}]"#, "\u{1}\u{2}"] {
        let receivers = receivers(|_| {});
        let (status, headers, text) = zipkin(&receivers, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"));
        assert!(!text.is_empty());
        assert!(receivers.store.batches.lock().is_empty());
        let refused =
            receivers.counter("tracepact_ingest_requests_total", &["http", "zipkin_json", "malformed"]);
        assert_eq!(refused, 1);
    }
}

#[tokio::test]
async fn spans_out_of_reach_are_refused_one_by_one() {
    let receivers = receivers(|_| {});
    let year = 365 * 24 * 3_600 * 1_000_000;
    let body = format!("[{},{},{}]", span("a", NOW_US - year), span("b", NOW_US), span("c", NOW_US + year));
    let (status, headers, _) = zipkin(&receivers, body).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(headers["tracepact-refused-spans"], "2");
    {
        let batches = receivers.store.batches.lock();
        assert_eq!(batches[0].admission.rejected, [0, 2]);
        // Reading the log again gives the same rows.
        let again = decode(batches[0].codec, &batches[0].body, &DecodeLimits::default()).unwrap();
        assert_eq!(batches[0].admission.admit(again), batches[0].spans);
    }
    for reason in ["too_old", "too_far_ahead"] {
        assert_eq!(receivers.counter("tracepact_ingest_spans_refused_total", &[reason]), 1);
    }
    let (status, _, text) = zipkin(&receivers, format!("[{}]", span("a", NOW_US - year))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("too long ago"), "{text}");
}

#[tokio::test]
async fn secrets_reach_neither_rows_nor_log() {
    let receivers = receivers(|_| {});
    let body = r#"[{"traceId":"1","id":"2","tags":{"http.request.header.authorization":"Bearer abc"}}]"#;
    assert_eq!(zipkin(&receivers, body).await.0, StatusCode::ACCEPTED);
    let batches = receivers.store.batches.lock();
    assert!(!format!("{:?}", batches[0]).contains("abc"));
}

#[tokio::test]
async fn the_answer_waits_until_the_store_has_synced() {
    let receivers = receivers(|_| {});
    receivers.store.synced.forget_permits(usize::MAX >> 4);
    let body = format!("[{}]", span("a", NOW_US));
    let mut answer = Box::pin(zipkin(&receivers, body));
    assert!(futures::poll!(&mut answer).is_pending());
    assert_eq!(receivers.counter("tracepact_ingest_spans_total", &["http"]), 0);
    receivers.store.synced.add_permits(1);
    assert_eq!(answer.await.0, StatusCode::ACCEPTED);
    assert_eq!(receivers.counter("tracepact_ingest_spans_total", &["http"]), 1);
}

#[tokio::test]
async fn a_store_that_is_full_says_when_to_come_again() {
    let receivers = receivers(|_| {});
    receivers.exhausted();
    let (status, headers, text) = zipkin(&receivers, format!("[{}]", span("a", NOW_US))).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers[header::RETRY_AFTER], "3");
    assert!(text.contains("sealing"), "{text}");
    let (status, headers, body) =
        otlp_http(&receivers, otlp(vec![otlp_span(1, NOW_NS)]).encode_to_vec()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers[header::RETRY_AFTER], "3");
    assert_eq!(pb::Status::decode(body).unwrap().code, tonic::Code::Unavailable as i32);
    assert_eq!(receivers.counter("tracepact_ingest_spans_refused_total", &["http", "exhausted"]), 2);
}

#[tokio::test]
async fn bytes_in_flight_are_bounded() {
    let receivers = receivers(|config| config.in_flight_bytes_max = 4 << 10);
    receivers.store.synced.forget_permits(usize::MAX >> 4);
    let filler = " ".repeat(3 << 10);
    let mut first = Box::pin(zipkin(&receivers, format!("[{}]{filler}", span("a", NOW_US))));
    assert!(futures::poll!(&mut first).is_pending());
    let (status, headers, _) = zipkin(&receivers, format!("[{}]{filler}", span("b", NOW_US))).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers[header::RETRY_AFTER], "1");
    receivers.store.synced.add_permits(2);
    assert_eq!(first.await.0, StatusCode::ACCEPTED);
    assert_eq!(zipkin(&receivers, format!("[{}]{filler}", span("b", NOW_US))).await.0, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused_and_counted() {
    let receivers = receivers(|config| config.body.sent_bytes_max = 100);
    let (status, _, text) = zipkin(&receivers, format!("[{}]", " ".repeat(200))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text.contains("100 bytes"), "{text}");
    assert_eq!(receivers.counter("tracepact_ingest_requests_total", &["too_large"]), 1);
}

#[tokio::test]
async fn otlp_spans_are_taken_with_an_empty_answer() {
    let receivers = receivers(|_| {});
    let request = otlp(vec![otlp_span(1, NOW_NS), otlp_span(2, NOW_NS)]);
    let (status, headers, body) = otlp_http(&receivers, request.encode_to_vec()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_TYPE], "application/x-protobuf");
    assert_eq!(ExportTraceServiceResponse::decode(body).unwrap().partial_success, None);
    let batches = receivers.store.batches.lock();
    assert_eq!(batches[0].spans[1].local.service_name.as_deref(), Some("orders"));
}

#[tokio::test]
async fn otlp_says_how_many_spans_of_a_request_were_refused() {
    let receivers = receivers(|config| config.age_max = Duration::from_secs(60));
    let mut without_id = otlp_span(1, NOW_NS);
    without_id.trace_id = vec![0; 16];
    let request = otlp(vec![without_id, otlp_span(2, 1), otlp_span(3, NOW_NS)]);
    let (status, _, body) = otlp_http(&receivers, request.encode_to_vec()).await;
    assert_eq!(status, StatusCode::OK);
    let partial = ExportTraceServiceResponse::decode(body).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);
    assert!(partial.error_message.contains("too long ago"), "{}", partial.error_message);
    assert_eq!(receivers.store.batches.lock()[0].spans.len(), 1);
    assert_eq!(receivers.counter("tracepact_ingest_spans_refused_total", &["malformed"]), 1);
}

#[tokio::test]
async fn malformed_otlp_and_other_media_types_are_refused_with_a_status_message() {
    let receivers = receivers(|_| {});
    let (status, _, body) = otlp_http(&receivers, b"\xff\xff\xff".to_vec()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(pb::Status::decode(body).unwrap().code, tonic::Code::InvalidArgument as i32);
    let (status, ..) = post(&receivers, "/v1/traces", &[("content-type", "application/cbor")], "{}").await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let (status, headers, body) =
        post(&receivers, "/v1/metrics", &[("content-type", "application/json")], "{}").await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    assert!(String::from_utf8_lossy(&body).contains("http/protobuf"));
}

async fn metrics(receivers: &Receivers, values: &[(&str, f64)]) -> ExportMetricsServiceResponse {
    let body = gauges(values).encode_to_vec();
    let (status, _, body) =
        post(receivers, "/v1/metrics", &[("content-type", "application/x-protobuf")], body).await;
    assert_eq!(status, StatusCode::OK);
    ExportMetricsServiceResponse::decode(body).unwrap()
}

#[tokio::test]
async fn metrics_are_on_the_board_in_the_series_and_their_transitions_in_the_feed() {
    let receivers = receivers(|_| {});
    assert_eq!(metrics(&receivers, &[("tracepact.breaker.state", 0.0)]).await.partial_success, None);
    receivers.clock.advance_ns(1_000_000_000);
    let answer = metrics(&receivers, &[("tracepact.breaker.state", 1.0), ("http.server.active", 3.0)]).await;
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_data_points, 1);
    assert_eq!(partial.error_message, "points not kept: 1 unknown name");

    let now_ns = receivers.clock.now_ns();
    let breakers = receivers.boards.breakers.snapshot(now_ns);
    assert_eq!((breakers[0].service.as_str(), breakers[0].state), ("orders", BreakerState::Open));
    let select = SeriesQuery {
        name: Some("tracepact_breaker_state".to_owned()),
        end_ns: now_ns,
        ..SeriesQuery::default()
    };
    let series = receivers.engine.select(select, ReadCtx::default()).await.unwrap().series;
    assert_eq!(series[0].points, [(NOW_NS, 0.0), (now_ns, 1.0)]);
    assert_eq!(series[0].labels["breaker"], "products");
    let query = EventQuery { limit: 10, ..EventQuery::default() };
    let events = receivers.engine.events(query, ReadCtx::default()).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, EventKind::BreakerTransition);
    assert_eq!(
        (events[0].attributes["from"].as_str(), events[0].attributes["to"].as_str()),
        ("closed", "open")
    );
    assert_eq!(receivers.counter("tracepact_ingest_metric_points_total", &["http"]), 2);
}

#[tokio::test]
async fn a_store_that_is_closed_refuses_metrics() {
    let receivers = receivers(|_| {});
    receivers.engine.close();
    let body = gauges(&[("tracepact.breaker.state", 0.0)]).encode_to_vec();
    let (status, headers, _) =
        post(&receivers, "/v1/metrics", &[("content-type", "application/x-protobuf")], body).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(headers.contains_key(header::RETRY_AFTER));
}
