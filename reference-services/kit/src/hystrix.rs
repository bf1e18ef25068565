//! `GET /hystrix.stream`: what Netflix's dashboard and Turbine read, with every field the dashboard needs.
//!
//! Numbers are integers, always: Turbine sums nothing else.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, body::Body};
use bytes::Bytes;
use futures::stream;
use http::{StatusCode, header};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::breaker::histogram::{LatencySummary, PERCENTILES};
use crate::breaker::window::Event;
use crate::breaker::{Breaker, Forced, State};
use crate::bulkhead::Bulkhead;
use crate::registry::Registry;

/// How often every command and pool is sent.
pub const INTERVAL: Duration = Duration::from_millis(500);
/// Most streams at once; more get 503.
pub const CONNECTIONS_MAX: usize = 5;

/// A router with `GET /hystrix.stream` for everything in `registry`.
pub fn routes(registry: &Registry) -> Router {
    let streams = Streams { registry: registry.clone(), open: Arc::default() };
    Router::new().route("/hystrix.stream", get(move || std::future::ready(streams.open())))
}

#[derive(Clone)]
struct Streams {
    registry: Registry,
    open: Arc<AtomicUsize>,
}

/// Counts a stream as closed when it is dropped.
struct Connection(Arc<AtomicUsize>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Streams {
    fn open(&self) -> Response {
        let place = self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| {
            (open < CONNECTIONS_MAX).then_some(open + 1)
        });
        if place.is_err() {
            return (StatusCode::SERVICE_UNAVAILABLE, "MaxConcurrentConnections reached").into_response();
        }
        let connection = Connection(self.open.clone());
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let body = stream::unfold(
            (self.registry.clone(), ticks, connection),
            |(registry, mut ticks, connection)| {
                Box::pin(async move {
                    ticks.tick().await;
                    Some((
                        Ok::<_, Infallible>(Bytes::from(snapshot(&registry))),
                        (registry, ticks, connection),
                    ))
                })
            },
        );
        let headers = [
            (header::CONTENT_TYPE, "text/event-stream;charset=UTF-8"),
            (header::CACHE_CONTROL, "no-cache, no-store, max-age=0, must-revalidate"),
            (header::PRAGMA, "no-cache"),
        ];
        (headers, Body::from_stream(body)).into_response()
    }
}

/// One round of the stream: a message per command and per pool, or a ping when there is nothing.
pub fn snapshot(registry: &Registry) -> String {
    let mut out = String::new();
    let now_ms = registry.clock().now_ns() / 1_000_000;
    for breaker in registry.breakers() {
        out.push_str(&format!("data: {}\n\n", command(&breaker, now_ms)));
    }
    for bulkhead in registry.bulkheads() {
        out.push_str(&format!("data: {}\n\n", thread_pool(&bulkhead, now_ms)));
    }
    if out.is_empty() {
        out.push_str("ping: \n\n");
    }
    out
}

/// One message of the stream; its fields keep the order Hystrix writes them in.
#[derive(Debug, Clone)]
pub struct Message(Vec<(&'static str, Value)>);

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (*name, value)))
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

