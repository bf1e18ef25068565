//! Real kills of the built server while it is being sent spans: what was acknowledged is there after the restart.
//!
//! This proves recovery after the death of the process. Power loss is proved in `collector/store` by a file system
//! that forgets what was not synced.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tracepact_tests::binaries::Binaries;
use tracepact_tests::{Api, Processes, until, until_ok};

const ROUNDS: u64 = 5;
const SPANS_PER_REQUEST: usize = 10;

/// Guarantees: every acknowledged span of every round survives all later kills.
#[tokio::test]
async fn acknowledged_spans_survive_kills_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let binaries = Binaries::find().unwrap();
    let mut processes = Processes::new(folder.path()).unwrap();
    let args = super::server::arguments(&folder.path().join("data"));
    let acked: Arc<Mutex<Vec<String>>> = Arc::default();
    for round in 1..=ROUNDS {
        let server = processes.start("tracepact", &binaries.tracepact, &args).await.unwrap();
        let api = Api::new(&server.address("http").unwrap()).unwrap();
        let known = acked.lock().unwrap().clone();
        all_there(&api, &known).await;
        let before = known.len();
        let senders: Vec<_> =
            (0..3).map(|s| tokio::spawn(send(api.clone(), round * 10 + s, acked.clone()))).collect();
        until(Duration::from_secs(20), "acknowledgements", async || {
            Ok((acked.lock().unwrap().len() >= before + 40).then_some(()))
        })
        .await
        .unwrap();
        processes.kill("tracepact").await.unwrap();
        senders.iter().for_each(|s| s.abort());
    }
    let server = processes.start("tracepact", &binaries.tracepact, &args).await.unwrap();
    let api = Api::new(&server.address("http").unwrap()).unwrap();
    let known = acked.lock().unwrap().clone();
    all_there(&api, &known).await;
    processes.stop_all(&[]).await;
}

async fn all_there(api: &Api, ids: &[String]) {
    until_ok(Duration::from_secs(20), "the server to be healthy", async || {
        Ok((api.send("GET", "/health", None).await?.status == 200).then_some(()))
    })
    .await
    .unwrap();
    for chunk in ids.chunks(20).filter(|c| c.len() > 1) {
        let traces = api.get(&format!("/api/v2/traceMany?traceIds={}", chunk.join(","))).await.unwrap();
        let traces = traces.as_array().unwrap();
        assert_eq!(traces.len(), chunk.len());
        assert!(traces.iter().all(|t| t.as_array().unwrap().len() == SPANS_PER_REQUEST));
    }
}

async fn send(api: Api, sender: u64, acked: Arc<Mutex<Vec<String>>>) {
    for number in 1u64.. {
        let trace_id = format!("{:016x}", sender << 32 | number);
        let now_us = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64;
        let spans: Vec<Value> = (0..SPANS_PER_REQUEST)
            .map(|i| json!({ "traceId": trace_id, "id": format!("{:016x}", i + 1), "timestamp": now_us, "duration": 5,
                             "localEndpoint": { "serviceName": "kill9" } }))
            .collect();
        if let Ok(answer) = api.send("POST", "/api/v2/spans", Some(&Value::Array(spans))).await
            && answer.status == 202
        {
            acked.lock().unwrap().push(trace_id);
        }
    }
}
