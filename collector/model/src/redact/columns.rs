//! Whether anything in a chunk has to be hidden, decided once for each distinct text instead of once for each row.

use super::{Pass, Redaction};
use crate::SpanChunk;
use crate::columnar::{Malformed, ValueType, details};

impl Redaction {
    /// Whether something in `chunk`, as a decoder gave it, may have to be hidden: a value under a key of the patterns, or
    /// one that looks like a secret. `false` is certain, and what nearly every body gets.
    pub fn concerns(&self, chunk: &SpanChunk) -> bool {
        let hidden_key = |key: &u32| self.hides(chunk.texts.get(*key));
        if !self.keys.is_empty() && chunk.keys.iter().any(hidden_key) {
            return true;
        }
        self.values.may_match(chunk.texts.joined().as_bytes()) && self.concerns_values(chunk)
    }

    fn concerns_values(&self, chunk: &SpanChunk) -> bool {
        let mut values =
            Values { redaction: self, chunk, plain: vec![false; chunk.texts.len()], written: Vec::new() };
        values.written.clone_from(&values.plain);
        values.any()
    }
}

/// One look at the values of a chunk.
struct Values<'r> {
    redaction: &'r Redaction,
    chunk: &'r SpanChunk,
    /// Texts that were looked at as they stand.
    plain: Vec<bool>,
    /// Texts that were looked at as typed values.
    written: Vec<bool>,
}

impl Values<'_> {
    fn any(&mut self) -> bool {
        let chunk = self.chunk;
        let rows = &chunk.rows;
        rows.name.iter().chain(&rows.status_message).any(|code| self.text(*code))
            || (0..chunk.len()).any(|row| self.attributes(row))
            || rows.events.iter().any(|code| self.events(*code))
            || rows.links.iter().any(|code| self.links(*code))
            || chunk.origins.iter().any(|origin| self.resource(origin.resource) || self.scope(origin.scope))
    }

    fn text(&mut self, code: u32) -> bool {
        first(&mut self.plain, code)
            && self.may_match(code)
            && self.redaction.hidden(self.chunk.texts.get(code)).is_some()
    }

    fn attributes(&mut self, row: usize) -> bool {
        let chunk = self.chunk;
        chunk.attributes(row).any(|(key, value)| match key.kind() {
            ValueType::Text => self.text(value),
            ValueType::Nested => {
                self.typed(value, |pass, text| Ok(pass.nested(&mut details::read_value(text)?)))
            }
            _ => false,
        })
    }

    fn events(&mut self, code: u32) -> bool {
        self.typed(code, |pass, text| {
            let events = details::read_events(text)?.into_iter();
            Ok(events
                .map(|mut event| pass.attributes(&mut event.attributes) + pass.text(&mut event.name))
                .sum())
        })
    }

    fn links(&mut self, code: u32) -> bool {
        self.typed(code, |pass, text| {
            let links = details::read_links(text)?.into_iter();
            Ok(links.map(|mut link| pass.attributes(&mut link.attributes)).sum())
        })
    }

    fn resource(&mut self, code: u32) -> bool {
        self.typed(code, |pass, text| Ok(pass.attributes(&mut details::read_resource(text)?.attributes)))
    }

    fn scope(&mut self, code: u32) -> bool {
        self.typed(code, |pass, text| Ok(pass.attributes(&mut details::read_scope(text)?.attributes)))
    }

    /// Looks at a text of typed values, of which `count` says how many are hidden.
    fn typed(&mut self, code: u32, count: impl FnOnce(&Pass<'_>, &str) -> Result<u64, Malformed>) -> bool {
        // A text of typed values escapes no character that a pattern needs.
        first(&mut self.written, code) && self.may_match(code) && {
            let pass = Pass { redaction: self.redaction, values: true };
            !matches!(count(&pass, self.chunk.texts.get(code)), Ok(0))
        }
    }

    fn may_match(&self, code: u32) -> bool {
        self.redaction.values.may_match(self.chunk.texts.get(code).as_bytes())
    }
}

/// Whether `code` is marked for the first time.
fn first(marks: &mut [bool], code: u32) -> bool {
    marks.get_mut(code as usize).is_some_and(|mark| !std::mem::replace(mark, true))
}
