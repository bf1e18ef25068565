//! Addresses. Clients follow what we write, so every link is absolute and every name is one encoded segment.

use axum::http::request::Parts;
use http::header;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::BrokerConfig;

/// Everything but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One name as a segment of a path or a value of a query.
pub(super) fn encode(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// Makes absolute links.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    base: String,
}

impl Links {
    /// From the setting, else from a trusted proxy's headers, else from what the client connected to.
    pub(crate) fn of(parts: &Parts, config: &BrokerConfig) -> Self {
        let first = |name: &str| {
            let value = parts.headers.get(name)?.to_str().ok()?.split(',').next()?.trim();
            let safe =
                !value.is_empty() && value.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\".contains(c));
            safe.then(|| value.to_owned())
        };
        let mut scheme = parts.uri.scheme_str().unwrap_or("http").to_owned();
        let authority = parts.uri.authority().map(|a| a.as_str().to_owned());
        let mut host = first(header::HOST.as_str()).or(authority).unwrap_or_else(|| "localhost".into());
        let mut prefix = String::new();
        if config.trust_forwarded {
            if let Some(forwarded) = first("x-forwarded-host") {
                host = forwarded;
                if let Some(port) = first("x-forwarded-port").filter(|_| !host.contains(':')) {
                    host = format!("{host}:{port}");
                }
            }
            if let Some(forwarded) = first("x-forwarded-proto").filter(|p| p == "https" || p == "http") {
                scheme = forwarded;
            }
            prefix =
                first("x-forwarded-prefix").map(|p| format!("/{}", p.trim_matches('/'))).unwrap_or_default();
        }
        let host = match scheme.as_str() {
            "https" => host.trim_end_matches(":443").to_owned(),
            _ => host.strip_suffix(":80").unwrap_or(&host).to_owned(),
        };
        let seen = format!("{scheme}://{host}{}", prefix.trim_end_matches('/'));
        // Of several addresses the one the client used, else the first.
        let configured = config.base_urls.iter().map(|base| base.trim_end_matches('/'));
        let base =
            configured.clone().find(|base| *base == seen).or(configured.clone().next()).unwrap_or(&seen);
        Self { base: base.to_owned() }
    }

    /// The same host on another port, without a path.
    pub(super) fn on_port(&self, port: u16) -> String {
        let (scheme, rest) = self.base.split_once("://").unwrap_or(("http", &self.base));
        let authority = rest.split('/').next().unwrap_or_default();
        let host = match authority.rsplit_once(':') {
            // An address of IPv6 keeps its colons.
            Some((host, digits)) if digits.chars().all(|c| c.is_ascii_digit()) => host,
            _ => authority,
        };
        format!("{scheme}://{host}:{port}")
    }

    /// Links below `base`, for what is written without a request.
    pub(crate) fn at(base: &str) -> Self {
        Self { base: base.to_owned() }
    }

    /// The address of the index.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// An address from a pattern in which each `{}` is the next name: `/pacticipants/{}/versions/{}`.
    pub(super) fn to(&self, pattern: &str, names: &[&str]) -> String {
        let mut out = self.base.clone();
        let mut names = names.iter();
        let mut parts = pattern.split("{}");
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            out.push_str(&names.next().map(|name| encode(name)).unwrap_or_default());
            out.push_str(part);
        }
        out
    }

    pub(super) fn pacticipant(&self, name: &str) -> String {
        self.to("/pacticipants/{}", &[name])
    }

    pub(super) fn version(&self, pacticipant: &str, number: &str) -> String {
        self.to("/pacticipants/{}/versions/{}", &[pacticipant, number])
    }

    pub(super) fn tag(&self, pacticipant: &str, number: &str, tag: &str) -> String {
        self.to("/pacticipants/{}/versions/{}/tags/{}", &[pacticipant, number, tag])
    }

    pub(super) fn branch_version(&self, pacticipant: &str, branch: &str, number: &str) -> String {
        self.to("/pacticipants/{}/branches/{}/versions/{}", &[pacticipant, branch, number])
    }

    pub(super) fn pact(&self, provider: &str, consumer: &str, version: &str) -> String {
        self.to("/pacts/provider/{}/consumer/{}/version/{}", &[provider, consumer, version])
    }

    pub(crate) fn content(&self, provider: &str, consumer: &str, content_id: &str) -> String {
        self.to("/pacts/provider/{}/consumer/{}/pact-version/{}", &[provider, consumer, content_id])
    }

    pub(crate) fn result(&self, provider: &str, consumer: &str, content_id: &str, number: i64) -> String {
        format!("{}/verification-results/{number}", self.content(provider, consumer, content_id))
    }

    pub(super) fn environment(&self, uuid: &str) -> String {
        self.to("/environments/{}", &[uuid])
    }

    pub(super) fn curies(&self, context: &str) -> Value {
        json!([{ "name": "pb", "href": format!("{}/doc/{{rel}}?context={context}", self.base), "templated": true }])
    }
}

/// A link with a title and a name.
pub(super) fn link(title: &str, name: &str, href: impl Into<String>) -> Value {
    json!({ "title": title, "name": name, "href": href.into() })
}

/// A link and nothing else.
pub(super) fn href(href: impl Into<String>) -> Value {
    json!({ "href": href.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(config: &BrokerConfig, headers: &[(&str, &str)]) -> String {
        let mut request = http::Request::get("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Links::of(&parts, config).pacticipant("Web App/ü")
    }

    #[test]
    fn names_are_single_segments() {
        let config = BrokerConfig::new("x");
        assert_eq!(
            links(&config, &[("host", "127.0.0.1:9292")]),
            "http://127.0.0.1:9292/pacticipants/Web%20App%2F%C3%BC"
        );
    }

    #[test]
    fn forwarded_headers_are_believed_only_when_configured() {
        let headers = [
            ("host", "127.0.0.1:9292"),
            ("x-forwarded-host", "pacts.example.org"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-prefix", "/broker/"),
        ];
        let mut config = BrokerConfig::new("x");
        assert!(links(&config, &headers).starts_with("http://127.0.0.1:9292/pacticipants"));
        config.trust_forwarded = true;
        assert!(links(&config, &headers).starts_with("https://pacts.example.org/broker/pacticipants"));
        config.base_urls =
            vec!["https://set.example.org/p/".into(), "https://pacts.example.org/broker".into()];
        assert!(links(&config, &headers).starts_with("https://pacts.example.org/broker/pacticipants"));
        config.trust_forwarded = false;
        assert!(links(&config, &headers).starts_with("https://set.example.org/p/pacticipants"));
    }
}
