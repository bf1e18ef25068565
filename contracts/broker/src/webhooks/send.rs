//! One attempt: the request made, its target resolved, looked at and connected to, the answer judged, all of it logged.
//!
//! The address that was looked at is the one that is connected to; there is no second resolution in between. Redirects
//! are not followed and no proxy is used, since either would go somewhere nobody looked at.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Value, json};
use tracepact_base::{Clock, Secret, time_format};
use url::{Host, Url};

use super::definition::{RequestTemplate, Target};
use super::redact::Redactor;
use super::template::{self, Variables};
use super::{WebhookPolicy, sign};

/// Longest wait for a name to be resolved, for a connection, and for the whole answer.
const RESOLVE_MAX: Duration = Duration::from_secs(5);
const CONNECT_MAX: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Most of an answer that is read; the rest is not looked at.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// What became of an attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) success: bool,
    /// Why there was no answer.
    pub(crate) error: Option<String>,
    /// For people, secrets hidden.
    pub(crate) log: String,
    /// The request as it was sent, secrets hidden.
    pub(crate) request: Value,
    /// The answer, where its host may be shown.
    pub(crate) response: Option<Value>,
}

/// What is to be sent, and as what.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) target: &'a Target,
    pub(crate) variables: &'a Variables,
    /// Sent along: the same for every attempt, so that a receiver notices a repetition.
    pub(crate) id: &'a str,
    pub(crate) event: &'a str,
}

struct Log<'a> {
    clock: &'a dyn Clock,
    text: String,
}

impl Log<'_> {
    fn line(&mut self, level: &str, text: &str) {
        let seconds = self.clock.now_ns() / 1_000_000_000 * 1_000_000_000;
        self.text.push_str(&format!("[{}] {level}: {text}\n", time_format::to_rfc3339(seconds)));
    }
}

/// Sends once.
pub(crate) async fn send(policy: &WebhookPolicy, clock: &dyn Clock, delivery: &Delivery<'_>) -> Attempt {
    let redactor = Redactor::new(delivery.target.secrets());
    let mut log = Log { clock, text: String::new() };
    let context: Value = json!(delivery.variables);
    log.line("DEBUG", &format!("Webhook context {}", redactor.body(&context.to_string())));
    let made = match delivery.target {
        Target::Request(request) => Ok(request.clone()),
        Target::GitHub(github) => github.request(delivery.variables),
    };
    let made = made.and_then(|template| Request::make(&template, delivery, clock.now_ns()));
    let request = match made {
        Ok(request) => request,
        Err(reason) => return failed(log, json!({}), &redactor.text(&reason)),
    };
    let shown = request.shown(&redactor, &mut log);
    match request.send(policy).await {
        Err(reason) => failed(log, shown, &redactor.text(&reason)),
        Ok(answer) => {
            // 200 to 206, as the Pact Broker has it.
            let success = (200..=206).contains(&answer.status);
            let response = answer.shown(policy.names(&request.url), &redactor, &mut log);
            log.line("INFO", if success { "Webhook execution success" } else { "Webhook execution failed" });
            Attempt { success, error: None, log: log.text, request: shown, response }
        }
    }
}

fn failed(mut log: Log<'_>, request: Value, reason: &str) -> Attempt {
    log.line("ERROR", reason);
    log.line("INFO", "Webhook execution failed");
    Attempt { success: false, error: Some(reason.to_owned()), log: log.text, request, response: None }
}

struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: String,
}

