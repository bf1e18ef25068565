//! OTLP over HTTP in JSON, and compressed bodies of either kind.

use std::io::Write;

use http::{HeaderMap, StatusCode, header};
use prost::Message;
use serde_json::{Value, json};
use tracepact_model::{DecodeLimits, decode};

use crate::fake::{NOW_NS, Receivers, otlp, otlp_span, receivers};
use crate::http_receivers::post;

fn request(spans: &[Value]) -> Value {
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "orders"}}]},
        "scopeSpans": [{"spans": spans}],
    }]})
}

fn span(id: u8, start_ns: u64) -> Value {
    json!({"traceId": "07".repeat(16), "spanId": format!("{id:02x}").repeat(8), "name": "GET /item",
        "startTimeUnixNano": start_ns.to_string(), "endTimeUnixNano": start_ns + 5})
}

async fn sent(receivers: &Receivers, body: &Value) -> (StatusCode, HeaderMap, Value) {
    let headers = [("content-type", "application/json; charset=utf-8")];
    let (status, headers, body) = post(receivers, "/v1/traces", &headers, body.to_string()).await;
    (status, headers, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn spans_in_json_are_taken_with_an_empty_answer() {
    let receivers = receivers(|_| {});
    let (status, headers, answer) = sent(&receivers, &request(&[span(1, NOW_NS), span(2, NOW_NS)])).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({})));
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    let batches = receivers.store.batches.lock();
    assert_eq!(batches[0].spans[1].duration_ns, Some(5));
    assert_eq!(
        decode(batches[0].codec, &batches[0].body, &DecodeLimits::default()).unwrap(),
        batches[0].spans
    );
    assert_eq!(receivers.counter("tracepact_ingest_spans_total", &["http", "otlp_json", "orders"]), 2);
}

#[tokio::test]
async fn the_good_spans_of_a_request_are_kept_and_the_others_told() {
    let receivers = receivers(|_| {});
    let mut bad = span(1, NOW_NS);
    bad["traceId"] = json!("");
    let (status, _, answer) = sent(&receivers, &request(&[bad, span(2, 1), span(3, NOW_NS)])).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "2");
    let message = answer["partialSuccess"]["errorMessage"].as_str().unwrap();
    assert!(message.contains("span 0: trace_id has 0 bytes"), "{message}");
    let batches = receivers.store.batches.lock();
    assert_eq!(batches[0].spans.len(), 1);
    let again = decode(batches[0].codec, &batches[0].body, &DecodeLimits::default()).unwrap();
    assert_eq!(batches[0].admission.admit(again), batches[0].spans);
}

#[tokio::test]
async fn refusals_are_statuses_in_json() {
    let receivers = receivers(|_| {});
    let (status, _, answer) = sent(&receivers, &json!([])).await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!(3)));
    assert!(answer["message"].as_str().unwrap().contains("at byte 0"), "{answer}");
    receivers.exhausted();
    let (status, headers, answer) = sent(&receivers, &request(&[span(1, NOW_NS)])).await;
    assert_eq!((status, &answer["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(14)));
    assert_eq!(headers[header::RETRY_AFTER], "3");
}

#[tokio::test]
async fn bodies_may_be_compressed_with_gzip_or_zstd() {
    let receivers = receivers(|_| {});
    let text = request(&[span(1, NOW_NS)]).to_string();
    let proto = otlp(vec![otlp_span(2, NOW_NS)]).encode_to_vec();
    for (media, body) in [("application/json", text.into_bytes()), ("application/x-protobuf", proto)] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&body).unwrap();
        for (encoding, body) in
            [("gzip", gzip.finish().unwrap()), ("zstd", zstd::bulk::compress(&body, 1).unwrap())]
        {
            let headers = [("content-type", media), ("content-encoding", encoding)];
            assert_eq!(post(&receivers, "/v1/traces", &headers, body).await.0, StatusCode::OK, "{encoding}");
        }
    }
    assert_eq!(receivers.counter("tracepact_ingest_spans_total", &["http"]), 4);
}