/// The HystrixCommand message of a breaker.
pub fn command(breaker: &Breaker, now_ms: u64) -> Message {
    let settings = breaker.settings();
    let open = !matches!(breaker.state(), State::Closed | State::Disabled);
    let group = if settings.group.is_empty() { breaker.callee() } else { &settings.group };
    let timeout_ms = settings.timeout.map_or(0, |timeout| timeout.as_millis() as u64);
    let rolling = |event| breaker.rolling(event);
    let latency = breaker.latency();
    let thrown =
        rolling(Event::BadRequest) + rolling(Event::FallbackFailure) + rolling(Event::FallbackMissing);
    Message(vec![
        ("type", "HystrixCommand".into()),
        ("name", breaker.name().into()),
        ("group", group.into()),
        ("currentTime", now_ms.into()),
        ("isCircuitBreakerOpen", open.into()),
        ("errorPercentage", breaker.error_percent().into()),
        ("errorCount", breaker.window_errors().into()),
        ("requestCount", breaker.window_requests().into()),
        ("rollingCountBadRequests", rolling(Event::BadRequest).into()),
        ("rollingCountCollapsedRequests", 0.into()),
        ("rollingCountEmit", 0.into()),
        ("rollingCountExceptionsThrown", thrown.into()),
        ("rollingCountFailure", rolling(Event::Failure).into()),
        ("rollingCountFallbackEmit", 0.into()),
        ("rollingCountFallbackFailure", rolling(Event::FallbackFailure).into()),
        ("rollingCountFallbackMissing", rolling(Event::FallbackMissing).into()),
        ("rollingCountFallbackRejection", 0.into()),
        ("rollingCountFallbackSuccess", rolling(Event::FallbackSuccess).into()),
        ("rollingCountResponsesFromCache", 0.into()),
        ("rollingCountSemaphoreRejected", rolling(Event::SemaphoreRejected).into()),
        ("rollingCountShortCircuited", rolling(Event::ShortCircuited).into()),
        ("rollingCountSuccess", rolling(Event::Success).into()),
        ("rollingCountThreadPoolRejected", 0.into()),
        ("rollingCountTimeout", rolling(Event::Timeout).into()),
        ("currentConcurrentExecutionCount", breaker.in_flight().into()),
        ("rollingMaxConcurrentExecutionCount", breaker.rolling_concurrency_max().into()),
        ("latencyExecute_mean", latency.mean_ms.into()),
        ("latencyExecute", percentiles(&latency)),
        ("latencyTotal_mean", latency.mean_ms.into()),
        ("latencyTotal", percentiles(&latency)),
        ("propertyValue_circuitBreakerRequestVolumeThreshold", settings.volume_threshold.into()),
        (
            "propertyValue_circuitBreakerSleepWindowInMilliseconds",
            (settings.sleep_window.as_millis() as u64).into(),
        ),
        ("propertyValue_circuitBreakerErrorThresholdPercentage", settings.error_percent.into()),
        ("propertyValue_circuitBreakerForceOpen", (breaker.forced() == Some(Forced::Open)).into()),
        ("propertyValue_circuitBreakerForceClosed", (breaker.forced() == Some(Forced::Closed)).into()),
        ("propertyValue_circuitBreakerEnabled", settings.enabled.into()),
        ("propertyValue_executionIsolationStrategy", "SEMAPHORE".into()),
        ("propertyValue_executionIsolationThreadTimeoutInMilliseconds", timeout_ms.into()),
        ("propertyValue_executionTimeoutInMilliseconds", timeout_ms.into()),
        ("propertyValue_executionIsolationThreadInterruptOnTimeout", true.into()),
        ("propertyValue_executionIsolationThreadPoolKeyOverride", Value::Null),
        ("propertyValue_executionIsolationSemaphoreMaxConcurrentRequests", settings.concurrency_max.into()),
        ("propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests", settings.concurrency_max.into()),
        ("propertyValue_metricsRollingStatisticalWindowInMilliseconds", 10_000.into()),
        ("propertyValue_requestCacheEnabled", false.into()),
        ("propertyValue_requestLogEnabled", false.into()),
        ("reportingHosts", 1.into()),
        ("threadPool", group.into()),
    ])
}

fn percentiles(latency: &LatencySummary) -> Value {
    let pairs = PERCENTILES.iter().zip(latency.percentiles_ms);
    Value::Object(pairs.map(|((key, _), ms)| ((*key).to_owned(), ms.into())).collect::<Map<_, _>>())
}

/// The HystrixThreadPool message of a bulkhead.
pub fn thread_pool(bulkhead: &Bulkhead, now_ms: u64) -> Message {
    let settings = bulkhead.settings();
    let (started, in_use) = (bulkhead.started_total(), bulkhead.in_use());
    Message(vec![
        ("type", "HystrixThreadPool".into()),
        ("name", bulkhead.name().into()),
        ("currentTime", now_ms.into()),
        ("currentActiveCount", in_use.into()),
        ("currentCompletedTaskCount", started.saturating_sub(in_use).into()),
        ("currentCorePoolSize", bulkhead.limit().into()),
        ("currentLargestPoolSize", bulkhead.largest().into()),
        ("currentMaximumPoolSize", bulkhead.limit().into()),
        ("currentPoolSize", bulkhead.limit().into()),
        ("currentQueueSize", bulkhead.waiting().into()),
        ("currentTaskCount", started.into()),
        ("rollingCountThreadsExecuted", bulkhead.rolling_started().into()),
        ("rollingMaxActiveThreads", bulkhead.rolling_in_use_max().into()),
        ("rollingCountCommandRejections", bulkhead.rolling_rejected().into()),
        ("propertyValue_queueSizeRejectionThreshold", settings.waiting_max.into()),
        ("propertyValue_metricsRollingStatisticalWindowInMilliseconds", 10_000.into()),
        ("reportingHosts", 1.into()),
    ])
}
