//! What goes to the log is the same, whether it was decided on columns or on owned rows.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use tracepact_model::redact::{Action, HashKey};
use tracepact_model::{
    Codec, DecodeLimits, Redaction, Rejection, Span, SpanChunk, SpanEvent, SpanLink, Value, decode,
    decode_all, decode_chunk, encode, prepare,
};

use crate::arbitrary::{otlp_row, zipkin_row};

/// Codec, body, rows, rejections and count of hidden values by the rule in its plain form, row by row.
fn by_rows(codec: Codec, body: &[u8], limits: &DecodeLimits, redaction: &Redaction) -> String {
    let decoded = match decode_all(codec, body, limits) {
        Ok(decoded) => decoded,
        Err(error) => return error.to_string(),
    };
    let mut rows = decoded.spans.clone();
    let hidden = redaction.apply(&mut rows);
    let truncated = rows.iter().any(|row| row.flags.truncated);
    if hidden == 0 && decoded.rejected.is_empty() && !truncated {
        return shown(codec, body, &rows, &decoded.rejected, 0);
    }
    let mut whole = decode(codec, body, &DecodeLimits::unbounded()).unwrap();
    let hidden = redaction.apply(&mut whole);
    if hidden == 0 && decoded.rejected.is_empty() {
        return shown(codec, body, &decoded.spans, &decoded.rejected, 0);
    }
    let codec = codec.rewritten_as();
    let body = encode(codec, &whole).unwrap();
    let rows = decode(codec, &body, limits).unwrap();
    shown(codec, &body, &rows, &decoded.rejected, hidden)
}

fn shown(codec: Codec, body: &[u8], rows: &[Span], rejected: &[Rejection], hidden: u64) -> String {
    format!("{codec:?} {body:?} {rows:?} {rejected:?} {hidden}")
}

fn on_columns(codec: Codec, body: &[u8], limits: &DecodeLimits, redaction: &Redaction) -> String {
    match prepare(codec, Bytes::copy_from_slice(body), limits, redaction) {
        Ok(done) => {
            shown(done.codec, &done.body, &done.spans.spans().unwrap(), &done.rejected, done.redacted)
        }
        Err(error) => error.to_string(),
    }
}

/// What may or may not have to be hidden.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("note"),
        Just("sent Bearer abcdefgh12345\u{1}"),
        Just("me@example.com"),
        Just("\"postgres://app:hunter2@db/x\""),
        Just("GET /?token=abc&x=\n"),
        Just("bearer of news"),
        Just("***"),
        Just("card 4111"),
    ]
    .prop_map(str::to_owned)
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![Just("http.route"), Just("db.Password"), Just("user.id"), Just("note")]
        .prop_map(str::to_owned)
}

/// Puts a value at one of the places where values stand.
fn put(row: &mut Span, place: usize, key: String, value: String) {
    let text = Value::String(value.clone().into());
    let pair = vec![(key.clone().into(), text.clone())];
    let attributes = |attributes: &mut tracepact_model::Attributes, value: Value| {
        attributes.retain(|(known, _)| **known != *key);
        attributes.push((key.clone().into(), value));
    };
    match place {
        0 => attributes(&mut row.attributes, text),
        1 => row.name = value.into(),
        2 => row.status.message = value.into(),
        3 => row.events.push(SpanEvent {
            at_ns: 1_000,
            name: value.into(),
            attributes: pair,
            dropped_attributes: 0,
        }),
        4 => row.links.push(SpanLink {
            trace_id: row.trace_id,
            span_id: row.span_id,
            tracestate: "".into(),
            attributes: pair,
            flags: 0,
            dropped_attributes: 0,
        }),
        5 => attributes(&mut std::sync::Arc::make_mut(&mut row.resource).attributes, text),
        6 => attributes(&mut std::sync::Arc::make_mut(&mut row.scope).attributes, text),
        7 => attributes(&mut row.attributes, Value::Array(vec![Value::Map(pair), Value::Empty])),
        8 => row.tracestate = value.into(),
        _ => attributes(&mut row.attributes, Value::Bytes(value.into_bytes().into())),
    }
}

/// Numbers of a set of patterns and of an action; a redaction itself prints pages.
fn redaction() -> impl Strategy<Value = (usize, usize)> {
    (0usize..5, 0usize..4)
}

fn redaction_of((which, action): (usize, usize)) -> Redaction {
    let redaction = match which {
        0 => Redaction::default(),
        1 => Redaction::off(),
        2 => Redaction::off().with_default_values(),
        3 => Redaction::off().with_values([r"^card (?P<secret>\d{4})$"]).unwrap(),
        _ => Redaction::new(["*password"]),
    };
    redaction.with_action(match action {
        0 => Action::Mask,
        1 => Action::Drop,
        2 => Action::Hash(HashKey::new(b"key")),
        _ => Action::Truncate { chars: 2 },
    })
}

