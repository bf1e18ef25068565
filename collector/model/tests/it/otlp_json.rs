//! OTLP JSON: the same rows as protobuf gives, published and odd examples, refusals and limits.

use base64::Engine as _;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value as Proto};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tracepact_base::ErrorKind;
use tracepact_model::{
    Codec, DecodeLimits, Kind, Redaction, Span, StatusCode, Value, decode, decode_all, otlp, prepare,
};

use crate::arbitrary::otlp_row;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn any_value(value: &Option<AnyValue>) -> Json {
    match value.as_ref().and_then(|any| any.value.as_ref()) {
        None => json!({}),
        Some(Proto::StringValue(text)) => json!({"stringValue": text}),
        Some(Proto::BoolValue(flag)) => json!({"boolValue": flag}),
        Some(Proto::IntValue(number)) => json!({"intValue": number.to_string()}),
        Some(Proto::DoubleValue(number)) => json!({"doubleValue": number}),
        Some(Proto::BytesValue(bytes)) => {
            json!({"bytesValue": base64::prelude::BASE64_STANDARD.encode(bytes)})
        }
        Some(Proto::ArrayValue(list)) => {
            let items: Vec<Json> = list.values.iter().map(|item| any_value(&Some(item.clone()))).collect();
            json!({"arrayValue": {"values": items}})
        }
        Some(Proto::KvlistValue(map)) => json!({"kvlistValue": {"values": attributes(&map.values)}}),
        Some(Proto::StringValueStrindex(_)) => json!({}),
    }
}

fn attributes(pairs: &[KeyValue]) -> Json {
    pairs.iter().map(|pair| json!({"key": pair.key, "value": any_value(&pair.value)})).collect()
}

/// OTLP's mapping to JSON, written down once more over the published message types.
fn request(groups: &[ResourceSpans]) -> Json {
    let resource_spans: Vec<Json> = groups
        .iter()
        .map(|group| {
            let resource = group.resource.clone().unwrap_or_default();
            let scope_spans: Vec<Json> = group
                .scope_spans
                .iter()
                .map(|group| {
                    let scope = group.scope.clone().unwrap_or_default();
                    let spans: Vec<Json> = group.spans.iter().map(span).collect();
                    json!({
                        "scope": {"name": scope.name, "version": scope.version,
                            "attributes": attributes(&scope.attributes),
                            "droppedAttributesCount": scope.dropped_attributes_count},
                        "spans": spans,
                        "schemaUrl": group.schema_url,
                    })
                })
                .collect();
            let entities: Vec<Json> = resource
                .entity_refs
                .iter()
                .map(|entity| {
                    json!({"schemaUrl": entity.schema_url, "type": entity.r#type, "idKeys": entity.id_keys,
                        "descriptionKeys": entity.description_keys})
                })
                .collect();
            json!({
                "resource": {"attributes": attributes(&resource.attributes),
                    "droppedAttributesCount": resource.dropped_attributes_count, "entityRefs": entities},
                "scopeSpans": scope_spans,
                "schemaUrl": group.schema_url,
            })
        })
        .collect();
    json!({"resourceSpans": resource_spans})
}

fn span(span: &opentelemetry_proto::tonic::trace::v1::Span) -> Json {
    let events: Vec<Json> = span
        .events
        .iter()
        .map(|event| {
            json!({"timeUnixNano": event.time_unix_nano.to_string(), "name": event.name,
                "attributes": attributes(&event.attributes),
                "droppedAttributesCount": event.dropped_attributes_count})
        })
        .collect();
    let links: Vec<Json> = span
        .links
        .iter()
        .map(|link| {
            json!({"traceId": hex(&link.trace_id), "spanId": hex(&link.span_id), "traceState": link.trace_state,
                "attributes": attributes(&link.attributes), "flags": link.flags,
                "droppedAttributesCount": link.dropped_attributes_count})
        })
        .collect();
    let status = span.status.clone().unwrap_or_default();
    json!({
        "traceId": hex(&span.trace_id), "spanId": hex(&span.span_id),
        "parentSpanId": hex(&span.parent_span_id), "traceState": span.trace_state, "flags": span.flags,
        "name": span.name, "kind": span.kind,
        "startTimeUnixNano": span.start_time_unix_nano.to_string(),
        "endTimeUnixNano": span.end_time_unix_nano.to_string(),
        "attributes": attributes(&span.attributes), "droppedAttributesCount": span.dropped_attributes_count,
        "events": events, "droppedEventsCount": span.dropped_events_count,
        "links": links, "droppedLinksCount": span.dropped_links_count,
        "status": {"code": status.code, "message": status.message},
    })
}

