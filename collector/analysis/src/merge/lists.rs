//! What a span has many of, while its fragments are merged: looked up by key, so that many fragments of much cost no
//! square of their number.

use std::collections::HashMap;
use std::sync::Arc;

use tracepact_base::{SpanId, TraceId};
use tracepact_model::{Span, SpanEvent, SpanLink};

/// Most attributes, events and links each of a merged span; beyond, it is marked as truncated.
const EACH_MAX: usize = 10_000;
/// Events of one moment and name, or links to one span, that are compared by their attributes as well.
const ALIKE_MAX: usize = 64;

/// Where everything stands in the merged span.
#[derive(Debug, Default)]
pub(super) struct Lists {
    attributes: HashMap<Arc<str>, usize>,
    events: HashMap<(u64, Arc<str>), Vec<usize>>,
    links: HashMap<(TraceId, SpanId), Vec<usize>>,
}

impl Lists {
    pub(super) fn of(span: &Span) -> Self {
        let mut lists = Self::default();
        for (index, (key, _)) in span.attributes.iter().enumerate() {
            lists.attributes.entry(key.clone()).or_insert(index);
        }
        for (index, event) in span.events.iter().enumerate() {
            lists.events.entry(event_key(event)).or_default().push(index);
        }
        for (index, link) in span.links.iter().enumerate() {
            lists.links.entry((link.trace_id, link.span_id)).or_default().push(index);
        }
        lists
    }

    /// Of equal attributes the last wins, events and links are united.
    pub(super) fn absorb(&mut self, span: &mut Span, row: &Span) {
        for (key, value) in &row.attributes {
            match self.attributes.get(key) {
                Some(index) => span.attributes[*index].1 = value.clone(),
                None if span.attributes.len() < EACH_MAX => {
                    self.attributes.insert(key.clone(), span.attributes.len());
                    span.attributes.push((key.clone(), value.clone()));
                }
                None => span.flags.truncated = true,
            }
        }
        let mut truncated = false;
        for event in &row.events {
            let alike = self.events.entry(event_key(event)).or_default();
            truncated |= unite::<SpanEvent>(&mut span.events, event, alike);
        }
        for link in &row.links {
            let alike = self.links.entry((link.trace_id, link.span_id)).or_default();
            truncated |= unite::<SpanLink>(&mut span.links, link, alike);
        }
        span.flags.truncated |= truncated;
    }
}

fn event_key(event: &SpanEvent) -> (u64, Arc<str>) {
    (event.at_ns, event.name.clone())
}

/// Adds `one` unless it is there; `true` when there was no room for it.
fn unite<T: Clone + PartialEq>(have: &mut Vec<T>, one: &T, alike: &mut Vec<usize>) -> bool {
    if alike.iter().any(|index| have[*index] == *one) {
        return false;
    }
    if have.len() >= EACH_MAX || alike.len() >= ALIKE_MAX {
        return true;
    }
    alike.push(have.len());
    have.push(one.clone());
    false
}
