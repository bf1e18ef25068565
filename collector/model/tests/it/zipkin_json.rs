//! Zipkin v2 JSON: identity, byte order, leniency and refusals.

use proptest::prelude::*;
use tracepact_base::ErrorKind;
use tracepact_model::{Codec, DecodeLimits, Source, Span, StatusCode, Value, decode, encode, zipkin_json};

use crate::arbitrary::zipkin_row;

fn read(body: &str) -> Result<Vec<Span>, String> {
    decode(Codec::ZipkinJsonV2, body.as_bytes(), &DecodeLimits::default()).map_err(|e| e.reason)
}

proptest! {
    #[test]
    fn rows_survive_json(rows in proptest::collection::vec(zipkin_row(), 0..6)) {
        let body = encode(Codec::ZipkinJsonV2, &rows).unwrap();
        prop_assert_eq!(decode(Codec::ZipkinJsonV2, &body, &DecodeLimits::default()).unwrap(), rows);
    }
}

#[test]
fn fields_come_in_zipkins_order() {
    let body = concat!(
        r#"[{"traceId":"7180c278b62e8f6a216a2aea45d08fc9","parentId":"6b221d5bc9e6496c","id":"5b4185666d50f68b","#,
        r#""kind":"CLIENT","name":"get","timestamp":1472470996199000,"duration":207000,"#,
        r#""localEndpoint":{"serviceName":"frontend","ipv4":"127.0.0.1","ipv6":"2001:db8::c001","port":8080},"#,
        r#""remoteEndpoint":{"serviceName":"backend","port":9000},"#,
        r#""annotations":[{"timestamp":1472470996238000,"value":"foo"},{"timestamp":1472470996403000,"value":"bar"}],"#,
        r#""tags":{"clnt/finagle.version":"6.45.0","http.path":"/api"},"debug":true}]"#
    );
    let rows = read(body).unwrap();
    assert_eq!(String::from_utf8(zipkin_json::encode(&rows)).unwrap(), body);
}

#[test]
fn annotations_are_sorted_and_deduplicated_and_names_lowered_for_readers() {
    let rows = read(
        r#"[{"traceId":"1","id":"2","name":"GET","localEndpoint":{"serviceName":"Front-End"},
            "annotations":[{"timestamp":2,"value":"b"},{"timestamp":1,"value":"a"},{"timestamp":2,"value":"b"}]}]"#,
    )
    .unwrap();
    assert_eq!(
        String::from_utf8(zipkin_json::encode(&rows)).unwrap(),
        concat!(
            r#"[{"traceId":"0000000000000001","id":"0000000000000002","name":"get","#,
            r#""localEndpoint":{"serviceName":"front-end"},"#,
            r#""annotations":[{"timestamp":1,"value":"a"},{"timestamp":2,"value":"b"}]}]"#
        )
    );
    assert_eq!(&*rows[0].name, "GET");
}

#[test]
fn reading_is_as_lenient_as_zipkin() {
    let rows = read(
        r#"[{"traceId":"00000000000000000000000000000001","id":"2","parentId":"0000000000000000","kind":null,
            "timestamp":"1472470996199000","duration":1.0,"unknown":{"deep":[1,{}]},"shared":true,
            "localEndpoint":{"ipv4":"::ffff:10.0.0.1","ipv6":"not an address","port":0,"serviceName":""},
            "tags":{"n":12,"n2":-1}}]"#,
    )
    .unwrap();
    let span = &rows[0];
    assert_eq!((span.trace_id.high(), span.parent_id), (0, None));
    assert_eq!((span.start_ns, span.duration_ns), (Some(1_472_470_996_199_000_000), Some(1_000)));
    assert_eq!(span.local.ipv4.unwrap().to_string(), "10.0.0.1");
    assert_eq!((span.local.port, &span.local.service_name), (None, &None));
    assert_eq!(span.attribute("n"), Some(&Value::String("12".into())));
    assert_eq!(read("").unwrap(), []);
    assert_eq!(read(" [] ").unwrap(), []);
}

