use proptest::prelude::*;

use super::*;

const NOW_NS: u64 = 1_795_219_200_000_000_000;

fn query(text: &str) -> Result<SpanQuery, Refusal> {
    span_query(&Parameters::of(Some(text)), &QueryConfig::default(), NOW_NS)
}

fn refusal(text: &str) -> String {
    query(text).unwrap_err().text
}

#[test]
fn nothing_is_required_and_the_defaults_are_zipkins() {
    let query = query("").unwrap();
    assert_eq!(query.limit, 10);
    assert_eq!(query.end_ns, NOW_NS + 999_999);
    assert_eq!(query.start_ns, NOW_NS - 86_400_000_000_000);
    assert!(query.predicates.is_empty());
}

#[test]
fn names_are_lowered_and_all_means_any() {
    let query = query("serviceName=Orders&remoteServiceName=MySQL&spanName=All&annotationQuery=").unwrap();
    assert_eq!(
        query.predicates,
        [Predicate::Service("orders".to_owned()), Predicate::RemoteService("mysql".to_owned())]
    );
}

#[test]
fn bounds_are_named() {
    assert_eq!(refusal("limit=0"), "limit <= 0");
    assert_eq!(refusal("endTs=-1"), "endTs <= 0");
    assert_eq!(refusal("lookback=0"), "lookback <= 0");
    assert_eq!(refusal("minDuration=0"), "minDuration <= 0");
    assert_eq!(refusal("maxDuration=5"), "maxDuration is only valid with minDuration");
    assert_eq!(refusal("minDuration=5&maxDuration=4"), "maxDuration < minDuration");
    assert!(refusal("limit=ten").contains("whole number"));
}

#[test]
fn durations_take_whole_microseconds_in() {
    let query = query("minDuration=2&maxDuration=3").unwrap();
    assert_eq!(query.predicates, [Predicate::Duration { min_ns: 2_000, max_ns: Some(3_999) }]);
}

#[test]
fn annotation_query_follows_zipkins_grammar() {
    let tag = |k: &str, v: &str| Predicate::Tag(k.to_owned(), v.to_owned());
    let key = |k: &str| Predicate::AnnotationOrKey(k.to_owned());
    let parse = |text| annotation_query(text).unwrap();
    assert_eq!(parse("error and http.method=GET"), [key("error"), tag("http.method", "GET")]);
    assert_eq!(parse("a=b=c"), [tag("a", "b=c")]);
    assert_eq!(parse(" a = b  and  c "), [tag("a", "b"), key("c")]);
    assert_eq!(parse("a=1 and a=2"), [tag("a", "2")]);
    assert_eq!(parse("a=1 and a"), [tag("a", "1")]);
    assert_eq!(parse("a and a=1"), [tag("a", "1")]);
    assert_eq!(parse("sandwich=land and"), [tag("sandwich", "land and")]);
    let many = vec!["x"; 101].join(" and ");
    assert!(annotation_query(&many).unwrap_err().text.contains("100"));
}

#[test]
fn ids_are_padded_trimmed_and_refused_with_zipkins_words() {
    assert_eq!(trace_id(" 1 ").unwrap().to_string(), "0000000000000001");
    assert_eq!(trace_id("0000000000000000463ac35c9f6413ad").unwrap().to_string(), "463ac35c9f6413ad");
    assert_eq!(trace_id("0xABC").unwrap_err().text, "0xABC should be lower-hex encoded with no prefix");
    assert!(trace_id(&"1".repeat(33)).is_err());
    assert!(trace_id("0").is_err());
}

#[test]
fn many_ids_are_distinct_after_padding() {
    assert_eq!(trace_ids("", 10).unwrap_err().text, "traceIds parameter is empty");
    assert_eq!(trace_ids("1,02,01", 10).unwrap_err().text, "redundant traceId: 01");
    assert!(trace_ids("1", 10).unwrap_err().text.contains("/api/v2/trace/"));
    assert_eq!(trace_ids("1, 2", 10).unwrap().len(), 2);
    assert!(trace_ids("1,2,3", 2).is_err());
}

proptest! {
    #[test]
    fn any_question_is_a_query_or_a_reason(text in "\\PC{0,200}") {
        if let Err(refusal) = query(&text) {
            prop_assert!(!refusal.text.is_empty());
        }
    }

    #[test]
    fn every_part_of_an_annotation_query_is_asked_for_once(
        parts in proptest::collection::btree_map("[a-z.]{1,8}", proptest::option::of("[a-z]{1,8}"), 0..8)
    ) {
        let text: Vec<String> = parts
            .iter()
            .map(|(key, value)| value.as_ref().map_or(key.clone(), |value| format!("{key}={value}")))
            .collect();
        // A key that is the word "and" would join its neighbours.
        prop_assume!(!parts.contains_key("and"));
        prop_assert_eq!(annotation_query(&text.join(" and ")).unwrap().len(), parts.len());
    }
}
