//! Zipkin v1: both encodings give the same rows, and one span becomes the rows that Zipkin makes of it.

use tracepact_base::ErrorKind;
use tracepact_model::{
    Codec, DecodeLimits, Kind, Redaction, Source, Span, decode, prepare, sniff, zipkin_json,
};

fn corpus(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/corpus/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn read(codec: Codec, body: &[u8]) -> Result<Vec<Span>, String> {
    decode(codec, body, &DecodeLimits::default()).map_err(|error| error.reason)
}

/// The rows as v2 JSON.
fn shown(rows: &[Span]) -> String {
    String::from_utf8(zipkin_json::encode(rows)).unwrap()
}

/// One v1 span with ids 1 and 2; annotations are `(µs, value, service)`, tags `(key, value as JSON, service)`, services
/// may be empty for "no endpoint".
fn v1(rest: &str, annotations: &[(u64, &str, &str)], tags: &[(&str, &str, &str)]) -> Vec<Span> {
    let endpoint = |service: &str| match service {
        "" => "null".to_owned(),
        name => format!(r#"{{"serviceName":"{name}"}}"#),
    };
    let annotations: Vec<String> = annotations
        .iter()
        .map(|(at, value, service)| {
            format!(r#"{{"timestamp":{at},"value":"{value}","endpoint":{}}}"#, endpoint(service))
        })
        .collect();
    let tags: Vec<String> = tags
        .iter()
        .map(|(key, value, service)| {
            format!(r#"{{"key":"{key}","value":{value},"endpoint":{}}}"#, endpoint(service))
        })
        .collect();
    let body = format!(
        r#"[{{"traceId":"1","id":"2"{rest},"annotations":[{}],"binaryAnnotations":[{}]}}]"#,
        annotations.join(","),
        tags.join(",")
    );
    read(Codec::ZipkinJsonV1, body.as_bytes()).unwrap()
}

type Row<'r> = (Kind, Option<u64>, Option<u64>, Option<&'r str>, Option<&'r str>, bool);

/// Kind, start and duration in µs, local and remote service, shared.
fn rows(spans: &[Span]) -> Vec<Row<'_>> {
    spans
        .iter()
        .map(|span| {
            (
                span.kind,
                span.start_ns.map(|ns| ns / 1_000),
                span.duration_ns.map(|ns| ns / 1_000),
                span.local.service_name.as_deref(),
                span.remote.service_name.as_deref(),
                span.flags.shared,
            )
        })
        .collect()
}

#[test]
fn apache_thrift_and_json_give_the_same_rows() {
    let thrift = read(Codec::ZipkinThrift, &corpus("zipkin_thrift/list.bin")).unwrap();
    let json = read(Codec::ZipkinJsonV1, &corpus("zipkin_v1_json/list.json")).unwrap();
    assert_eq!(shown(&thrift), shown(&json));
    assert_eq!(
        shown(&thrift),
        concat!(
            r#"[{"traceId":"48485a3953bb6124463ac35c9f6413ad","id":"463ac35c9f6413ad","kind":"CLIENT","name":"get /cart","#,
            r#""timestamp":1472470996199000,"duration":207000,"#,
            r#""localEndpoint":{"serviceName":"web","ipv4":"127.0.0.1","port":8080},"#,
            r#""remoteEndpoint":{"serviceName":"app","ipv4":"10.1.2.3","ipv6":"2001:db8::c01","port":60000},"#,
            r#""tags":{"http.path":"/cart"},"debug":true},"#,
            r#"{"traceId":"48485a3953bb6124463ac35c9f6413ad","id":"463ac35c9f6413ad","kind":"SERVER","name":"get /cart","#,
            r#""timestamp":1472470996238000,"duration":165000,"#,
            r#""localEndpoint":{"serviceName":"app","ipv4":"10.1.2.3","ipv6":"2001:db8::c01","port":60000},"#,
            r#""annotations":[{"timestamp":1472470996250000,"value":"cache miss"}],"#,
            r#""tags":{"bytes":"1099511627776","http.status_code":"200","retries":"3","share":"0.5"},"debug":true,"shared":true},"#,
            r#"{"traceId":"463ac35c9f6413ad","parentId":"463ac35c9f6413ad","id":"72485a3953bb6124","name":"query","#,
            r#""timestamp":1472470996300000,"duration":5000,"#,
            r#""localEndpoint":{"serviceName":"app","ipv4":"10.1.2.3","ipv6":"2001:db8::c01","port":60000},"#,
            r#""remoteEndpoint":{"serviceName":"db","ipv4":"10.1.2.9","port":5432},"tags":{"sql":"select 1"}}]"#
        )
    );
    assert!(thrift.iter().all(|row| row.source == Source::ZipkinV1));
    // The bytes, or the flag, that no tag can hold are counted.
    assert_eq!((thrift[0].dropped[0], json[0].dropped[0]), (1, 1));
    assert_eq!(&*thrift[0].name, "GET /Cart");
}

#[test]
fn a_single_thrift_span_is_read_too() {
    let body = corpus("zipkin_thrift/single.bin");
    assert_eq!(sniff(&body), Some(Codec::ZipkinThrift));
    let single = read(Codec::ZipkinThrift, &body).unwrap();
    assert_eq!(
        shown(&single),
        shown(&read(Codec::ZipkinThrift, &corpus("zipkin_thrift/list.bin")).unwrap()[2..])
    );
}

#[test]
fn two_sides_of_a_call_become_two_rows() {
    use Kind::{Client, Server};
    let call = [(10, "cs", "a"), (12, "sr", "b"), (18, "ss", "b"), (20, "cr", "a")];
    assert_eq!(
        rows(&v1("", &call, &[])),
        [
            (Client, Some(10), Some(10), Some("a"), None, false),
            (Server, Some(12), Some(6), Some("b"), None, true)
        ]
    );
    // Its own time wins over the annotations.
    assert_eq!(
        rows(&v1(r#","timestamp":9,"duration":30"#, &call, &[]))[0],
        (Client, Some(9), Some(30), Some("a"), None, false)
    );
    // A service that calls itself.
    let loopback = [(10, "cs", "a"), (12, "sr", "A"), (18, "ss", "A"), (20, "cr", "a")];
    assert_eq!(
        rows(&v1("", &loopback, &[])),
        [
            (Client, Some(10), Some(10), Some("a"), None, false),
            (Server, Some(12), Some(6), Some("A"), None, true)
        ]
    );
    // One way: nobody waits.
    let one_way = [(10, "cs", "a"), (12, "sr", "b")];
    assert_eq!(
        rows(&v1("", &one_way, &[])),
        [(Client, Some(10), None, Some("a"), None, false), (Server, Some(12), None, Some("b"), None, true)]
    );
}

#[test]
fn one_side_alone() {
    use Kind::{Client, Server, Unset};
    let server = [(12, "sr", "b"), (18, "ss", "b")];
    // A server without a timestamp of its own shares its client's span.
    assert_eq!(rows(&v1("", &server, &[])), [(Server, Some(12), Some(6), Some("b"), None, true)]);
    assert_eq!(
        rows(&v1(r#","timestamp":12,"duration":6"#, &server, &[])),
        [(Server, Some(12), Some(6), Some("b"), None, false)]
    );
    // A start that was lost is where the span's own time starts.
    assert_eq!(
        rows(&v1(r#","timestamp":12,"duration":6"#, &[(18, "cr", "a")], &[])),
        [(Client, Some(12), Some(6), Some("a"), None, false)]
    );
    // Half of a side: the start stands, the end is an annotation.
    let half = v1("", &[(18, "ss", "b"), (11, "x", "b")], &[]);
    assert_eq!(rows(&half), [(Server, None, None, Some("b"), None, false)]);
    let mut names: Vec<_> = half[0].events.iter().map(|event| &*event.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["ss", "x"]);
    // Without an endpoint the two letters mean nothing.
    let local = v1(r#","timestamp":5,"duration":2"#, &[(5, "cs", "")], &[]);
    assert_eq!(rows(&local), [(Unset, Some(5), Some(2), None, None, false)]);
    assert_eq!(&*local[0].events[0].name, "cs");
}

#[test]
fn messages() {
    use Kind::{Consumer, Producer};
    assert_eq!(
        rows(&v1("", &[(10, "ms", "a"), (13, "ws", "a")], &[("ma", "true", "kafka")])),
        [(Producer, Some(10), Some(3), Some("a"), Some("kafka"), false)]
    );
    assert_eq!(
        rows(&v1("", &[(10, "wr", "b"), (13, "mr", "b")], &[("ma", "true", "kafka")])),
        [(Consumer, Some(10), Some(3), Some("b"), Some("kafka"), false)]
    );
    assert_eq!(
        rows(&v1("", &[(10, "ms", "a"), (13, "mr", "a")], &[("ma", "true", "kafka")])),
        [
            (Producer, Some(10), None, Some("a"), Some("kafka"), false),
            (Consumer, Some(13), None, Some("a"), None, true)
        ]
    );
}

#[test]
fn addresses_of_the_other_side() {
    use Kind::{Client, Server, Unset};
    let server = [(12, "sr", "b"), (18, "ss", "b")];
    let own = r#","timestamp":12,"duration":6"#;
    assert_eq!(
        rows(&v1(own, &server, &[("ca", "true", "a")])),
        [(Server, Some(12), Some(6), Some("b"), Some("a"), false)]
    );
    // The client's socket under the server's own name is no link to itself.
    let finagle = br#"[{"traceId":"1","id":"2","annotations":[{"timestamp":12,"value":"sr","endpoint":{"serviceName":"b","port":1}}],
        "binaryAnnotations":[{"key":"ca","value":true,"endpoint":{"serviceName":"B","port":2}}]}]"#;
    let finagle = read(Codec::ZipkinJsonV1, finagle).unwrap();
    assert_eq!((finagle[0].remote.service_name.as_deref(), finagle[0].remote.port), (None, Some(2)));
    // zipkin-ruby writes "1" for true.
    assert_eq!(
        rows(&v1("", &[(10, "cs", "a"), (20, "cr", "a")], &[("sa", "\"1\"", "db")])),
        [(Client, Some(10), Some(10), Some("a"), Some("db"), false)]
    );
    // Without a call the address alone decides: `sa` makes no client, `ca` makes a server.
    assert_eq!(
        rows(&v1("", &[], &[("sa", "true", "db"), ("lc", "\"\"", "a")])),
        [(Unset, None, None, Some("a"), Some("db"), false)]
    );
    assert_eq!(rows(&v1("", &[], &[("ca", "true", "a")])), [(Server, None, None, None, Some("a"), false)]);
    let both = v1("", &[], &[("ca", "true", "a"), ("sa", "true", "db")]);
    assert_eq!(rows(&both), [(Unset, None, None, Some("a"), Some("db"), false)]);
}

#[test]
fn local_work_keeps_its_component_but_not_the_marker() {
    let named = v1("", &[], &[("lc", "\"codec\"", "a")]);
    assert_eq!(named[0].attribute("lc").unwrap().text(), "codec");
    let marker = v1("", &[], &[("lc", "\"\"", "a")]);
    assert!(marker[0].attributes.is_empty());
    assert_eq!(marker[0].local.service_name.as_deref(), Some("a"));
}

#[test]
fn malformed_input_is_refused_with_the_reason() {
    for (body, part) in [
        ("{}", "Malformed reading List<Span> from json"),
        ("[", "Malformed"),
        ("[{}]", "traceId is missing or zero in span 0"),
        (r#"[{"traceId":"1"}]"#, "id is missing or zero"),
        (r#"[{"traceId":"X","id":"1"}]"#, "X should be lower-hex encoded with no prefix"),
        (r#"[{"traceId":"111111111111111111111111111111111","id":"1"}]"#, "33 characters"),
        (r#"[{"traceId":"1","id":"2","timestamp":1.5}]"#, "whole number"),
        (r#"[{"traceId":"1","id":"2","annotations":[{"value":"x"}]}]"#, "timestamp and a value"),
        (r#"[{"traceId":"1","id":"2","binaryAnnotations":[{"value":"x"}]}]"#, "no key"),
        (
            r#"[{"traceId":"1","id":"2","annotations":[{"timestamp":1,"value":"a","endpoint":{"port":70000}}]}]"#,
            "invalid port",
        ),
        (r#"[{"traceId":"1","id":"2","timestamp":9223372036854775807}]"#, "microseconds"),
        (r#"[{"traceId":"1","id":"2"}]x"#, "trailing"),
    ] {
        let reason = read(Codec::ZipkinJsonV1, body.as_bytes()).unwrap_err();
        assert!(reason.contains(part), "{body} said {reason:?}");
    }
    let ids = b"\x0a\0\x01\0\0\0\0\0\0\0\x01\x0a\0\x04\0\0\0\0\0\0\0\x02";
    for (tail, part) in [
        (&b""[..], "Truncated: length 1 > bytes available 0"),
        (b"\x0b\0\x03\x7f\xff\xff\xff", "Truncated: length 2147483647 > bytes available 0"),
        (b"\x0b\0\x03\xff\xff\xff\xff", "a length of -1"),
        (b"\x0b\0\x03\0\0\0\x01\xff\0", "not UTF-8"),
        (b"\x01\0\x63\0", "there is no type 1"),
        (b"\x0f\0\x63\0\x7f\xff\xff\xff", "there is no type 0"),
        (b"\0x", "1 bytes behind the list"),
    ] {
        let mut body = b"\x0c\0\0\0\x01".to_vec();
        body.extend_from_slice(ids);
        body.extend_from_slice(tail);
        let reason = read(Codec::ZipkinThrift, &body).unwrap_err();
        assert!(reason.contains(part), "{tail:?} said {reason:?}");
    }
    // Structs inside structs inside structs.
    let mut deep = b"\x0c\0\0\0\x01".to_vec();
    deep.extend(b"\x0c\0\x63".repeat(1_000_000));
    assert!(read(Codec::ZipkinThrift, &deep).unwrap_err().contains("nested too deeply"));
}

#[test]
fn one_span_cannot_become_more_rows_than_a_request_may_hold() {
    let limits = DecodeLimits { spans_max: 100, ..DecodeLimits::default() };
    let annotations: Vec<String> = (0..101)
        .map(|n| format!(r#"{{"timestamp":1,"value":"x","endpoint":{{"serviceName":"s{n}"}}}}"#))
        .collect();
    let body = format!(r#"[{{"traceId":"1","id":"2","annotations":[{}]}}]"#, annotations.join(","));
    assert_eq!(decode(Codec::ZipkinJsonV1, body.as_bytes(), &limits).unwrap_err().kind, ErrorKind::TooLarge);
    assert_eq!(decode(Codec::ZipkinJsonV1, body.as_bytes(), &limits.for_replay()).unwrap().len(), 101);
}

#[test]
fn too_many_annotations_and_tags_are_cut_and_counted() {
    let limits = DecodeLimits { attributes_max: 2, events_max: 2, ..DecodeLimits::default() };
    let many = |count: usize, item: &str| vec![item; count].join(",");
    let body = format!(
        r#"[{{"traceId":"1","id":"2","annotations":[{}],"binaryAnnotations":[{}]}}]"#,
        many(500, r#"{"timestamp":1,"value":"x"}"#),
        many(500, r#"{"key":"a","value":"x"}"#)
    );
    let rows = decode(Codec::ZipkinJsonV1, body.as_bytes(), &limits).unwrap();
    assert_eq!((rows[0].events.len(), rows[0].dropped[1]), (2, 498));
    assert!(rows[0].flags.truncated && rows[0].attributes.len() == 1);
}

#[test]
fn a_secret_of_a_thrift_span_reaches_neither_rows_nor_log() {
    let redaction = Redaction::new(["sql"]);
    let body: bytes::Bytes = corpus("zipkin_thrift/list.bin").into();
    let prepared = prepare(Codec::ZipkinThrift, body, &DecodeLimits::default(), &redaction).unwrap();
    assert_eq!((prepared.codec, prepared.redacted), (Codec::ZipkinV1Rows, 1));
    assert!(memchr::memmem::find(&prepared.body, b"select 1").is_none());
    let again = decode(prepared.codec, &prepared.body, &DecodeLimits::default()).unwrap();
    assert_eq!(again, prepared.spans.spans().unwrap());
    assert_eq!(again[1].kind, Kind::Server);
}
