//! One write request and what its answer means.

use std::io::Write;
use std::time::Duration;

use reqwest::{Client, StatusCode, header};
use tracepact_base::Secret;
use url::Url;

use super::config::{InfluxConfig, InfluxConfigError};

/// Longest part of an error answer that is read and logged.
const ANSWER_BYTES_MAX: usize = 2_048;

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Every line is stored.
    Stored,
    /// Some lines are stored, some refused for ever (422).
    Partial { dropped: Option<usize>, reason: String },
    /// Nothing is stored and repeating cannot help.
    Refused { label: &'static str, reason: String },
    /// Try again.
    Retry { after: Option<Duration>, reason: String },
}

#[derive(Debug)]
pub(crate) struct Transport {
    client: Client,
    url: Url,
    token: Secret,
    gzip: bool,
}

impl Transport {
    pub(crate) fn new(config: &InfluxConfig) -> Result<Self, InfluxConfigError> {
        let mut url = config.url.clone();
        let path = format!("{}/api/v2/write", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.query_pairs_mut()
            .append_pair("org", &config.org)
            .append_pair("bucket", &config.bucket)
            .append_pair("precision", "ns");
        let client = Client::builder()
            .timeout(Duration::from_millis(config.timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, url, token: config.token.clone(), gzip: config.gzip })
    }

    /// The body as it is sent, compressed when configured; made once for all attempts.
    pub(crate) fn body(&self, lines: Vec<u8>) -> std::io::Result<Vec<u8>> {
        if !self.gzip {
            return Ok(lines);
        }
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&lines)?;
        encoder.finish()
    }

    pub(crate) async fn send(&self, body: Vec<u8>) -> Outcome {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(header::AUTHORIZATION, format!("Token {}", self.token.expose()))
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
        if self.gzip {
            request = request.header(header::CONTENT_ENCODING, "gzip");
        }
        match request.body(body).send().await {
            Ok(response) => outcome(response).await,
            Err(error) => Outcome::Retry { after: None, reason: error.without_url().to_string() },
        }
    }
}

async fn outcome(response: reqwest::Response) -> Outcome {
    let status = response.status();
    if status.is_success() {
        return Outcome::Stored;
    }
    let after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let reason = format!("{status}: {}", read(response).await);
    match status {
        StatusCode::UNPROCESSABLE_ENTITY => Outcome::Partial { dropped: dropped(&reason), reason },
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Outcome::Retry { after, reason },
        _ if status.is_server_error() => Outcome::Retry { after, reason },
        StatusCode::BAD_REQUEST => Outcome::Refused { label: "bad_request", reason },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Outcome::Refused { label: "unauthorized", reason }
        }
        StatusCode::NOT_FOUND => Outcome::Refused { label: "not_found", reason },
        StatusCode::PAYLOAD_TOO_LARGE => Outcome::Refused { label: "too_large", reason },
        _ => Outcome::Refused { label: "refused", reason },
    }
}

/// The beginning of an answer, whatever its length.
async fn read(mut response: reqwest::Response) -> String {
    let mut text = Vec::new();
    while text.len() < ANSWER_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    text.truncate(ANSWER_BYTES_MAX);
    String::from_utf8_lossy(&text).trim().to_owned()
}

/// The number after `dropped=` in the server's text.
fn dropped(reason: &str) -> Option<usize> {
    let (_, rest) = reason.rsplit_once("dropped=")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}
