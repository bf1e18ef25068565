//! Rows as the decoders can give them.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tracepact_base::{SpanId, TraceId};
use tracepact_model::{
    Attributes, Endpoint, EntityRef, Kind, Resource, Scope, Source, Span, SpanEvent, SpanFlags, SpanLink,
    Status, StatusCode, Value, otlp,
};

fn text() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![
        Just(String::new()),
        "[a-zA-Z ]{1,12}",
        any::<String>(),
        Just("é\"\\\n\u{1}\u{2028}".to_owned())
    ]
    .prop_map(Into::into)
}

fn ids() -> impl Strategy<Value = (TraceId, SpanId, Option<SpanId>)> {
    (prop_oneof![1u128..1_000, 1u128..], 1u64.., option::of(1u64..)).prop_filter_map(
        "ids",
        |(trace, span, parent)| {
            let span_id = SpanId::new(span)?;
            Some((TraceId::new(trace)?, span_id, parent.and_then(SpanId::new).filter(|p| *p != span_id)))
        },
    )
}

fn unique(mut attributes: Attributes) -> Attributes {
    let mut seen = std::collections::HashSet::new();
    attributes.retain(|(key, _)| seen.insert(key.clone()));
    attributes
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-1e9f64..1e9).prop_map(Value::Double),
        vec(any::<u8>(), 0..5).prop_map(|bytes| Value::Bytes(bytes.into())),
        Just(Value::Empty),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            vec((text(), inner), 0..3).prop_map(Value::Map),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    vec((text(), value()), 0..5).prop_map(unique)
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Unset),
        Just(Kind::Server),
        Just(Kind::Client),
        Just(Kind::Producer),
        Just(Kind::Consumer)
    ]
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    (option::of("[a-zA-Z]{1,8}"), option::of(any::<[u8; 4]>()), option::of(any::<[u16; 7]>()), 0u16..)
        .prop_map(|(name, v4, v6, port)| Endpoint {
            service_name: name.map(Into::into),
            ipv4: v4.map(Into::into),
            // A global prefix: embedded IPv4 addresses are read as IPv4.
            ipv6: v6
                .map(|s| [0x2001, s[0], s[1], s[2], s[3], s[4], s[5], s[6]])
                .map(|s| [s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]].into()),
            port: Some(port).filter(|port| *port > 0),
        })
}

/// A row as Zipkin's reader gives it: annotations sorted and distinct, tags sorted by key, whole microseconds.
pub(crate) fn zipkin_row() -> impl Strategy<Value = Span> {
    let micros = || option::of((1u64..4_000_000_000_000_000).prop_map(|us| us * 1_000));
    (
        ids(),
        (kind(), text(), micros(), micros(), endpoint(), endpoint()),
        (vec((1u64..1_000_000, text()), 0..4), vec((text(), text()), 0..5), any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(ids, (kind, name, start, duration, local, remote), (events, tags, debug, shared))| {
                let mut span = Span::new(ids.0, ids.1);
                span.parent_id = ids.2;
                span.kind = kind;
                span.name = name;
                span.start_ns = start;
                span.duration_ns = duration;
                span.local = local;
                span.remote = remote;
                let mut events = events;
                events.sort();
                events.dedup();
                span.events = events
                    .into_iter()
                    .map(|(at_us, name)| SpanEvent {
                        at_ns: at_us * 1_000,
                        name,
                        attributes: Vec::new(),
                        dropped_attributes: 0,
                    })
                    .collect();
                span.attributes = unique(tags.into_iter().map(|(k, v)| (k, Value::String(v))).collect());
                span.attributes.sort_by(|a, b| a.0.cmp(&b.0));
                span.flags =
                    SpanFlags { debug, shared: shared && kind != Kind::Client, ..SpanFlags::default() };
                span
            },
        )
}

fn resource() -> impl Strategy<Value = Resource> {
    (attributes(), option::of("[a-z]{1,8}"), 0u32..3, text(), vec((text(), vec(text(), 0..2)), 0..2))
        .prop_map(|(attributes, service, dropped, schema_url, entities)| {
            let mut attributes: Attributes =
                attributes.into_iter().filter(|(key, _)| &**key != "service.name").collect();
            if let Some(service) = service {
                attributes.push(("service.name".into(), Value::String(service.into())));
            }
            let entities = entities
                .into_iter()
                .map(|(kind, id_keys)| EntityRef { kind, id_keys, ..EntityRef::default() })
                .collect();
            Resource { attributes, dropped_attributes: dropped, schema_url, entities }
        })
}

fn scope() -> impl Strategy<Value = Scope> {
    (text(), text(), attributes(), 0u32..3, text()).prop_map(
        |(name, version, attributes, dropped_attributes, schema_url)| Scope {
            name,
            version,
            attributes,
            dropped_attributes,
            schema_url,
        },
    )
}

fn link() -> impl Strategy<Value = SpanLink> {
    (ids(), text(), attributes(), any::<u32>(), 0u32..3).prop_map(
        |(ids, tracestate, attributes, flags, dropped_attributes)| SpanLink {
            trace_id: ids.0,
            span_id: ids.1,
            tracestate,
            attributes,
            flags,
            dropped_attributes,
        },
    )
}

fn event() -> impl Strategy<Value = SpanEvent> {
    (any::<u64>(), text(), attributes(), 0u32..3).prop_map(|(at_ns, name, attributes, dropped_attributes)| {
        SpanEvent { at_ns, name, attributes, dropped_attributes }
    })
}

/// A row as the OTLP reader gives it.
pub(crate) fn otlp_row() -> impl Strategy<Value = Span> {
    let status = prop_oneof![Just(StatusCode::Unset), Just(StatusCode::Ok), Just(StatusCode::Error)];
    (
        ids(),
        (
            prop_oneof![kind(), Just(Kind::Internal)],
            text(),
            option::of(1u64..u64::MAX / 2),
            option::of(0u64..1 << 40),
        ),
        (status, text(), text(), any::<u32>(), [0u32..3, 0u32..3, 0u32..3]),
        (attributes(), vec(event(), 0..3), vec(link(), 0..3)),
        (resource(), scope()),
    )
        .prop_map(
            |(
                ids,
                (kind, name, start, duration),
                (code, message, tracestate, flags, dropped),
                lists,
                origin,
            )| {
                let mut span = Span::new(ids.0, ids.1);
                span.source = Source::Otlp;
                span.parent_id = ids.2;
                span.kind = kind;
                span.name = name;
                span.start_ns = start;
                span.duration_ns = start.and(duration);
                span.status = Status { code, message };
                span.tracestate = tracestate;
                span.flags.otlp = flags;
                span.dropped = dropped;
                (span.attributes, span.events, span.links) = lists;
                span.remote = otlp::lift_remote(kind, &span.attributes);
                span.local.service_name = origin
                    .0
                    .attributes
                    .iter()
                    .find(|(key, _)| &**key == "service.name")
                    .map(|(_, v)| v.text().into());
                span.resource = Arc::new(origin.0);
                span.scope = Arc::new(origin.1);
                span
            },
        )
}
