//! Log lines with the ids of the active span.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use crate::settings::LogFormat;
use crate::spans::current_ids;
use crate::spans::partial::{PartialSuccessLayer, is_report};

/// Takes finished lines, each with its line end.
type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// Writes each event as one line with the trace and span id of the task that logged it.
#[derive(Clone)]
pub struct LogLayer {
    format: LogFormat,
    sink: Sink,
}

impl fmt::Debug for LogLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLayer").field("format", &self.format).finish_non_exhaustive()
    }
}

/// A layer that writes to standard error, for callers that build their own subscriber.
pub fn layer(format: LogFormat) -> LogLayer {
    layer_to(format, |line| {
        // A log line that cannot be written has nowhere to be reported.
        let _lost = std::io::stderr().lock().write_all(line.as_bytes());
    })
}

/// A layer that hands each line to `sink`.
pub fn layer_to(format: LogFormat, sink: impl Fn(&str) + Send + Sync + 'static) -> LogLayer {
    LogLayer { format, sink: Arc::new(sink) }
}

/// Installs the layer as the process's subscriber; does nothing when there is one already.
pub fn install(format: LogFormat, filter: &str) {
    if format == LogFormat::None {
        return;
    }
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let reports = PartialSuccessLayer.with_filter(filter_fn(is_report));
    let _installed_before =
        Registry::default().with(reports).with(layer(format).with_filter(filter)).try_init();
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _cx: LayerContext<'_, S>) {
        if self.format != LogFormat::None {
            (self.sink)(&render(self.format, event));
        }
    }
}

#[derive(Default)]
struct Fields(Vec<(&'static str, serde_json::Value)>);

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), value.into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.into()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}").into()));
    }
}

fn render(format: LogFormat, event: &Event<'_>) -> String {
    use tracepact_base::Clock as _;
    let mut fields = Fields::default();
    event.record(&mut fields);
    let meta = event.metadata();
    let now_ns = tracepact_base::SystemClock::new().now_ns();
    let at = tracepact_base::time_format::to_rfc3339(now_ns);
    let ids = current_ids();
    if format == LogFormat::Json {
        let mut line = serde_json::Map::new();
        line.insert("timestamp".to_owned(), at.into());
        line.insert("level".to_owned(), meta.level().as_str().into());
        line.insert("target".to_owned(), meta.target().into());
        if let Some((trace, span)) = ids {
            line.insert("trace_id".to_owned(), trace.to_string().into());
            line.insert("span_id".to_owned(), span.to_string().into());
        }
        for (name, value) in fields.0 {
            // A field of the caller's never hides the line's own.
            line.entry(name).or_insert(value);
        }
        return format!("{}\n", serde_json::Value::Object(line));
    }
    let mut line = format!("{at} {:5} {}", meta.level(), meta.target());
    if let Some((trace, span)) = ids {
        line.push_str(&format!(" trace_id={trace} span_id={span}"));
    }
    for (name, value) in fields.0 {
        let text = match &value {
            serde_json::Value::String(text) => text.replace('\n', "\\n"),
            other => other.to_string(),
        };
        if name == "message" {
            line.push_str(&format!(" {text}"));
        } else {
            line.push_str(&format!(" {name}={text}"));
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spans::Tracing;
    use opentelemetry::trace::SpanKind;
    use parking_lot::Mutex;

    fn lines(format: LogFormat, work: impl FnOnce()) -> Vec<String> {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = lines.clone();
        let subscriber =
            Registry::default().with(layer_to(format, move |line| kept.lock().push(line.to_owned())));
        tracing::subscriber::with_default(subscriber, work);
        let lines = lines.lock();
        lines.clone()
    }

    #[test]
    fn every_line_inside_a_span_carries_its_ids() {
        let tracing = Tracing::current();
        let cx =
            tracing.start(&opentelemetry::Context::new(), SpanKind::Internal, "s", Vec::new(), Vec::new());
        let (trace, span) = crate::propagation::context::ids_of(&cx).unwrap();
        let work = || {
            tracing::info!("outside");
            let _inside = cx.clone().attach();
            tracing::warn!(count = 3, trace_id = "forged", "two\nlines");
        };
        let json = lines(LogFormat::Json, work);
        let outside: serde_json::Value = serde_json::from_str(&json[0]).unwrap();
        let inside: serde_json::Value = serde_json::from_str(&json[1]).unwrap();
        assert!(outside.get("trace_id").is_none());
        assert_eq!(inside["trace_id"], trace.to_string());
        assert_eq!(inside["span_id"], span.to_string());
        assert_eq!((&inside["count"], &inside["message"]), (&3.into(), &"two\nlines".into()));
        let text = lines(LogFormat::Text, work);
        assert!(text[1].contains(&format!(" trace_id={trace} span_id={span} ")), "{}", text[1]);
        assert!(text[1].contains("two\\nlines") && text[1].matches('\n').count() == 1, "{}", text[1]);
    }
}
