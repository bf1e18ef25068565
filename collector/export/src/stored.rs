//! Stored series as metric families of the `prometheus` crate.

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use tracepact_store::Series;

/// Help texts of the series that tracepact itself writes.
const HELP: &[(&str, &str)] = &[
    (
        "tracepact_breaker_state",
        "Circuit breaker state: 0 closed, 1 open, 2 half open, 3 forced open, 4 disabled.",
    ),
    ("tracepact_breaker_window_requests", "Calls in the breaker's rolling window."),
    (
        "tracepact_breaker_error_percent",
        "Failed share of the calls in the breaker's rolling window, in percent.",
    ),
    ("tracepact_breaker_calls_total", "Calls through the breaker by outcome."),
    ("tracepact_bulkhead_in_use", "Calls inside the bulkhead."),
    ("tracepact_bulkhead_limit", "Calls the bulkhead lets in at once."),
    ("tracepact_bulkhead_waiting", "Calls waiting for the bulkhead."),
    ("tracepact_bulkhead_rejected_total", "Calls the bulkhead turned away."),
    ("tracepact_permits_in_use", "Records a consumer is working on."),
    ("tracepact_permits_limit", "Records a consumer may work on at once."),
    ("tracepact_permits_waiting", "Records waiting for a permit."),
    ("tracepact_permits_paused", "1 while the consumer has paused fetching, else 0."),
    ("tracepact_permits_paused_seconds_total", "Time the consumer spent paused, in seconds."),
    ("tracepact_consumer_rebalances_total", "Rebalances the consumer took part in."),
    ("tracepact_consumer_members", "Members of the consumer group."),
    (
        "tracepact_consumer_lag_messages",
        "Messages between the committed offset and the end of the partition.",
    ),
    ("tracepact_consumer_lag_seconds", "Age of the oldest message the group has not committed, in seconds."),
    ("tracepact_consumer_lost_messages", "Messages that retention deleted before the group committed them."),
    ("tracepact_messages_total", "Messages of a flow by verdict."),
    ("tracepact_messages_open", "Requests of a flow that have no verdict yet."),
    ("tracepact_deployments_total", "Deployments recorded at the contract broker."),
    ("tracepact_gate_decisions_total", "Answers of the deploy gate by result."),
];

/// One family per name; a name ending in `_total` is a counter, every other a gauge. `series` is sorted by name.
pub(crate) fn families(series: Vec<Series>) -> Vec<MetricFamily> {
    let mut families: Vec<MetricFamily> = Vec::new();
    for one in series {
        let Some(&(_, value)) = one.points.last() else { continue };
        let name = clean(&one.name, true);
        if families.last().is_none_or(|family| family.name() != name) {
            families.push(family(&name));
        }
        let Some(family) = families.last_mut() else { continue };
        let labels = one.labels.iter().map(|(key, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(clean(key, false));
            pair.set_value(value.clone());
            pair
        });
        let mut metric = Metric::from_label(labels.collect());
        if family.get_field_type() == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        family.mut_metric().push(metric);
    }
    families
}

fn family(name: &str) -> MetricFamily {
    let help = HELP.iter().find(|(known, _)| *known == name).map_or("A stored series.", |(_, help)| help);
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(if name.ends_with("_total") { MetricType::COUNTER } else { MetricType::GAUGE });
    family
}

/// Prometheus' character set: `[a-zA-Z_:][a-zA-Z0-9_:]*` for names, without the colon for labels.
fn clean(name: &str, colon: bool) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':');
    let mut cleaned: String = name.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    if cleaned.starts_with(|c: char| c.is_ascii_digit()) || cleaned.is_empty() {
        cleaned.insert(0, '_');
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, labels: &[(&str, &str)], value: f64) -> Series {
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Series { name: name.to_owned(), labels, points: vec![(1, 0.0), (2, value)] }
    }

    #[test]
    fn newest_point_of_each_series_with_its_type() {
        let families = families(vec![
            series("tracepact_breaker_calls_total", &[("outcome", "success")], 7.0),
            series("tracepact_breaker_calls_total", &[("outcome", "timeout")], 1.0),
            series("tracepact_breaker_state", &[("breaker", "products\"\n\\")], 1.0),
        ]);
        let text = prometheus::TextEncoder::new().encode_to_string(&families).unwrap();
        assert_eq!(
            text,
            "# HELP tracepact_breaker_calls_total Calls through the breaker by outcome.\n\
             # TYPE tracepact_breaker_calls_total counter\n\
             tracepact_breaker_calls_total{outcome=\"success\"} 7\n\
             tracepact_breaker_calls_total{outcome=\"timeout\"} 1\n\
             # HELP tracepact_breaker_state Circuit breaker state: 0 closed, 1 open, 2 half open, 3 forced open, 4 disabled.\n\
             # TYPE tracepact_breaker_state gauge\n\
             tracepact_breaker_state{breaker=\"products\\\"\\n\\\\\"} 1\n"
        );
    }

    #[test]
    fn names_outside_the_character_set_are_cleaned() {
        assert_eq!(clean("a.b-c", true), "a_b_c");
        assert_eq!(clean("9:a", false), "_9_a");
    }

    /// Every series that the dashboard and the alert rules ask for is one that is written.
    #[test]
    fn grafana_asks_for_series_that_exist() {
        const OWN: &[&str] = &["tracepact_ingest_spans_total", "tracepact_ingest_requests_total"];
        let grafana = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grafana");
        let mut asked = 0;
        for file in ["dashboards/tracepact.json", "alerts.yml"] {
            let text = std::fs::read_to_string(grafana.join(file)).unwrap();
            for (at, _) in text.match_indices("tracepact_") {
                let rest = &text[at..];
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let name = &rest[..end];
                let known = HELP.iter().any(|(known, _)| *known == name) || OWN.contains(&name);
                assert!(known, "{file} asks for {name}, which nothing writes");
                asked += 1;
            }
        }
        assert!(asked > 20);
    }
}
