//! Going through the candidates by time answers what all rows say, however they are spread over blocks and memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tracepact_base::{ManualClock, SharedClock, SpanId};
use tracepact_model::{Resource, Source, SpanEvent, Status, StatusCode, Value, trace_timestamp_ns};

use super::*;
use crate::ReadCtx;
use crate::block::sorted::Sorted;
use crate::block::write::{publish, span_block};
use crate::block::{Block, BlockPart};
use crate::fs::StdFs;
use crate::hot::{Generation, HotPart};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::String("1".into())),
        Just(Value::Int(1)),
        Just(Value::Int(2)),
        Just(Value::Bool(true)),
        Just(Value::Array(vec![Value::Int(1)])),
    ]
}

fn row() -> impl Strategy<Value = Span> {
    let trace = prop::sample::select(vec![5u128, 1 << 64 | 5, 6, 7, 8, 9, 10]);
    let service = prop::sample::select(vec!["Front", "back", "ſ"]);
    let key = prop::sample::select(vec!["a", "b", "error"]);
    // A key stands once in a row: decoders see to it.
    let attributes = prop::collection::btree_map(key.clone(), value(), 0..3);
    let status = prop::sample::select(vec![StatusCode::Unset, StatusCode::Ok, StatusCode::Error]);
    let events = prop::collection::vec(prop::sample::select(vec!["a", "error", "cache miss"]), 0..2);
    (
        (trace, 1u64..6, any::<bool>(), service, prop::option::of(1u64..9)),
        (attributes, prop::option::of((key, value())), status, events),
        (any::<bool>(), prop::option::of(0u64..50)),
    )
        .prop_map(|(fixed, told, (is_otlp, start_s))| {
            let (trace, id, is_root, service, duration) = fixed;
            let (attributes, resource, status, events) = told;
            let (Some(trace), Some(id)) = (TraceId::new(trace), SpanId::new(id)) else { unreachable!() };
            let mut row = Span::new(trace, id);
            row.parent_id = if is_root { None } else { SpanId::new(99) };
            row.start_ns = start_s.map(|s| 1_000 + s);
            row.duration_ns = duration;
            row.source = if is_otlp { Source::Otlp } else { Source::ZipkinV2 };
            row.local.service_name = Some(service.into());
            row.remote.service_name = (duration == Some(3)).then(|| "Db".into());
            row.name = format!("Op {}", id.as_u64() % 2).into();
            row.attributes = attributes.into_iter().map(|(key, value)| (key.into(), value)).collect();
            row.status = Status { code: status, message: "1".into() };
            let event = |name: &str| SpanEvent {
                at_ns: 7,
                name: name.into(),
                attributes: Vec::new(),
                dropped_attributes: 0,
            };
            row.events = events.into_iter().map(event).collect();
            let tags = resource.into_iter().map(|(key, value)| (key.into(), value)).collect();
            row.resource = Arc::new(Resource { attributes: tags, ..Resource::default() });
            row
        })
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let key = prop::sample::select(vec!["a", "b", "error", "otel.status_code", "cache miss"]);
    let value = prop::sample::select(vec!["1", "2", "true", "[1]", "OK", "ERROR"]);
    prop_oneof![
        prop::sample::select(vec!["front", "BACK", "ſ"]).prop_map(|name| Predicate::Service(name.to_owned())),
        Just(Predicate::RemoteService("db".to_owned())),
        Just(Predicate::Name("op 1".to_owned())),
        (key.clone(), value).prop_map(|(key, value)| Predicate::Tag(key.to_owned(), value.to_owned())),
        key.prop_map(|key| Predicate::AnnotationOrKey(key.to_owned())),
        (0u64..9, prop::option::of(0u64..9))
            .prop_map(|(min_ns, max_ns)| Predicate::Duration { min_ns, max_ns }),
        Just(Predicate::Error),
    ]
}

