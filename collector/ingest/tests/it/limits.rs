//! Limits, sampling and redaction: what is cut, left out or hidden is counted, and the log gives the same rows again.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use tonic::Code;
use tower::ServiceExt;
use tracepact_ingest::{Ingest, IngestConfig, Sinks, grpc_routes};
use tracepact_listener::Access;
use tracepact_model::redact::{Action, Redaction};
use tracepact_model::{DecodeLimits, decode};
use tracepact_store::{Dimension, Engine, EngineConfig, ReadCtx, RedQuery, RedStore};

use crate::fake::{Batch, NOW_NS, Receivers, receivers};
use crate::http_receivers::{NOW_US, zipkin};

fn span(trace: u64, id: u64, more: &str) -> String {
    format!(
        r#"{{"traceId":"{trace:016x}","id":"{id:016x}","timestamp":{NOW_US},"localEndpoint":{{"serviceName":"Orders"}}{more}}}"#
    )
}

fn list(spans: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", spans.into_iter().collect::<Vec<_>>().join(","))
}

/// Reading the log again gives the rows that were kept.
fn replays(batches: &[Batch], limits: &DecodeLimits) {
    for batch in batches {
        let again = decode(batch.codec, &batch.body, &limits.for_replay()).unwrap();
        assert_eq!(batch.admission.admit(again), batch.spans);
    }
}

