use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tower::{BoxError, Service as _, ServiceBuilder, ServiceExt as _, service_fn};
use tracepact_base::ManualClock;
use tracepact_kit::Rejection;
use tracepact_kit::breaker::{Breaker, BreakerLayer, BreakerSettings, State};
use tracepact_kit::bulkhead::{Bulkhead, BulkheadLayer, BulkheadSettings};
use tracepact_kit::fallback::FallbackLayer;
use tracepact_kit::retry::{RetryBudget, RetryLayer, RetrySettings};
use tracepact_kit::timeout::TimeoutLayer;

#[tokio::test(start_paused = true)]
async fn the_layers_work_together() {
    let clock = ManualClock::at(1);
    let breaker = Breaker::new("b", "c", BreakerSettings::default(), clock.clone());
    let bulkhead = Bulkhead::new("k", BulkheadSettings::default(), clock.clone());
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let hangs = service_fn(move |()| {
        counted.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok::<&'static str, BoxError>("never")
        }
    });
    let mut service = ServiceBuilder::new()
        .layer(FallbackLayer::new(async |error: BoxError| match error.downcast_ref::<Rejection>() {
            Some(Rejection::Timeout(_)) => Ok("too slow"),
            Some(Rejection::Open { .. }) => Ok("open"),
            _ => Err(error),
        }))
        .layer(BreakerLayer::new(breaker.clone()))
        .layer(BulkheadLayer::new(bulkhead))
        .layer(TimeoutLayer::new(Duration::from_millis(100)))
        .service(hangs);
    for _ in 0..20 {
        assert_eq!(service.ready().await.unwrap().call(()).await.unwrap(), "too slow");
    }
    clock.advance_ns(500_000_000);
    assert_eq!(service.ready().await.unwrap().call(()).await.unwrap(), "open");
    assert_eq!((breaker.state(), calls.load(Ordering::Relaxed)), (State::Open, 20));
}

#[tokio::test(start_paused = true)]
async fn a_retrying_service_succeeds_at_the_third_try() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let flaky = service_fn(move |request: u32| {
        let call = counted.fetch_add(1, Ordering::Relaxed);
        async move { if call < 2 { Err("not yet") } else { Ok(request) } }
    });
    let retry = RetryLayer::new(RetrySettings::default(), RetryBudget::default(), |_: &&str| true);
    let service = ServiceBuilder::new().layer(retry).service(flaky);
    assert_eq!(service.oneshot(7).await, Ok(7));
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}