fn limits() -> impl Strategy<Value = DecodeLimits> {
    let (short, few) =
        (prop_oneof![Just(64 * 1024usize), 1usize..40], prop_oneof![Just(512usize), 1usize..4]);
    (short, few).prop_map(|(value_bytes_max, attributes_max)| DecodeLimits {
        value_bytes_max,
        attributes_max,
        ..DecodeLimits::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn columns_and_rows_prepare_otlp_alike(
        mut rows in vec(otlp_row(), 1..4),
        put_in in vec((any::<prop::sample::Index>(), 0usize..10, key(), value()), 0..3),
        broken in prop::option::of(any::<prop::sample::Index>()),
        limits in limits(),
        redaction in redaction(),
    ) {
        let redaction = redaction_of(redaction);
        for (row, place, key, value) in put_in {
            let row = row.index(rows.len());
            put(&mut rows[row], place, key, value);
        }
        let mut body = encode(Codec::OtlpProto, &rows).unwrap();
        if let Some(at) = broken {
            // Ids of zeros are rejected one by one.
            let id = rows[at.index(rows.len())].span_id.as_u64().to_be_bytes();
            if let Some(at) = body.windows(8).position(|window| window == id) {
                body[at..at + 8].fill(0);
            }
        }
        let (columns, owned) = (
            on_columns(Codec::OtlpProto, &body, &limits, &redaction),
            by_rows(Codec::OtlpProto, &body, &limits, &redaction),
        );
        prop_assert_eq!(columns, owned);
    }

    #[test]
    fn columns_and_rows_prepare_zipkin_alike(
        mut rows in vec(zipkin_row(), 1..4),
        put_in in vec((any::<prop::sample::Index>(), 0usize..2, key(), value()), 0..3),
        codec in prop_oneof![Just(Codec::ZipkinJsonV2), Just(Codec::ZipkinProto3)],
        limits in limits(),
        redaction in redaction(),
    ) {
        let redaction = redaction_of(redaction);
        for (row, place, key, value) in put_in {
            let row = row.index(rows.len());
            put(&mut rows[row], place, key, value);
        }
        let body = encode(codec, &rows).unwrap();
        let (columns, owned) =
            (on_columns(codec, &body, &limits, &redaction), by_rows(codec, &body, &limits, &redaction));
        prop_assert_eq!(columns, owned);
    }

    #[test]
    fn a_chunk_that_concerns_nobody_has_nothing_to_hide(
        mut rows in vec(otlp_row(), 1..3),
        put_in in vec((any::<prop::sample::Index>(), 0usize..10, key(), value()), 0..3),
        redaction in redaction(),
    ) {
        let redaction = redaction_of(redaction);
        for (row, place, key, value) in put_in {
            let row = row.index(rows.len());
            put(&mut rows[row], place, key, value);
        }
        let body = encode(Codec::OtlpProto, &rows).unwrap();
        let chunk = decode_chunk(Codec::OtlpProto, &body, &DecodeLimits::unbounded()).unwrap().chunk;
        let of_rows: SpanChunk = rows.as_slice().into();
        let hidden = redaction.apply(&mut rows) > 0;
        prop_assert_eq!(redaction.concerns(&chunk), redaction.concerns(&of_rows));
        prop_assert!(redaction.concerns(&chunk) || !hidden);
    }
}

#[test]
fn only_what_may_have_to_be_hidden_concerns() {
    let chunk = |place, key: &str, value: &str| {
        let mut row =
            Span::new(tracepact_base::TraceId::new(1).unwrap(), tracepact_base::SpanId::new(2).unwrap());
        put(&mut row, place, key.to_owned(), value.to_owned());
        SpanChunk::from(vec![row])
    };
    let redaction = Redaction::default();
    for place in 0..8 {
        assert!(redaction.concerns(&chunk(place, "note", "Bearer abcdefgh12345")), "place {place}");
        assert!(!redaction.concerns(&chunk(place, "note", "me@example.com")), "place {place}");
    }
    // Trace state, and bytes, are not looked into.
    for place in 8..10 {
        assert!(!redaction.concerns(&chunk(place, "note", "Bearer abcdefgh12345")), "place {place}");
    }
    for place in [0, 3, 4, 5, 6, 7, 9] {
        assert!(redaction.concerns(&chunk(place, "db.password", "x")), "place {place}");
    }
}
