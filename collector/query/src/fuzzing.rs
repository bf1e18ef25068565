//! Fuzz targets: one per parser of network bytes. Not part of the crate's promises.

use crate::QueryConfig;
use crate::native;
use crate::zipkin::request;

const NOW_NS: u64 = 1_795_219_200_000_000_000;

/// Zipkin's query string and its `annotationQuery`: a query within its bounds, or a reason; never a panic.
pub fn fuzz_zipkin_query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let config = QueryConfig::default();
    let parameters = request::Parameters::of(Some(&text));
    match request::span_query(&parameters, &config, NOW_NS) {
        Ok(query) => {
            assert!(query.start_ns <= query.end_ns);
            assert!((1..=config.traces_max).contains(&query.limit));
        }
        Err(refusal) => assert!(!refusal.text.is_empty()),
    }
    if let Ok(conditions) = request::annotation_query(&text) {
        assert!(conditions.len() <= 100);
    }
    if let Ok(ids) = request::trace_ids(&text, 10) {
        assert!((2..=10).contains(&ids.len()));
    }
}

/// The native API's query strings: a query within its bounds, or a reason; never a panic.
pub fn fuzz_native_query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let config = QueryConfig::default();
    match native::fuzzing::traces(&text, &config, NOW_NS) {
        Ok(query) => {
            assert!(query.start_ns <= query.end_ns);
            assert!((1..=config.traces_max).contains(&query.limit));
        }
        Err(problem) => assert!(!problem.detail().is_empty()),
    }
    for problem in native::fuzzing::others(&text, &config, NOW_NS) {
        assert!(!problem.detail().is_empty());
    }
    if let Ok(query) = native::fuzzing::series(&text, NOW_NS) {
        assert!(query.start_ns <= query.end_ns);
        assert!(query.name.is_some() || !query.labels.is_empty());
    }
    if let Ok(limit) = native::fuzzing::messages(&text) {
        assert!((1..=10_000).contains(&limit));
    }
    if let Ok(query) = native::fuzzing::events(&text) {
        assert!((1..=1_000).contains(&query.limit));
    }
}
