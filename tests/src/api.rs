//! A small JSON client that says which request failed and how.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A server's base address and the token to send.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// Status, headers of interest and body of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.text).with_context(|| format!("not JSON: {}", clip(&self.text)))
    }
}

impl Api {
    /// A client for `http://{address}`.
    pub fn new(address: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { base: format!("http://{address}"), token: None, http })
    }

    /// The same server with a bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// `http://host:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends a request and returns whatever is answered.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let what = format!("{method} {}{path}", self.base);
        let mut request = self.http.request(method.parse()?, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.with_context(|| what.clone())?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
            .collect();
        Ok(Answer { status, headers, text: response.text().await.with_context(|| what)? })
    }

    /// GET that must answer 200 with JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.send("GET", path, None).await?;
        if answer.status != 200 {
            bail!("GET {}{path} answered {}: {}", self.base, answer.status, clip(&answer.text));
        }
        answer.json()
    }

    /// GET that must answer 200, as text.
    pub async fn text(&self, path: &str) -> anyhow::Result<String> {
        let answer = self.send("GET", path, None).await?;
        if answer.status != 200 {
            bail!("GET {}{path} answered {}: {}", self.base, answer.status, clip(&answer.text));
        }
        Ok(answer.text)
    }

    /// A changing request that must answer 2xx; JSON or nothing.
    pub async fn change(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.send(method, path, Some(body)).await?;
        if !(200..300).contains(&answer.status) {
            bail!("{method} {}{path} answered {}: {}", self.base, answer.status, clip(&answer.text));
        }
        if answer.text.is_empty() { Ok(Value::Null) } else { answer.json() }
    }
}

fn clip(text: &str) -> String {
    text.chars().take(500).collect()
}