impl Request {
    fn make(template: &RequestTemplate, delivery: &Delivery<'_>, now_ns: u64) -> Result<Self, String> {
        let variables = delivery.variables;
        let url = template::address(&template.url, variables);
        let url = Url::parse(&url).map_err(|e| format!("{url} is no address: {e}"))?;
        let method = Method::from_bytes(template.method.as_bytes()).map_err(|e| e.to_string())?;
        let mut headers = HeaderMap::new();
        let mut set = |name: &str, value: &str| {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
            let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|e| format!("{name}: {e}"))?;
            value.set_sensitive(super::definition::is_secret_header(name.as_str()));
            headers.insert(name, value);
            Ok::<_, String>(())
        };
        let (body, media) = match &template.body {
            None => (String::new(), None),
            Some(Value::String(text)) => (template::text(text, variables), Some("text/plain; charset=utf-8")),
            Some(json) => (template::json(json, variables).to_string(), Some("application/json")),
        };
        if let Some(media) = media {
            set(header::CONTENT_TYPE.as_str(), media)?;
        }
        set(header::USER_AGENT.as_str(), concat!("tracepact/", env!("CARGO_PKG_VERSION")))?;
        set(header::ACCEPT.as_str(), "*/*")?;
        for (name, value) in &template.headers {
            set(name, &template::header(value, variables))?;
        }
        if let Some(user) = &template.username {
            let pair = format!("{user}:{}", template.password.as_deref().unwrap_or_default());
            set(header::AUTHORIZATION.as_str(), &format!("Basic {}", STANDARD.encode(pair)))?;
        }
        set("tracepact-delivery", delivery.id)?;
        set("tracepact-event", delivery.event)?;
        if let Some(secret) = &template.signing_secret {
            let signature = sign::signature(&Secret::new(secret.as_str()), body.as_bytes(), now_ns)?;
            set(sign::HEADER, &signature)?;
        }
        Ok(Self { method, url, headers, body })
    }

    fn shown(&self, redactor: &Redactor, log: &mut Log<'_>) -> Value {
        let url = redactor.text(self.url.as_str());
        log.line("INFO", &format!("HTTP/1.1 {} {url}", self.method));
        let mut headers = serde_json::Map::new();
        for (name, value) in &self.headers {
            let line = redactor.header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
            log.line("INFO", &line);
            let value = line.split_once(": ").map_or("", |(_, value)| value);
            headers.insert(name.to_string(), value.into());
        }
        let body = redactor.body(&self.body);
        log.line("INFO", &body);
        json!({ "method": self.method.as_str(), "url": url, "headers": headers, "body": body })
    }

    async fn send(&self, policy: &WebhookPolicy) -> Result<Answer, String> {
        // The list may have changed since the webhook was made.
        policy.check_method(self.method.as_str()).map_err(|reason| format!("the method {reason}"))?;
        policy.check_url(&self.url)?;
        let address = resolve(policy, &self.url).await?;
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_MAX)
            .timeout(ANSWER_MAX);
        if let Some(Host::Domain(name)) = self.url.host() {
            client = client.resolve(name, address);
        }
        let client = client.build().map_err(|e| with_causes(&e))?;
        let request = client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        let response = request.body(self.body.clone()).send().await.map_err(|e| with_causes(&e))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let mut stream = response.bytes_stream();
        while body.len() < ANSWER_BYTES_MAX
            && let Some(piece) = stream.next().await
        {
            match piece {
                Ok(piece) => body.extend_from_slice(&piece),
                // The status counts; a body that breaks off is shown as far as it came.
                Err(_) => break,
            }
        }
        body.truncate(ANSWER_BYTES_MAX);
        Ok(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// The address to connect to, if there is one that may be.
async fn resolve(policy: &WebhookPolicy, url: &Url) -> Result<SocketAddr, String> {
    let port = url.port_or_known_default().ok_or_else(|| "the address has no port".to_owned())?;
    let (name, found) = match url.host() {
        Some(Host::Ipv4(ip)) => (None, vec![SocketAddr::new(ip.into(), port)]),
        Some(Host::Ipv6(ip)) => (None, vec![SocketAddr::new(ip.into(), port)]),
        Some(Host::Domain(name)) => {
            let looked = tokio::time::timeout(RESOLVE_MAX, tokio::net::lookup_host((name, port))).await;
            let found = looked
                .map_err(|_| format!("{name} could not be resolved in time"))?
                .map_err(|e| format!("{name} could not be resolved: {e}"))?;
            (Some(name), found.collect())
        }
        None => return Err("the address has no host".to_owned()),
    };
    let allowed = found.iter().find(|address| policy.allows(name, address.ip()));
    allowed.copied().ok_or_else(|| {
        let seen: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
        format!(
            "{} is {}, which webhooks may not call; where that is wanted, name the host or the address in broker.webhook_hosts",
            url.host_str().unwrap_or_default(),
            seen.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        )
    })
}

/// An error with its causes in one line; reqwest's own text says only where.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// The answer of a host that is not named in the list stays hidden: what it says could be somebody else's secret.
    fn shown(&self, named: bool, redactor: &Redactor, log: &mut Log<'_>) -> Option<Value> {
        log.line("INFO", &format!("HTTP/1.1 {}", self.status));
        if (300..400).contains(&self.status) {
            log.line("INFO", "Redirects are not followed: name the address it leads to");
        }
        if !named {
            log.line("INFO", "The answer is shown only for hosts that broker.webhook_hosts names");
            return None;
        }
        let mut headers = serde_json::Map::new();
        for (name, value) in &self.headers {
            let line = redactor.header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
            log.line("INFO", &line);
            let value = line.split_once(": ").map_or("", |(_, value)| value);
            headers.insert(name.to_string(), value.into());
        }
        let body = redactor.body(&self.body);
        log.line("INFO", &body);
        Some(json!({ "status": self.status, "headers": headers, "body": body }))
    }
}
