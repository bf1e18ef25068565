//! OTLP metrics as plain points: gauges and cumulative sums with the identity of who measured them.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, NumberDataPoint, metric::Data,
};
use prost::Message;
use tracepact_base::{ErrorKind, ServiceName};
use tracepact_resilience::otlp::{MetricPoint, is_known};

use crate::Refusal;

/// Most points of one request.
const POINTS_MAX: usize = 50_000;
/// Most attributes of one point; a point with more is refused.
const ATTRIBUTES_MAX: usize = 64;
/// Longest attribute value in bytes; a point with a longer one is refused.
const VALUE_BYTES_MAX: usize = 1_024;

/// What became of a metrics body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// Points kept.
    pub accepted: u64,
    /// Points that are not kept: of a kind or name that nothing here reads, or malformed.
    pub rejected: u64,
    /// Why, for the sender.
    pub message: String,
}

/// Points of a body, and how many of it are none.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) points: Vec<MetricPoint>,
    pub(crate) rejected: Rejected,
}

/// Points that are not kept, by reason.
#[derive(Debug, Default)]
pub(crate) struct Rejected(BTreeMap<&'static str, u64>);

impl Rejected {
    pub(crate) fn add(&mut self, reason: &'static str, count: u64) {
        if count > 0 {
            *self.0.entry(reason).or_default() += count;
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(reason, count)| (*reason, *count))
    }

    pub(crate) fn message(&self) -> String {
        let parts: Vec<String> =
            self.0.iter().map(|(reason, count)| format!("{count} {}", reason.replace('_', " "))).collect();
        if parts.is_empty() { String::new() } else { format!("points not kept: {}", parts.join(", ")) }
    }
}

/// Reads a body. A point without a time was measured at `now_ns`.
pub(crate) fn read(body: &[u8], now_ns: u64) -> Result<Read, Refusal> {
    let request = ExportMetricsServiceRequest::decode(body).map_err(|error| {
        Refusal::new(
            ErrorKind::Invalid,
            format!("the body is not an OTLP ExportMetricsServiceRequest: {error}"),
            std::time::Duration::ZERO,
        )
    })?;
    let mut read = Read::default();
    for group in request.resource_metrics {
        let resource = group.resource.unwrap_or_default();
        let service =
            text_of(&resource.attributes, "service.name").and_then(|name| ServiceName::new(&name).ok());
        let instance = text_of(&resource.attributes, "service.instance.id").unwrap_or_default();
        for metric in group.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
            let name = metric.name.clone();
            let Some(points) = numbers(metric, &mut read.rejected) else { continue };
            let Some(service) = &service else {
                read.rejected.add("no_service_name", points.len() as u64);
                continue;
            };
            for point in points {
                if read.points.len() >= POINTS_MAX {
                    return Err(Refusal::new(
                        ErrorKind::TooLarge,
                        format!("a request has at most {POINTS_MAX} points"),
                        std::time::Duration::ZERO,
                    ));
                }
                match metric_point(&name, service, &instance, point, now_ns) {
                    Ok(point) => read.points.extend(point),
                    Err(reason) => read.rejected.add(reason, 1),
                }
            }
        }
    }
    Ok(read)
}

/// The number points of a metric that something here reads.
fn numbers(metric: Metric, rejected: &mut Rejected) -> Option<Vec<NumberDataPoint>> {
    let known = is_known(&metric.name);
    let (reason, points) = match metric.data? {
        Data::Gauge(gauge) if known => return Some(gauge.data_points),
        Data::Sum(sum) if known => {
            if sum.aggregation_temporality == AggregationTemporality::Cumulative as i32 {
                return Some(sum.data_points);
            }
            ("delta_temporality", sum.data_points.len())
        }
        Data::Gauge(other) => ("unknown_name", other.data_points.len()),
        Data::Sum(other) => ("unknown_name", other.data_points.len()),
        // Services' own histograms (request durations) come along; nothing here reads them.
        Data::Histogram(other) => ("histogram", other.data_points.len()),
        Data::ExponentialHistogram(other) => ("histogram", other.data_points.len()),
        Data::Summary(other) => ("summary", other.data_points.len()),
    };
    rejected.add(reason, points as u64);
    None
}

/// `None` for a point that says "no value was recorded".
fn metric_point(
    name: &str,
    service: &ServiceName,
    instance: &str,
    point: NumberDataPoint,
    now_ns: u64,
) -> Result<Option<MetricPoint>, &'static str> {
    /// `DataPointFlags::NoRecordedValueMask`.
    const NO_RECORDED_VALUE: u32 = 1;
    if point.flags & NO_RECORDED_VALUE != 0 {
        return Ok(None);
    }
    let value = match point.value {
        Some(Number::AsDouble(value)) => value,
        Some(Number::AsInt(value)) => value as f64,
        None => return Err("without_value"),
    };
    if !value.is_finite() {
        return Err("not_finite");
    }
    if point.attributes.len() > ATTRIBUTES_MAX {
        return Err("too_many_attributes");
    }
    let mut attributes = BTreeMap::new();
    for attribute in point.attributes {
        let Some(text) = text(attribute.value.and_then(|value| value.value)) else { continue };
        if text.len() > VALUE_BYTES_MAX || attribute.key.len() > VALUE_BYTES_MAX {
            return Err("attribute_too_long");
        }
        attributes.insert(attribute.key, text);
    }
    Ok(Some(MetricPoint {
        name: name.to_owned(),
        service: service.clone(),
        instance: instance.to_owned(),
        attributes,
        value,
        start_ns: Some(point.start_time_unix_nano).filter(|at| *at != 0),
        // A clock far ahead would make every later sample look old.
        at_ns: if point.time_unix_nano == 0 { now_ns } else { point.time_unix_nano.min(now_ns) },
    }))
}

fn text_of(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    text(found.value.clone().and_then(|value| value.value)).filter(|text| !text.is_empty())
}

/// Scalars only: lists and maps name no series.
fn text(value: Option<any_value::Value>) -> Option<String> {
    match value? {
        any_value::Value::StringValue(text) => Some(text),
        any_value::Value::BoolValue(value) => Some(value.to_string()),
        any_value::Value::IntValue(value) => Some(value.to_string()),
        any_value::Value::DoubleValue(value) => Some(value.to_string()),
        _ => None,
    }
}
