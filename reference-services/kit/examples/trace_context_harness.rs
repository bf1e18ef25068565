//! The service that the W3C trace-context test suite drives: `POST /test` with a JSON list of `{url, arguments}` calls
//! each url with its `arguments` as JSON body, continuing the trace of the request.
//!
//! `cargo run -p tracepact-kit --example trace_context_harness -- --port 5000`

use std::process::ExitCode;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use tokio::net::TcpListener;
use tracepact_kit::http::{Client, ServerLayer};
use tracepact_kit::propagation::{Format, Rules};
use tracepact_kit::{Exporter, LogFormat, Settings, Telemetry};

#[derive(Debug, Deserialize)]
struct Target {
    url: String,
    #[serde(default)]
    arguments: serde_json::Value,
}

async fn call_all(client: Client, targets: Vec<Target>) -> (StatusCode, String) {
    for target in targets {
        // An answer of any status is an answer; only an unreachable target is an error here.
        if let Err(error) = client.post(&target.url).json(&target.arguments).send().await {
            return (StatusCode::BAD_GATEWAY, format!("{}: {error}\n", target.url));
        }
    }
    (StatusCode::OK, "ok\n".to_owned())
}

fn port() -> Result<u16, String> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (None, None, None) => Ok(5000),
        (Some("--port"), Some(port), None) => port.parse().map_err(|_| format!("{port:?} is not a port")),
        _ => Err("usage: trace_context_harness [--port N]".to_owned()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let mut settings = Settings::new("trace-context-harness");
    settings.exporter = Exporter::None;
    settings.log_format = LogFormat::Text;
    settings.propagation = Rules { http: vec![Format::W3c], ..Rules::default() };
    let telemetry = Telemetry::start(settings).await.map_err(|error| error.to_string())?;
    let port = port()?;
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build();
    let client = Client::with_tracing(http.map_err(|error| error.to_string())?, telemetry.tracing().clone());
    let app = Router::new()
        .route("/test", post(move |Json(targets): Json<Vec<Target>>| call_all(client.clone(), targets)))
        .route("/health", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::max(1 << 20))
        .layer(ServerLayer::new(telemetry.tracing().clone()).with_traceresponse());
    let listener =
        TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| format!("port {port}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    tracing::info!("listening on http://{address}/test");
    let stop = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C is not heard");
        }
    };
    axum::serve(listener, app).with_graceful_shutdown(stop).await.map_err(|error| error.to_string())?;
    telemetry.shutdown().await;
    Ok(())
}
