use tracepact_base::{SpanId, TraceId};
use tracepact_model::Value;

use super::*;
use crate::{intervals, merge};

fn call(id: u64, name: &str, tags: &[(&str, &str)]) -> Span {
    let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(id).unwrap());
    span.parent_id = (id != 1).then(|| SpanId::new(1)).flatten();
    span.kind = if id == 1 { Kind::Server } else { Kind::Client };
    span.name = name.into();
    span.start_ns = Some(id * 100);
    span.duration_ns = Some(10);
    span.local.service_name = Some("orders".into());
    span.remote.service_name = Some("products".into());
    span.attributes = tags.iter().map(|(k, v)| ((*k).into(), Value::String((*v).into()))).collect();
    span
}

fn found(calls: Vec<Span>) -> Vec<RepeatedCall> {
    let mut spans = vec![call(1, "checkout", &[])];
    spans.extend(calls);
    let tree = Tree::build(merge(&spans));
    repeated_calls(&tree, &intervals(&tree, &vec![0; tree.nodes.len()]))
}

const SEVEN: &[(&str, &str)] = &[("http.request.method", "GET"), ("url.full", "http://products/7")];
const EIGHT: &[(&str, &str)] = &[("http.request.method", "GET"), ("url.full", "http://products/8")];

#[test]
fn the_same_question_asked_again_is_named_with_its_cost() {
    let repeated = found(vec![
        call(2, "GET", SEVEN),
        call(3, "GET", EIGHT),
        call(4, "GET", SEVEN),
        call(5, "GET /other", SEVEN),
        call(6, "GET", SEVEN),
    ]);
    assert_eq!(repeated.len(), 1);
    let one = &repeated[0];
    assert_eq!((one.callee.as_deref(), one.operation.as_str()), (Some("products"), "GET"));
    assert_eq!((one.key.as_str(), one.certain), ("http://products/7", true));
    assert_eq!((one.calls.len(), one.needless, one.needless_ns), (3, 2, 20));
}

#[test]
fn a_retry_after_a_failure_is_not_needless() {
    let mut failed = call(2, "GET", SEVEN);
    failed.attributes.push(("error".into(), Value::String("503".into())));
    assert_eq!(found(vec![failed.clone(), call(3, "GET", SEVEN)]), []);
    assert_eq!(found(vec![failed, call(3, "GET", SEVEN), call(4, "GET", SEVEN)])[0].needless, 1);
}

#[test]
fn what_changes_something_or_says_no_key_is_not_named() {
    let twice =
        |name: &str, tags: &[(&str, &str)]| found(vec![call(2, name, tags), call(3, name, tags)]).len();
    assert_eq!(twice("GET", SEVEN), 1);
    assert_eq!(twice("GET", &[]), 0);
    assert_eq!(twice("x", &[("http.method", "POST"), ("http.path", "/a")]), 0);
    assert_eq!(twice("POST /orders", &[("http.path", "/orders")]), 0);
    assert_eq!(twice("get /orders", &[("http.path", "/orders")]), 1);
    assert_eq!(twice("query", &[("db.statement", "insert into a values (1)")]), 0);
    assert_eq!(twice("query", &[("db.query.text", "select * from a where b = 1")]), 1);
    assert_eq!(twice("redis", &[("db.operation.name", "SET"), ("db.redis.key", "a")]), 0);
}

#[test]
fn a_statement_whose_values_are_not_told_is_not_certain() {
    let of = |tags: &[(&str, &str)]| found(vec![call(2, "SELECT", tags), call(3, "SELECT", tags)]);
    assert!(!of(&[("db.query.text", "select * from a where b = ?")])[0].certain);
    assert!(!of(&[("db.query.text", "select * from a where b = $1 and c = :c")])[0].certain);
    assert!(of(&[("db.query.text", "select b::text, '12:30' from a where c = 3")])[0].certain);
    let with = &[("db.query.text", "select * from a where b = ?"), ("db.query.parameter.0", "7")];
    assert!(of(with)[0].certain);
    let other = &[("db.query.text", "select * from a where b = ?"), ("db.query.parameter.0", "8")];
    assert_eq!(found(vec![call(2, "SELECT", with), call(3, "SELECT", other)]), []);
}

#[test]
fn both_halves_of_a_call_are_one_and_the_server_names_itself() {
    let server = |client: u64, id: u64| {
        let mut span = call(id, "GET", SEVEN);
        span.kind = Kind::Server;
        span.parent_id = SpanId::new(client);
        span.local.service_name = Some("catalogue".into());
        span
    };
    let repeated = found(vec![call(2, "GET", SEVEN), server(2, 12), call(3, "GET", SEVEN), server(3, 13)]);
    assert_eq!(repeated.len(), 1);
    assert_eq!((repeated[0].callee.as_deref(), repeated[0].calls.len()), (Some("catalogue"), 2));
}

#[test]
fn a_long_key_is_compared_whole_and_shown_short() {
    let long = |end: &str| format!("{}{end}", "x".repeat(1_000));
    let (a, b) = (long("a"), long("b"));
    assert_eq!(found(vec![call(2, "GET", &[("url.full", &a)]), call(3, "GET", &[("url.full", &b)])]), []);
    let same = found(vec![call(2, "GET", &[("url.full", &a)]), call(3, "GET", &[("url.full", &a)])]);
    assert_eq!(same[0].key.chars().count(), SHOWN_CHARS_MAX + 1);
}
