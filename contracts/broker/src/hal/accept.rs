//! What a client says it can read (RFC 9110, 12.5.1), over all its `Accept` lines. Weights are ignored except 0.

use http::{HeaderMap, header};

/// Most media ranges that are looked at; the rest counts as `*/*`.
const RANGES_MAX: usize = 50;

/// The media ranges of a request, in lower case and without parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Accept(Vec<String>);

impl Accept {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut ranges = Vec::new();
        for line in headers.get_all(header::ACCEPT) {
            for range in line.to_str().unwrap_or("*/*").split(',') {
                let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
                let media = parts.next().unwrap_or_default();
                let refused = parts.any(|p| matches!(p.replace(' ', "").as_str(), "q=0" | "q=0.0"));
                if media.is_empty() || refused {
                    continue;
                }
                if ranges.len() >= RANGES_MAX {
                    ranges.push("*/*".to_owned());
                    return Self(ranges);
                }
                ranges.push(media);
            }
        }
        Self(ranges)
    }

    /// Whether this very type is named.
    pub(super) fn names(&self, media: &str) -> bool {
        self.0.iter().any(|range| range == media)
    }

    /// Whether plain JSON is named and HAL is not.
    pub(super) fn plain_json(&self) -> bool {
        self.names("application/json")
            && !self.0.iter().any(|r| matches!(r.as_str(), "application/hal+json" | "*/*" | "application/*"))
    }

    /// Whether a browser asks: HTML is named and no JSON is.
    pub(super) fn html(&self) -> bool {
        self.names("text/html") && !self.0.iter().any(|range| range.contains("json"))
    }

    /// The first of `offered` that is named, in the client's order; `None` when it names none of them.
    pub(super) fn first_of<'a>(&self, offered: &[&'a str]) -> Option<&'a str> {
        self.0.iter().find_map(|range| offered.iter().copied().find(|media| media == range))
    }

    /// Whether an answer of this type can be read. JSON in all its names is one type: clients name any of them.
    pub(super) fn takes(&self, media: &str) -> bool {
        let json = |media: &str| media == "application/json" || media.ends_with("+json");
        self.0.is_empty()
            || self.0.iter().any(|range| {
                range == "*/*"
                    || range == "*"
                    || range == media
                    || json(range) && json(media)
                    || range.strip_suffix("/*").is_some_and(|kind| media.split('/').next() == Some(kind))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(lines: &[&str]) -> Accept {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT, line.parse().unwrap());
        }
        Accept::of(&headers)
    }

    #[test]
    fn all_lines_count() {
        assert!(!accept(&["application/hal+json", "application/json"]).plain_json());
        assert!(accept(&["Application/JSON; charset=utf-8"]).plain_json());
        assert!(accept(&[]).takes("text/plain"));
    }

    #[test]
    fn json_is_one_type_and_others_are_their_own() {
        let json = accept(&["application/json"]);
        assert!(json.takes("application/hal+json") && !json.takes("text/csv"));
        assert!(accept(&["application/vnd.pactbrokerextended.v1+json"]).takes("application/hal+json"));
        assert!(!accept(&["image/png"]).takes("image/svg+xml"));
        assert!(accept(&["image/*"]).takes("image/svg+xml"));
        assert!(accept(&["image/png, */*;q=0.1"]).takes("image/svg+xml"));
        assert!(!accept(&["text/csv;q=0"]).names("text/csv"));
    }

    #[test]
    fn a_browser_is_known_by_what_it_asks_for() {
        assert!(accept(&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]).html());
        assert!(!accept(&["text/html, application/hal+json"]).html() && !accept(&["*/*"]).html());
    }
}
