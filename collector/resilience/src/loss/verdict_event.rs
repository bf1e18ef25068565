//! Verdicts as entries of the event feed.

use tracepact_base::{Event, EventKind, Topic};

use super::tracker::{FlowRules, VerdictChange};

impl VerdictChange {
    /// The entry of the event feed; `None` for verdicts that are no news. Its id follows from the message and the
    /// verdict, so working the same out again after a restart stores it once.
    pub fn event(&self, rules: &FlowRules) -> Option<Event> {
        let message = &self.message;
        if !message.verdict.is_news() {
            return None;
        }
        let verdict = message.verdict.name();
        let what = verdict.replace('_', "-");
        let title = format!("Message {} of flow {} is {what}", message.key, message.flow);
        let mut event = Event::new(EventKind::MessageVerdict, self.happened_ns, title)
            .because(message.reason.clone())
            .with("flow", message.flow.clone())
            .with("key", message.key.clone())
            .with("verdict", verdict)
            .with("group", rules.group.clone())
            .with("partition", message.partition.to_string())
            .with("offset", message.offset.to_string())
            .link("message", format!("/messages?flow={}", message.flow));
        event.id = self.id();
        event.destination = Topic::new(&rules.request_topic).ok();
        if let Some(service) = &rules.service {
            event = event.about(service.clone());
        }
        if let Some(trace) = message.trace_id {
            event = event.link("trace", format!("/traces/{trace}"));
        }
        Some(event)
    }

    fn id(&self) -> String {
        let m = &self.message;
        let place = (m.partition.to_string(), m.offset.to_string());
        let parts = [&m.flow, &m.key, m.verdict.name(), &place.0, &place.1];
        // FNV-1a, 128 bits; the parts are separated by a byte that none of them can contain in UTF-8.
        let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
        for byte in parts.iter().flat_map(|part| part.bytes().chain([0xff])) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
        ulid::Ulid::from_parts(self.happened_ns / 1_000_000, hash).to_string()
    }
}
