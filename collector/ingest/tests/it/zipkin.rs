//! Zipkin's encodings over HTTP and gRPC: what its server accepts, and its own words for what it does not.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tower::ServiceExt;
use tracepact_ingest::{routes, zipkin_disabled_routes, zipkin_grpc_routes};
use tracepact_listener::Access;
use tracepact_model::{Codec, DecodeLimits, Source, decode, encode};

use crate::fake::{NOW_NS, Receivers, receivers};
use crate::http_receivers::{NOW_US, post, span};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../model/tests/corpus/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The recorded spans are of 2016.
fn old_spans() -> Receivers {
    receivers(|config| config.age_max = std::time::Duration::from_secs(20 * 365 * 24 * 3_600))
}

async fn sent(receivers: &Receivers, path: &str, media: &str, body: Vec<u8>) -> (StatusCode, String) {
    let headers: &[(&str, &str)] = if media.is_empty() { &[] } else { &[("content-type", media)] };
    let (status, _, answer) = post(receivers, path, headers, body).await;
    (status, String::from_utf8(answer.to_vec()).unwrap())
}

#[tokio::test]
async fn every_encoding_is_taken_on_its_paths() {
    for (path, media, file, format, rows) in [
        ("/api/v2/spans", "application/x-protobuf", "zipkin_proto3/full.bin", "zipkin_proto3", 1),
        ("/zipkin/api/v2/spans", "application/x-protobuf", "zipkin_proto3/full.bin", "zipkin_proto3", 1),
        ("/api/v2/spans", "", "zipkin_json/full.json", "zipkin_json", 2),
        ("/api/v1/spans", "", "zipkin_v1_json/list.json", "zipkin_json_v1", 3),
        ("/api/v1/spans", "application/json", "zipkin_v1_json/list.json", "zipkin_json_v1", 3),
        ("/zipkin/api/v1/spans", "application/x-thrift", "zipkin_thrift/list.bin", "zipkin_thrift", 3),
    ] {
        let receivers = old_spans();
        assert_eq!(sent(&receivers, path, media, fixture(file)).await, (StatusCode::ACCEPTED, String::new()));
        let batches = receivers.store.batches.lock();
        assert_eq!(batches[0].spans.len(), rows, "{file}");
        let again = decode(batches[0].codec, &batches[0].body, &DecodeLimits::default()).unwrap();
        assert_eq!(again, batches[0].spans, "{file}");
        let v1 = path.contains("v1");
        assert_eq!(batches[0].spans[0].source == Source::ZipkinV1, v1);
        assert_eq!(receivers.counter("tracepact_ingest_spans_total", &["http", format]), rows as u64);
    }
}

#[tokio::test]
async fn nothing_is_accepted_in_every_encoding() {
    for (path, media) in [
        ("/api/v2/spans", "application/json"),
        ("/api/v2/spans", "application/x-protobuf"),
        ("/api/v1/spans", "application/json"),
        ("/api/v1/spans", "application/x-thrift"),
    ] {
        let receivers = receivers(|_| {});
        for body in [&b""[..], b"[]"] {
            assert_eq!(
                sent(&receivers, path, media, body.to_vec()).await,
                (StatusCode::ACCEPTED, String::new())
            );
        }
        assert!(receivers.store.batches.lock().is_empty());
    }
}

#[tokio::test]
async fn a_list_in_another_encoding_is_refused_in_zipkins_words() {
    let receivers = receivers(|_| {});
    for (path, media, body, said) in [
        (
            "/api/v2/spans",
            "",
            fixture("zipkin_v1_json/list.json"),
            "Expected a JSON_V2 encoded list, but received: JSON_V1\n",
        ),
        (
            "/api/v1/spans",
            "",
            fixture("zipkin_json/full.json"),
            "Expected a JSON_V1 encoded list, but received: JSON_V2\n",
        ),
        (
            "/api/v2/spans",
            "application/x-thrift",
            fixture("zipkin_thrift/list.bin"),
            "Expected a JSON_V2 encoded list, but received: THRIFT\n",
        ),
        (
            "/api/v1/spans",
            "application/x-thrift",
            fixture("zipkin_thrift/single.bin"),
            "Expected a THRIFT encoded list\n",
        ),
        (
            "/api/v2/spans",
            "application/json",
            b"{\"traceId\":\"1\"}".to_vec(),
            "Expected a JSON_V2 encoded list\n",
        ),
        ("/api/v2/spans", "application/json", b"zipkin".to_vec(), "Expected a JSON_V2 encoded list\n"),
    ] {
        assert_eq!(sent(&receivers, path, media, body).await, (StatusCode::BAD_REQUEST, said.to_owned()));
    }
    assert_eq!(receivers.counter("tracepact_ingest_requests_total", &["malformed"]), 6);
    assert!(receivers.store.batches.lock().is_empty());
}

