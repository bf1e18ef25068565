//! Finds the trace in which the breakage that a refused deploy is about was seen: the consumer's failed call.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use tracepact_base::{Link, SharedClock};
use tracepact_broker::{TraceFinder, TraceQuestion};
use tracepact_model::{Kind, Span, Value};
use tracepact_store::{Predicate, ReadCtx, Scope, SpanQuery, SpanStore};

/// How far back a failure is still about this contract.
const LOOKBACK: Duration = Duration::from_secs(24 * 3_600);
/// The gate waits no longer.
const TIMEOUT: Duration = Duration::from_millis(400);
/// Most traces looked at.
const TRACES_MAX: usize = 50;

/// Asks the span store.
pub(crate) struct SpanTraceFinder {
    spans: Arc<dyn SpanStore>,
    clock: SharedClock,
}

impl SpanTraceFinder {
    pub(crate) fn new(spans: Arc<dyn SpanStore>, clock: SharedClock) -> Self {
        Self { spans, clock }
    }

    async fn search(&self, question: &TraceQuestion) -> Option<Link> {
        // A message has no path: no failed call can show that its content broke the contract.
        question.path.as_ref()?;
        let now = self.clock.now_ns();
        let ctx = ReadCtx { timeout: TIMEOUT, ..ReadCtx::default() };
        let query = SpanQuery {
            start_ns: now.saturating_sub(LOOKBACK.as_nanos() as u64),
            end_ns: now,
            predicates: vec![Predicate::Service(question.consumer.to_lowercase()), Predicate::Error],
            scope: Scope::SameSpan,
            limit: TRACES_MAX,
        };
        let hits = self.spans.search(query, ctx.clone()).await.ok()?.hits;
        // Newest first: the first one that shows the call is the latest.
        let ids = hits.into_iter().map(|hit| hit.trace_id).collect();
        let mut traces = self.spans.traces(ids, ctx);
        while let Some(trace) = traces.next().await {
            let trace = trace.ok()?;
            if trace.rows.iter().any(|span| shows(span, &trace.rows, question)) {
                let href = format!("/traces/{}", trace.trace_id.to_zipkin_hex());
                return Some(Link { rel: "trace".to_owned(), href });
            }
        }
        None
    }
}

impl TraceFinder for SpanTraceFinder {
    fn find<'a>(&'a self, question: &'a TraceQuestion) -> BoxFuture<'a, Option<Link>> {
        async move { tokio::time::timeout(TIMEOUT, self.search(question)).await.ok().flatten() }.boxed()
    }
}

/// Whether `span` is the consumer's failed call of the provider that the interaction describes.
fn shows(span: &Span, rows: &[Span], question: &TraceQuestion) -> bool {
    let named = |name: &Option<Arc<str>>, wanted: &str| {
        name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(wanted))
    };
    if span.kind != Kind::Client || !span.is_error() || !named(&span.local.service_name, &question.consumer) {
        return false;
    }
    let answered_by = |span: &Span| named(&span.local.service_name, &question.provider);
    let to_provider = named(&span.remote.service_name, &question.provider)
        || text(span, "peer.service").is_some_and(|peer| peer.eq_ignore_ascii_case(&question.provider))
        || rows.iter().any(|row| answered_by(row) && row.parent_id == Some(span.span_id));
    if !to_provider {
        return false;
    }
    let same_method =
        match (&question.method, text(span, "http.request.method").or(text(span, "http.method"))) {
            (Some(wanted), Some(seen)) => wanted.eq_ignore_ascii_case(seen),
            _ => true,
        };
    let same_path = match (&question.path, text(span, "url.path").or(text(span, "http.path"))) {
        (Some(wanted), Some(seen)) => alike(wanted, seen),
        _ => true,
    };
    same_method && same_path
}

fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    match span.attribute(key)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Whether two paths are the same but for ids: a contract's example asks for `/item/1`, traffic for `/item/4711`.
fn alike(a: &str, b: &str) -> bool {
    let id = |part: &str| part.bytes().any(|byte| byte.is_ascii_digit());
    let (mut a, mut b) = (a.trim_end_matches('/').split('/'), b.trim_end_matches('/').split('/'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || (id(a) && id(b)) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use tracepact_base::{SpanId, TraceId};
    use tracepact_model::{Status, StatusCode};

    use super::*;

    fn call(path: &str) -> Span {
        let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(2).unwrap());
        span.kind = Kind::Client;
        span.local.service_name = Some("orders".into());
        span.remote.service_name = Some("products".into());
        span.status = Status { code: StatusCode::Error, message: "".into() };
        span.attributes = vec![
            ("http.request.method".into(), Value::String("GET".into())),
            ("url.path".into(), Value::String(path.into())),
        ];
        span
    }

    fn question() -> TraceQuestion {
        TraceQuestion {
            consumer: "Orders".into(),
            provider: "products".into(),
            interaction: "a request for a product".into(),
            method: Some("GET".into()),
            path: Some("/product/1".into()),
        }
    }

    #[test]
    fn only_the_failed_call_of_that_interaction_counts() {
        assert!(shows(&call("/product/4711"), &[], &question()));
        assert!(!shows(&call("/item/4711"), &[], &question()));
        assert!(!shows(&call("/product/4711/stock"), &[], &question()));
        let mut fine = call("/product/1");
        fine.status = Status::default();
        assert!(!shows(&fine, &[], &question()));
        let mut elsewhere = call("/product/1");
        elsewhere.remote.service_name = Some("payments".into());
        assert!(!shows(&elsewhere, &[], &question()));
        let mut server = call("/product/1");
        server.kind = Kind::Server;
        assert!(!shows(&server, &[], &question()));
    }

    #[test]
    fn the_provider_is_known_by_its_own_span_too() {
        let mut unnamed = call("/product/1");
        unnamed.remote = Default::default();
        assert!(!shows(&unnamed, &[], &question()));
        let mut answer = call("/product/1");
        answer.local.service_name = Some("products".into());
        answer.parent_id = Some(unnamed.span_id);
        assert!(shows(&unnamed, &[answer], &question()));
    }
}
