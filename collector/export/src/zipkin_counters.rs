//! The counters a Zipkin server shows as JSON, computed from the ingest metrics of the process.

use std::collections::BTreeMap;

use prometheus::proto::{Metric, MetricFamily};
use serde_json::Value;

/// Which metrics of a family count.
type Counts = fn(&Metric) -> bool;

/// Zipkin's name of each counter, our family, and which of its metrics count.
const COUNTERS: &[(&str, &str, Counts)] = &[
    ("messages", "tracepact_ingest_requests_total", |_| true),
    ("messages_dropped", "tracepact_ingest_requests_total", |metric| {
        !matches!(label(metric, "result"), Some("accepted" | "partial"))
    }),
    ("bytes", "tracepact_ingest_bytes_total", |_| true),
    ("spans", "tracepact_ingest_spans_total", |_| true),
    ("spans_dropped", "tracepact_ingest_spans_refused_total", |_| true),
];

/// Transports that are shown even before their first message, as Zipkin does.
const TRANSPORTS: &[&str] = &["http", "grpc"];

/// `{"counter.zipkin_collector.spans.http": 12.0, …}`.
pub(crate) fn counters(families: &[MetricFamily]) -> Value {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for &(zipkin, ours, counts) in COUNTERS {
        for transport in TRANSPORTS {
            sums.insert(format!("counter.zipkin_collector.{zipkin}.{transport}"), 0.0);
        }
        let metrics =
            families.iter().filter(|family| family.name() == ours).flat_map(|family| family.get_metric());
        for metric in metrics.filter(|metric| counts(metric)) {
            let Some(transport) = label(metric, "transport") else { continue };
            *sums.entry(format!("counter.zipkin_collector.{zipkin}.{transport}")).or_default() +=
                metric.get_counter().get_value();
        }
    }
    sums.into_iter().map(|(name, value)| (name, Value::from(value))).collect::<serde_json::Map<_, _>>().into()
}

fn label<'a>(metric: &'a Metric, name: &str) -> Option<&'a str> {
    metric.get_label().iter().find(|pair| pair.name() == name).map(|pair| pair.value())
}

#[cfg(test)]
mod tests {
    use prometheus::{IntCounterVec, Opts, Registry};

    use super::*;

    #[test]
    fn counters_add_up_over_formats() {
        let registry = Registry::new();
        let spans =
            IntCounterVec::new(Opts::new("tracepact_ingest_spans_total", "Spans."), &["transport", "format"])
                .unwrap();
        let requests = IntCounterVec::new(
            Opts::new("tracepact_ingest_requests_total", "Requests."),
            &["transport", "format", "result"],
        )
        .unwrap();
        registry.register(Box::new(spans.clone())).unwrap();
        registry.register(Box::new(requests.clone())).unwrap();
        spans.with_label_values(&["http", "zipkin_json"]).inc_by(3);
        spans.with_label_values(&["http", "otlp_proto"]).inc_by(4);
        spans.with_label_values(&["kafka", "zipkin_json"]).inc_by(5);
        requests.with_label_values(&["http", "zipkin_json", "accepted"]).inc();
        requests.with_label_values(&["http", "zipkin_json", "malformed"]).inc();
        let json = counters(&registry.gather());
        assert_eq!(json["counter.zipkin_collector.spans.http"], 7.0);
        assert_eq!(json["counter.zipkin_collector.spans.kafka"], 5.0);
        assert_eq!(json["counter.zipkin_collector.messages.http"], 2.0);
        assert_eq!(json["counter.zipkin_collector.messages_dropped.http"], 1.0);
        assert_eq!(json["counter.zipkin_collector.spans.grpc"], 0.0);
    }
}
