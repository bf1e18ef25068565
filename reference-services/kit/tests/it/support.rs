use std::future::Future;
use std::time::Duration;

use tracepact_base::{SharedClock, SystemClock};
use tracepact_kit::{Exporter, LogFormat, Settings, Telemetry};

/// Waits until `condition` holds, for at most 20 seconds.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "not within 20 s: {what}");
}

/// Settings of a service that sends to `endpoint` and is quick about it.
pub(super) fn settings(exporter: Exporter, endpoint: &str) -> Settings {
    let mut settings = Settings::new("tested");
    settings.instance = "tested-1".to_owned();
    settings.version = "1.2.3".to_owned();
    settings.exporter = exporter;
    settings.endpoint = Some(endpoint.to_owned());
    settings.batch_delay = Duration::from_millis(20);
    settings.metrics_interval = Duration::from_millis(100);
    settings.retry_for = Duration::from_secs(20);
    settings.log_format = LogFormat::None;
    settings.global = false;
    settings
}

pub(super) fn start(settings: Settings) -> Telemetry {
    Telemetry::start_with(settings, clock(), prometheus::Registry::new()).unwrap()
}

pub(super) fn clock() -> SharedClock {
    SystemClock::shared()
}

/// A local address nobody listens on now.
pub(super) async fn free_address() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// Serves `app` on a free port.
pub(super) async fn serve(app: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    format!("http://{address}")
}
