//! The counters a Zipkin server shows, by Zipkin's names, computed from the ingest metrics of the process: as JSON, and
//! beside our own on the Prometheus page, where dashboards made for Zipkin read them.

use std::collections::BTreeMap;

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use serde_json::Value;

/// Which metrics of a family count.
type Counts = fn(&Metric) -> bool;

/// One of Zipkin's meters: its name, what Prometheus calls it, its description, and what it sums up.
struct Meter {
    name: &'static str,
    exposed: &'static str,
    help: &'static str,
    kind: MetricType,
    of: &'static [(&'static str, Counts)],
}

const ALL: Counts = |_| true;

/// Zipkin counts what it received, and beside it what of that it dropped.
const METERS: [Meter; 7] = [
    Meter {
        name: "messages",
        exposed: "zipkin_collector_messages_total",
        help: "cumulative amount of messages received",
        kind: MetricType::COUNTER,
        of: &[("tracepact_ingest_requests_total", ALL)],
    },
    Meter {
        name: "messages_dropped",
        exposed: "zipkin_collector_messages_dropped_total",
        help: "cumulative amount of messages received that were later dropped",
        kind: MetricType::COUNTER,
        of: &[("tracepact_ingest_requests_total", |metric| {
            !matches!(label(metric, "result"), Some("accepted" | "partial"))
        })],
    },
    Meter {
        name: "bytes",
        exposed: "zipkin_collector_bytes_total",
        help: "cumulative amount of bytes received",
        kind: MetricType::COUNTER,
        of: &[("tracepact_ingest_bytes_total", ALL)],
    },
    Meter {
        name: "spans",
        exposed: "zipkin_collector_spans_total",
        help: "cumulative amount of spans received",
        kind: MetricType::COUNTER,
        of: &[
            ("tracepact_ingest_spans_total", ALL),
            ("tracepact_ingest_spans_refused_total", ALL),
            ("tracepact_ingest_spans_sampled_out_total", ALL),
        ],
    },
    Meter {
        name: "spans_dropped",
        exposed: "zipkin_collector_spans_dropped_total",
        help: "cumulative amount of spans received that were later dropped",
        kind: MetricType::COUNTER,
        of: &[
            ("tracepact_ingest_spans_refused_total", ALL),
            ("tracepact_ingest_spans_sampled_out_total", ALL),
        ],
    },
    Meter {
        name: "message_bytes",
        exposed: "zipkin_collector_message_bytes",
        help: "size of a message containing serialized spans",
        kind: MetricType::GAUGE,
        of: &[("tracepact_ingest_last_body_bytes", ALL)],
    },
    Meter {
        name: "message_spans",
        exposed: "zipkin_collector_message_spans",
        help: "count of spans per message",
        kind: MetricType::GAUGE,
        of: &[("tracepact_ingest_last_body_spans", ALL)],
    },
];

/// Transports that are shown even before their first message, as Zipkin does.
const TRANSPORTS: [&str; 2] = ["http", "grpc"];

/// `{"counter.zipkin_collector.spans.http": 12.0, …}`.
pub(crate) fn counters(families: &[MetricFamily]) -> Value {
    let mut shown = serde_json::Map::new();
    for meter in &METERS {
        let kind = if meter.kind == MetricType::GAUGE { "gauge" } else { "counter" };
        for (transport, value) in meter.by_transport(families) {
            shown.insert(format!("{kind}.zipkin_collector.{}.{transport}", meter.name), value.into());
        }
    }
    shown.into()
}

/// The same as metrics with the label `transport`; none while nothing here counts spans at all.
pub(crate) fn families(families: &[MetricFamily]) -> Vec<MetricFamily> {
    if !families.iter().any(|family| family.name().starts_with("tracepact_ingest_")) {
        return Vec::new();
    }
    METERS.iter().map(|meter| meter.family(families)).collect()
}

impl Meter {
    fn by_transport(&self, families: &[MetricFamily]) -> BTreeMap<String, f64> {
        let mut sums: BTreeMap<String, f64> =
            TRANSPORTS.iter().map(|transport| ((*transport).to_owned(), 0.0)).collect();
        for &(ours, counts) in self.of {
            let metrics =
                families.iter().filter(|family| family.name() == ours).flat_map(|family| family.get_metric());
            for metric in metrics.filter(|metric| counts(metric)) {
                let Some(transport) = label(metric, "transport") else { continue };
                let value = match self.kind {
                    MetricType::GAUGE => metric.get_gauge().get_value(),
                    _ => metric.get_counter().get_value(),
                };
                *sums.entry(transport.to_owned()).or_default() += value;
            }
        }
        sums
    }

