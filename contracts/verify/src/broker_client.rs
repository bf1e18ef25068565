//! The broker over HTTP, as a pipeline uses it.

mod gate;
mod reasons;
mod record;

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tracepact_base::Secret;

use crate::{Error, Publication};
pub use gate::{AskOptions, VerificationAsked};
use reasons::{notices, reason};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// First pause before a request is sent again; each further one is twice as long.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause before a request is sent again, whatever the broker asks for.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(30);

/// How a client proves who it is.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// Not at all.
    #[default]
    None,
    /// A bearer token.
    Token(Secret),
    /// HTTP basic: user and password.
    Basic(String, Secret),
}

/// How to speak to a broker beside its address.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Who asks.
    pub credentials: Credentials,
    /// Headers for every request.
    pub headers: Vec<(String, String)>,
    /// How often a request is sent again after 5xx, 408 and 429.
    pub retries: u32,
    /// Certificate authorities in PEM form, instead of the machine's.
    pub certificates: Option<Vec<u8>>,
    /// Take any certificate: for tests against a self-signed server only.
    pub any_certificate: bool,
}

/// A broker's address and the token to use there.
#[derive(Debug, Clone)]
pub struct BrokerClient {
    url: String,
    credentials: Credentials,
    retries: u32,
    http: reqwest::Client,
}

impl BrokerClient {
    /// A client for the broker at `url` (`http://host:9292`). The token is sent as a bearer token.
    pub fn new(url: &str, token: Option<Secret>) -> Result<Self, Error> {
        let credentials = token.map_or(Credentials::None, Credentials::Token);
        Self::with(url, ClientOptions { credentials, ..ClientOptions::default() })
    }

