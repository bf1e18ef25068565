//! Flags that every service of the shop has.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tracepact_kit::breaker::BreakerSettings;
use tracepact_kit::settings::{Exporter, LogFormat};

/// Where spans go and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExporterFlag {
    /// OTLP over gRPC.
    OtlpGrpc,
    /// OTLP over HTTP, protobuf.
    OtlpHttp,
    /// Zipkin v2 JSON over HTTP.
    Zipkin,
    /// Nowhere.
    None,
}

impl From<ExporterFlag> for Exporter {
    fn from(flag: ExporterFlag) -> Self {
        match flag {
            ExporterFlag::OtlpGrpc => Self::OtlpGrpc,
            ExporterFlag::OtlpHttp => Self::OtlpHttp,
            ExporterFlag::Zipkin => Self::Zipkin,
            ExporterFlag::None => Self::None,
        }
    }
}

/// The form of log lines on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFlag {
    /// One JSON object per line.
    Json,
    /// One readable line.
    Text,
}

impl From<LogFlag> for LogFormat {
    fn from(flag: LogFlag) -> Self {
        match flag {
            LogFlag::Json => Self::Json,
            LogFlag::Text => Self::Text,
        }
    }
}

/// HTTP, telemetry and fault switches.
#[derive(Debug, Clone, Args)]
pub struct ServiceArgs {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    pub http_addr: SocketAddr,
    /// Listen although another process with this flag listens on the same address: the next version is started, then
    /// the old one is stopped, and no connection is refused in between.
    #[arg(long)]
    pub reuse_port: bool,
    /// Write {"http": "host:port", "service": …, "instance": …, "version": …, "pid": …} to this file once it listens.
    #[arg(long, value_name = "FILE")]
    pub addr_file: Option<PathBuf>,
    /// Address under which other services reach this one, when it is not the one it listens on.
    #[arg(long, value_name = "URL")]
    pub advertise: Option<String>,
    /// Answer to this host name besides localhost and addresses; may be repeated.
    #[arg(long = "allow-host", value_name = "NAME")]
    pub allow_hosts: Vec<String>,
    /// service.instance.id; a random one when absent.
    #[arg(long, value_name = "ID")]
    pub instance: Option<String>,
    /// service.version.
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"), value_name = "VERSION")]
    pub service_version: String,
    /// Form in which spans leave.
    #[arg(long, value_enum, default_value = "otlp-grpc")]
    pub exporter: ExporterFlag,
    /// Where spans go [default: http://127.0.0.1:4317, 4318 or 9411 by exporter].
    #[arg(long, value_name = "URL")]
    pub export_endpoint: Option<String>,
    /// Where OTLP metrics go [default: with the spans; nowhere for zipkin].
    #[arg(long, value_name = "URL")]
    pub metrics_endpoint: Option<String>,
    /// Share of new traces that are sampled, 0 to 1.
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    pub sample: f64,
    /// How long a batch of spans is tried again while the collector is away.
    #[arg(long, default_value_t = 120_000, value_name = "MS")]
    pub export_retry_ms: u64,
    /// Form of log lines on standard error.
    #[arg(long, value_enum, default_value = "json")]
    pub log_format: LogFlag,
    /// Which log lines, as in `info,tracepact_kit=debug`.
    #[arg(
        long,
        default_value = "info,librdkafka=error,rdkafka=error",
        env = "RUST_LOG",
        value_name = "FILTER"
    )]
    pub log: String,
    /// Have fault switches (`/faults`). Only on a loopback address, and only with --faults-token-file.
    #[arg(long, requires = "faults_token_file")]
    pub faults: bool,
    /// Token for the fault switches; made when the file is not there.
    #[arg(long, value_name = "FILE")]
    pub faults_token_file: Option<PathBuf>,
}

/// Kafka.
#[derive(Debug, Clone, Args)]
pub struct KafkaArgs {
    /// Kafka's bootstrap servers.
    #[arg(long, default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    pub kafka: String,
    /// Partitions of topics that do not exist yet.
    #[arg(long, default_value_t = 6, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(1..=100))]
    pub partitions: i32,
    /// Records handled at once, over all topics of this process.
    #[arg(long, default_value_t = 16, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub permits: u32,
    /// After how many milliseconds without a heartbeat the group takes this member for dead.
    #[arg(long, default_value_t = 10_000, value_name = "MS")]
    pub session_timeout_ms: u32,
}

/// Circuit breakers.
#[derive(Debug, Clone, Args)]
pub struct BreakerArgs {
    /// Fewest calls in the window before the circuit may open.
    #[arg(long, default_value_t = 20, value_name = "CALLS")]
    pub breaker_volume: u64,
    /// Share of failed calls at which it opens.
    #[arg(long, default_value_t = 50, value_name = "PERCENT")]
    pub breaker_error_percent: u64,
    /// The window.
    #[arg(long, default_value_t = 10_000, value_name = "MS")]
    pub breaker_window_ms: u64,
    /// How long an open circuit waits before it lets one call through.
    #[arg(long, default_value_t = 5_000, value_name = "MS")]
    pub breaker_sleep_ms: u64,
}

impl BreakerArgs {
    /// As the kit takes them, for calls that may take `timeout`.
    pub fn settings(&self, timeout: Duration) -> BreakerSettings {
        BreakerSettings {
            volume_threshold: self.breaker_volume,
            error_percent: self.breaker_error_percent,
            window: Duration::from_millis(self.breaker_window_ms),
            sleep_window: Duration::from_millis(self.breaker_sleep_ms),
            timeout: Some(timeout),
            ..BreakerSettings::default()
        }
    }
}
