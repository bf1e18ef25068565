//! A row as Zipkin sees it. For rows that came in as Zipkin this is the row itself; OTLP rows are converted by the
//! rules of OpenTelemetry's "Transformation to Zipkin".

use std::borrow::Cow;

use tracepact_base::SpanId;

use crate::text::{write_json_object, write_json_text};
use crate::{Endpoint, Kind, Source, Span, StatusCode};

/// How names of services and operations are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameCase {
    /// As Zipkin's readers expect them.
    Lower,
    /// As they were received.
    Kept,
}

impl NameCase {
    /// `name` in this case.
    pub fn apply(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Lower if name.chars().any(char::is_uppercase) => Cow::Owned(name.to_lowercase()),
            _ => Cow::Borrowed(name),
        }
    }
}

/// A text borrowed from the row where possible.
pub type Text<'s> = Cow<'s, str>;

/// One span in Zipkin's terms.
#[derive(Debug, Clone, PartialEq)]
pub struct ZipkinSpan<'s> {
    /// The parent.
    pub parent_id: Option<SpanId>,
    /// `CLIENT`, `SERVER`, `PRODUCER` or `CONSUMER`.
    pub kind: Option<&'static str>,
    /// Operation name; empty when absent.
    pub name: Text<'s>,
    /// Start in microseconds since 1970.
    pub timestamp_us: Option<u64>,
    /// Duration in microseconds, at least 1.
    pub duration_us: Option<u64>,
    /// This side.
    pub local: &'s Endpoint,
    /// The other side.
    pub remote: &'s Endpoint,
    /// (microseconds, value), sorted, each once.
    pub annotations: Vec<(u64, Text<'s>)>,
    /// Sorted by key.
    pub tags: Vec<(Text<'s>, Text<'s>)>,
    /// Keep whatever sampling says.
    pub debug: bool,
    /// The server's half of a shared span id.
    pub shared: bool,
}

impl<'s> ZipkinSpan<'s> {
    /// The view of `span`.
    pub fn of(span: &'s Span, case: NameCase) -> Self {
        let otlp = span.source == Source::Otlp;
        Self {
            parent_id: span.parent_id,
            kind: kind(span.kind),
            name: case.apply(&span.name),
            timestamp_us: span.start_ns.map(|ns| ns / 1_000).filter(|us| *us > 0),
            duration_us: span.duration_ns.map(|ns| ns / 1_000).and_then(|us| match us {
                0 if otlp => Some(1),
                0 => None,
                us => Some(us),
            }),
            local: &span.local,
            remote: &span.remote,
            annotations: annotations(span),
            tags: if otlp { otlp_tags(span) } else { zipkin_tags(span) },
            debug: span.flags.debug,
            shared: span.flags.shared,
        }
    }
}

/// Zipkin's word for a kind; work inside a service has none.
pub const fn kind(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Unset | Kind::Internal => None,
        Kind::Server => Some("SERVER"),
        Kind::Client => Some("CLIENT"),
        Kind::Producer => Some("PRODUCER"),
        Kind::Consumer => Some("CONSUMER"),
    }
}

fn annotations(span: &Span) -> Vec<(u64, Text<'_>)> {
    let mut annotations: Vec<(u64, Text<'_>)> = span
        .events
        .iter()
        .map(|event| {
            let value = if event.attributes.is_empty() {
                Cow::Borrowed(&*event.name)
            } else {
                let mut text = String::new();
                write_json_text(&event.name, &mut text);
                text.push(':');
                write_json_object(&event.attributes, &mut text);
                Cow::Owned(text)
            };
            (event.at_ns / 1_000, value)
        })
        .collect();
    annotations.sort();
    annotations.dedup();
    annotations
}

fn zipkin_tags(span: &Span) -> Vec<(Text<'_>, Text<'_>)> {
    let mut tags: Vec<_> =
        span.attributes.iter().map(|(key, value)| (Cow::Borrowed(&**key), value.text())).collect();
    tags.sort();
    tags
}

fn otlp_tags<'span>(span: &'span Span) -> Vec<(Text<'span>, Text<'span>)> {
    let mut tags: Vec<(Text<'span>, Text<'span>)> =
        Vec::with_capacity(span.resource.attributes.len() + span.attributes.len() + 4);
    for (key, value) in span.resource.attributes.iter().filter(|(key, _)| &**key != "service.name") {
        tags.push((Cow::Borrowed(key), value.text()));
    }
    for (key, value) in &span.attributes {
        tags.push((Cow::Borrowed(key), value.text()));
    }
    let mut add = |key: &'static str, value: Text<'span>| tags.push((Cow::Borrowed(key), value));
    match span.status.code {
        StatusCode::Unset => {}
        StatusCode::Ok => add("otel.status_code", Cow::Borrowed("OK")),
        StatusCode::Error => {
            add("otel.status_code", Cow::Borrowed("ERROR"));
            add("error", Cow::Borrowed(&span.status.message));
        }
    }
    if !span.scope.name.is_empty() {
        add("otel.scope.name", Cow::Borrowed(&span.scope.name));
        if !span.scope.version.is_empty() {
            add("otel.scope.version", Cow::Borrowed(&span.scope.version));
        }
    }
    for (key, count) in
        [("otel.dropped_attributes_count", span.dropped[0]), ("otel.dropped_events_count", span.dropped[1])]
    {
        if count > 0 {
            add(key, Cow::Owned(count.to_string()));
        }
    }
    // Later levels win: what the span says is closer than what its process says. Equal keys keep their order.
    tags.sort_by(|a, b| a.0.cmp(&b.0));
    tags.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            std::mem::swap(&mut later.1, &mut kept.1);
        }
        same
    });
    tags
}
