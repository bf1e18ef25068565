//! Settings of the telemetry of one process: a struct, and the environment variables OpenTelemetry's users know.

use std::time::Duration;

use crate::propagation::Rules;

/// Where spans go and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exporter {
    /// OTLP over gRPC; default endpoint `http://127.0.0.1:4317`.
    #[default]
    OtlpGrpc,
    /// OTLP over HTTP with protobuf bodies; default endpoint `http://127.0.0.1:4318` (`/v1/traces` is appended).
    OtlpHttp,
    /// Zipkin v2 JSON; default endpoint `http://127.0.0.1:9411` (`/api/v2/spans` is appended).
    Zipkin,
    /// Nowhere: spans are counted and propagated, not sent.
    None,
}

impl Exporter {
    /// The endpoint used when none is set.
    pub fn default_endpoint(self) -> &'static str {
        match self {
            Self::OtlpGrpc => "http://127.0.0.1:4317",
            Self::OtlpHttp => "http://127.0.0.1:4318",
            Self::Zipkin => "http://127.0.0.1:9411",
            Self::None => "",
        }
    }
}

impl std::str::FromStr for Exporter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "otlp-grpc" | "grpc" => Ok(Self::OtlpGrpc),
            "otlp-http" | "http/protobuf" => Ok(Self::OtlpHttp),
            "zipkin" => Ok(Self::Zipkin),
            "none" => Ok(Self::None),
            other => Err(format!("an exporter is otlp-grpc, otlp-http, zipkin or none, not {other:?}")),
        }
    }
}

/// The form of log lines on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One JSON object per line with `trace_id` and `span_id`.
    #[default]
    Json,
    /// One readable line with `trace_id=… span_id=…`.
    Text,
    /// Logging is left to the caller (see [`crate::logs::layer`]).
    None,
}

/// Everything [`crate::Telemetry::start`] needs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `service.name`.
    pub service: String,
    /// `service.instance.id`; a random one when empty.
    pub instance: String,
    /// `service.version`; left out when empty.
    pub version: String,
    /// More resource attributes.
    pub resource: Vec<(String, String)>,
    /// Where spans go.
    pub exporter: Exporter,
    /// The exporter's endpoint; its default when `None`.
    pub endpoint: Option<String>,
    /// Where OTLP metrics go (same protocol as the spans; gRPC when spans go to Zipkin). `None`: the spans'
    /// endpoint for OTLP exporters, nowhere otherwise.
    pub metrics_endpoint: Option<String>,
    /// How often metrics are pushed.
    pub metrics_interval: Duration,
    /// Which headers are read and written, and what is trusted.
    pub propagation: Rules,
    /// Share of new traces that are sampled, 0.0 to 1.0; traces begun elsewhere follow their caller.
    pub sample_ratio: f64,
    /// Most spans waiting to be sent; beyond it spans are given up with reason `queue_full`.
    pub queue_spans_max: usize,
    /// Most spans sent in one request.
    pub batch_spans_max: usize,
    /// Longest time a span waits for its batch to fill.
    pub batch_delay: Duration,
    /// How long one batch is tried again before it is given up with reason `retries_exhausted`.
    pub retry_for: Duration,
    /// How long [`crate::Telemetry::shutdown`] waits for the last batches; the rest is given up with reason `shutdown`.
    pub shutdown_within: Duration,
    /// The form of log lines.
    pub log_format: LogFormat,
    /// A `tracing_subscriber::EnvFilter` directive.
    pub log_filter: String,
    /// Whether this telemetry becomes the one that `server_layer()`, `Client::new` and the Kafka types take by default.
    pub global: bool,
}

