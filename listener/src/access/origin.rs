//! The page a request comes from. Only browsers send these headers, and no page can forge or drop them.

use axum::http::request::Parts;
use http::{HeaderMap, header};
use tracepact_base::ErrorKind;

use super::host;
use crate::{Problem, RouteSpec};

const SEC_FETCH_SITE: &str = "sec-fetch-site";
const SEC_FETCH_MODE: &str = "sec-fetch-mode";

/// Whether a browser made the request, as far as one can tell: current ones mark every request that can change things.
pub(super) fn from_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key(SEC_FETCH_SITE)
}

/// Refuses requests that a page of another origin makes. Following a link to a page of ours is allowed.
pub(super) fn check(spec: &RouteSpec, parts: &Parts) -> Result<(), Problem> {
    let headers = &parts.headers;
    let own = host::authority(parts).unwrap_or_default();
    for origin in headers.get_all(header::ORIGIN) {
        if !same_origin(origin.to_str().unwrap_or("null"), &own) {
            return Err(foreign(&format!("from the origin {}", origin.to_str().unwrap_or("?"))));
        }
    }
    let site = headers.get(SEC_FETCH_SITE).map(|v| v.to_str().unwrap_or("cross-site"));
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) if !spec.changes() && headers.get(SEC_FETCH_MODE).is_some_and(|mode| mode == "navigate") => {
            Ok(())
        }
        Some(site) => Err(foreign(&format!("marked {site}"))),
    }
}

fn same_origin(origin: &str, own: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    // Behind a proxy that ends TLS the scheme differs from ours while the host is the same.
    let default_port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let bare = |text: &str| text.to_ascii_lowercase().trim_end_matches(default_port).to_owned();
    matches!(scheme, "http" | "https") && bare(authority) == bare(own)
}

fn foreign(what: &str) -> Problem {
    Problem::new(
        ErrorKind::Forbidden,
        format!(
            "a request {what} is refused here: only this server's own pages and programs that are not browsers may send it"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_ours_when_host_and_port_are() {
        assert!(same_origin("http://localhost:9411", "localhost:9411"));
        assert!(same_origin("https://traces.example", "traces.example"));
        assert!(same_origin("https://traces.example", "Traces.example:443"));
        assert!(!same_origin("http://localhost:3000", "localhost:9411"));
        assert!(!same_origin("http://evil.example", "localhost:9411"));
        assert!(!same_origin("null", "localhost:9411"));
        assert!(!same_origin("file://localhost:9411", "localhost:9411"));
    }
}
