//! Redaction by key: values under keys that usually hold secrets become `***`, on every level of a span.

use std::sync::Arc;

use crate::span::{Attributes, Resource, Scope};
use crate::{Span, Value};

/// What a redacted value reads.
pub const REDACTED: &str = "***";

/// Keys redacted unless configured otherwise; a `*` at either end matches anything. Case does not matter.
pub const DEFAULT_PATTERNS: [&str; 10] = [
    "*authorization",
    "*cookie",
    "*password",
    "*passwd",
    "*secret",
    "*token",
    "*api_key",
    "*api-key",
    "*apikey",
    "*private_key",
];

/// Which keys hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    text: String,
    open_start: bool,
    open_end: bool,
}

impl Default for Redaction {
    fn default() -> Self {
        Self::new(DEFAULT_PATTERNS)
    }
}

impl Redaction {
    /// Redacts keys that match one of `patterns` (see [`DEFAULT_PATTERNS`] for the form).
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        let patterns = patterns.into_iter().filter_map(|pattern| Pattern::parse(pattern.as_ref())).collect();
        Self { patterns }
    }

    /// Redacts nothing.
    pub const fn off() -> Self {
        Self { patterns: Vec::new() }
    }

    /// Whether values under `key` are redacted.
    pub fn hides(&self, key: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(key))
    }

    /// Redacts rows in place; `true` when something changed. A second pass changes nothing.
    pub fn apply(&self, spans: &mut [Span]) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let mut changed = false;
        let mut resources = Replacements::default();
        let mut scopes = Replacements::default();
        for span in spans {
            changed |= self.attributes(&mut span.attributes);
            for event in &mut span.events {
                changed |= self.attributes(&mut event.attributes);
            }
            for link in &mut span.links {
                changed |= self.attributes(&mut link.attributes);
            }
            changed |= resources.apply(&mut span.resource, |resource: &mut Resource| {
                self.attributes(&mut resource.attributes)
            });
            changed |=
                scopes.apply(&mut span.scope, |scope: &mut Scope| self.attributes(&mut scope.attributes));
        }
        changed
    }

    fn attributes(&self, attributes: &mut Attributes) -> bool {
        let mut changed = false;
        for (key, value) in attributes {
            if self.hides(key) {
                let hidden = matches!(value, Value::String(text) if &**text == REDACTED);
                if !hidden {
                    *value = Value::String(REDACTED.into());
                    changed = true;
                }
            } else {
                changed |= self.nested(value);
            }
        }
        changed
    }

    fn nested(&self, value: &mut Value) -> bool {
        match value {
            Value::Map(entries) => self.attributes(entries),
            Value::Array(values) => {
                values.iter_mut().fold(false, |changed, item| self.nested(item) | changed)
            }
            _ => false,
        }
    }
}

impl Pattern {
    fn parse(pattern: &str) -> Option<Self> {
        let text = pattern.trim_matches('*').to_lowercase();
        if text.is_empty() {
            return None;
        }
        Some(Self { text, open_start: pattern.starts_with('*'), open_end: pattern.ends_with('*') })
    }

    fn matches(&self, key: &str) -> bool {
        let (key, text) = (key.as_bytes(), self.text.as_bytes());
        if key.len() < text.len() {
            return false;
        }
        let equal = |part: &[u8]| part.eq_ignore_ascii_case(text);
        match (self.open_start, self.open_end) {
            (false, false) => equal(key),
            (true, false) => equal(&key[key.len() - text.len()..]),
            (false, true) => equal(&key[..text.len()]),
            (true, true) => key.windows(text.len()).any(equal),
        }
    }
}

/// Redacts each shared value once and keeps the sharing.
struct Replacements<T> {
    last: Option<(Arc<T>, Option<Arc<T>>)>,
}

impl<T> Default for Replacements<T> {
    fn default() -> Self {
        Self { last: None }
    }
}

impl<T: Clone> Replacements<T> {
    fn apply(&mut self, shared: &mut Arc<T>, redact: impl FnOnce(&mut T) -> bool) -> bool {
        if !matches!(&self.last, Some((seen, _)) if Arc::ptr_eq(seen, shared)) {
            let mut copy = T::clone(shared);
            let replacement = redact(&mut copy).then(|| Arc::new(copy));
            self.last = Some((shared.clone(), replacement));
        }
        match &self.last {
            Some((_, Some(replacement))) => {
                *shared = replacement.clone();
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use tracepact_base::{SpanId, TraceId};

    use super::*;

    #[test]
    fn default_keys_and_near_misses() {
        let redaction = Redaction::default();
        for key in
            ["authorization", "http.request.header.Set-Cookie", "db.password", "access_token", "X-API-Key"]
        {
            assert!(redaction.hides(key), "{key}");
        }
        for key in ["http.route", "gen_ai.usage.tokens", "order.id", "authorization.kind"] {
            assert!(!redaction.hides(key), "{key}");
        }
    }

    #[test]
    fn every_level_is_redacted_and_sharing_is_kept() {
        let secret: Attributes = vec![("token".into(), Value::String("s".into()))];
        let resource = Arc::new(Resource { attributes: secret.clone(), ..Resource::default() });
        let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(2).unwrap());
        span.attributes = vec![("body".into(), Value::Map(secret))];
        span.resource = resource;
        let mut spans = vec![span.clone(), span];
        assert!(Redaction::default().apply(&mut spans));
        assert!(!format!("{spans:?}").contains("\"s\""));
        assert!(Arc::ptr_eq(&spans[0].resource, &spans[1].resource));
        assert!(!Redaction::default().apply(&mut spans));
    }
}
