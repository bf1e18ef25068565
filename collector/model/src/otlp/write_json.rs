//! Rows as OTLP's JSON: the protobuf mapping with ids in hex, 64-bit numbers as decimal texts, and enums as numbers
//! (OTLP specification, "JSON Protobuf Encoding").

use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, KeyValue, any_value::Value as Proto};
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as ProtoSpan, span::Event, span::Link,
};
use serde_json::{Map, Value as Json, json};

use super::write::to_resource_spans;
use crate::Span;

/// An `ExportTraceServiceRequest` (equally a `TracesData`) of `spans` as one line of JSON, as OTLP's file exporter
/// writes it. Members at their default are left out.
pub fn encode_json(spans: &[Span]) -> Vec<u8> {
    let groups: Vec<Json> = to_resource_spans(spans).iter().map(resource_spans).collect();
    json!({ "resourceSpans": groups }).to_string().into_bytes()
}

/// Builds an object of the members that say something.
#[derive(Default)]
struct Object(Map<String, Json>);

impl Object {
    fn with(mut self, name: &str, value: Json) -> Self {
        let empty = match &value {
            Json::Null => true,
            Json::String(text) => text.is_empty(),
            Json::Array(list) => list.is_empty(),
            Json::Number(number) => number.as_u64() == Some(0),
            Json::Bool(_) | Json::Object(_) => false,
        };
        if !empty {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// A 64-bit number; 0 says nothing.
    fn with_u64(self, name: &str, value: u64) -> Self {
        let text = if value == 0 { String::new() } else { value.to_string() };
        self.with(name, text.into())
    }

    fn done(self) -> Json {
        Json::Object(self.0)
    }
}

fn resource_spans(group: &ResourceSpans) -> Json {
    let resource = group.resource.as_ref().map(|resource| {
        Object::default()
            .with("attributes", attributes(&resource.attributes))
            .with("droppedAttributesCount", resource.dropped_attributes_count.into())
            .with("entityRefs", resource.entity_refs.iter().map(entity).collect())
            .done()
    });
    Object::default()
        .with("resource", resource.unwrap_or_default())
        .with("scopeSpans", group.scope_spans.iter().map(scope_spans).collect())
        .with("schemaUrl", group.schema_url.clone().into())
        .done()
}

fn entity(entity: &EntityRef) -> Json {
    Object::default()
        .with("schemaUrl", entity.schema_url.clone().into())
        .with("type", entity.r#type.clone().into())
        .with("idKeys", entity.id_keys.clone().into())
        .with("descriptionKeys", entity.description_keys.clone().into())
        .done()
}

fn scope_spans(group: &ScopeSpans) -> Json {
    let scope = group.scope.as_ref().map(|scope| {
        Object::default()
            .with("name", scope.name.clone().into())
            .with("version", scope.version.clone().into())
            .with("attributes", attributes(&scope.attributes))
            .with("droppedAttributesCount", scope.dropped_attributes_count.into())
            .done()
    });
    Object::default()
        .with("scope", scope.unwrap_or_default())
        .with("spans", group.spans.iter().map(span).collect())
        .with("schemaUrl", group.schema_url.clone().into())
        .done()
}

fn span(span: &ProtoSpan) -> Json {
    let status = span.status.as_ref().map(|status| {
        let message = status.message.clone().into();
        Object::default().with("message", message).with("code", status.code.into()).done()
    });
    Object::default()
        .with("traceId", hex(&span.trace_id))
        .with("spanId", hex(&span.span_id))
        .with("parentSpanId", hex(&span.parent_span_id))
        .with("traceState", span.trace_state.clone().into())
        .with("flags", span.flags.into())
        .with("name", span.name.clone().into())
        .with("kind", span.kind.into())
        .with_u64("startTimeUnixNano", span.start_time_unix_nano)
        .with_u64("endTimeUnixNano", span.end_time_unix_nano)
        .with("attributes", attributes(&span.attributes))
        .with("droppedAttributesCount", span.dropped_attributes_count.into())
        .with("events", span.events.iter().map(event).collect())
        .with("droppedEventsCount", span.dropped_events_count.into())
        .with("links", span.links.iter().map(link).collect())
        .with("droppedLinksCount", span.dropped_links_count.into())
        .with("status", status.unwrap_or_default())
        .done()
}

fn event(event: &Event) -> Json {
    Object::default()
        .with_u64("timeUnixNano", event.time_unix_nano)
        .with("name", event.name.clone().into())
        .with("attributes", attributes(&event.attributes))
        .with("droppedAttributesCount", event.dropped_attributes_count.into())
        .done()
}

fn link(link: &Link) -> Json {
    Object::default()
        .with("traceId", hex(&link.trace_id))
        .with("spanId", hex(&link.span_id))
        .with("traceState", link.trace_state.clone().into())
        .with("attributes", attributes(&link.attributes))
        .with("droppedAttributesCount", link.dropped_attributes_count.into())
        .with("flags", link.flags.into())
        .done()
}

fn attributes(pairs: &[KeyValue]) -> Json {
    pairs.iter().map(|pair| json!({ "key": pair.key, "value": value(pair.value.as_ref()) })).collect()
}

fn value(any: Option<&AnyValue>) -> Json {
    match any.and_then(|any| any.value.as_ref()) {
        Some(Proto::StringValue(text)) => json!({ "stringValue": text }),
        Some(Proto::BoolValue(flag)) => json!({ "boolValue": flag }),
        Some(Proto::IntValue(number)) => json!({ "intValue": number.to_string() }),
        Some(Proto::DoubleValue(number)) => json!({ "doubleValue": double(*number) }),
        Some(Proto::BytesValue(bytes)) => {
            use base64::Engine as _;
            json!({ "bytesValue": base64::engine::general_purpose::STANDARD.encode(bytes) })
        }
        Some(Proto::ArrayValue(list)) => {
            let values: Vec<Json> = list.values.iter().map(|one| value(Some(one))).collect();
            json!({ "arrayValue": { "values": values } })
        }
        Some(Proto::KvlistValue(list)) => json!({ "kvlistValue": { "values": attributes(&list.values) } }),
        Some(_) | None => json!({}),
    }
}

/// The JSON mapping of protobuf has words for the doubles that JSON has no numbers for.
fn double(number: f64) -> Json {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        number.into()
    }
}

fn hex(bytes: &[u8]) -> Json {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, StatusCode, Value};

    #[test]
    fn a_span_reads_as_the_specification_writes_it() {
        let mut span = Span::new(
            "5b8efff798038103d269b633813fc60c".parse().unwrap(),
            "eee19b7ec3c1b174".parse().unwrap(),
        );
        span.source = Source::Otlp;
        span.parent_id = Some("eee19b7ec3c1b173".parse().unwrap());
        span.start_ns = Some(1_544_712_660_000_000_000);
        span.duration_ns = Some(1_000_000_000);
        span.name = "I'm a server span".into();
        span.kind = crate::Kind::Server;
        span.status.code = StatusCode::Error;
        span.attributes = vec![
            ("text".into(), Value::String("some value".into())),
            ("number".into(), Value::Int(-3)),
            ("ratio".into(), Value::Double(f64::INFINITY)),
            ("raw".into(), Value::Bytes(vec![1, 2, 255].into())),
            ("list".into(), Value::Array(vec![Value::Bool(false), Value::Empty])),
        ];
        let found: Json = serde_json::from_slice(&encode_json(&[span])).unwrap();
        let span = &found["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        let wanted = json!({
            "traceId": "5b8efff798038103d269b633813fc60c",
            "spanId": "eee19b7ec3c1b174",
            "parentSpanId": "eee19b7ec3c1b173",
            "startTimeUnixNano": "1544712660000000000",
            "endTimeUnixNano": "1544712661000000000",
            "name": "I'm a server span",
            "kind": 2,
            "attributes": [
                { "key": "text", "value": { "stringValue": "some value" } },
                { "key": "number", "value": { "intValue": "-3" } },
                { "key": "ratio", "value": { "doubleValue": "Infinity" } },
                { "key": "raw", "value": { "bytesValue": "AQL/" } },
                { "key": "list", "value": { "arrayValue": { "values": [{ "boolValue": false }, {}] } } },
            ],
            "status": { "code": 2 },
        });
        assert_eq!(*span, wanted);
    }
}
