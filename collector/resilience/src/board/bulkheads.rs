//! The board of bulkheads and consumer permits.

use std::collections::BTreeMap;

use parking_lot::RwLock;
use serde::Serialize;

use super::{FORGET_AFTER_NS, make_room};
use crate::bulkhead::{BulkheadKey, BulkheadKind, BulkheadName, BulkheadSample, LimitChange};

/// A bulkhead, or the permits of a consumer, in an answer.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct BulkheadView {
    /// The service.
    pub service: String,
    /// The process; empty when unknown.
    pub instance: String,
    /// The bulkhead's name; for permits the consumer group.
    pub name: String,
    /// What its places bound.
    pub kind: BulkheadKind,
    /// The consumer group, for permits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The topic, for permits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Places taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_use: Option<f64>,
    /// Places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Waiting for a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<f64>,
    /// Turned away since the process began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_total: Option<f64>,
    /// Whether fetching is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Seconds paused since the process began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_seconds_total: Option<f64>,
    /// When the last sample was taken.
    #[serde(rename = "last_seen", with = "tracepact_base::time_format::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_ns: u64,
}

/// All bulkheads seen lately.
#[derive(Debug, Default)]
pub struct BulkheadBoard {
    entries: RwLock<BTreeMap<BulkheadKey, BulkheadView>>,
}

impl BulkheadBoard {
    /// Takes a sample; tells when it shows that the limit was changed. One older than the last is ignored.
    pub fn observe(&self, sample: &BulkheadSample) -> Option<LimitChange> {
        let mut entries = self.entries.write();
        make_room(&mut entries, &sample.key, |view| view.last_seen_ns);
        let view = entries.entry(sample.key.clone()).or_insert_with(|| empty(&sample.key));
        if sample.at_ns < view.last_seen_ns {
            return None;
        }
        let before = view.limit;
        view.last_seen_ns = sample.at_ns;
        view.in_use = sample.in_use.or(view.in_use);
        view.limit = sample.limit.or(view.limit);
        view.waiting = sample.waiting.or(view.waiting);
        view.rejected_total = sample.rejected_total.or(view.rejected_total);
        view.paused = sample.paused.or(view.paused);
        view.paused_seconds_total = sample.paused_seconds_total.or(view.paused_seconds_total);
        match (before, sample.limit) {
            (Some(from), Some(to)) if from != to => {
                Some(LimitChange { key: sample.key.clone(), at_ns: sample.at_ns, from, to })
            }
            _ => None,
        }
    }

    /// The bulkheads seen within the last hour before `now_ns`.
    pub fn snapshot(&self, now_ns: u64) -> Vec<BulkheadView> {
        let lately = now_ns.saturating_sub(FORGET_AFTER_NS);
        self.entries.read().values().filter(|view| view.last_seen_ns >= lately).cloned().collect()
    }
}

fn empty(key: &BulkheadKey) -> BulkheadView {
    let (name, kind, group, topic) = match &key.name {
        BulkheadName::Bulkhead(name) => (name.clone(), BulkheadKind::Bulkhead, None, None),
        BulkheadName::Permits { group, topic } => {
            let topic = (!topic.is_empty()).then(|| topic.clone());
            (group.clone(), BulkheadKind::Permits, Some(group.clone()), topic)
        }
    };
    BulkheadView {
        service: key.service.to_string(),
        instance: key.instance.clone(),
        name,
        kind,
        group,
        topic,
        in_use: None,
        limit: None,
        waiting: None,
        rejected_total: None,
        paused: None,
        paused_seconds_total: None,
        last_seen_ns: 0,
    }
}