    fn family(&self, families: &[MetricFamily]) -> MetricFamily {
        let mut family = MetricFamily::default();
        family.set_name(self.exposed.to_owned());
        family.set_help(self.help.to_owned());
        family.set_field_type(self.kind);
        for (transport, value) in self.by_transport(families) {
            let mut pair = LabelPair::default();
            pair.set_name("transport".to_owned());
            pair.set_value(transport);
            let mut metric = Metric::from_label(vec![pair]);
            if self.kind == MetricType::GAUGE {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            } else {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            family.mut_metric().push(metric);
        }
        family
    }
}

fn label<'a>(metric: &'a Metric, name: &str) -> Option<&'a str> {
    metric.get_label().iter().find(|pair| pair.name() == name).map(|pair| pair.value())
}

#[cfg(test)]
mod tests {
    use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

    use super::*;

    fn counter(registry: &Registry, name: &str, labels: &[&str]) -> IntCounterVec {
        let counter = IntCounterVec::new(Opts::new(name, name), labels).unwrap();
        registry.register(Box::new(counter.clone())).unwrap();
        counter
    }

    fn gathered() -> Vec<MetricFamily> {
        let registry = Registry::new();
        let with_sender = ["transport", "format", "sender"];
        let spans = counter(&registry, "tracepact_ingest_spans_total", &with_sender);
        let sampled = counter(&registry, "tracepact_ingest_spans_sampled_out_total", &with_sender);
        let refused = counter(&registry, "tracepact_ingest_spans_refused_total", &["transport", "reason"]);
        let requests =
            counter(&registry, "tracepact_ingest_requests_total", &["transport", "format", "result"]);
        let size =
            IntGaugeVec::new(Opts::new("tracepact_ingest_last_body_spans", "x"), &["transport"]).unwrap();
        registry.register(Box::new(size.clone())).unwrap();
        spans.with_label_values(&["http", "zipkin_json", "a"]).inc_by(3);
        spans.with_label_values(&["http", "otlp_proto", "b"]).inc_by(4);
        spans.with_label_values(&["kafka", "zipkin_json", "a"]).inc_by(5);
        sampled.with_label_values(&["http", "otlp_proto", "b"]).inc_by(2);
        refused.with_label_values(&["http", "too_old"]).inc();
        requests.with_label_values(&["http", "zipkin_json", "accepted"]).inc();
        requests.with_label_values(&["http", "zipkin_json", "malformed"]).inc();
        size.with_label_values(&["http"]).set(9);
        registry.gather()
    }

    #[test]
    fn counters_add_up_over_formats_and_senders() {
        let json = counters(&gathered());
        for (name, value) in [
            ("counter.zipkin_collector.spans.http", 10.0),
            ("counter.zipkin_collector.spans_dropped.http", 3.0),
            ("counter.zipkin_collector.spans.kafka", 5.0),
            ("counter.zipkin_collector.messages.http", 2.0),
            ("counter.zipkin_collector.messages_dropped.http", 1.0),
            ("counter.zipkin_collector.spans.grpc", 0.0),
            ("gauge.zipkin_collector.message_spans.http", 9.0),
        ] {
            assert_eq!(json[name], value, "{name}");
        }
    }

    #[test]
    fn the_names_of_both_transports_are_all_there_before_the_first_message() {
        let json = counters(&[]);
        let names: Vec<&String> =
            json.as_object().unwrap().keys().filter(|name| name.ends_with(".grpc")).collect();
        assert_eq!(names.len(), METERS.len());
    }

    #[test]
    fn prometheus_sees_zipkins_names() {
        let text = TextEncoder::new().encode_to_string(&families(&gathered())).unwrap();
        for line in [
            "# TYPE zipkin_collector_spans_total counter",
            "zipkin_collector_spans_total{transport=\"http\"} 10",
            "zipkin_collector_spans_dropped_total{transport=\"http\"} 3",
            "zipkin_collector_messages_dropped_total{transport=\"grpc\"} 0",
            "# TYPE zipkin_collector_message_spans gauge",
            "zipkin_collector_message_spans{transport=\"http\"} 9",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(families(&[]).is_empty());
    }
}
