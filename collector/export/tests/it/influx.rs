use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode, Uri, header};
use parking_lot::Mutex;
use prometheus::Registry;
use tokio_util::sync::CancellationToken;
use tracepact_base::ManualClock;
use tracepact_export::influx::{ForwardingStore, InfluxConfig, InfluxSink, pipeline};
use tracepact_store::SeriesStore;

use crate::fake::{ListStore, NOW_NS, point, until};

/// What the in-test server got, and what it answers next (204 when nothing is planned).
#[derive(Default)]
struct Server {
    requests: Mutex<Vec<(Uri, HeaderMap, String)>>,
    answers: Mutex<VecDeque<(StatusCode, Option<u64>, &'static str)>>,
}

async fn write(
    State(server): State<Arc<Server>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let text = if headers.get(header::CONTENT_ENCODING).is_some_and(|v| v == "gzip") {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
        text
    } else {
        String::from_utf8(body.to_vec()).unwrap()
    };
    server.requests.lock().push((uri, headers, text));
    let (status, retry, text) =
        server.answers.lock().pop_front().unwrap_or((StatusCode::NO_CONTENT, None, ""));
    let mut headers = HeaderMap::new();
    if let Some(seconds) = retry {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    (status, headers, text)
}

struct Run {
    server: Arc<Server>,
    registry: Registry,
    sink: InfluxSink,
    drain: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

async fn run(change: impl FnOnce(&mut InfluxConfig)) -> Run {
    let server = Arc::new(Server::default());
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/influx/", socket.local_addr().unwrap()).parse().unwrap();
    let app = axum::Router::new()
        .route("/influx/api/v2/write", axum::routing::post(write))
        .with_state(server.clone());
    tokio::spawn(async move { axum::serve(socket, app).await });
    let mut config = InfluxConfig::new(url, "shop org", "metrics", "secret-token".to_owned());
    config.flush_interval_ms = 20;
    change(&mut config);
    let registry = Registry::new();
    let (sink, writer) = pipeline(config, ManualClock::at(NOW_NS), &registry).unwrap();
    let drain = CancellationToken::new();
    let task = tokio::spawn(writer.run(drain.clone()));
    Run { server, registry, sink, drain, task }
}

impl Run {
    fn requests(&self) -> usize {
        self.server.requests.lock().len()
    }

    fn counter(&self, name: &str, reason: Option<&str>) -> u64 {
        let families = self.registry.gather();
        let metrics = families.iter().filter(|f| f.name() == name).flat_map(|f| f.get_metric());
        metrics
            .filter(|m| reason.is_none_or(|r| m.get_label().iter().any(|l| l.value() == r)))
            .map(|m| m.get_counter().get_value() as u64)
            .sum()
    }

    fn written(&self) -> u64 {
        self.counter("tracepact_influx_points_written_total", None)
    }

    fn dropped(&self, reason: &str) -> u64 {
        self.counter("tracepact_influx_points_dropped_total", Some(reason))
    }
}

fn lag(at_ns: u64, value: f64) -> tracepact_store::Point {
    point(
        "tracepact_consumer_lag_messages",
        &[("group", "payments"), ("topic", "order-placed")],
        at_ns,
        value,
    )
}

#[tokio::test]
async fn a_stored_point_arrives_as_one_line() {
    for gzip in [false, true] {
        let run = run(|config| config.gzip = gzip).await;
        let store = ForwardingStore::new(Arc::new(ListStore::default()), run.sink.clone());
        store.append_points(vec![lag(NOW_NS, 3.0)]).await.unwrap();
        until("the point is acknowledged", || run.written() == 1).await;
        let requests = run.server.requests.lock();
        let (uri, headers, text) = &requests[0];
        assert_eq!(
            text,
            &format!("tracepact_consumer_lag_messages,group=payments,topic=order-placed value=3 {NOW_NS}\n")
        );
        assert_eq!(uri, "/influx/api/v2/write?org=shop+org&bucket=metrics&precision=ns");
        assert_eq!(headers[header::AUTHORIZATION], "Token secret-token");
    }
}

#[tokio::test]
async fn one_bad_point_does_not_take_its_batch_along() {
    let run = run(|_| {}).await;
    let week = 7 * 24 * 3_600 * 1_000_000_000;
    run.sink.offer([lag(NOW_NS, f64::NAN), lag(NOW_NS - week - 1, 1.0), lag(NOW_NS, 4.0)]);
    until("the good point is acknowledged", || run.written() == 1).await;
    assert!(run.server.requests.lock()[0].2.ends_with(&format!("value=4 {NOW_NS}\n")));
    assert_eq!((run.dropped("not_finite"), run.dropped("beyond_retention")), (1, 1));
}

#[tokio::test]
async fn what_cannot_get_better_is_never_sent_again() {
    for (status, reason) in
        [(400, "bad_request"), (401, "unauthorized"), (404, "not_found"), (422, "unprocessable")]
    {
        let run = run(|_| {}).await;
        run.server.answers.lock().push_back((StatusCode::from_u16(status).unwrap(), None, "no dropped=1"));
        run.sink.offer([lag(NOW_NS, 1.0)]);
        until("the refusal is counted", || run.dropped(reason) == 1).await;
        run.sink.offer([lag(NOW_NS, 2.0)]);
        until("the next batch is acknowledged", || run.written() == 1).await;
        let requests = run.server.requests.lock();
        assert_eq!(requests.len(), 2);
        assert!(requests[1].2.contains("value=2"));
    }
}

#[tokio::test]
async fn what_can_get_better_is_sent_again_after_the_time_named() {
    let run = run(|_| {}).await;
    run.server.answers.lock().extend([
        (StatusCode::SERVICE_UNAVAILABLE, None, "starting"),
        (StatusCode::TOO_MANY_REQUESTS, Some(1), "slow down"),
    ]);
    run.sink.offer([lag(NOW_NS, 1.0)]);
    until("the point is acknowledged", || run.written() == 1).await;
    assert_eq!(run.requests(), 3);
    assert_eq!(run.counter("tracepact_influx_retries_total", None), 2);
}

#[tokio::test]
async fn the_queue_is_bounded_and_says_what_it_dropped() {
    let run = run(|config| {
        config.batch_points = 1;
        config.queue_points = 10;
    })
    .await;
    run.server.answers.lock().push_back((StatusCode::SERVICE_UNAVAILABLE, Some(60), ""));
    run.sink.offer([lag(NOW_NS, 0.0)]);
    until("the writer waits for the server", || run.requests() == 1).await;
    run.sink.offer((1..=30).map(|i| lag(NOW_NS + i, 1.0)));
    assert_eq!(run.dropped("queue_full"), 20);
}

#[tokio::test]
async fn what_waits_is_sent_before_the_process_ends() {
    let run = run(|config| config.flush_interval_ms = 60_000).await;
    run.sink.offer([lag(NOW_NS, 1.0), lag(NOW_NS + 1, 2.0)]);
    run.drain.cancel();
    run.task.await.unwrap();
    assert_eq!(run.server.requests.lock()[0].2.lines().count(), 2);
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    let mut config = InfluxConfig::new("ftp://x/".parse().unwrap(), "o", "b", "t".to_owned());
    assert!(config.validate().unwrap_err().to_string().contains("http://"));
    config.url = "http://x/".parse().unwrap();
    config.bucket.clear();
    assert_eq!(config.validate().unwrap_err().to_string(), "bucket must be set");
}

/// Against a real server: INFLUX_URL, INFLUX_ORG, INFLUX_BUCKET and INFLUX_TOKEN name it. Names that need escaping are
/// written and read back by the v2 query API.
#[tokio::test]
#[ignore = "run by `cargo xtask test --suite influx`: needs an InfluxDB v2 named by INFLUX_URL, INFLUX_ORG, INFLUX_BUCKET, INFLUX_TOKEN"]
async fn a_real_server_takes_hostile_names() {
    let var = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let (url, org) = (var("INFLUX_URL"), var("INFLUX_ORG"));
    let config = InfluxConfig::new(url.parse().unwrap(), &org, &var("INFLUX_BUCKET"), var("INFLUX_TOKEN"));
    let registry = Registry::new();
    let clock = tracepact_base::SystemClock::shared();
    let now_ns = clock.now_ns();
    let (sink, writer) = pipeline(config, clock, &registry).unwrap();
    let drain = CancellationToken::new();
    let task = tokio::spawn(writer.run(drain.clone()));
    for name in ["C:\\dir\\", "a b,c=d", "new\nline", "\"quoted\"", "größe", "x\\,y"] {
        sink.offer([point("tracepact_real_server", &[("service", name)], now_ns, 1.5)]);
    }
    drain.cancel();
    task.await.unwrap();
    let dropped = registry.gather().into_iter().filter(|f| f.name().contains("dropped")).count();
    assert_eq!(dropped, 0);
    let flux = format!(
        "from(bucket:\"{}\") |> range(start:-1h) |> filter(fn:(r) => r._measurement == \"tracepact_real_server\")",
        var("INFLUX_BUCKET")
    );
    let answer = reqwest::Client::new()
        .post(format!("{}/api/v2/query?org={org}", url.trim_end_matches('/')))
        .header("Authorization", format!("Token {}", var("INFLUX_TOKEN")))
        .header("Content-Type", "application/vnd.flux")
        .body(flux)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for name in ["C:\\dir/", "a b,c=d", "new line", "größe", "x/,y"] {
        assert!(answer.contains(name), "{name:?} is missing in {answer}");
    }
}
