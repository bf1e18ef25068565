//! OTLP metrics as plain samples: gauges and cumulative sums with the identity of who measured them.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, NumberDataPoint, metric::Data};
use prost::Message;
use tracepact_base::ErrorKind;

use crate::Refusal;

/// Most points of one request.
const POINTS_MAX: usize = 50_000;
/// Most attributes of one point; a point with more is refused.
const ATTRIBUTES_MAX: usize = 64;
/// Longest attribute value in bytes; a point with a longer one is refused.
const VALUE_BYTES_MAX: usize = 1_024;

/// One measured value.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSample {
    /// Metric name as sent: `tracepact.breaker.state`.
    pub name: String,
    /// `service.name` of who measured.
    pub service: Option<String>,
    /// `service.instance.id`.
    pub instance: Option<String>,
    /// `service.version`.
    pub version: Option<String>,
    /// Attributes of the point in text form.
    pub attributes: BTreeMap<String, String>,
    /// When it was measured, nanoseconds since 1970.
    pub at_ns: u64,
    /// The value; a sum counts from the start of the process that sends it.
    pub value: f64,
    /// Whether it is a sum that only grows.
    pub monotonic: bool,
}

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

/// Samples of a body and how many of its points are none.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) samples: Vec<MetricSample>,
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

    pub(crate) fn of(&self, reason: &str) -> u64 {
        self.0.get(reason).copied().unwrap_or(0)
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
        let identity = Identity {
            service: text_of(&resource.attributes, "service.name"),
            instance: text_of(&resource.attributes, "service.instance.id"),
            version: text_of(&resource.attributes, "service.version"),
        };
        for metric in group.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
            let (points, monotonic) = match metric.data {
                Some(Data::Gauge(gauge)) => (gauge.data_points, false),
                Some(Data::Sum(sum)) => {
                    if sum.aggregation_temporality != AggregationTemporality::Cumulative as i32 {
                        read.rejected.add("delta_temporality", sum.data_points.len() as u64);
                        continue;
                    }
                    (sum.data_points, sum.is_monotonic)
                }
                // Services' own histograms (request durations) come along; nothing here reads them.
                Some(Data::Histogram(other)) => {
                    read.rejected.add("histogram", other.data_points.len() as u64);
                    continue;
                }
                Some(Data::ExponentialHistogram(other)) => {
                    read.rejected.add("histogram", other.data_points.len() as u64);
                    continue;
                }
                Some(Data::Summary(other)) => {
                    read.rejected.add("summary", other.data_points.len() as u64);
                    continue;
                }
                None => continue,
            };
            for point in points {
                if read.samples.len() >= POINTS_MAX {
                    return Err(Refusal::new(
                        ErrorKind::TooLarge,
                        format!("a request has at most {POINTS_MAX} points"),
                        std::time::Duration::ZERO,
                    ));
                }
                match sample(&metric.name, &identity, point, monotonic, now_ns) {
                    Ok(Some(sample)) => read.samples.push(sample),
                    Ok(None) => {}
                    Err(reason) => read.rejected.add(reason, 1),
                }
            }
        }
    }
    Ok(read)
}

struct Identity {
    service: Option<String>,
    instance: Option<String>,
    version: Option<String>,
}

/// `None` for a point that says "no value was recorded".
fn sample(
    name: &str,
    identity: &Identity,
    point: NumberDataPoint,
    monotonic: bool,
    now_ns: u64,
) -> Result<Option<MetricSample>, &'static str> {
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
    Ok(Some(MetricSample {
        name: name.to_owned(),
        service: identity.service.clone(),
        instance: identity.instance.clone(),
        version: identity.version.clone(),
        attributes,
        at_ns: if point.time_unix_nano == 0 { now_ns } else { point.time_unix_nano },
        value,
        monotonic,
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