impl Settings {
    /// Defaults for a service called `service`: OTLP over gRPC to the local collector, JSON logs at `info`.
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            instance: String::new(),
            version: String::new(),
            resource: Vec::new(),
            exporter: Exporter::OtlpGrpc,
            endpoint: None,
            metrics_endpoint: None,
            metrics_interval: Duration::from_secs(1),
            propagation: Rules::default(),
            sample_ratio: 1.0,
            queue_spans_max: 32_768,
            batch_spans_max: 512,
            batch_delay: Duration::from_millis(200),
            retry_for: Duration::from_secs(120),
            shutdown_within: Duration::from_secs(5),
            log_format: LogFormat::Json,
            log_filter: "info".to_owned(),
            global: true,
        }
    }

    /// [`Settings::new`], then what the environment sets: `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
    /// `OTEL_TRACES_EXPORTER` (otlp, zipkin, none), `OTEL_EXPORTER_OTLP_PROTOCOL` (grpc, http/protobuf),
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_ZIPKIN_ENDPOINT`, `OTEL_TRACES_SAMPLER_ARG`, `RUST_LOG`.
    ///
    /// # Errors
    /// Names the variable and what it may hold.
    pub fn from_env(service: impl Into<String>) -> Result<Self, SettingsError> {
        Self::new(service).overlay(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// These settings with what `variable` answers put over them; see [`Settings::from_env`].
    ///
    /// # Errors
    /// Names the variable and what it may hold.
    pub fn overlay(mut self, variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let bad = |name: &'static str, reason: String| SettingsError { name, reason };
        if let Some(name) = variable("OTEL_SERVICE_NAME") {
            self.service = name;
        }
        if let Some(list) = variable("OTEL_RESOURCE_ATTRIBUTES") {
            for pair in list.split(',').filter(|pair| !pair.trim().is_empty()) {
                let (key, value) = pair
                    .split_once('=')
                    .ok_or_else(|| bad("OTEL_RESOURCE_ATTRIBUTES", format!("{pair:?} is not key=value")))?;
                match key.trim() {
                    "service.version" => self.version = value.trim().to_owned(),
                    "service.instance.id" => self.instance = value.trim().to_owned(),
                    key => self.resource.push((key.to_owned(), value.trim().to_owned())),
                }
            }
        }
        let protocol = variable("OTEL_EXPORTER_OTLP_PROTOCOL");
        match variable("OTEL_TRACES_EXPORTER").as_deref() {
            Some("zipkin") => self.exporter = Exporter::Zipkin,
            Some("none") => self.exporter = Exporter::None,
            None | Some("otlp") => {
                if let Some(protocol) = protocol {
                    self.exporter =
                        protocol.parse().map_err(|reason| bad("OTEL_EXPORTER_OTLP_PROTOCOL", reason))?;
                }
            }
            Some(other) => {
                return Err(bad("OTEL_TRACES_EXPORTER", format!("otlp, zipkin or none, not {other:?}")));
            }
        }
        let otlp = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
        match self.exporter {
            Exporter::OtlpGrpc | Exporter::OtlpHttp => self.endpoint = otlp.or(self.endpoint),
            Exporter::Zipkin => {
                self.endpoint = variable("OTEL_EXPORTER_ZIPKIN_ENDPOINT").or(self.endpoint);
                self.metrics_endpoint = otlp.or(self.metrics_endpoint);
            }
            Exporter::None => {}
        }
        if let Some(text) = variable("OTEL_TRACES_SAMPLER_ARG") {
            self.sample_ratio =
                text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).ok_or_else(|| {
                    bad("OTEL_TRACES_SAMPLER_ARG", format!("a share from 0 to 1, not {text:?}"))
                })?;
        }
        if let Some(filter) = variable("RUST_LOG") {
            self.log_filter = filter;
        }
        Ok(self)
    }
}

/// An environment variable that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct SettingsError {
    /// The variable.
    pub name: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::new("x")
            .overlay(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_chooses_exporter_and_endpoint() {
        let zipkin = with(&[
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://z:9411"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://o:4317"),
        ])
        .unwrap();
        assert_eq!(zipkin.exporter, Exporter::Zipkin);
        assert_eq!(zipkin.endpoint.as_deref(), Some("http://z:9411"));
        assert_eq!(zipkin.metrics_endpoint.as_deref(), Some("http://o:4317"));
        let http = with(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]).unwrap();
        assert_eq!(http.exporter, Exporter::OtlpHttp);
    }

    #[test]
    fn a_bad_value_is_named() {
        assert_eq!(with(&[("OTEL_TRACES_SAMPLER_ARG", "2")]).unwrap_err().name, "OTEL_TRACES_SAMPLER_ARG");
        assert_eq!(with(&[("OTEL_TRACES_EXPORTER", "jaeger")]).unwrap_err().name, "OTEL_TRACES_EXPORTER");
    }
}
