//! Stores that earlier versions wrote, committed byte for byte in `tests/golden/v<format>`: each opens and answers what it
//! answered then, or is refused by its format's name. `UPDATE_GOLDEN=1` writes the one of the present format anew, which a
//! format that was released never needs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tracepact_base::{Event, EventKind, ManualClock, TraceId};
use tracepact_model::{Admission, Codec, DecodeLimits, SpanBatch, decode_chunk};
use tracepact_store::block::schema::FORMAT_VERSION;
use tracepact_store::{
    Deletion, Engine, EngineConfig, EventQuery, EventStore, Labels, NameKind, NamesQuery, Point, Predicate,
    ReadCtx, SeriesQuery, SeriesStore, SpanStore, StoreAdmin, check,
};

use crate::helpers::{DAY_NS, SECOND_NS, all, hits, rows};

/// Formats that no release ever wrote and that are read no more.
const REFUSED: &[&str] = &["v1"];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Copies a committed store: opening one writes to it.
fn copied(version: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for part in ["data", "log"] {
        let from = golden().join(version).join(part);
        let copied = std::process::Command::new("cp").arg("-r").arg(&from).arg(dir.path()).status().unwrap();
        assert!(copied.success(), "{}", from.display());
    }
    dir
}

fn open(dir: &Path) -> Result<Arc<Engine>, tracepact_store::StoreError> {
    Engine::open(dir, EngineConfig::default(), ManualClock::at(DAY_NS + 3_600 * SECOND_NS))
}

/// Zipkin v2 JSON with everything that format can say.
const ZIPKIN: &str = r#"[
  {"traceId":"463ac35c9f6413ad48485a3953bb6124","parentId":"6b221d5bc9e6496c","id":"5b4185666d50f68b","kind":"CLIENT",
   "name":"GET /Straße","timestamp":1795219201000000,"duration":207000,
   "localEndpoint":{"serviceName":"Front","ipv4":"10.0.0.1","port":8080},
   "remoteEndpoint":{"serviceName":"back","ipv6":"2001:db8::c001","port":9000},
   "annotations":[{"timestamp":1795219201000100,"value":"cache.miss"}],
   "tags":{"http.path":"/api","order.id":"4711","error":"boom"},"debug":true},
  {"traceId":"463ac35c9f6413ad48485a3953bb6124","parentId":"6b221d5bc9e6496c","id":"5b4185666d50f68b","kind":"SERVER",
   "name":"get","timestamp":1795219201000200,"localEndpoint":{"serviceName":"back"},"shared":true},
  {"traceId":"48485a3953bb6124","id":"1","name":"","localEndpoint":{"serviceName":"back"}}
]"#;
/// To be deleted again.
const DELETED: &str = r#"[{"traceId":"dead","id":"1","timestamp":1795219202000000,"localEndpoint":{"serviceName":"gone"},"tags":{"secret":"1"}}]"#;
/// Stays in the log.
const LATE: &str = r#"[{"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"6b221d5bc9e6496c","name":"root","kind":"SERVER",
   "timestamp":1795219200500000,"duration":900000,"localEndpoint":{"serviceName":"Front"}}]"#;

fn zipkin(body: &str) -> SpanBatch {
    SpanBatch {
        codec: Codec::ZipkinJsonV2,
        spans: decode_chunk(Codec::ZipkinJsonV2, body.as_bytes(), &DecodeLimits::default()).unwrap().chunk,
        body: body.as_bytes().to_vec().into(),
        received_at_ns: DAY_NS,
        admission: Admission::default(),
    }
}

async fn write(dir: &Path) {
    let engine = open(dir).unwrap();
    engine.append(zipkin(ZIPKIN)).await.unwrap();
    engine.append(zipkin(DELETED)).await.unwrap();
    engine.append(crate::blocks::otlp_batch(&[otlp_row()])).await.unwrap();
    let labels = Labels::from([("group".to_owned(), "payments".to_owned())]);
    let point = |number: u64| Point {
        name: "lag".into(),
        labels: labels.clone(),
        at_ns: DAY_NS + number,
        value: 0.5,
    };
    engine.append_points(vec![point(1), point(2)]).await.unwrap();
    let mut event = Event::new(EventKind::Deploy, DAY_NS, "orders 2 was deployed").with("version", "2");
    event.id = "01JGOLDEN0000000000000000A".to_owned();
    engine.append_events(vec![event]).await.unwrap();
    engine.seal().unwrap();
    let gone = Deletion::Traces(vec!["dead".parse().unwrap()]);
    engine.delete(gone, false, ReadCtx::default()).await.unwrap();
    engine.append_points(vec![point(3)]).await.unwrap();
    engine.seal().unwrap();
    engine.append(zipkin(LATE)).await.unwrap();
    engine.close();
}

fn otlp_row() -> tracepact_model::Span {
    use tracepact_model::{Resource, Source, Span, SpanEvent, SpanLink, Value};
    let mut row = Span::new(TraceId::new(0xfeed).unwrap(), "22".parse().unwrap());
    row.source = Source::Otlp;
    row.kind = tracepact_model::Kind::Consumer;
    row.start_ns = Some(DAY_NS + 5 * SECOND_NS + 123);
    row.duration_ns = Some(456);
    row.name = "orders process".into();
    row.status.code = tracepact_model::StatusCode::Error;
    row.status.message = "declined".into();
    row.tracestate = "vendor=1".into();
    row.attributes = vec![
        ("retries".into(), Value::Int(3)),
        ("ratio".into(), Value::Double(0.25)),
        (
            "list".into(),
            Value::Array(vec![Value::Bool(true), Value::Empty, Value::Bytes(vec![0, 255].into())]),
        ),
    ];
    row.events = vec![SpanEvent {
        at_ns: DAY_NS + 5 * SECOND_NS + 200,
        name: "exception".into(),
        attributes: vec![("exception.type".into(), Value::String("Io".into()))],
        dropped_attributes: 1,
    }];
    row.links = vec![SpanLink {
        trace_id: TraceId::new(0xbeef).unwrap(),
        span_id: "9".parse().unwrap(),
        tracestate: "".into(),
        attributes: vec![],
        flags: 1,
        dropped_attributes: 0,
    }];
    row.resource = Arc::new(Resource {
        attributes: vec![
            ("service.name".into(), Value::String("payments".into())),
            ("service.version".into(), Value::String("1.2.3".into())),
            ("zone".into(), Value::String("a".into())),
        ],
        ..Resource::default()
    });
    row
}