fn query() -> impl Strategy<Value = SpanQuery> {
    let scope = prop::sample::select(vec![Scope::ServiceSpans, Scope::SameSpan, Scope::Trace]);
    (prop::collection::vec(predicate(), 0..4), scope, 990u64..1_050, 0u64..60, 1usize..5).prop_map(
        |(predicates, scope, start_ns, length, limit)| SpanQuery {
            start_ns,
            end_ns: start_ns + length,
            predicates,
            scope,
            limit,
        },
    )
}

/// The timestamps of the answer, from all rows.
fn expected(rows: &[Span], query: &SpanQuery, strict: bool) -> Vec<u64> {
    let mut traces: BTreeMap<TraceId, Vec<Span>> = BTreeMap::new();
    for row in rows {
        traces.entry(group(row.trace_id, strict)).or_default().push(row.clone());
    }
    let query = eval::lower_names(query);
    let matching = traces.values().filter(|rows| eval::matches(rows, &query).is_some());
    let mut times: Vec<u64> = matching.filter_map(trace_timestamp_ns).collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    times.truncate(query.limit);
    times
}

proptest! {
    #[test]
    fn the_newest_are_found_wherever_their_rows_are(
        rows in prop::collection::vec((row(), 0usize..4), 1..30),
        queries in prop::collection::vec(query(), 1..6),
        strict in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let clock: SharedClock = ManualClock::at(1);
        let (budget, _cancel) = crate::budget::Budget::new(&ReadCtx::default(), &clock);
        let (mut blocks, mut hot) = (Vec::new(), Vec::new());
        let mut all = Vec::new();
        for part in 0..4usize {
            let of_part: Vec<Span> = rows.iter().filter(|(_, of)| *of == part).map(|(row, _)| row.clone()).collect();
            let generation = Arc::new(Generation::default());
            for row in of_part {
                all.push(row.clone());
                // Within one request a block keeps the order of arrival for rows of one id only.
                generation.push_spans(all.len() as u64, 9, &vec![row].into());
            }
            if part < 2 && generation.held().rows > 0 {
                let inner = generation.read();
                let new = span_block("1970-01-01".to_owned(), (1, 1), &Sorted::of(&inner, |_| true)).unwrap();
                let (dir, meta) = publish(&StdFs, folder.path(), "default", format!("block-{part}"), new).unwrap();
                let block = Arc::new(Block::new(Arc::new(StdFs), &dir, meta));
                blocks.push(BlockPart { block, budget: budget.clone() });
            } else {
                hot.push(HotPart::new(generation));
            }
        }
        let seen = Seen { settled: blocks.len(), ..Seen::default() };
        let parts = || blocks.iter().map(|block| block as &dyn Part).chain(hot.iter().map(|part| part as &dyn Part));
        for query in &queries {
            let lowered = eval::lower_names(query);
            let mut reader = Reader::new(parts().collect(), &seen, strict, &budget);
            let conditions: Vec<_> = lowered.predicates.iter().map(|p| condition(&lowered, p)).collect();
            let of_part = |part: &dyn Part| conditions.iter().map(|c| part.matching(*c)).collect::<Result<_, _>>();
            let matching = parts().map(of_part).collect::<Result<Vec<_>, _>>().unwrap();
            let mut hits = Vec::new();
            reader.newest(&lowered, matching, &mut hits).unwrap();
            prop_assert_eq!(reader.completeness(), Completeness::Complete);
            let found: Vec<u64> = hits.iter().map(|hit| hit.timestamp_ns).collect();
            prop_assert_eq!(&found, &expected(&all, query, strict), "{:?}", query);
            let answer = Reader::new(parts().collect(), &seen, strict, &budget).search(query).unwrap();
            let found: Vec<u64> = answer.hits.iter().map(|hit| hit.timestamp_ns).collect();
            prop_assert_eq!(&found, &expected(&all, query, strict), "few: {:?}", query);
        }
    }
}