    /// A client with everything that can be chosen.
    ///
    /// # Errors
    /// When the address, a header or a certificate is none.
    pub fn with(url: &str, options: ClientOptions) -> Result<Self, Error> {
        let parsed =
            url::Url::parse(url).map_err(|e| Error::Usage(format!("{url:?} is not an address: {e}")))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(Error::Usage(format!("{url:?} is not an http or https address")));
        }
        let mut builder = reqwest::Client::builder().timeout(REQUEST_TIMEOUT);
        let mut headers = reqwest::header::HeaderMap::new();
        for (name, value) in &options.headers {
            let wrong = || Error::Usage(format!("{name:?}: {value:?} is not a header"));
            let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            headers.append(name, value.parse().map_err(|_| wrong())?);
        }
        builder = builder.default_headers(headers);
        if let Some(pem) = &options.certificates {
            let roots = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|e| Error::Usage(format!("the certificate file cannot be used: {}", chain(&e))))?;
            builder = builder.tls_certs_only(roots);
        }
        if options.any_certificate {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        let http = builder.build().map_err(|e| {
            let reason = chain(&e);
            Error::Usage(format!(
                "no HTTP client: {reason} (certificate authorities come from the package ca-certificates)"
            ))
        })?;
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            credentials: options.credentials,
            retries: options.retries,
            http,
        })
    }

    /// The broker's address without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Whether the broker answers and lets this client read.
    pub(crate) async fn reach(&self) -> Result<(), Error> {
        self.send(self.http.get(self.at("/")), "its index").await?;
        Ok(())
    }

    /// GET of a path of the broker (`/pacticipants/products`); 404 is an error.
    pub async fn get(&self, path: &str, what: &str) -> Result<Value, Error> {
        self.send(self.http.get(self.at(path)), what).await
    }

    /// GET that takes 404 for "there is none".
    pub async fn find(&self, path: &str, what: &str) -> Result<Option<Value>, Error> {
        match self.get(path, what).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value, what: &str) -> Result<Value, Error> {
        self.send(self.http.post(self.at(path)).json(body), what).await
    }

    /// PUT of JSON.
    pub async fn put(&self, path: &str, body: &Value, what: &str) -> Result<Value, Error> {
        self.send(self.http.put(self.at(path)).json(body), what).await
    }

    /// PATCH as a JSON merge patch (RFC 7396).
    pub async fn patch(&self, path: &str, body: &Value, what: &str) -> Result<Value, Error> {
        let request = self.http.patch(self.at(path)).body(body.to_string());
        self.send(request.header("content-type", "application/merge-patch+json"), what).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str, what: &str) -> Result<Value, Error> {
        self.send(self.http.delete(self.at(path)), what).await
    }

    /// Publishes pacts of one consumer version (`POST /contracts/publish`). Returns the broker's notices.
    pub async fn publish(&self, publication: &Publication) -> Result<Vec<String>, Error> {
        let request = self.http.post(self.at("/contracts/publish")).json(&publication.body());
        let answer = self.send(request, "the publication").await?;
        Ok(notices(&answer))
    }

    /// The same, with the broker's whole answer.
    pub async fn publish_raw(&self, publication: &Publication) -> Result<Value, Error> {
        self.post("/contracts/publish", &publication.body(), "the publication").await
    }

    /// GET of a link that the broker gave: an absolute address of this broker, or a path.
    ///
    /// # Errors
    /// When the link leads to another server, whom the credentials are not for.
    pub async fn follow(&self, href: &str, what: &str) -> Result<Value, Error> {
        self.send(self.http.get(self.own(href, what)?), what).await
    }

    /// POST to a link that the broker gave.
    pub async fn follow_post(&self, href: &str, body: &Value, what: &str) -> Result<Value, Error> {
        self.send(self.http.post(self.own(href, what)?).json(body), what).await
    }

    /// PATCH of a link that the broker gave.
    pub async fn follow_patch(&self, href: &str, body: &Value, what: &str) -> Result<Value, Error> {
        let request = self.http.patch(self.own(href, what)?).body(body.to_string());
        self.send(request.header("content-type", "application/merge-patch+json"), what).await
    }

    /// The address behind a link, which must be this broker's: the credentials are for nobody else.
    fn own(&self, href: &str, what: &str) -> Result<String, Error> {
        if href.starts_with('/') {
            return Ok(self.at(href));
        }
        let wrong = |reason: String| Error::Answer { what: what.to_owned(), reason };
        let link = url::Url::parse(href).map_err(|e| wrong(format!("the link {href:?}: {e}")))?;
        let own = url::Url::parse(&self.url).map_err(|e| wrong(e.to_string()))?;
        if link.origin() == own.origin() {
            return Ok(href.to_owned());
        }
        Err(wrong(format!("the link {href:?} leads away from {}", self.url)))
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder, what: &str) -> Result<Value, Error> {
        let text = self.send_text(request, what).await?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text)
            .map_err(|e| Error::Answer { what: what.to_owned(), reason: e.to_string() })
    }

    /// The answer as it was written.
    pub(crate) async fn send_text(
        &self,
        request: reqwest::RequestBuilder,
        what: &str,
    ) -> Result<String, Error> {
        let request = request.header("accept", "application/hal+json, application/json");
        let request = match &self.credentials {
            Credentials::None => request,
            Credentials::Token(token) => request.bearer_auth(token.expose()),
            Credentials::Basic(user, password) => request.basic_auth(user, Some(password.expose())),
        };
        let unreachable =
            |e: reqwest::Error| Error::Unreachable { url: self.url.clone(), reason: chain(&e.without_url()) };
        let mut pause = RETRY_PAUSE;
        let mut tries_left = self.retries;
        let response = loop {
            let again = request.try_clone();
            let sent = match again {
                Some(request) => request.send().await.map_err(unreachable)?,
                None => return Err(Error::Usage(format!("{what} cannot be sent twice"))),
            };
            let passing = sent.status().is_server_error() || matches!(sent.status().as_u16(), 408 | 429);
            if !passing || tries_left == 0 {
                break sent;
            }
            tries_left -= 1;
            let wished = sent
                .headers()
                .get("retry-after")
                .and_then(|v| v.to_str().ok())
                .and_then(|v| v.trim().parse().ok())
                .map(Duration::from_secs);
            tokio::time::sleep(wished.unwrap_or(pause).min(RETRY_PAUSE_MAX)).await;
            pause = (pause * 2).min(RETRY_PAUSE_MAX);
        };
        let status = response.status();
        let text = response.text().await.map_err(unreachable)?;
        if !status.is_success() {
            return Err(Error::Refused {
                what: what.to_owned(),
                status: status.as_u16(),
                detail: reason(&text),
            });
        }
        Ok(text)
    }
}

fn parse<T: serde::de::DeserializeOwned>(value: Value, what: &str) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|e| Error::Answer { what: what.to_owned(), reason: e.to_string() })
}

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// One path segment or query value.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_broker_that_is_not_there_is_exit_code_3() {
        let _ = rustls_provider();
        let client = BrokerClient::new("http://127.0.0.1:9", None).unwrap();
        let error = client.can_i_deploy("a", "1", "production", &AskOptions::default()).await.unwrap_err();
        assert_eq!(error.exit_code(), 3, "{error}");
        assert_eq!(BrokerClient::new("nonsense", None).unwrap_err().exit_code(), 2);
    }

    fn rustls_provider() -> Result<(), ()> {
        rustls::crypto::aws_lc_rs::default_provider().install_default().map_err(|_| ())
    }
}