/// Everything that can be asked of the store, in a form that a later version's store can be compared with.
async fn answers(engine: &Engine) -> Value {
    let mut traces = Vec::new();
    for id in ["463ac35c9f6413ad48485a3953bb6124", "48485a3953bb6124", "dead", "feed"] {
        let id: TraceId = id.parse().unwrap();
        let found = rows(engine, id.as_u128()).await;
        let text = String::from_utf8(tracepact_model::zipkin_json::encode_as_received(&found)).unwrap();
        let otlp = String::from_utf8(tracepact_model::otlp::encode_json(&found)).unwrap();
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        traces.push(json!({ "id": id.to_string(), "zipkin": read(&text), "otlp": read(&otlp) }));
    }
    let mut searches = Vec::new();
    let tag = |key: &str, value: &str| Predicate::Tag(key.into(), value.into());
    for predicate in [
        Predicate::Service("front".into()),
        Predicate::Service("gone".into()),
        Predicate::RemoteService("BACK".into()),
        Predicate::Name("get /straße".into()),
        tag("order.id", "4711"),
        tag("secret", "1"),
        tag("retries", "3"),
        tag("zone", "a"),
        Predicate::AnnotationOrKey("cache.miss".into()),
        Predicate::Duration { min_ns: 200_000_000, max_ns: None },
        Predicate::Error,
    ] {
        let found: Vec<String> = hits(engine, all(std::slice::from_ref(&predicate)))
            .await
            .iter()
            .map(|id| format!("{id:x}"))
            .collect();
        searches.push(json!({ "ask": format!("{predicate:?}"), "found": found }));
    }
    let mut names = Vec::new();
    for kind in [
        NameKind::Services,
        NameKind::Spans { service: "front".into() },
        NameKind::RemoteServices { service: "front".into() },
        NameKind::TagValues { key: "order.id".into() },
    ] {
        let query = NamesQuery { kind: kind.clone(), start_ns: 0, end_ns: u64::MAX, limit: 100 };
        let found = engine.values(query, ReadCtx::default()).await.unwrap().values;
        // Names of deleted traces leave with the next compaction, whenever that is.
        let found: Vec<String> = found.into_iter().filter(|name| name != "gone").collect();
        names.push(json!({ "ask": format!("{kind:?}"), "found": found }));
    }
    let query = SeriesQuery { start_ns: 0, end_ns: u64::MAX, ..SeriesQuery::default() };
    let series = engine.select(query, ReadCtx::default()).await.unwrap().series;
    let series: Vec<Value> =
        series.iter().map(|s| json!({ "name": s.name, "labels": s.labels, "points": s.points })).collect();
    let query = EventQuery { limit: 100, ..EventQuery::default() };
    let events = engine.events(query, ReadCtx::default()).await.unwrap();
    json!({ "traces": traces, "searches": searches, "names": names, "series": series, "events": events })
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_of_earlier_formats_answer_as_they_did_or_are_refused_by_name() {
    let present = golden().join(format!("v{FORMAT_VERSION}"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _ = std::fs::remove_dir_all(&present);
        std::fs::create_dir_all(&present).unwrap();
        write(&present).await;
        let _ = std::fs::remove_file(present.join("LOCK"));
        let dir = copied(&format!("v{FORMAT_VERSION}"));
        let engine = open(dir.path()).unwrap();
        let text = serde_json::to_string_pretty(&answers(&engine).await).unwrap();
        std::fs::write(present.join("answers.json"), text + "\n").unwrap();
    }
    assert!(
        present.is_dir(),
        "there is no golden store of format {FORMAT_VERSION}: write it with UPDATE_GOLDEN=1"
    );
    let mut versions: Vec<String> = std::fs::read_dir(golden())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('v'))
        .collect();
    versions.sort();
    for version in versions {
        let dir = copied(&version);
        match open(dir.path()) {
            Ok(engine) => {
                assert!(!REFUSED.contains(&version.as_str()), "{version} is read, but listed as refused");
                assert!(engine.health().is_ok(), "{version}: {:?}", engine.health());
                let text = std::fs::read_to_string(golden().join(&version).join("answers.json")).unwrap();
                let wanted: Value = serde_json::from_str(&text).unwrap();
                let found = answers(&engine).await;
                for part in ["traces", "searches", "names", "series", "events"] {
                    assert_eq!(found[part], wanted[part], "{version}: {part}");
                }
                engine.seal().unwrap();
                engine.purge().unwrap();
                assert_eq!(answers(&engine).await, wanted, "{version}: after it was sealed and compacted");
                engine.close();
                drop(engine);
                let report = check(dir.path(), "default", &DecodeLimits::default()).unwrap();
                assert!(report.is_sound(), "{version}: {report:?}");
            }
            Err(error) => {
                assert!(REFUSED.contains(&version.as_str()), "{version} is not read: {error}");
                let number = version.trim_start_matches('v');
                assert!(error.reason.contains(&format!("format {number}")), "{version}: {error}");
            }
        }
    }
}
