//! The event feed in memory: few, small, read whole.

use std::collections::{BTreeMap, HashSet};

use tracepact_base::Event;

use crate::EventQuery;

/// Events by time.
#[derive(Debug, Default)]
pub(crate) struct EventTable {
    ids: HashSet<String>,
    by_time: BTreeMap<(u64, String), Event>,
}

impl EventTable {
    pub(crate) fn len(&self) -> usize {
        self.by_time.len()
    }

    pub(crate) fn knows(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Keeps events whose id is new, and at most `max`, the oldest go first.
    pub(crate) fn insert(&mut self, events: impl IntoIterator<Item = Event>, max: usize) {
        for event in events {
            if self.ids.insert(event.id.clone()) {
                self.by_time.insert((event.at_ns, event.id.clone()), event);
            }
        }
        while self.by_time.len() > max.max(1) {
            if let Some((_, event)) = self.by_time.pop_first() {
                self.ids.remove(&event.id);
            }
        }
    }

    /// Forgets events before `before_ns`.
    pub(crate) fn expire(&mut self, before_ns: u64) {
        let kept = self.by_time.split_off(&(before_ns, String::new()));
        for event in std::mem::replace(&mut self.by_time, kept).into_values() {
            self.ids.remove(&event.id);
        }
    }

    /// Forgets events that `gone` names.
    pub(crate) fn forget(&mut self, gone: impl Fn(&Event) -> bool) {
        let ids = &mut self.ids;
        self.by_time.retain(|_, event| {
            let keep = !gone(event);
            if !keep {
                ids.remove(&event.id);
            }
            keep
        });
    }

    /// Matching events, newest first.
    pub(crate) fn select(&self, query: &EventQuery) -> Vec<Event> {
        let end_ns = query.end_ns.unwrap_or(u64::MAX);
        let about = |event: &Event| {
            query.service.as_ref().is_none_or(|service| {
                event.service.as_ref() == Some(service)
                    || event
                        .edge
                        .as_ref()
                        .is_some_and(|edge| edge.caller == *service || edge.callee == *service)
            })
        };
        self.by_time
            .range((query.start_ns, String::new())..)
            .rev()
            .map(|(_, event)| event)
            .filter(|event| event.at_ns <= end_ns)
            .filter(|event| query.kinds.is_empty() || query.kinds.contains(&event.kind))
            .filter(|event| about(event))
            .take(query.limit)
            .cloned()
            .collect()
    }
}
