use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use opentelemetry::baggage::BaggageExt as _;
use parking_lot::Mutex;
use tracepact_kit::http::{Client, ServerLayer};
use tracepact_kit::propagation::{Format, Precedence, TrustInbound};
use tracepact_kit::{Exporter, Telemetry, current_ids};

use super::collector::Collector;
use super::support::{free_address, serve, settings, start, until};

const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const ZIPKIN_64: &str = "463ac35c9f6413ad-a2fb4a1d1a96d312-1";

struct Relay {
    url: String,
    telemetry: Telemetry,
    /// Headers of the last call that the relay made.
    sent: Arc<Mutex<HeaderMap>>,
    collector: Collector,
}

/// A service that answers `GET /relay/{id}` by calling another one.
async fn relay(change: impl FnOnce(&mut tracepact_kit::Settings)) -> Relay {
    let (collector, address) = (Collector::default(), free_address().await);
    let _server = collector.serve_at(address).await;
    let sent = Arc::new(Mutex::new(HeaderMap::new()));
    let seen = sent.clone();
    let target = serve(Router::new().route(
        "/target",
        get(async move |headers: HeaderMap| {
            *seen.lock() = headers;
            StatusCode::IM_A_TEAPOT
        }),
    ))
    .await;
    let mut settings = settings(Exporter::OtlpHttp, &format!("http://{address}"));
    settings.propagation.http = vec![Format::W3c, Format::B3Single, Format::B3Multi];
    change(&mut settings);
    let telemetry = start(settings);
    let client =
        Client::with_tracing(reqwest::Client::new(), telemetry.tracing().clone()).for_service("target");
    let app = Router::new()
        .route(
            "/relay/{id}",
            get(async move || {
                let spoken = opentelemetry::Context::current().baggage().get("user").map(ToString::to_string);
                let answer = client.get(format!("{target}/target?secret=1")).send().await.unwrap();
                assert_eq!(answer.status(), StatusCode::IM_A_TEAPOT);
                format!("{:?} {spoken:?}", current_ids().map(|ids| ids.0.to_string()))
            }),
        )
        .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .layer(ServerLayer::new(telemetry.tracing().clone()).with_traceresponse());
    Relay { url: serve(app).await, telemetry, sent, collector }
}

