//! Spans: how they start, which are sampled, and how they leave.

pub mod counters;
pub mod export;
pub mod partial;
pub mod processor;
pub mod sampler;
pub mod zipkin;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use opentelemetry::trace::{
    FutureExt as _, Link, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracepact_base::{SpanId, TraceId};

use crate::propagation::context::{ids_of, with_parent_span};
use crate::propagation::{Admitted, Carrier, Rules, admit, extract};

static GLOBAL: ArcSwapOption<Inner> = ArcSwapOption::const_empty();

/// Starts spans and knows the header rules of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tracing {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tracer: SdkTracer,
    rules: Rules,
}

impl Tracing {
    /// Spans of `provider` under `rules`.
    pub fn new(provider: &SdkTracerProvider, rules: Rules) -> Self {
        Self { inner: Arc::new(Inner { tracer: provider.tracer("tracepact-kit"), rules }) }
    }

    /// The tracing of the telemetry that was started last with `global`; before that, one that propagates but
    /// sends nothing.
    pub fn current() -> Self {
        if let Some(inner) = GLOBAL.load_full() {
            return Self { inner };
        }
        Self::new(&SdkTracerProvider::builder().build(), Rules::default())
    }

    pub(crate) fn make_current(&self) {
        GLOBAL.store(Some(self.inner.clone()));
    }

    /// The header rules.
    pub fn rules(&self) -> &Rules {
        &self.inner.rules
    }

    /// What a span for the request or record behind `carrier` starts from, by the trust rule.
    pub fn admit(&self, carrier: &dyn Carrier) -> Admitted {
        admit(extract(carrier, self.inner.rules.precedence), self.inner.rules.trust)
    }

    /// Starts a span below the active span of `parent` and returns the context in which it is active.
    /// It ends with [`end`], or when the last clone of the context is dropped.
    pub fn start(
        &self,
        parent: &Context,
        kind: SpanKind,
        name: impl Into<std::borrow::Cow<'static, str>>,
        attributes: Vec<KeyValue>,
        links: Vec<Link>,
    ) -> Context {
        let builder = self
            .inner
            .tracer
            .span_builder(name)
            .with_kind(kind)
            .with_attributes(attributes)
            .with_links(links);
        let span = self.inner.tracer.build_with_context(builder, parent);
        with_parent_span(parent.with_span(span), parent)
    }

    /// Runs `work` inside an internal span called `name`.
    pub async fn in_span<F: Future>(&self, name: &'static str, work: F) -> F::Output {
        let cx = self.start(&Context::current(), SpanKind::Internal, name, Vec::new(), Vec::new());
        let output = work.with_context(cx.clone()).await;
        cx.span().end();
        output
    }
}

/// Marks the active span of `cx` as failed: `error.type` and the status message.
pub fn fail(cx: &Context, error_type: &str, message: impl Into<std::borrow::Cow<'static, str>>) {
    let span = cx.span();
    span.set_attribute(KeyValue::new("error.type", error_type.to_owned()));
    span.set_status(Status::error(message));
}

/// Ends the active span of `cx`.
pub fn end(cx: &Context) {
    cx.span().end();
}

/// Sets an attribute on the active span of the current task.
pub fn set_attribute(key: &'static str, value: impl Into<opentelemetry::Value>) {
    Context::map_current(|cx| cx.span().set_attribute(KeyValue::new(key, value)));
}

/// The ids of the active span of the current task.
pub fn current_ids() -> Option<(TraceId, SpanId)> {
    Context::map_current(ids_of)
}

/// `tokio::spawn` that keeps the current context, so that spans inside stay in the trace.
pub fn spawn<F>(work: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(work.with_current_context())
}
