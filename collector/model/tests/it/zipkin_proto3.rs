//! Zipkin proto3: identity, agreement with prost's codec of the published message, leniency and refusals.

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message;
use tracepact_base::ErrorKind;
use tracepact_model::{Codec, DecodeLimits, Kind, Span, decode, encode, sniff, zipkin_json};

use crate::arbitrary::zipkin_row;

/// `zipkin.proto` as prost reads and writes it.
#[derive(Clone, PartialEq, Message)]
struct ListOfSpans {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<ProtoSpan>,
}

#[derive(Clone, PartialEq, Message)]
struct ProtoSpan {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    parent_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    id: Vec<u8>,
    #[prost(int32, tag = "4")]
    kind: i32,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(fixed64, tag = "6")]
    timestamp: u64,
    #[prost(uint64, tag = "7")]
    duration: u64,
    #[prost(message, optional, tag = "8")]
    local_endpoint: Option<ProtoEndpoint>,
    #[prost(message, optional, tag = "9")]
    remote_endpoint: Option<ProtoEndpoint>,
    #[prost(message, repeated, tag = "10")]
    annotations: Vec<ProtoAnnotation>,
    #[prost(btree_map = "string, string", tag = "11")]
    tags: BTreeMap<String, String>,
    #[prost(bool, tag = "12")]
    debug: bool,
    #[prost(bool, tag = "13")]
    shared: bool,
}

#[derive(Clone, PartialEq, Message)]
struct ProtoEndpoint {
    #[prost(string, tag = "1")]
    service_name: String,
    #[prost(bytes = "vec", tag = "2")]
    ipv4: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    ipv6: Vec<u8>,
    #[prost(int32, tag = "4")]
    port: i32,
}

#[derive(Clone, PartialEq, Message)]
struct ProtoAnnotation {
    #[prost(fixed64, tag = "1")]
    timestamp: u64,
    #[prost(string, tag = "2")]
    value: String,
}

/// proto3 cannot say a tag without a key, or an annotation without a value.
fn sayable(mut span: Span) -> Span {
    span.attributes.retain(|(key, _)| !key.is_empty());
    span.events.retain(|event| !event.name.is_empty());
    span
}

fn endpoint(endpoint: &tracepact_model::Endpoint) -> Option<ProtoEndpoint> {
    (!endpoint.is_empty()).then(|| ProtoEndpoint {
        service_name: endpoint.service_name.as_deref().unwrap_or_default().to_owned(),
        ipv4: endpoint.ipv4.map(|ip| ip.octets().to_vec()).unwrap_or_default(),
        ipv6: endpoint.ipv6.map(|ip| ip.octets().to_vec()).unwrap_or_default(),
        port: endpoint.port.unwrap_or(0).into(),
    })
}

fn proto(span: &Span) -> ProtoSpan {
    ProtoSpan {
        trace_id: match span.trace_id.high() {
            0 => span.trace_id.low().to_be_bytes().to_vec(),
            _ => span.trace_id.as_u128().to_be_bytes().to_vec(),
        },
        parent_id: span.parent_id.map(|id| id.as_u64().to_be_bytes().to_vec()).unwrap_or_default(),
        id: span.span_id.as_u64().to_be_bytes().to_vec(),
        kind: match span.kind {
            Kind::Client => 1,
            Kind::Server => 2,
            Kind::Producer => 3,
            Kind::Consumer => 4,
            Kind::Unset | Kind::Internal => 0,
        },
        name: span.name.to_string(),
        timestamp: span.start_ns.unwrap_or(0) / 1_000,
        duration: span.duration_ns.unwrap_or(0) / 1_000,
        local_endpoint: endpoint(&span.local),
        remote_endpoint: endpoint(&span.remote),
        annotations: span
            .events
            .iter()
            .map(|event| ProtoAnnotation { timestamp: event.at_ns / 1_000, value: event.name.to_string() })
            .collect(),
        tags: span
            .attributes
            .iter()
            .map(|(key, value)| (key.to_string(), value.text().into_owned()))
            .collect(),
        debug: span.flags.debug,
        shared: span.flags.shared,
    }
}

fn read(body: &[u8]) -> Result<Vec<Span>, String> {
    decode(Codec::ZipkinProto3, body, &DecodeLimits::default()).map_err(|error| error.reason)
}

fn one(span: ProtoSpan) -> Result<Vec<Span>, String> {
    read(&ListOfSpans { spans: vec![span] }.encode_to_vec())
}

fn minimal() -> ProtoSpan {
    ProtoSpan { trace_id: vec![1], id: vec![2], ..ProtoSpan::default() }
}

proptest! {
    #[test]
    fn rows_survive_and_prost_agrees(rows in proptest::collection::vec(zipkin_row().prop_map(sayable), 0..5)) {
        let body = encode(Codec::ZipkinProto3, &rows).unwrap();
        prop_assert_eq!(&read(&body).unwrap(), &rows);
        let spans: Vec<ProtoSpan> = rows.iter().map(proto).collect();
        let message = ListOfSpans { spans };
        prop_assert_eq!(&ListOfSpans::decode(&*body).unwrap(), &message);
        prop_assert_eq!(read(&message.encode_to_vec()).unwrap(), rows);
        if !body.is_empty() {
            prop_assert_eq!(sniff(&body), Some(Codec::ZipkinProto3));
        }
    }

    /// What prost refuses as a message is refused here, and never is there a panic.
    #[test]
    fn cut_and_flipped_bytes_are_judged_like_prost_judges_them(
        rows in proptest::collection::vec(zipkin_row().prop_map(sayable), 1..3),
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let mut body = encode(Codec::ZipkinProto3, &rows).unwrap();
        let at = at.index(body.len());
        body[at] ^= flip;
        for bytes in [&body[..], &body[..at]] {
            if ListOfSpans::decode(bytes).is_err() {
                prop_assert!(read(bytes).is_err());
            }
        }
    }
}