impl Relay {
    async fn ask(&self, headers: &[(&'static str, &str)]) -> (HeaderMap, String) {
        let mut request = reqwest::Client::new().get(format!("{}/relay/7", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        (answer.headers().clone(), answer.text().await.unwrap())
    }

    fn sent(&self, name: &str) -> String {
        let headers = self.sent.lock();
        headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

#[tokio::test]
async fn a_w3c_trace_is_continued_in_every_format() {
    let relay = relay(|_| {}).await;
    let (answer, body) = relay
        .ask(&[("traceparent", W3C), ("tracestate", "congo=t61"), ("baggage", "user=Am%C3%A9lie;p=1,k=v")])
        .await;
    assert_eq!(body, "Some(\"0af7651916cd43dd8448eb211c80319c\") Some(\"Amélie\")");
    assert!(answer["traceresponse"].to_str().unwrap().starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
    let parent = relay.sent("traceparent");
    assert!(
        parent.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && parent.ends_with("-01"),
        "{parent}"
    );
    assert!(!parent.contains("b7ad6b7169203331"), "a new parent id");
    assert_eq!(relay.sent("tracestate"), "congo=t61");
    assert_eq!(relay.sent("baggage"), "user=Am%C3%A9lie;p=1,k=v");
    assert_eq!(relay.sent("x-b3-traceid"), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(relay.sent("x-b3-sampled"), "1");
    assert_eq!(relay.sent("x-b3-spanid"), parent[36..52]);
}

#[tokio::test]
async fn a_64_bit_b3_id_stays_64_bit_in_b3_and_is_padded_in_w3c() {
    let relay = relay(|_| {}).await;
    relay.ask(&[("b3", ZIPKIN_64)]).await;
    assert_eq!(relay.sent("x-b3-traceid"), "463ac35c9f6413ad");
    assert!(relay.sent("b3").starts_with("463ac35c9f6413ad-"));
    assert!(relay.sent("traceparent").starts_with("00-0000000000000000463ac35c9f6413ad-"));
    relay
        .ask(&[
            ("X-B3-TraceId", "463ac35c9f6413ad"),
            ("X-B3-SpanId", "a2fb4a1d1a96d312"),
            ("X-B3-Flags", "1"),
        ])
        .await;
    assert_eq!(relay.sent("x-b3-flags"), "1", "debug is passed on");
    assert!(relay.sent("b3").contains("-d-"), "{}", relay.sent("b3"));
    relay.telemetry.shutdown().await;
}

#[tokio::test]
async fn the_tree_of_spans_and_their_attributes_are_right() {
    let relay = relay(|_| {}).await;
    relay.ask(&[("b3", ZIPKIN_64)]).await;
    until("both spans", async || relay.collector.spans().len() == 2).await;
    let spans = relay.collector.spans();
    let server = spans.iter().find(|s| s.kind == 2).unwrap();
    let client = spans.iter().find(|s| s.kind == 3).unwrap();
    assert_eq!(server.name, "GET /relay/{id}");
    assert_eq!(server.parent_span_id, 0xa2fb_4a1d_1a96_d312u64.to_be_bytes());
    assert_eq!(client.parent_span_id, server.span_id);
    let text = |span: &opentelemetry_proto::tonic::trace::v1::Span| format!("{:?}", span.attributes);
    for expected in ["\"/relay/7\"", "\"http.route\"", "IntValue(200)", "\"127.0.0.1\""] {
        assert!(text(server).contains(expected), "{expected} in {}", text(server));
    }
    for expected in ["\"peer.service\"", "\"target\"", "IntValue(418)", "\"error.type\""] {
        assert!(text(client).contains(expected), "{expected} in {}", text(client));
    }
    assert!(!text(client).contains("secret"), "queries stay out of spans");
    assert_eq!((server.status.clone().unwrap_or_default().code, client.status.clone().unwrap().code), (0, 2));
}

#[tokio::test]
async fn a_server_error_fails_its_span_and_an_unknown_method_has_no_name_of_its_own() {
    let relay = relay(|_| {}).await;
    let http = reqwest::Client::new();
    http.get(format!("{}/broken", relay.url)).send().await.unwrap();
    let method = http::Method::from_bytes(b"BREW").unwrap();
    http.request(method, format!("{}/broken", relay.url)).send().await.unwrap();
    until("both spans", async || relay.collector.spans().len() == 2).await;
    let spans = relay.collector.spans();
    assert_eq!(spans.iter().find(|s| s.name == "GET /broken").unwrap().status.clone().unwrap().code, 2);
    assert!(spans.iter().any(|s| s.name == "HTTP /broken"), "{:?}", spans[1].name);
}

#[tokio::test]
async fn an_untrusted_context_is_linked_and_not_followed() {
    let relay = relay(|settings| {
        settings.propagation.trust = TrustInbound::None;
        settings.sample_ratio = 1.0;
    })
    .await;
    let (_, body) = relay
        .ask(&[
            ("x-b3-traceid", "463ac35c9f6413ad"),
            ("x-b3-spanid", "1"),
            ("x-b3-flags", "1"),
            ("baggage", "user=x"),
        ])
        .await;
    assert!(!body.contains("463ac35c9f6413ad") && body.ends_with("None"), "{body}");
    assert!(relay.sent("x-b3-flags").is_empty() && relay.sent("baggage").is_empty());
    until("both spans", async || relay.collector.spans().len() == 2).await;
    let spans = relay.collector.spans();
    let server = spans.iter().find(|s| s.kind == 2).unwrap();
    assert!(server.parent_span_id.is_empty());
    assert_eq!(server.links[0].trace_id, 0x463a_c35c_9f64_13adu128.to_be_bytes());
}

#[tokio::test]
async fn a_refusal_to_sample_binds_only_where_it_is_trusted() {
    for (trust, sent) in [(TrustInbound::All, "0"), (TrustInbound::Sampled, "1"), (TrustInbound::None, "1")] {
        let relay = relay(|settings| settings.propagation.trust = trust).await;
        relay.ask(&[("b3", "463ac35c9f6413ad-a2fb4a1d1a96d312-0")]).await;
        assert_eq!(relay.sent("x-b3-sampled"), sent, "{trust:?}");
    }
    let relay = relay(|_| {}).await;
    relay.ask(&[("b3", "0")]).await;
    assert_eq!(relay.sent("x-b3-sampled"), "0", "a decision without ids holds for the new trace");
    assert!(relay.sent("traceparent").ends_with("-00"));
}

#[tokio::test]
async fn malformed_context_begins_a_new_trace_and_precedence_decides_between_two() {
    let relay = relay(|settings| settings.propagation.precedence = Precedence::B3).await;
    relay.ask(&[("traceparent", W3C), ("b3", ZIPKIN_64)]).await;
    assert_eq!(relay.sent("x-b3-traceid"), "463ac35c9f6413ad");
    relay.ask(&[("traceparent", W3C), ("traceparent", W3C)]).await;
    assert_ne!(relay.sent("x-b3-traceid"), "0af7651916cd43dd8448eb211c80319c");
    relay.ask(&[("traceparent", W3C), ("tracestate", "Bad=1")]).await;
    assert_eq!(relay.sent("x-b3-traceid"), "0af7651916cd43dd8448eb211c80319c");
    assert!(relay.sent("tracestate").is_empty());
}
