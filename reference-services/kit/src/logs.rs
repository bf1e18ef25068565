//! Log lines with the ids of the active span.

use std::fmt;
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use crate::settings::LogFormat;
use crate::spans::current_ids;

/// Writes each event as one line to standard error with the trace and span id of the task that logged it.
#[derive(Debug, Clone, Copy)]
pub struct LogLayer {
    format: LogFormat,
}

/// A layer for callers that build their own subscriber.
pub fn layer(format: LogFormat) -> LogLayer {
    LogLayer { format }
}

/// Installs the layer as the process's subscriber; does nothing when there is one already.
pub fn install(format: LogFormat, filter: &str) {
    if format == LogFormat::None {
        return;
    }
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let _installed_before = Registry::default().with(filter).with(layer(format)).try_init();
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _cx: LayerContext<'_, S>) {
        let line = render(self.format, event);
        // A log line that cannot be written has nowhere to be reported.
        let _lost = std::io::stderr().lock().write_all(line.as_bytes());
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
            line.insert(name.to_owned(), value);
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
