//! A stream that is pulled, ends, and is pulled again.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tracepact_base::{EventKind, ServiceName};
use tracepact_jobs::{HystrixTarget, JobsConfig};
use tracepact_resilience::BreakerState;

use crate::harness::{Running, until};

fn command(open: bool, at_ms: u64) -> String {
    format!(
        "data: {{\"type\":\"HystrixCommand\",\"name\":\"products\",\"group\":\"shop\",\"currentTime\":{at_ms},\
         \"isCircuitBreakerOpen\":{open},\"errorPercentage\":60,\"requestCount\":20}}\n\n"
    )
}

#[tokio::test]
async fn transitions_in_a_stream_become_events_and_series_and_a_broken_stream_is_pulled_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        // The first connection shows it closed and breaks; the second shows it open.
        for (open, at_ms) in [(false, 1_000), (true, 2_000)] {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 4_096];
            let length = socket.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /hystrix.stream "));
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            socket.write_all(format!("{head}ping: \n\n{}", command(open, at_ms)).as_bytes()).await.unwrap();
        }
        std::future::pending::<()>().await;
    });
    let target = HystrixTarget {
        url: format!("http://{address}/hystrix.stream").parse().unwrap(),
        service: ServiceName::new("orders").unwrap(),
    };
    let running = Running::start(JobsConfig { hystrix: vec![target], ..JobsConfig::default() });
    let event = until("the event", || running.events().into_iter().next()).await;
    assert_eq!((event.kind, event.attributes["to"].as_str()), (EventKind::BreakerTransition, "open"));
    assert_eq!(event.cause.as_deref(), Some("60 % of 20 requests in the window failed"));
    until("the series", || running.newest("tracepact_breaker_state").filter(|v| *v == 1.0)).await;
    let view = running.boards.breakers.snapshot(0).remove(0);
    assert_eq!((view.state, view.instance), (BreakerState::Open, address.to_string()));
    running.end().await;
    server.abort();
}
