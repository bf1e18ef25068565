//! The broker over HTTP, as a pipeline uses it.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tracepact_base::Secret;

use crate::{Error, Publication, Verdict};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// A broker's address and the token to use there.
#[derive(Debug, Clone)]
pub struct BrokerClient {
    url: String,
    token: Option<Secret>,
    http: reqwest::Client,
}

impl BrokerClient {
    /// A client for the broker at `url` (`http://host:9292`). The token is sent as a bearer token.
    pub fn new(url: &str, token: Option<Secret>) -> Result<Self, Error> {
        let parsed =
            url::Url::parse(url).map_err(|e| Error::Usage(format!("{url:?} is not an address: {e}")))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(Error::Usage(format!("{url:?} is not an http or https address")));
        }
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build().map_err(|e| {
            let reason = chain(&e);
            Error::Usage(format!(
                "no HTTP client: {reason} (certificate authorities come from the package ca-certificates)"
            ))
        })?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), token, http })
    }

    /// The broker's address without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// Whether the broker answers and lets this client read.
    pub(crate) async fn reach(&self) -> Result<(), Error> {
        self.send(self.http.get(self.at("/")), "its index").await?;
        Ok(())
    }

    /// Asks the gate whether `version` of `pacticipant` may go to `environment`.
    pub async fn can_i_deploy(
        &self,
        pacticipant: &str,
        version: &str,
        environment: &str,
    ) -> Result<Verdict, Error> {
        let path = format!(
            "/tracepact/v1/contracts/can-i-deploy?pacticipant={}&version={}&environment={}",
            encode(pacticipant),
            encode(version),
            encode(environment)
        );
        let answer =
            self.send(self.http.get(self.at(&path)), "the question whether it can be deployed").await?;
        parse(answer, "can-i-deploy")
    }

    /// Publishes pacts of one consumer version (`POST /contracts/publish`). Returns the broker's notices.
    pub async fn publish(&self, publication: &Publication) -> Result<Vec<String>, Error> {
        let request = self.http.post(self.at("/contracts/publish")).json(&publication.body());
        let answer = self.send(request, "the publication").await?;
        Ok(notices(&answer))
    }

    /// Records that `version` of `pacticipant` now runs in `environment`; it replaces what was recorded there.
    pub async fn record_deployment(
        &self,
        pacticipant: &str,
        version: &str,
        environment: &str,
    ) -> Result<(), Error> {
        let path = format!(
            "/pacticipants/{}/versions/{}/deployed-versions/environment/{}",
            encode(pacticipant),
            encode(version),
            self.environment_uuid(environment).await?
        );
        self.send(self.http.post(self.at(&path)).json(&json!({})), "the record of the deployment").await?;
        Ok(())
    }

    /// Makes sure a pacticipant and this version of it exist.
    pub async fn ensure_version(&self, pacticipant: &str, version: &str) -> Result<(), Error> {
        let path = format!("/pacticipants/{}/versions/{}", encode(pacticipant), encode(version));
        self.send(self.http.put(self.at(&path)).json(&json!({})), "the new version").await?;
        Ok(())
    }

    /// Makes sure an environment exists.
    pub async fn ensure_environment(&self, name: &str, production: bool) -> Result<(), Error> {
        if self.environment_uuid(name).await.is_ok() {
            return Ok(());
        }
        let body = json!({ "name": name, "displayName": name, "production": production });
        self.send(self.http.post(self.at("/environments")).json(&body), "the new environment").await?;
        Ok(())
    }

    async fn environment_uuid(&self, name: &str) -> Result<String, Error> {
        let answer = self.send(self.http.get(self.at("/environments")), "the list of environments").await?;
        let list =
            answer.pointer("/_embedded/environments").and_then(Value::as_array).cloned().unwrap_or_default();
        list.iter()
            .find(|e| e.get("name").and_then(Value::as_str) == Some(name))
            .and_then(|e| e.get("uuid").and_then(Value::as_str))
            .map(str::to_owned)
            .ok_or_else(|| {
                let known: Vec<&str> =
                    list.iter().filter_map(|e| e.get("name").and_then(Value::as_str)).collect();
                Error::Usage(format!(
                    "there is no environment {name:?}; the broker knows {}",
                    known.join(", ")
                ))
            })
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
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        let unreachable =
            |e: reqwest::Error| Error::Unreachable { url: self.url.clone(), reason: chain(&e.without_url()) };
        let response = request.send().await.map_err(unreachable)?;
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

/// The reason inside an error body: a problem's detail, the broker's `errors`, or the text itself.
fn reason(text: &str) -> String {
    let Ok(body) = serde_json::from_str::<Value>(text) else { return clip(text) };
    if let Some(detail) = body.get("detail").and_then(Value::as_str) {
        return detail.to_owned();
    }
    let told = notices(&body);
    if !told.is_empty() {
        return told.join("; ");
    }
    match body.get("errors").or_else(|| body.get("error")) {
        Some(Value::String(error)) => clip(error),
        Some(errors) => clip(&errors.to_string()),
        None => clip(text),
    }
}

fn notices(body: &Value) -> Vec<String> {
    let list = body.get("notices").and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().filter_map(|n| n.get("text").and_then(Value::as_str)).map(str::to_owned).collect()
}

fn parse<T: serde::de::DeserializeOwned>(value: Value, what: &str) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|e| Error::Answer { what: what.to_owned(), reason: e.to_string() })
}

fn clip(text: &str) -> String {
    text.chars().take(600).collect()
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
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_found_in_every_error_body() {
        assert_eq!(reason(r#"{"detail":"no such version"}"#), "no such version");
        assert_eq!(reason(r#"{"notices":[{"text":"changed content"}]}"#), "changed content");
        assert_eq!(reason(r#"{"errors":{"name":["is missing"]}}"#), r#"{"name":["is missing"]}"#);
        assert_eq!(reason(r#"{"error":"no version 1"}"#), "no version 1");
        assert_eq!(reason("plain"), "plain");
    }

    #[tokio::test]
    async fn a_broker_that_is_not_there_is_exit_code_3() {
        let _ = rustls_provider();
        let client = BrokerClient::new("http://127.0.0.1:9", None).unwrap();
        let error = client.can_i_deploy("a", "1", "production").await.unwrap_err();
        assert_eq!(error.exit_code(), 3, "{error}");
        assert_eq!(BrokerClient::new("nonsense", None).unwrap_err().exit_code(), 2);
    }

    fn rustls_provider() -> Result<(), ()> {
        rustls::crypto::aws_lc_rs::default_provider().install_default().map_err(|_| ())
    }
}
