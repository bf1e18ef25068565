//! Redaction: values that hold secrets are hidden before anything is kept, by the key they stand under and by what
//! they look like, on every level of a span.

mod action;
mod columns;
mod keys;
mod raw;
mod values;

use std::borrow::Cow;
use std::sync::Arc;

pub use action::{Action, HashKey};
pub use keys::DEFAULT_PATTERNS;
use keys::KeyPatterns;
use values::ValuePatterns;
pub use values::{DEFAULT_VALUES, PatternError};

use crate::span::{Attributes, Resource, Scope};
use crate::{Span, Value};

/// What a masked value reads.
pub const REDACTED: &str = "***";

/// Which values are hidden, and how.
#[derive(Debug, Clone)]
pub struct Redaction {
    keys: KeyPatterns,
    values: ValuePatterns,
    action: Action,
}

impl Default for Redaction {
    /// [`DEFAULT_PATTERNS`] and [`DEFAULT_VALUES`], masked.
    fn default() -> Self {
        Self::new(DEFAULT_PATTERNS).with_default_values()
    }
}

impl Redaction {
    /// Hides values under keys that match one of `patterns` (see [`DEFAULT_PATTERNS`] for the form).
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        Self { keys: KeyPatterns::new(patterns), values: ValuePatterns::default(), action: Action::Mask }
    }

    /// Hides nothing.
    pub fn off() -> Self {
        Self::new::<&str>([])
    }

    /// Hides also what looks like a secret by [`DEFAULT_VALUES`], whatever its key.
    #[must_use]
    pub fn with_default_values(mut self) -> Self {
        self.values = ValuePatterns::defaults();
        self
    }

    /// Hides also what matches one of `patterns`: regular expressions. Where one has a group named `secret`, only the
    /// group is hidden, else the whole match.
    ///
    /// # Errors
    /// When one is no regular expression, or too large.
    pub fn with_values<P: AsRef<str>>(
        mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Result<Self, PatternError> {
        self.values.add(patterns)?;
        Ok(self)
    }

    /// Hides in this way.
    #[must_use]
    pub fn with_action(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// Whether values under `key` are hidden.
    pub fn hides(&self, key: &str) -> bool {
        self.keys.hides(key)
    }

    /// Whether a value somewhere in `body` (any encoding) could look like a secret. `false` is certain; it spares
    /// looking at the values one by one.
    pub fn values_in(&self, body: &[u8]) -> bool {
        self.values.may_match(body)
    }

    /// Redacts rows in place and answers how many values were hidden. A second pass hides nothing more.
    pub fn apply(&self, spans: &mut [Span]) -> u64 {
        self.apply_to(spans, true)
    }

    /// Like [`Self::apply`]; with `values` false only keys are looked at.
    pub fn apply_to(&self, spans: &mut [Span], values: bool) -> u64 {
        let pass = Pass { redaction: self, values: values && !self.values.is_empty() };
        if self.keys.is_empty() && !pass.values {
            return 0;
        }
        let mut hidden = 0;
        let mut resources = Replacements::default();
        let mut scopes = Replacements::default();
        for span in spans {
            hidden += pass.attributes(&mut span.attributes);
            hidden += pass.text(&mut span.name) + pass.text(&mut span.status.message);
            for event in &mut span.events {
                hidden += pass.attributes(&mut event.attributes) + pass.text(&mut event.name);
            }
            for link in &mut span.links {
                hidden += pass.attributes(&mut link.attributes);
            }
            hidden += resources.apply(&mut span.resource, |resource: &mut Resource| {
                pass.attributes(&mut resource.attributes)
            });
            hidden +=
                scopes.apply(&mut span.scope, |scope: &mut Scope| pass.attributes(&mut scope.attributes));
        }
        hidden
    }

    /// `text` with what looks like a secret hidden.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.values.hide(text, &self.action)
    }

    /// What is left of `text`, when something in it is hidden.
    fn hidden(&self, text: &str) -> Option<String> {
        match self.text(text) {
            Cow::Owned(hidden) if hidden != text => Some(hidden),
            _ => None,
        }
    }

    /// Hides what can be recognised in bytes that could not be decoded: values behind a key of the patterns, and what
    /// looks like a secret. What comes back is for people (a file of poison messages), not for a decoder. The count is
    /// of places.
    pub fn bytes(&self, bytes: &[u8]) -> (Vec<u8>, u64) {
        raw::redact(bytes, &self.keys, &self.values, &self.action)
    }
}

/// One walk over rows.
struct Pass<'r> {
    redaction: &'r Redaction,
    values: bool,
}

impl Pass<'_> {
    fn attributes(&self, attributes: &mut Attributes) -> u64 {
        let mut hidden = 0;
        let mut dropped = false;
        for (key, value) in attributes.iter_mut() {
            if self.redaction.keys.hides(key) {
                let before = hidden;
                hidden += u64::from(self.redaction.action.hide(value));
                dropped |= hidden > before && self.redaction.action == Action::Drop;
            } else {
                hidden += self.nested(value);
            }
        }
        if dropped {
            attributes.retain(|(key, _)| !self.redaction.keys.hides(key));
        }
        hidden
    }

    fn nested(&self, value: &mut Value) -> u64 {
        match value {
            Value::String(text) => self.text(text),
            Value::Map(entries) => self.attributes(entries),
            Value::Array(values) => values.iter_mut().map(|item| self.nested(item)).sum(),
            _ => 0,
        }
    }

    fn text(&self, text: &mut Arc<str>) -> u64 {
        if !self.values {
            return 0;
        }
        match self.redaction.hidden(text) {
            Some(hidden) => {
                *text = hidden.into();
                1
            }
            None => 0,
        }
    }
}

/// Redacts each shared value once and keeps the sharing; its values count once.
struct Replacements<T> {
    last: Option<(Arc<T>, Option<Arc<T>>)>,
}

impl<T> Default for Replacements<T> {
    fn default() -> Self {
        Self { last: None }
    }
}

impl<T: Clone> Replacements<T> {
    fn apply(&mut self, shared: &mut Arc<T>, redact: impl FnOnce(&mut T) -> u64) -> u64 {
        let mut hidden = 0;
        if !matches!(&self.last, Some((seen, _)) if Arc::ptr_eq(seen, shared)) {
            let mut copy = T::clone(shared);
            hidden = redact(&mut copy);
            self.last = Some((shared.clone(), (hidden > 0).then(|| Arc::new(copy))));
        }
        if let Some((_, Some(replacement))) = &self.last {
            *shared = replacement.clone();
        }
        hidden
    }
}

#[cfg(test)]
mod tests;
