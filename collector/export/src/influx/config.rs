//! Settings of the writer.

use serde::Deserialize;
use tracepact_base::Secret;
use url::Url;

/// Where points go and how much may wait.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfluxConfig {
    /// Address of the server, for example `http://127.0.0.1:8086`.
    pub url: Url,
    /// Organisation.
    pub org: String,
    /// Bucket; it must exist.
    pub bucket: String,
    /// A token that may write the bucket.
    pub token: Secret,
    /// Most points in one request.
    #[serde(default = "InfluxConfig::default_batch_points")]
    pub batch_points: usize,
    /// Longest time a point waits for its batch to fill, in milliseconds.
    #[serde(default = "InfluxConfig::default_flush_interval_ms")]
    pub flush_interval_ms: u64,
    /// Most points waiting while the server is away; further ones are dropped and counted.
    #[serde(default = "InfluxConfig::default_queue_points")]
    pub queue_points: usize,
    /// Longest time for one request, in milliseconds.
    #[serde(default = "InfluxConfig::default_timeout_ms")]
    pub timeout_ms: u64,
    /// The bucket's retention in seconds: older points are not sent, the server would refuse them. 0 for none.
    #[serde(default = "InfluxConfig::default_retention_secs")]
    pub retention_secs: u64,
    /// Compress requests.
    #[serde(default = "InfluxConfig::default_gzip")]
    pub gzip: bool,
}

/// Why settings cannot work.
#[derive(Debug, thiserror::Error)]
pub enum InfluxConfigError {
    /// A setting is out of its bounds.
    #[error("{name} must be {bounds}")]
    Bounds {
        /// Which one.
        name: &'static str,
        /// What it may be.
        bounds: &'static str,
    },
    /// The address is not http or https.
    #[error("the address of InfluxDB must begin with http:// or https://, this is {0:?}")]
    Scheme(String),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up: {0}")]
    Client(#[from] reqwest::Error),
    /// A metric of the writer is registered already.
    #[error("the writer's metrics could not be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl InfluxConfig {
    /// The defaults for this server, bucket and token.
    pub fn new(url: Url, org: &str, bucket: &str, token: String) -> Self {
        Self {
            url,
            org: org.to_owned(),
            bucket: bucket.to_owned(),
            token: Secret::new(token),
            batch_points: Self::default_batch_points(),
            flush_interval_ms: Self::default_flush_interval_ms(),
            queue_points: Self::default_queue_points(),
            timeout_ms: Self::default_timeout_ms(),
            retention_secs: Self::default_retention_secs(),
            gzip: Self::default_gzip(),
        }
    }

    const fn default_batch_points() -> usize {
        5_000
    }

    const fn default_flush_interval_ms() -> u64 {
        1_000
    }

    const fn default_queue_points() -> usize {
        100_000
    }

    const fn default_timeout_ms() -> u64 {
        10_000
    }

    const fn default_retention_secs() -> u64 {
        7 * 24 * 3_600
    }

    const fn default_gzip() -> bool {
        true
    }

    /// Checks the bounds.
    ///
    /// # Errors
    /// The first setting that cannot work.
    pub fn validate(&self) -> Result<(), InfluxConfigError> {
        if !matches!(self.url.scheme(), "http" | "https") {
            return Err(InfluxConfigError::Scheme(self.url.to_string()));
        }
        let bounds = [
            ("org", !self.org.is_empty(), "set"),
            ("bucket", !self.bucket.is_empty(), "set"),
            ("token", !self.token.expose().is_empty(), "set"),
            ("batch_points", (1..=100_000).contains(&self.batch_points), "1 to 100000"),
            ("flush_interval_ms", (1..=60_000).contains(&self.flush_interval_ms), "1 to 60000"),
            ("timeout_ms", (1..=300_000).contains(&self.timeout_ms), "1 to 300000"),
            (
                "queue_points",
                (self.batch_points..=10_000_000).contains(&self.queue_points),
                "batch_points to 10000000",
            ),
        ];
        match bounds.into_iter().find(|(_, fine, _)| !fine) {
            Some((name, _, bounds)) => Err(InfluxConfigError::Bounds { name, bounds }),
            None => Ok(()),
        }
    }
}