#[test]
fn a_span_that_is_its_own_parent_is_a_root_and_a_shared_client_is_not_shared() {
    let rows = read(r#"[{"traceId":"1","id":"2","parentId":"2","kind":"CLIENT","shared":true}]"#).unwrap();
    assert_eq!((rows[0].parent_id, rows[0].flags.shared), (None, false));
}

#[test]
fn malformed_input_is_refused_with_the_reason() {
    for (body, part) in [
        ("{}", "expected a JSON list"),
        ("[", "EOF"),
        (r#"[{"traceId":"1","id":"2"}"#, "EOF"),
        (r#"[{"traceId":"1","id":"2"}] x"#, "trailing"),
        (r#"[{"traceId":"1","id":"2"},{"id":"2"}]"#, "span 1: traceId is missing"),
        (r#"[{"traceId":"1"}]"#, "id is missing"),
        (r#"[{"traceId":"ABC","id":"2"}]"#, "lower-hex"),
        (r#"[{"traceId":"0","id":"2"}]"#, "zeros"),
        (r#"[{"traceId":"1","id":"11111111111111112"}]"#, "16"),
        (r#"[{"traceId":"1","id":"2","kind":"SERVANT"}]"#, "SERVANT"),
        (r#"[{"traceId":"1","id":"2","timestamp":1.5}]"#, "whole number"),
        (r#"[{"traceId":"1","id":"2","timestamp":1472470996199000000000}]"#, "whole number"),
        (r#"[{"traceId":"1","id":"2","timestamp":18446744073709551615}]"#, "microseconds"),
        (r#"[{"traceId":"1","id":"2","tags":{"a":null}}]"#, "no value for tag"),
        (r#"[{"traceId":"1","id":"2","tags":{"a":{}}}]"#, "string"),
        (r#"[{"traceId":"1","id":"2","annotations":[{"value":"x"}]}]"#, "timestamp and a value"),
        (r#"[{"traceId":"1","id":"2","localEndpoint":{"port":70000}}]"#, "invalid port 70000"),
        (r#"[{"traceId":"1","id":"2","binaryAnnotations":[]}]"#, "JSON_V1"),
        (
            r#"[{"traceId":"1","id":"2","annotations":[{"timestamp":1,"value":"cs","endpoint":{}}]}]"#,
            "expected a JSON_V2 encoded list, but received: JSON_V1",
        ),
    ] {
        let reason = read(body).unwrap_err();
        assert!(reason.contains(part), "{body} said {reason:?}");
    }
    let not_text = decode(Codec::ZipkinJsonV2, b"[{\"traceId\":\"\xff\"}]", &DecodeLimits::default());
    assert_eq!(not_text.unwrap_err().kind, ErrorKind::Invalid);
}

#[test]
fn limits_refuse_or_cut() {
    let limits = DecodeLimits {
        spans_max: 1,
        attributes_max: 1,
        events_max: 1,
        value_bytes_max: 3,
        ..DecodeLimits::default()
    };
    let two = br#"[{"traceId":"1","id":"2"},{"traceId":"1","id":"3"}]"#;
    assert_eq!(decode(Codec::ZipkinJsonV2, two, &limits).unwrap_err().kind, ErrorKind::TooLarge);
    assert_eq!(decode(Codec::ZipkinJsonV2, two, &limits.for_replay()).unwrap().len(), 2);
    let rich = br#"[{"traceId":"1","id":"2","tags":{"a":"12345","b":"x"},
        "annotations":[{"timestamp":1,"value":"x"},{"timestamp":2,"value":"y"}]}]"#;
    let rows = decode(Codec::ZipkinJsonV2, rich, &limits).unwrap();
    assert_eq!(rows[0].attribute("a").unwrap().text(), "123");
    assert_eq!(rows[0].dropped, [1, 1, 0]);
    assert!(rows[0].flags.truncated);
}

#[test]
fn an_otlp_row_is_converted_for_zipkins_readers() {
    let mut span = Span::new("1".parse().unwrap(), "2".parse().unwrap());
    span.source = Source::Otlp;
    span.name = "GET /Items".into();
    span.kind = tracepact_model::Kind::Internal;
    span.start_ns = Some(1_500);
    span.duration_ns = Some(200);
    span.local.service_name = Some("Orders".into());
    span.status.code = StatusCode::Error;
    span.status.message = "boom".into();
    span.attributes =
        vec![("retry".into(), Value::Int(2)), ("host.name".into(), Value::String("near".into()))];
    span.events = vec![tracepact_model::SpanEvent {
        at_ns: 2_000,
        name: "exception".into(),
        attributes: vec![("exception.type".into(), Value::String("Io".into()))],
        dropped_attributes: 0,
    }];
    span.resource = std::sync::Arc::new(tracepact_model::Resource {
        attributes: vec![
            ("service.name".into(), Value::String("Orders".into())),
            ("host.name".into(), Value::String("far".into())),
        ],
        ..Default::default()
    });
    span.scope = std::sync::Arc::new(tracepact_model::Scope {
        name: "lib".into(),
        version: "1".into(),
        ..Default::default()
    });
    assert_eq!(
        String::from_utf8(zipkin_json::encode(&[span])).unwrap(),
        concat!(
            r#"[{"traceId":"0000000000000001","id":"0000000000000002","name":"get /items","#,
            r#""timestamp":1,"duration":1,"localEndpoint":{"serviceName":"orders"},"#,
            r#""annotations":[{"timestamp":2,"value":"\"exception\":{\"exception.type\":\"Io\"}"}],"#,
            r#""tags":{"error":"boom","host.name":"near","otel.scope.name":"lib","otel.scope.version":"1","#,
            r#""otel.status_code":"ERROR","retry":"2"}}]"#
        )
    );
}
