use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Metric, number_data_point::Value};
use tracepact_kit::Exporter;
use tracepact_kit::breaker::{BreakerSettings, Forced};
use tracepact_kit::bulkhead::BulkheadSettings;
use tracepact_kit::classify::Outcome;
use tracepact_kit::permits::PermitSettings;

use super::collector::Collector;
use super::support::{free_address, settings, start, until};

fn last(collector: &Collector) -> Vec<Metric> {
    let pushed = collector.metrics();
    let request = pushed.last().cloned().unwrap_or_default();
    request.resource_metrics.into_iter().flat_map(|r| r.scope_metrics).flat_map(|s| s.metrics).collect()
}

/// The value of the point of `name` whose attributes mention all of `words`.
fn point(metrics: &[Metric], name: &str, words: &[&str]) -> Option<f64> {
    let metric = metrics.iter().find(|m| m.name == name)?;
    let points = match metric.data.as_ref()? {
        Data::Gauge(gauge) => &gauge.data_points,
        Data::Sum(sum) => {
            assert_eq!((sum.aggregation_temporality, sum.is_monotonic), (2, true), "{name} is cumulative");
            &sum.data_points
        }
        _ => return None,
    };
    let found = points.iter().find(|p| {
        let text = format!("{:?}", p.attributes);
        words.iter().all(|word| text.contains(&format!("\"{word}\"")))
    })?;
    Some(match found.value? {
        Value::AsInt(value) => value as f64,
        Value::AsDouble(value) => value,
    })
}

#[tokio::test]
async fn the_registry_is_pushed_over_http() {
    let (collector, address) = (Collector::default(), free_address().await);
    let _server = collector.serve_at(address).await;
    pushed(Exporter::OtlpHttp, &collector, address).await;
}

#[tokio::test]
async fn the_registry_is_pushed_over_grpc() {
    let (collector, address) = (Collector::default(), free_address().await);
    let _server = collector.serve_grpc_at(address);
    pushed(Exporter::OtlpGrpc, &collector, address).await;
}

async fn pushed(exporter: Exporter, collector: &Collector, address: std::net::SocketAddr) {
    let telemetry = start(settings(exporter, &format!("http://{address}")));
    let registry = telemetry.registry();
    let breaker = registry.breaker("stock", "products", BreakerSettings::default());
    breaker.try_call().unwrap().finish(Outcome::Failure);
    breaker.force(Some(Forced::Open));
    let bulkhead = registry.bulkhead("pool", BulkheadSettings { limit: 1, ..Default::default() });
    let _place = bulkhead.enter().await.unwrap();
    bulkhead.enter().await.unwrap_err();
    let permits = registry.permits("payments", "order-placed", PermitSettings::default());
    let _permit = permits.try_acquire().unwrap();
    permits.set_paused(true);
    registry.rebalances("payments").fetch_add(3, std::sync::atomic::Ordering::Relaxed);
    let expected: [(&str, &[&str], f64); 14] = [
        ("tracepact.breaker.state", &["stock", "products"], 3.0),
        ("tracepact.breaker.window.error_percent", &["stock"], 100.0),
        ("tracepact.breaker.window.requests", &["stock"], 1.0),
        ("tracepact.breaker.calls", &["stock", "products", "failure"], 1.0),
        ("tracepact.breaker.calls", &["stock", "products", "success"], 0.0),
        ("tracepact.breaker.transitions", &["stock", "closed", "forced_open", "forced"], 1.0),
        ("tracepact.bulkhead.in_use", &["pool"], 1.0),
        ("tracepact.bulkhead.limit", &["pool"], 1.0),
        ("tracepact.bulkhead.waiting", &["pool"], 0.0),
        ("tracepact.bulkhead.rejected", &["pool"], 1.0),
        ("tracepact.permits.in_use", &["payments", "order-placed"], 1.0),
        ("tracepact.permits.limit", &["payments", "order-placed"], 16.0),
        ("tracepact.permits.paused", &["payments"], 1.0),
        ("tracepact.consumer.rebalances", &["payments"], 3.0),
    ];
    for (name, words, value) in expected {
        until(&format!("{name} {words:?} = {value}"), async || {
            point(&last(collector), name, words) == Some(value)
        })
        .await;
    }
    until("paused seconds", async || {
        point(&last(collector), "tracepact.permits.paused_seconds", &["payments"]).is_some_and(|s| s > 0.0)
    })
    .await;
    let resource = format!("{:?}", collector.metrics()[0].resource_metrics[0].resource);
    assert!(resource.contains("tested-1") && resource.contains("1.2.3"));
    telemetry.shutdown().await;
}
