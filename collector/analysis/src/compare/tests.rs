use proptest::prelude::*;
use tracepact_base::{SpanId, TraceId};
use tracepact_model::Value;

use super::*;

fn span(service: &str, tags: &[(&str, String)]) -> Span {
    let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(1).unwrap());
    span.local.service_name = Some(service.into());
    span.attributes = tags.iter().map(|(k, v)| ((*k).into(), Value::String(v.as_str().into()))).collect();
    span
}

#[test]
fn what_the_selected_have_in_common_comes_first_with_its_counts() {
    let mut comparison = Comparison::new();
    for trace in 0..100 {
        let slow = trace % 10 == 0;
        let tags = [
            ("region", if slow || trace == 1 { "eu" } else { "us" }.to_owned()),
            ("version", if trace % 2 == 0 { "1" } else { "2" }.to_owned()),
            ("order.id", trace.to_string()),
        ];
        // A long trace counts once.
        comparison.add(slow, &[span("orders", &tags), span("orders", &tags), span("db", &[])]);
    }
    let found = comparison.rank(10);
    assert_eq!((found.selected, found.rest, found.cut), (10, 90, false));
    let first = &found.differences[0];
    assert_eq!((first.key.as_str(), first.value.as_str()), ("region", "eu"));
    assert_eq!((first.selected, first.rest), (10, 1));
    assert!((first.difference() - (1.0 - 1.0 / 90.0)).abs() < 1e-9);
    assert_eq!((found.differences[1].value.as_str(), found.differences[1].difference() < 0.0), ("us", true));
    assert_eq!(found.left_out, ["order.id"]);
    let keys: Vec<&str> = found.differences.iter().map(|one| one.key.as_str()).collect();
    assert!(!keys.contains(&"service"), "what all have is no difference: {keys:?}");
}

#[test]
fn nothing_selected_and_no_rest_have_shares_of_nothing() {
    let mut comparison = Comparison::new();
    comparison.add(true, &[span("a", &[])]);
    let found = comparison.rank(5);
    assert_eq!((found.differences[0].selected_share, found.differences[0].rest_share), (1.0, 0.0));
    assert_eq!(Comparison::new().rank(5), Compared::default());
}

#[test]
fn the_number_of_values_is_bounded_and_said() {
    let mut comparison = Comparison::new();
    for batch in 0..=200 {
        let tags: Vec<(String, String)> = (0..1_000).map(|i| (format!("k{i}"), batch.to_string())).collect();
        let tags: Vec<(&str, String)> = tags.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        comparison.add(batch % 2 == 0, &[span("a", &tags)]);
    }
    assert!(comparison.pairs <= PAIRS_MAX);
    assert!(comparison.rank(1).cut);
}

proptest! {
    /// Counts are those of a plain count, and the order is by the size of the difference.
    #[test]
    fn counts_are_exact_and_the_order_is_by_difference(
        traces in proptest::collection::vec((any::<bool>(), 0u8..4, 0u8..3), 0..60),
    ) {
        let mut comparison = Comparison::new();
        for (selected, a, b) in &traces {
            comparison.add(*selected, &[span("s", &[("a", a.to_string())]), span("s", &[("b", b.to_string())])]);
        }
        let found = comparison.rank(1_000);
        for one in &found.differences {
            let has = |(_, a, b): &&(bool, u8, u8)| match one.key.as_str() {
                "a" => a.to_string() == one.value,
                "b" => b.to_string() == one.value,
                _ => true,
            };
            let count = |side: bool| traces.iter().filter(|t| t.0 == side).filter(has).count() as u64;
            prop_assert_eq!((one.selected, one.rest), (count(true), count(false)));
        }
        let sizes: Vec<f64> = found.differences.iter().map(|one| one.difference().abs()).collect();
        prop_assert!(sizes.is_sorted_by(|a, b| a >= b));
    }
}