#[test]
fn the_same_span_in_json_gives_the_same_row() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/zipkin_proto3/full.bin");
    let rows = read(&std::fs::read(folder).unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(zipkin_json::encode(&rows)).unwrap(),
        concat!(
            r#"[{"traceId":"7180c278b62e8f6a216a2aea45d08fc9","parentId":"6b221d5bc9e6496c","id":"5b4185666d50f68b","#,
            r#""kind":"CLIENT","name":"get","timestamp":1472470996199000,"duration":207000,"#,
            r#""localEndpoint":{"serviceName":"frontend","ipv4":"127.0.0.1","ipv6":"2001:db8::c001","port":8080},"#,
            r#""remoteEndpoint":{"serviceName":"backend","port":9000},"#,
            r#""annotations":[{"timestamp":1472470996238000,"value":"foo"},{"timestamp":1472470996403000,"value":"bar"}],"#,
            r#""tags":{"http.path":"/api","password":"x"},"debug":true}]"#
        )
    );
}

#[test]
fn reading_is_as_lenient_as_zipkin() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/zipkin_proto3/odd.bin");
    let rows = read(&std::fs::read(folder).unwrap()).unwrap();
    let span = &rows[0];
    assert_eq!((span.trace_id.low(), span.span_id.as_u64(), span.kind), (1, 2, Kind::Unset));
    assert_eq!((span.flags.shared, span.duration_ns, span.local.is_empty()), (true, None, true));
    assert_eq!(span.attribute("k").unwrap().text(), "");
    // The tag without a key and the empty annotation are counted.
    assert_eq!(span.dropped, [1, 1, 0]);
    assert_eq!(read(b"").unwrap(), []);
    let own_parent = one(ProtoSpan { parent_id: vec![0, 2], ..minimal() }).unwrap();
    assert_eq!(own_parent[0].parent_id, None);
}

#[test]
fn malformed_input_is_refused_with_the_reason() {
    let wide = ProtoEndpoint { port: 70_000, ..ProtoEndpoint::default() };
    for (said, part) in [
        (one(ProtoSpan { trace_id: vec![], ..minimal() }), "trace_id is missing"),
        (one(ProtoSpan { trace_id: vec![0; 16], ..minimal() }), "trace_id is all zeros"),
        (one(ProtoSpan { trace_id: vec![1; 17], ..minimal() }), "trace_id has 17 bytes"),
        (one(ProtoSpan { id: vec![1; 9], ..minimal() }), "id has 9 bytes"),
        (one(ProtoSpan { parent_id: vec![1; 9], ..minimal() }), "parent_id has 9 bytes"),
        (one(ProtoSpan { timestamp: u64::MAX / 2, ..minimal() }), "microseconds"),
        (one(ProtoSpan { local_endpoint: Some(wide), ..minimal() }), "invalid port 70000"),
        (
            read(b"\x0a\x42abcdefgh"),
            "Truncated: length 66 > bytes available 8 reading List<Span> from proto3",
        ),
        (read(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "Truncated: length 18446744073709551615"),
        (read(b"\x0a\x80"), "Truncated"),
        (read(b"\x0b\x01"), "wire type"),
        (read(b"\x08\x01"), "a span that is no message"),
        (read(b"\x0a\x04\x2a\x02\xff\xfe"), "trace_id is missing"),
        (read(b"\x0a\x0a\x0a\x01\x01\x1a\x01\x02\x2a\x02\xff\xfe"), "name is not UTF-8"),
        (read(b"\x0a\x08\x0a\x01\x01\x1a\x01\x02\x28\x01"), "field 5 has another wire type"),
    ] {
        let reason = said.unwrap_err();
        assert!(reason.contains(part), "{reason:?} instead of {part:?}");
    }
}

#[test]
fn limits_refuse_or_cut() {
    let limits =
        DecodeLimits { spans_max: 1, attributes_max: 1, value_bytes_max: 3, ..DecodeLimits::default() };
    let tags = [("a", "12345"), ("b", "x")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let rich = ProtoSpan { tags, ..minimal() };
    let two = ListOfSpans { spans: vec![rich.clone(), minimal()] }.encode_to_vec();
    assert_eq!(decode(Codec::ZipkinProto3, &two, &limits).unwrap_err().kind, ErrorKind::TooLarge);
    let body = ListOfSpans { spans: vec![rich] }.encode_to_vec();
    let rows = decode(Codec::ZipkinProto3, &body, &limits).unwrap();
    assert_eq!(rows[0].attribute("a").unwrap().text(), "123");
    assert!(rows[0].flags.truncated && rows[0].dropped == [1, 0, 0]);
}

#[test]
fn a_span_with_many_tags_keeps_the_last_value_of_each() {
    let mut body = Vec::new();
    let mut span = vec![0x0a, 1, 1, 0x1a, 1, 2];
    for number in 0..100u8 {
        let (key, value) = (number % 50, number);
        span.extend_from_slice(&[0x5a, 6, 0x0a, 1, key + b'0', 0x12, 1, value]);
    }
    body.extend_from_slice(&[0x0a]);
    prost::encoding::encode_varint(span.len() as u64, &mut body);
    body.extend_from_slice(&span);
    let rows = read(&body).unwrap();
    assert_eq!(rows[0].attributes.len(), 50);
    assert_eq!(rows[0].attribute("0").unwrap().text(), "2");
}
