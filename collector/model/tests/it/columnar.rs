//! Columns hold what owned rows hold.

use proptest::collection::vec;
use proptest::prelude::*;
use tracepact_model::columnar::{Merged, SpanChunk};
use tracepact_model::{Admission, Codec, DecodeLimits, decode_all, decode_chunk, encode};

use crate::arbitrary::{otlp_row, zipkin_row};

fn both(body: &[u8], limits: &DecodeLimits) -> (String, String) {
    let owned = decode_all(Codec::OtlpProto, body, limits).map(|decoded| (decoded.spans, decoded.rejected));
    let columns = decode_chunk(Codec::OtlpProto, body, limits)
        .map(|decoded| (decoded.chunk.spans().unwrap(), decoded.rejected));
    (format!("{columns:?}"), format!("{owned:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_walk_gives_what_prost_gives(
        rows in vec(otlp_row(), 0..5),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        value_bytes_max in prop_oneof![Just(64 * 1024usize), 0usize..8],
    ) {
        let mut body = encode(Codec::OtlpProto, &rows).unwrap();
        let limits = DecodeLimits { value_bytes_max, attributes_max: 3, ..DecodeLimits::default() };
        for limits in [&DecodeLimits::unbounded(), &limits] {
            let (columns, owned) = both(&body, limits);
            prop_assert_eq!(columns, owned);
        }
        for (at, byte) in damage {
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
            }
        }
        let (columns, owned) = both(&body, &limits);
        prop_assert_eq!(columns, owned);
    }

    #[test]
    fn rows_survive_columns_merging_and_admission(
        first in vec(otlp_row(), 0..5),
        second in vec(zipkin_row(), 0..5),
        rejected in vec(0u32..5, 0..3),
    ) {
        let mut merged = Merged::default();
        for rows in [&first, &second, &first] {
            let chunk = SpanChunk::from(rows.as_slice());
            prop_assert_eq!(&chunk.spans().unwrap(), rows);
            merged.absorb(&chunk);
        }
        let all: Vec<_> = first.iter().chain(&second).chain(&first).cloned().collect();
        prop_assert_eq!(merged.chunk().spans().unwrap(), all);
        let names = |chunk: &SpanChunk| -> Vec<(u32, String)> {
            chunk.event_names.iter().map(|(row, name)| (*row, chunk.texts.get(*name).to_owned())).collect()
        };
        let mut rejected = rejected;
        rejected.sort_unstable();
        rejected.dedup();
        let admission = Admission { rejected };
        let kept = admission.admit_chunk(first.clone().into());
        let rows = admission.admit(first);
        prop_assert_eq!(names(&kept), names(&rows.clone().into()));
        prop_assert_eq!(kept.spans().unwrap(), rows);
    }
}

#[test]
fn what_no_kept_row_speaks_of_does_not_come_along() {
    let body = br#"[
        {"traceId":"1","id":"1","name":"kept","localEndpoint":{"serviceName":"orders"},"tags":{"a":"b"}},
        {"traceId":"2","id":"2","name":"left","localEndpoint":{"serviceName":"billing"},"tags":{"c":"d"}}]"#;
    let chunk = decode_chunk(Codec::ZipkinJsonV2, body, &DecodeLimits::default()).unwrap().chunk;
    let kept = Admission { rejected: vec![1] }.admit_chunk(chunk);
    let mut merged = Merged::default();
    merged.absorb(&kept);
    let texts: std::collections::BTreeSet<&str> = merged.chunk().texts.iter().collect();
    assert_eq!(texts, ["", "a", "b", "kept", "orders"].into());
    assert_eq!((merged.chunk().shapes.len(), merged.chunk().endpoints.len()), (2, 2));
}