#[tokio::test]
async fn broken_bodies_are_400_with_the_reason() {
    let receivers = receivers(|_| {});
    let mut thrift = fixture("zipkin_thrift/list.bin");
    thrift.truncate(40);
    for (path, media, body, part) in [
        (
            "/api/v2/spans",
            "application/x-protobuf",
            b"\x0a\x42abc".to_vec(),
            "reading List<Span> from proto3",
        ),
        ("/api/v1/spans", "application/x-thrift", thrift, "reading List<Span> from TBinary"),
        ("/api/v1/spans", "", b"[{\"traceId\":\"1\"".to_vec(), "reading List<Span> from json"),
    ] {
        let (status, text) = sent(&receivers, path, media, body).await;
        assert!(status == StatusCode::BAD_REQUEST && text.contains(part), "{status} {text}");
    }
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let (status, _, text) = post(&receivers, "/api/v2/spans", &headers, "not gzip").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.starts_with(b"Cannot gunzip spans"), "{text:?}");
}

#[tokio::test]
async fn any_page_may_report_spans_and_asks_first() {
    let receivers = receivers(|_| {});
    let router =
        routes(receivers.ingest.clone()).into_router(Arc::new(Access::for_listen([127, 0, 0, 1].into())));
    for path in ["/api/v2/spans", "/api/v1/spans", "/zipkin/api/v2/spans", "/v1/traces"] {
        let asked = Request::builder()
            .method(Method::OPTIONS)
            .uri(path)
            .header(header::HOST, "127.0.0.1")
            .header(header::ORIGIN, "http://foo.example.com")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type");
        let answer = router.clone().oneshot(asked.body(Body::empty()).unwrap()).await.unwrap();
        assert!(answer.status().is_success(), "{path}");
        let header = |name: header::HeaderName| answer.headers()[name].to_str().unwrap();
        assert_eq!(header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        assert!(header(header::ACCESS_CONTROL_ALLOW_METHODS).contains("POST"));
        assert!(header(header::ACCESS_CONTROL_ALLOW_HEADERS).contains("content-type"));
    }
    let headers = [("content-type", "application/json"), ("origin", "http://foo.example.com")];
    let (status, headers, _) =
        post(&receivers, "/api/v2/spans", &headers, format!("[{}]", span("a", NOW_US))).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
}

#[tokio::test]
async fn receivers_that_are_switched_off_are_not_found() {
    let router = zipkin_disabled_routes().into_router(Arc::new(Access::for_listen([127, 0, 0, 1].into())));
    for path in ["/api/v2/spans", "/api/v1/spans", "/zipkin/api/v2/spans"] {
        let request = Request::post(path)
            .header(header::HOST, "127.0.0.1")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from("[]"))
            .unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
}

async fn report(receivers: &Receivers, body: Vec<u8>, compressed: bool) -> Result<(), tonic::Status> {
    let router = zipkin_grpc_routes(receivers.ingest.clone())
        .into_router(Arc::new(Access::for_listen([127, 0, 0, 1].into())));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, router).await });
    let channel = tonic::transport::Channel::from_shared(address).unwrap().connect().await.unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    if compressed {
        client = client.send_compressed(CompressionEncoding::Gzip);
    }
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/zipkin.proto3.SpanService/Report");
    let message = tonic::Request::new(Raw(body));
    client.unary(message, path, RawCodec).await.map(|_| ())
}

struct Raw(Vec<u8>);

#[derive(Clone)]
struct RawCodec;

impl tonic::codec::Codec for RawCodec {
    type Encode = Raw;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl tonic::codec::Encoder for RawCodec {
    type Item = Raw;
    type Error = tonic::Status;

    fn encode(&mut self, item: Raw, out: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), tonic::Status> {
        bytes::BufMut::put_slice(out, &item.0);
        Ok(())
    }
}

impl tonic::codec::Decoder for RawCodec {
    type Item = ();
    type Error = tonic::Status;

    fn decode(&mut self, message: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<()>, tonic::Status> {
        assert_eq!(bytes::Buf::remaining(message), 0, "ReportResponse has no fields");
        Ok(Some(()))
    }
}

#[tokio::test]
async fn the_span_service_takes_lists_plain_and_compressed() {
    let receivers = old_spans();
    report(&receivers, fixture("zipkin_proto3/full.bin"), false).await.unwrap();
    report(&receivers, fixture("zipkin_proto3/full.bin"), true).await.unwrap();
    report(&receivers, Vec::new(), false).await.unwrap();
    assert_eq!(receivers.store.batches.lock().len(), 2);
    assert_eq!(receivers.counter("tracepact_ingest_spans_total", &["grpc", "zipkin_proto3", "frontend"]), 2);
    let status = report(&receivers, b"\x0a\x42abc".to_vec(), false).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    receivers.exhausted();
    let status = report(&receivers, fixture("zipkin_proto3/full.bin"), false).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(
        receivers.counter("tracepact_ingest_requests_total", &["grpc", "zipkin_proto3", "unavailable"]),
        0
    );
    assert_eq!(
        receivers.counter("tracepact_ingest_requests_total", &["grpc", "zipkin_proto3", "exhausted"]),
        1
    );
}

#[tokio::test]
async fn spans_that_are_all_too_old_are_an_error_over_grpc_too() {
    let receivers = receivers(|_| {});
    let status = report(&receivers, fixture("zipkin_proto3/full.bin"), false).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("too long ago"), "{status:?}");
    let mut row =
        decode(Codec::ZipkinProto3, &fixture("zipkin_proto3/full.bin"), &DecodeLimits::default()).unwrap();
    row[0].start_ns = Some(NOW_NS);
    report(&receivers, encode(Codec::ZipkinProto3, &row).unwrap(), false).await.unwrap();
}
