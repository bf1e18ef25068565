use futures::StreamExt as _;
use serde_json::Value;
use tracepact_kit::breaker::{BreakerSettings, Forced};
use tracepact_kit::bulkhead::BulkheadSettings;
use tracepact_kit::{Registry, hystrix};

use super::support::{clock, serve};

/// What the dashboard drops a tile for when it is missing.
const COMMAND_KEYS: [&str; 48] = [
    "type",
    "name",
    "group",
    "currentTime",
    "isCircuitBreakerOpen",
    "errorPercentage",
    "errorCount",
    "requestCount",
    "rollingCountBadRequests",
    "rollingCountCollapsedRequests",
    "rollingCountEmit",
    "rollingCountExceptionsThrown",
    "rollingCountFailure",
    "rollingCountFallbackEmit",
    "rollingCountFallbackFailure",
    "rollingCountFallbackMissing",
    "rollingCountFallbackRejection",
    "rollingCountFallbackSuccess",
    "rollingCountResponsesFromCache",
    "rollingCountSemaphoreRejected",
    "rollingCountShortCircuited",
    "rollingCountSuccess",
    "rollingCountThreadPoolRejected",
    "rollingCountTimeout",
    "currentConcurrentExecutionCount",
    "rollingMaxConcurrentExecutionCount",
    "latencyExecute_mean",
    "latencyExecute",
    "latencyTotal_mean",
    "latencyTotal",
    "propertyValue_circuitBreakerRequestVolumeThreshold",
    "propertyValue_circuitBreakerSleepWindowInMilliseconds",
    "propertyValue_circuitBreakerErrorThresholdPercentage",
    "propertyValue_circuitBreakerForceOpen",
    "propertyValue_circuitBreakerForceClosed",
    "propertyValue_circuitBreakerEnabled",
    "propertyValue_executionIsolationStrategy",
    "propertyValue_executionIsolationThreadTimeoutInMilliseconds",
    "propertyValue_executionTimeoutInMilliseconds",
    "propertyValue_executionIsolationThreadInterruptOnTimeout",
    "propertyValue_executionIsolationThreadPoolKeyOverride",
    "propertyValue_executionIsolationSemaphoreMaxConcurrentRequests",
    "propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests",
    "propertyValue_metricsRollingStatisticalWindowInMilliseconds",
    "propertyValue_requestCacheEnabled",
    "propertyValue_requestLogEnabled",
    "reportingHosts",
    "threadPool",
];

fn only_integers(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_u64(),
        Value::Object(map) => map.values().all(only_integers),
        _ => true,
    }
}

#[tokio::test]
async fn the_stream_carries_every_field_as_integers_and_in_order() {
    let registry = Registry::new(clock());
    let breaker = registry.breaker("products", "products", BreakerSettings::default());
    breaker.force(Some(Forced::Open));
    registry.bulkhead("products", BulkheadSettings::default());
    let url = serve(hystrix::routes(&registry)).await;
    let answer = reqwest::get(format!("{url}/hystrix.stream")).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream;charset=UTF-8");
    let mut body = answer.bytes_stream();
    let mut text = String::new();
    while text.matches("HystrixThreadPool").count() < 2 {
        text.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
    }
    let messages: Vec<(&str, Value)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|line| (line, serde_json::from_str(line).unwrap()))
        .collect();
    assert!(messages.len() >= 4, "twice, one command and one pool: {text}");
    let (line, command) = &messages[0];
    let mut at = 0;
    for key in COMMAND_KEYS {
        assert!(command.get(key).is_some(), "{key} is missing");
        let found = line.find(&format!("\"{key}\":")).unwrap();
        assert!(found >= at, "{key} is out of order");
        at = found;
    }
    assert_eq!(command.as_object().unwrap().len(), COMMAND_KEYS.len());
    assert_eq!(command["isCircuitBreakerOpen"], true);
    assert!(messages.iter().all(|(_, message)| only_integers(message)));
    assert_eq!(messages[1].1["currentMaximumPoolSize"], 10);
}

#[tokio::test]
async fn more_than_five_streams_are_refused() {
    let url = serve(hystrix::routes(&Registry::new(clock()))).await;
    let mut open = Vec::new();
    for _ in 0..hystrix::CONNECTIONS_MAX {
        open.push(reqwest::get(format!("{url}/hystrix.stream")).await.unwrap());
    }
    assert_eq!(reqwest::get(format!("{url}/hystrix.stream")).await.unwrap().status(), 503);
    drop(open);
    super::support::until("places come free", async || {
        reqwest::get(format!("{url}/hystrix.stream")).await.unwrap().status() == 200
    })
    .await;
}
