//! The Host a request names. A web page whose own name was made to point at this address (DNS rebinding) is
//! same-origin for its browser; what gives it away is that name.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::request::Parts;
use http::header;
use tracepact_base::ErrorKind;

use crate::Problem;

/// A host name the listener answers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// Any name: only where something in front checks it.
    Any,
    /// This name, any case, any port.
    Exact(String),
    /// Every name below this one; kept with its leading dot.
    Below(String),
}

impl HostPattern {
    /// Reads `name`, `*.name` or `*`.
    pub fn new(text: &str) -> Self {
        let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
        match text.strip_prefix('*') {
            Some("") => Self::Any,
            Some(rest) if rest.starts_with('.') => Self::Below(rest.to_owned()),
            _ => Self::Exact(text),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(own) => own == name,
            Self::Below(suffix) => name.len() > suffix.len() && name.ends_with(suffix.as_str()),
        }
    }
}

/// The authority the request was sent to, `name:port` as written: the request line's in HTTP/2, else the Host header.
pub(super) fn authority(parts: &Parts) -> Option<String> {
    if let Some(authority) = parts.uri.authority() {
        return Some(authority.as_str().to_owned());
    }
    Some(parts.headers.get(header::HOST)?.to_str().ok()?.to_owned())
}

/// The name in an authority, without port, in lower case; `None` when it is not `name` or `name:port`.
pub(super) fn name_of(authority: &str) -> Option<String> {
    let (name, rest) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = rest.strip_prefix(':').unwrap_or(rest);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    if !port.chars().all(|c| c.is_ascii_digit()) || !name.chars().all(plain) {
        return None;
    }
    Some(name.trim_end_matches('.').to_ascii_lowercase())
}

/// Refuses requests that name a host this listener does not answer to. An address in numbers is always one of its
/// own: a page can only be rebound through a name.
pub(super) fn check(allowed: &[HostPattern], parts: &Parts) -> Result<(), Problem> {
    if parts.headers.get_all(header::HOST).iter().count() > 1 {
        return Err(Problem::invalid("the request has more than one Host header"));
    }
    let Some(authority) = authority(parts) else {
        // HTTP/1.0 tools and health checkers; every browser names a host.
        return if parts.version <= http::Version::HTTP_10 {
            Ok(())
        } else {
            Err(Problem::invalid("the request has no readable Host header"))
        };
    };
    let Some(name) = name_of(&authority) else {
        return Err(Problem::invalid(format!("the host `{authority}` is no name and port")));
    };
    let own = name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<Ipv4Addr>().is_ok()
        || name.parse::<Ipv6Addr>().is_ok();
    if own || allowed.iter().any(|pattern| pattern.matches(&name)) {
        return Ok(());
    }
    Err(Problem::new(
        ErrorKind::Forbidden,
        format!(
            "this server does not answer to the host name `{name}`: add it to `allowed_hosts` in [access], or use --allow-host"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_out_of_authorities() {
        for (authority, name) in [
            ("Example.com:80", "example.com"),
            ("[::1]:9411", "::1"),
            ("127.0.0.1", "127.0.0.1"),
            ("a.", "a"),
        ] {
            assert_eq!(name_of(authority).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_only_looks_like_an_own_name_is_none() {
        for odd in ["127.0.0.1:80//evil.example", "evil.example@127.0.0.1", "[::1]evil.example", "a b", "a/b"]
        {
            assert_eq!(name_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_wildcard_covers_names_below_and_not_the_name_itself_or_lookalikes() {
        let pattern = HostPattern::new("*.Example.com");
        assert!(pattern.matches("a.example.com"));
        assert!(!pattern.matches("example.com"));
        assert!(!pattern.matches("badexample.com"));
        assert!(HostPattern::new("*").matches("anything"));
    }
}
