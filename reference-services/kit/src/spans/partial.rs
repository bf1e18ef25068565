//! Spans a collector rejected while it took the others of their batch.
//!
//! The OTLP client says so only in its own log events, emitted inside the call that met it. A layer of the
//! subscriber notes them for the task that made the call, so each batch knows its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

tokio::task_local! {
    static REJECTED: Rejected;
}

/// How many spans of one call were rejected.
#[derive(Debug, Clone, Default)]
pub(super) struct Rejected(Arc<AtomicUsize>);

impl Rejected {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs an export so that rejections met inside are counted.
pub(super) fn watch<F: Future>(export: F) -> (impl Future<Output = F::Output>, Rejected) {
    let rejected = Rejected::default();
    (REJECTED.scope(rejected.clone(), export), rejected)
}

/// Notes the OTLP client's partial successes. [`crate::logs::install`] installs it; callers with a subscriber of their
/// own add it, or rejected spans count as exported.
#[derive(Debug, Clone, Copy, Default)]
pub struct PartialSuccessLayer;

/// Whether an event is one of the client's reports.
pub(crate) fn is_report(metadata: &Metadata<'_>) -> bool {
    metadata.name().ends_with("Client.PartialSuccess") && metadata.target().starts_with("opentelemetry")
}

struct RejectedSpans(usize);

impl Visit for RejectedSpans {
    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() == "rejected_spans" {
            self.0 = usize::try_from(value).unwrap_or(0);
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}

impl<S: Subscriber> Layer<S> for PartialSuccessLayer {
    fn on_event(&self, event: &Event<'_>, _cx: Context<'_, S>) {
        if !is_report(event.metadata()) {
            return;
        }
        let mut found = RejectedSpans(0);
        event.record(&mut found);
        let _outside_of_an_export =
            REJECTED.try_with(|rejected| rejected.0.fetch_add(found.0, Ordering::Relaxed));
    }
}