async fn taken(receivers: &Receivers, body: String) -> HeaderMap {
    let (status, headers, text) = zipkin(receivers, body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{text}");
    headers
}

#[tokio::test]
async fn what_is_cut_is_marked_and_counted() {
    let limits = DecodeLimits { attributes_max: 2, value_bytes_max: 100, ..DecodeLimits::default() };
    let receivers = receivers(|config| config.decode = limits.clone());
    let large = "x".repeat(10 << 20);
    let many: Vec<String> = (0..1_000).map(|n| format!(r#""k{n}":"v""#)).collect();
    taken(
        &receivers,
        list([
            span(1, 1, &format!(r#","tags":{{"large":"{large}"}}"#)),
            span(1, 2, &format!(r#","tags":{{{}}}"#, many.join(","))),
            span(1, 3, ""),
        ]),
    )
    .await;
    let batches = receivers.store.batches.lock();
    let spans = &batches[0].spans;
    assert_eq!(spans.iter().map(|span| span.flags.truncated).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!((spans[0].attributes.len(), spans[1].attributes.len(), spans[1].dropped[0]), (1, 2, 998));
    assert_eq!(receivers.counter("tracepact_ingest_spans_truncated_total", &["http", "Orders"]), 2);
    replays(&batches, &limits);
}

#[tokio::test]
async fn a_trace_without_end_is_cut_and_says_so_while_others_go_on() {
    let receivers = receivers(|config| config.spans_per_trace_max = 1_700);
    for request in 0..4_u64 {
        taken(&receivers, list((0..1_000).map(|n| span(7 + n % 2, 1 + request * 1_000 + n, "")))).await;
    }
    let (status, _, text) = zipkin(&receivers, list([span(7, 5_000, "")])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("as many spans as a trace may have"), "{text}");
    taken(&receivers, list([span(9, 1, "")])).await;
    let batches = receivers.store.batches.lock();
    let spans: Vec<_> = batches.iter().flat_map(|batch| &batch.spans).collect();
    for trace in [7, 8] {
        let of_trace: Vec<_> = spans.iter().filter(|span| span.trace_id.low() == trace).collect();
        assert_eq!(of_trace.len(), 1_701);
        let markers = of_trace.iter().filter(|span| span.attribute("tracepact.trace.truncated").is_some());
        let marker = markers.collect::<Vec<_>>();
        assert_eq!(marker.len(), 1);
        assert!(marker[0].parent_id.is_some() && marker[0].local.service_name.as_deref() == Some("Orders"));
    }
    assert_eq!(
        receivers.counter("tracepact_ingest_spans_refused_total", &["trace_too_large", "Orders"]),
        601
    );
    replays(&batches, &DecodeLimits::default());
}

#[tokio::test]
async fn what_the_store_did_not_keep_does_not_fill_a_trace() {
    let receivers = receivers(|config| config.spans_per_trace_max = 3);
    receivers.exhausted();
    for _ in 0..2 {
        let (status, ..) = zipkin(&receivers, list((1..5).map(|n| span(7, n, "")))).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    *receivers.store.refuse.lock() = None;
    let headers = taken(&receivers, list((1..5).map(|n| span(7, n, "")))).await;
    assert_eq!(headers["tracepact-refused-spans"], "1");
    let batches = receivers.store.batches.lock();
    assert_eq!(batches.iter().map(|batch| batch.spans.len()).collect::<Vec<_>>(), [3, 1]);
    // Only what was kept in the end is counted once.
    assert_eq!(receivers.counter("tracepact_ingest_spans_total", &["Orders"]), 3);
    assert_eq!(receivers.counter("tracepact_ingest_spans_refused_total", &["exhausted"]), 6);
}

#[tokio::test]
async fn sampling_goes_by_trace_and_debug_passes_within_its_rate() {
    let receivers = receivers(|config| {
        config.sample_rate = 0.5;
        config.debug_spans_per_second_max = 1;
    });
    let far = u64::MAX / 2;
    let headers = taken(
        &receivers,
        list([
            span(1, 1, ""),
            span(far, 2, ""),
            span(far, 3, r#","debug":true"#),
            span(far, 4, r#","debug":true"#),
            span(1, 5, ""),
        ]),
    )
    .await;
    // Nothing was refused: leaving out is what was asked for.
    assert!(!headers.contains_key("tracepact-refused-spans"));
    {
        let batches = receivers.store.batches.lock();
        assert_eq!(batches[0].admission.rejected, [1, 3]);
        replays(&batches, &DecodeLimits::default());
    }
    assert_eq!(receivers.counter("tracepact_ingest_spans_sampled_out_total", &["http", "Orders"]), 2);
    assert_eq!(receivers.counter("tracepact_ingest_debug_spans_total", &["kept"]), 1);
    assert_eq!(receivers.counter("tracepact_ingest_debug_spans_total", &["capped"]), 1);
    taken(&receivers, list([span(far, 6, "")])).await;
    assert_eq!(receivers.store.batches.lock().len(), 1);
}

#[tokio::test]
async fn secrets_are_hidden_as_configured_before_the_log_and_counted() {
    for (action, kept) in
        [(Action::Mask, Some("***")), (Action::Drop, None), (Action::Truncate { chars: 3 }, Some("hun***"))]
    {
        let receivers = receivers(|config| config.redaction = Redaction::default().with_action(action));
        let tags = r#","tags":{"db.password":"hunter2","note":"sent Bearer hunter2hunter2"}"#;
        taken(&receivers, list([span(1, 1, tags), span(1, 2, "")])).await;
        let batches = receivers.store.batches.lock();
        assert!(!format!("{:?}", batches[0]).contains("hunter2"), "{batches:?}");
        let password = batches[0].spans[0].attribute("db.password").map(|value| value.text().into_owned());
        assert_eq!(password.as_deref(), kept);
        replays(&batches, &DecodeLimits::default());
        assert_eq!(receivers.counter("tracepact_ingest_values_redacted_total", &["http", "zipkin_json"]), 2);
    }
}

#[tokio::test]
async fn senders_are_told_apart_by_service_and_else_by_address() {
    let receivers = receivers(|_| {});
    taken(&receivers, list([span(1, 1, ""), span(1, 2, "").replace("Orders", "billing")])).await;
    for sender in ["Orders", "billing"] {
        assert_eq!(receivers.counter("tracepact_ingest_spans_total", &[sender]), 1);
    }
    assert_eq!(receivers.counter("tracepact_ingest_requests_total", &["Orders", "accepted"]), 1);
    zipkin(&receivers, "{").await;
    assert_eq!(receivers.counter("tracepact_ingest_requests_total", &["unknown", "malformed"]), 1);
}

#[tokio::test]
async fn a_grpc_message_that_never_ends_is_given_up() {
    let receivers = receivers(|config| config.message_time_max = Duration::from_millis(50));
    let router = grpc_routes(receivers.ingest.clone())
        .into_router(Arc::new(Access::for_listen([127, 0, 0, 1].into())));
    // The head of a message of 100 bytes, and then nothing.
    let head = futures::stream::iter([Ok::<_, std::io::Error>(vec![0_u8, 0, 0, 0, 100, 1])]);
    let stalled = futures::StreamExt::chain(head, futures::stream::pending());
    let request = Request::post("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        .header(header::HOST, "127.0.0.1")
        .header(header::CONTENT_TYPE, "application/grpc")
        .body(Body::from_stream(stalled))
        .unwrap();
    let answer = router.oneshot(request).await.unwrap();
    let status = tonic::Status::from_header_map(answer.headers()).unwrap();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(receivers.counter("tracepact_ingest_requests_total", &["grpc", "malformed"]), 1);
}

/// Guarantees: counts are of all spans of a request that was taken, of those that sampling left out as well, and the
/// traces that stand for them are traces that were kept. After a restart they are the same.
#[tokio::test]
async fn what_sampling_leaves_out_is_counted_all_the_same() {
    let mut receivers = receivers(|_| {});
    let dir = tempfile::tempdir().unwrap();
    let open = |clock| Engine::open(dir.path(), EngineConfig::default(), clock).unwrap();
    let engine = open(receivers.clock.clone());
    let sinks = Sinks {
        spans: engine.clone(),
        series: engine.clone(),
        events: engine.clone(),
        boards: receivers.boards.clone(),
    };
    let config = IngestConfig { sample_rate: 0.5, ..IngestConfig::default() };
    let clock = receivers.clock.clone();
    receivers.ingest = Ingest::new(sinks, clock.clone(), config, &prometheus::Registry::new()).unwrap();
    let far = u64::MAX / 2;
    let server =
        |trace: u64, id: u64, us: u64| span(trace, id, &format!(r#","kind":"SERVER","duration":{us}"#));
    taken(&receivers, list([server(1, 1, 100), server(far, 2, 900)])).await;
    taken(&receivers, list([server(far, 3, 800)])).await;
    // Sent again, because its answer was lost on the way.
    taken(&receivers, list([server(1, 1, 100), server(far, 2, 900)])).await;
    let counts = |engine: Arc<Engine>| async move {
        let query =
            RedQuery { dimension: Dimension::Operation, service: None, start_ns: NOW_NS, end_ns: NOW_NS };
        let answer = engine.red(query, ReadCtx::default()).await.unwrap();
        assert_eq!(answer.rows.len(), 1);
        let row = &answer.rows[0].1;
        (row.durations.count(), row.sum_ns, row.slowest.map(|exemplar| exemplar.trace_id))
    };
    let wanted = (3, 1_800_000, Some(1));
    assert_eq!(counts(engine.clone()).await, wanted);
    engine.close();
    drop((engine, receivers));
    assert_eq!(counts(open(clock)).await, wanted);
}
