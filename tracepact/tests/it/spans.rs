//! A span over HTTP is found by the next question, and after the process was killed.

use crate::server::Server;

pub(crate) fn now_us() -> u128 {
    #[expect(clippy::disallowed_methods, reason = "the server judges spans by the machine's clock")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_micros()
}

fn span(trace: &str, id: &str) -> String {
    format!(
        "{{\"traceId\":\"{trace}\",\"id\":\"{id}\",\"name\":\"get\",\"kind\":\"SERVER\",\"timestamp\":{},\"duration\":1000,\
         \"localEndpoint\":{{\"serviceName\":\"orders\"}}}}",
        now_us()
    )
}

async fn send(server: &Server, body: String) -> u16 {
    let request = server.client.post(format!("{}/api/v2/spans", server.http));
    request.header("content-type", "application/json").body(body).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn acknowledged_spans_survive_kill_and_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path()).await;
    let mut acknowledged = Vec::new();
    for number in 1..=50 {
        let trace = format!("{number:032x}");
        if send(&server, format!("[{}]", span(&trace, &format!("{number:016x}")))).await == 202 {
            acknowledged.push(trace);
        }
    }
    assert_eq!(acknowledged.len(), 50);
    let (status, body) = server.get(&format!("/api/v2/trace/{}", acknowledged[49])).await;
    assert_eq!(status, 200, "found at once: {body}");
    server.signal("KILL");
    server.ended().await;
    let server = Server::start(dir.path()).await;
    for trace in &acknowledged {
        let (status, body) = server.get(&format!("/api/v2/trace/{trace}")).await;
        assert_eq!(status, 200, "{trace}: {body}");
        let spans: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(spans.as_array().unwrap().len(), 1);
        assert_eq!(spans[0]["localEndpoint"]["serviceName"], "orders");
    }
    let (status, body) = server.get("/api/v2/services").await;
    assert_eq!((status, body.as_str()), (200, "[\"orders\"]"));
}
