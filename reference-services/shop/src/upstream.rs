//! Calling a service that runs in several instances: round robin, and the next one when nobody takes the connection.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tracepact_kit::http::{Client, RequestBuilder};

/// Whether a call that was sent may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Only when no connection came about: the callee has not seen it.
    OnConnectFailure,
    /// Also when the connection broke before an answer: the callee does the same thing once, however often it is asked.
    OnBrokenConnection,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No instance took the connection.
    #[error("no instance of {service} could be reached: {reason}")]
    Unreachable {
        /// The callee.
        service: String,
        /// What the last attempt said.
        reason: String,
    },
    /// An instance took the request and did not answer in time.
    #[error("{service} did not answer within {after_ms} ms")]
    Timeout {
        /// The callee.
        service: String,
        /// How long was waited.
        after_ms: u128,
    },
    /// The connection broke.
    #[error("the connection to {service} broke: {reason}")]
    Broken {
        /// The callee.
        service: String,
        /// How.
        reason: String,
    },
}

/// The instances of one service.
#[derive(Debug)]
pub struct Upstream {
    service: String,
    addresses: Vec<String>,
    next: AtomicUsize,
    client: Client,
    timeout: Duration,
    retry: Retry,
}

/// An answer and which instance gave it.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub response: reqwest::Response,
    /// Index of the instance among the addresses.
    pub instance: usize,
}

impl Upstream {
    /// `addresses` are base URLs without a trailing slash; each attempt may take `timeout`.
    pub fn new(
        client: &Client,
        service: &str,
        addresses: &[String],
        timeout: Duration,
        retry: Retry,
    ) -> Self {
        Self {
            service: service.to_owned(),
            addresses: addresses.iter().map(|url| url.trim_end_matches('/').to_owned()).collect(),
            next: AtomicUsize::new(0),
            client: client.for_service(service),
            timeout,
            retry,
        }
    }

    /// The callee's name.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Number of instances.
    pub fn instances(&self) -> usize {
        self.addresses.len()
    }

    /// The instance whose turn it is.
    pub fn turn(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed) % self.addresses.len().max(1)
    }

    /// Sends what `build` makes of a base URL to instance `first`, then to the others while nobody takes it.
    ///
    /// # Errors
    /// When no instance answered.
    pub async fn send_from(
        &self,
        first: usize,
        build: impl Fn(&Client, &str) -> RequestBuilder,
    ) -> Result<Answered, UpstreamError> {
        let mut last = UpstreamError::Unreachable {
            service: self.service.clone(),
            reason: "no address is configured".into(),
        };
        // Twice around at most two instances, once around more: a single instance gets a second chance, too.
        let attempts = self.addresses.len().max(2).min(self.addresses.len() * 2);
        for attempt in 0..attempts {
            let instance = (first + attempt) % self.addresses.len();
            if attempt >= self.addresses.len() {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            match build(&self.client, &self.addresses[instance]).timeout(self.timeout).send().await {
                Ok(response) => return Ok(Answered { response, instance }),
                Err(error) => {
                    let again = error.is_connect()
                        || (self.retry == Retry::OnBrokenConnection && !error.is_timeout());
                    last = self.describe(&error);
                    if !again {
                        break;
                    }
                }
            }
        }
        Err(last)
    }

    /// [`Upstream::send_from`] the instance whose turn it is.
    ///
    /// # Errors
    /// When no instance answered.
    pub async fn send(
        &self,
        build: impl Fn(&Client, &str) -> RequestBuilder,
    ) -> Result<Answered, UpstreamError> {
        self.send_from(self.turn(), build).await
    }

    fn describe(&self, error: &reqwest::Error) -> UpstreamError {
        let service = self.service.clone();
        let mut reason: &dyn std::error::Error = error;
        while let Some(cause) = reason.source() {
            reason = cause;
        }
        let reason = reason.to_string();
        if error.is_timeout() {
            UpstreamError::Timeout { service, after_ms: self.timeout.as_millis() }
        } else if error.is_connect() {
            UpstreamError::Unreachable { service, reason }
        } else {
            UpstreamError::Broken { service, reason }
        }
    }
}