fn read(body: &str) -> Result<Vec<Span>, String> {
    decode(Codec::OtlpJson, body.as_bytes(), &DecodeLimits::default()).map_err(|error| error.reason)
}

fn corpus(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/corpus/otlp_json/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

proptest! {
    #[test]
    fn json_and_protobuf_give_the_same_rows(
        rows in proptest::collection::vec(otlp_row(), 0..4),
        small in any::<bool>(),
    ) {
        let limits = if small {
            DecodeLimits { attributes_max: 2, events_max: 1, links_max: 1, value_bytes_max: 5, ..DecodeLimits::default() }
        } else {
            DecodeLimits::default()
        };
        let body = request(&otlp::to_resource_spans(&rows)).to_string();
        let from_json = decode_all(Codec::OtlpJson, body.as_bytes(), &limits).unwrap();
        let from_proto = decode_all(Codec::OtlpProto, &otlp::encode(&rows), &limits).unwrap();
        prop_assert_eq!(from_json, from_proto);
    }
}

#[test]
fn the_published_example_is_read() {
    let rows = read(&corpus("example.json")).unwrap();
    let span = &rows[0];
    assert_eq!(span.trace_id.to_w3c_hex(), "5b8efff798038103d269b633813fc60c");
    assert_eq!(span.parent_id.unwrap().to_string(), "eee19b7ec3c1b173");
    assert_eq!((span.kind, &*span.name), (Kind::Server, "I'm a server span"));
    assert_eq!((span.start_ns, span.duration_ns), (Some(1_544_712_660_000_000_000), Some(1_000_000_000)));
    assert_eq!(span.local.service_name.as_deref(), Some("my.service"));
    assert_eq!((&*span.scope.name, &*span.scope.version), ("my.library", "1.0.0"));
}

#[test]
fn senders_may_differ_in_small_things() {
    let decoded =
        decode_all(Codec::OtlpJson, corpus("odd.json").as_bytes(), &DecodeLimits::default()).unwrap();
    let span = &decoded.spans[0];
    assert_eq!(
        (span.kind, span.status.code, &*span.status.message),
        (Kind::Client, StatusCode::Error, "boom")
    );
    assert_eq!((span.flags.otlp, span.flags.end_before_start, span.duration_ns), (257, true, Some(0)));
    assert_eq!(span.attribute("i"), Some(&Value::Int(2)));
    assert_eq!(span.attribute("j"), Some(&Value::Int(7)));
    assert!(matches!(span.attribute("d"), Some(Value::Double(number)) if number.is_nan()));
    assert_eq!(span.attribute("e"), Some(&Value::Double(1_000.0)));
    assert_eq!(span.attribute("b"), Some(&Value::Bytes([0xff, 0xef].as_slice().into())));
    assert_eq!(span.attribute("n"), Some(&Value::Empty));
    let list = vec![Value::String("x".into()), Value::Empty, Value::Empty];
    assert_eq!(span.attribute("l"), Some(&Value::Array(list)));
    assert_eq!((span.links.len(), span.dropped[2]), (1, 3));
    assert_eq!((&*span.scope.name, &*span.resource.schema_url), ("late", "https://a"));
    assert_eq!(&*span.resource.entities[0].kind, "service");
    assert_eq!(
        decoded.rejected.iter().map(|r| (r.position, r.reason.as_str())).collect::<Vec<_>>(),
        [(1, "trace_id has 1 bytes instead of 16")]
    );
    for empty in ["{}", r#"{"resourceSpans":null}"#, r#"{"resourceSpans":[{}]}"#] {
        assert_eq!(read(empty).unwrap(), []);
    }
}

#[test]
fn malformed_input_is_refused_with_the_reason() {
    let with = |fields: &str| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{}","spanId":"{}",{fields}}}]}}]}}]}}"#,
            "1".repeat(32),
            "2".repeat(16)
        )
    };
    assert_eq!(read(&with(r#""name":"x""#)).unwrap().len(), 1);
    for (body, part) in [
        (String::new(), "ends too early"),
        ("[]".to_owned(), "an object is expected at byte 0"),
        ("{} {}".to_owned(), "trailing"),
        (with(r#""name":7"#), "a string is expected"),
        (with(r#""kind":"SERVER""#), "enumeration"),
        (with(r#""startTimeUnixNano":-1"#), "not negative"),
        (with(r#""flags":4294967296"#), "not negative"),
        (with(r#""traceId":"zz""#), "an id in hex"),
        (with(r#""traceId":"abc""#), "an id in hex"),
        (with(r#""attributes":{}"#), "a list is expected"),
        (with(r#""attributes":[{"key":"a","value":"text"}]"#), "an object is expected"),
        (with(r#""attributes":[{"key":"a","value":{"intValue":"9223372036854775808"}}]"#), "64 bits"),
        (with(r#""attributes":[{"key":"a","value":{"doubleValue":"inf"}}]"#), "a number is expected"),
        (with(r#""attributes":[{"key":"a","value":{"bytesValue":"*"}}]"#), "base64"),
    ] {
        let reason = read(&body).unwrap_err();
        assert!(
            reason.contains(part) && reason.starts_with("not an OTLP trace request"),
            "{body} said {reason:?}"
        );
    }
    let bytes = with("\"name\":\"\u{e9}\"").into_bytes();
    let cut: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0xa9).collect();
    let error = decode(Codec::OtlpJson, &cut, &DecodeLimits::default()).unwrap_err();
    assert!(error.reason.contains("invalid UTF-8"), "{error}");
}

#[test]
fn what_nests_too_deeply_is_refused_and_what_is_taken_can_be_logged_as_protobuf() {
    let nested = |depth: usize| {
        let mut value = r#"{"stringValue":"x"}"#.to_owned();
        for _ in 0..depth {
            value = format!(r#"{{"kvlistValue":{{"values":[{{"key":"k","value":{value}}}]}}}}"#);
        }
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{}","spanId":"{}",
            "events":[{{"attributes":[{{"key":"password","value":{{"stringValue":"p"}}}},{{"key":"a","value":{value}}}]}}]}}]}}]}}]}}"#,
            "1".repeat(32),
            "2".repeat(16)
        )
    };
    let prepared =
        prepare(Codec::OtlpJson, nested(29).into(), &DecodeLimits::default(), &Redaction::default()).unwrap();
    assert_eq!((prepared.codec, prepared.redacted), (Codec::OtlpProto, 1));
    assert!(read(&nested(30)).unwrap_err().contains("nested deeper than 30"));
    assert!(read(&nested(10_000)).is_err());
}

#[test]
fn too_many_spans_are_refused_before_they_are_kept() {
    let limits = DecodeLimits { spans_max: 2, ..DecodeLimits::default() };
    let body = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{},{}]},{"spans":[{}]}]}]}"#;
    assert_eq!(decode(Codec::OtlpJson, body.as_bytes(), &limits).unwrap_err().kind, ErrorKind::TooLarge);
}

#[test]
fn the_secret_of_a_span_that_was_rejected_is_not_logged() {
    let body = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[
        {"traceId":"00","spanId":"01","attributes":[{"key":"password","value":{"stringValue":"hunter2"}}]},
        {"traceId":"11111111111111111111111111111111","spanId":"2222222222222222"}]}]}]}"#;
    let prepared =
        prepare(Codec::OtlpJson, body.into(), &DecodeLimits::default(), &Redaction::default()).unwrap();
    assert!(memchr::memmem::find(&prepared.body, b"hunter2").is_none());
    assert_eq!((prepared.spans.len(), prepared.rejected.len()), (1, 1));
    let again = decode(prepared.codec, &prepared.body, &DecodeLimits::default()).unwrap();
    assert_eq!(again, prepared.spans.spans().unwrap());
}

#[test]
fn the_secret_in_what_is_cut_off_is_not_logged() {
    let limits = DecodeLimits { attributes_max: 1, value_bytes_max: 8, ..DecodeLimits::default() };
    for tags in [r#""a":"b","password":"hunter2""#, r#""note":"for Bearer hunter2hunter2""#] {
        let body = format!(r#"[{{"traceId":"1","id":"2","tags":{{{tags}}}}}]"#);
        let prepared = prepare(Codec::ZipkinJsonV2, body.into(), &limits, &Redaction::default()).unwrap();
        assert!(memchr::memmem::find(&prepared.body, b"hunter2").is_none(), "{:?}", prepared.body);
        assert!(prepared.spans.spans().unwrap()[0].flags.truncated);
    }
}
