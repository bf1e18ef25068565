//! Addresses of the dashboard's pages, so that every problem leads to the page that shows it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tracepact_base::Link;

/// What needs no escape in a query value (RFC 3986 unreserved).
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A link to `path` with a query of `pairs`; pairs without a value are left out.
pub(crate) fn page(rel: &str, path: &str, pairs: &[(&str, Option<&str>)]) -> Link {
    let mut href = path.to_owned();
    let mut separator = '?';
    for (key, value) in pairs {
        if let Some(value) = value {
            href.push(separator);
            href.push_str(key);
            href.push('=');
            href.extend(utf8_percent_encode(value, VALUE));
            separator = '&';
        }
    }
    Link { rel: rel.to_owned(), href }
}

/// A link to one trace. Ids that are not hexadecimal are escaped, not trusted.
pub(crate) fn trace(trace_id: &str) -> Link {
    let id: String = utf8_percent_encode(trace_id, VALUE).collect();
    Link { rel: "trace".to_owned(), href: format!("/traces/{id}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_absent_ones_left_out() {
        let link = page("breaker", "/breakers", &[("service", Some("a&b=c")), ("x", None), ("y", Some("1"))]);
        assert_eq!(link.href, "/breakers?service=a%26b%3Dc&y=1");
        assert_eq!(trace("../x").href, "/traces/..%2Fx");
    }
}
