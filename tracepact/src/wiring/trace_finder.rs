//! Finds the trace in which the breakage that a refused deploy is about was seen: the consumer's failed call.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use tracepact_base::{Link, ServiceName, SharedClock};
use tracepact_broker::{TraceFinder, TraceQuestion};
use tracepact_join::Aliases;
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
    aliases: Arc<Aliases>,
    clock: SharedClock,
}

/// The question in the names of services.
struct Call<'a> {
    aliases: &'a Aliases,
    consumer: ServiceName,
    provider: ServiceName,
    question: &'a TraceQuestion,
}

impl<'a> Call<'a> {
    fn of(question: &'a TraceQuestion, aliases: &'a Aliases) -> Option<Self> {
        let consumer = aliases.service_of_pacticipant(&question.consumer)?;
        let provider = aliases.service_of_pacticipant(&question.provider)?;
        Some(Self { aliases, consumer, provider, question })
    }

    /// Whether a name in a span means `service`.
    fn means(&self, name: Option<&str>, service: &ServiceName) -> bool {
        let name = name.and_then(|name| ServiceName::new(name).ok());
        name.is_some_and(|name| self.aliases.canonical(&name) == *service)
    }
}

impl SpanTraceFinder {
    pub(crate) fn new(spans: Arc<dyn SpanStore>, aliases: Arc<Aliases>, clock: SharedClock) -> Self {
        Self { spans, aliases, clock }
    }

    async fn search(&self, question: &TraceQuestion) -> Option<Link> {
        // A message has no path: no failed call can show that its content broke the contract.
        question.path.as_ref()?;
        let call = Call::of(question, &self.aliases)?;
        for name in self.aliases.names_of(&call.consumer) {
            if let Some(link) = self.search_as(&call, &name).await {
                return Some(link);
            }
        }
        None
    }

    /// The search among the spans that the consumer made under one of its names.
    async fn search_as(&self, call: &Call<'_>, name: &ServiceName) -> Option<Link> {
        let now = self.clock.now_ns();
        let ctx = ReadCtx { timeout: TIMEOUT, ..ReadCtx::default() };
        let query = SpanQuery {
            start_ns: now.saturating_sub(LOOKBACK.as_nanos() as u64),
            end_ns: now,
            predicates: vec![Predicate::Service(name.key().to_owned()), Predicate::Error],
            scope: Scope::SameSpan,
            limit: TRACES_MAX,
        };
        let hits = self.spans.search(query, ctx.clone()).await.ok()?.hits;
        // Newest first: the first one that shows the call is the latest.
        let ids = hits.into_iter().map(|hit| hit.trace_id).collect();
        let mut traces = self.spans.traces(ids, ctx);
        while let Some(trace) = traces.next().await {
            let trace = trace.ok()?;
            if trace.rows.iter().any(|span| shows(span, &trace.rows, call)) {
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
fn shows(span: &Span, rows: &[Span], call: &Call<'_>) -> bool {
    let made_by = |span: &Span, service| call.means(span.local.service_name.as_deref(), service);
    if span.kind != Kind::Client || !span.is_error() || !made_by(span, &call.consumer) {
        return false;
    }
    let to_provider = call.means(span.remote.service_name.as_deref(), &call.provider)
        || call.means(text(span, "peer.service"), &call.provider)
        || rows.iter().any(|row| row.parent_id == Some(span.span_id) && made_by(row, &call.provider));
    if !to_provider {
        return false;
    }
    let same_method =
        match (&call.question.method, text(span, "http.request.method").or(text(span, "http.method"))) {
            (Some(wanted), Some(seen)) => wanted.eq_ignore_ascii_case(seen),
            _ => true,
        };
    let same_path = match (&call.question.path, text(span, "url.path").or(text(span, "http.path"))) {
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
    use tracepact_join::ServiceEntry;
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

    fn shown(span: &Span, rows: &[Span], question: &TraceQuestion) -> bool {
        let orders = ServiceEntry {
            aliases: vec![ServiceName::new("Orders-Web").unwrap()],
            pacticipant: Some("Order Service".into()),
            ..ServiceEntry::named("orders").unwrap()
        };
        let aliases = Aliases::new(vec![orders]).unwrap();
        shows(span, rows, &Call::of(question, &aliases).unwrap())
    }

    #[test]
    fn a_service_is_known_by_any_of_its_names() {
        let mut web = call("/product/1");
        web.local.service_name = Some("orders-web".into());
        let question = TraceQuestion { consumer: "order service".into(), ..question() };
        assert!(shown(&web, &[], &question));
    }

    #[test]
    fn only_the_failed_call_of_that_interaction_counts() {
        assert!(shown(&call("/product/4711"), &[], &question()));
        assert!(!shown(&call("/item/4711"), &[], &question()));
        assert!(!shown(&call("/product/4711/stock"), &[], &question()));
        let mut fine = call("/product/1");
        fine.status = Status::default();
        assert!(!shown(&fine, &[], &question()));
        let mut elsewhere = call("/product/1");
        elsewhere.remote.service_name = Some("payments".into());
        assert!(!shown(&elsewhere, &[], &question()));
        let mut server = call("/product/1");
        server.kind = Kind::Server;
        assert!(!shown(&server, &[], &question()));
    }

    #[test]
    fn the_provider_is_known_by_its_own_span_too() {
        let mut unnamed = call("/product/1");
        unnamed.remote = Default::default();
        assert!(!shown(&unnamed, &[], &question()));
        let mut answer = call("/product/1");
        answer.local.service_name = Some("products".into());
        answer.parent_id = Some(unnamed.span_id);
        assert!(shown(&unnamed, &[answer], &question()));
    }
}
