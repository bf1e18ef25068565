//! Real kills of the built server while it is being sent spans: what was acknowledged is there after the restart.
//!
//! This proves recovery after the death of the process. Power loss is proved in `collector/store` by a file system
//! that forgets what was not synced.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;
use tracepact_tests::binaries::Binaries;
use tracepact_tests::processes::without_settings;
use tracepact_tests::{Api, Processes, until, until_ok};

/// Rounds of a normal run; `CRASH_ROUNDS` asks for more (`cargo xtask test --suite crash`).
const ROUNDS: u64 = 5;
const SPANS_PER_REQUEST: usize = 10;
/// Traces that are asked for in one request.
const TRACES_PER_QUESTION: usize = 100;

/// What was answered so far, over all rounds.
#[derive(Debug, Clone, Default)]
struct Answered {
    acknowledged: Vec<String>,
    /// Their deletion was asked for: until it is answered they may be there or not.
    deleting: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

/// Guarantees: every acknowledged span of every round survives all later kills, every answered deletion too, and the
/// store's own check finds nothing wrong with what the kills left behind.
#[tokio::test]
async fn acknowledged_spans_and_deletions_survive_kills_under_load() {
    let rounds =
        std::env::var("CRASH_ROUNDS").map_or(ROUNDS, |text| text.parse().expect("CRASH_ROUNDS is a number"));
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let binaries = Binaries::find().unwrap();
    let mut processes = Processes::new(folder.path()).unwrap();
    let args = super::server::arguments(&data);
    let answered: Arc<Mutex<Answered>> = Arc::default();
    for round in 1..=rounds {
        let server = processes.start("tracepact", &binaries.tracepact, &args).await.unwrap();
        let api = Api::new(&server.address("http").unwrap()).unwrap();
        let known = answered.lock().unwrap().clone();
        as_answered(&api, &known).await;
        let before = known.acknowledged.len();
        let mut senders: Vec<_> =
            (0..3).map(|s| tokio::spawn(send(api.clone(), round * 10 + s, answered.clone()))).collect();
        let token = std::fs::read_to_string(data.join("admin-token")).unwrap();
        senders.push(tokio::spawn(delete(api.with_token(token.trim()), answered.clone())));
        until(Duration::from_secs(60), "acknowledgements", async || {
            Ok((answered.lock().unwrap().acknowledged.len() >= before + 40).then_some(()))
        })
        .await
        .unwrap();
        processes.kill("tracepact").await.unwrap();
        senders.iter().for_each(|s| s.abort());
    }
    let server = processes.start("tracepact", &binaries.tracepact, &args).await.unwrap();
    let api = Api::new(&server.address("http").unwrap()).unwrap();
    let known = answered.lock().unwrap().clone();
    as_answered(&api, &known).await;
    assert!(!known.deleted.is_empty(), "nothing was deleted meanwhile");
    processes.kill("tracepact").await.unwrap();
    sound(&binaries.tracepact, &data).await;
}

/// The store's own check of what a kill left behind.
async fn sound(tracepact: &Path, data: &Path) {
    let mut check = Command::new(tracepact);
    without_settings(&mut check);
    super::server::run(check.args(["store", "check", "--data-dir"]).arg(data))
        .await
        .ended_with(0)
        .said("sound");
}

async fn as_answered(api: &Api, known: &Answered) {
    until_ok(Duration::from_secs(60), "the server to be healthy", async || {
        Ok((api.send("GET", "/health", None).await?.status == 200).then_some(()))
    })
    .await
    .unwrap();
    let kept: Vec<&String> = known.acknowledged.iter().filter(|id| !known.deleting.contains(*id)).collect();
    for chunk in kept.chunks(TRACES_PER_QUESTION).filter(|chunk| chunk.len() > 1) {
        let ids = chunk.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(",");
        let traces = api.get(&format!("/api/v2/traceMany?traceIds={ids}")).await.unwrap();
        let traces = traces.as_array().unwrap();
        assert_eq!(traces.len(), chunk.len());
        assert!(traces.iter().all(|t| t.as_array().unwrap().len() == SPANS_PER_REQUEST));
    }
    for id in &known.deleted {
        let status = api.send("GET", &format!("/api/v2/trace/{id}"), None).await.unwrap().status;
        assert_eq!(status, 404, "{id} was deleted and is back");
    }
}

async fn send(api: Api, sender: u64, answered: Arc<Mutex<Answered>>) {
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
            answered.lock().unwrap().acknowledged.push(trace_id);
        }
    }
}

/// Deletes one of eight acknowledged traces, as they come.
async fn delete(api: Api, answered: Arc<Mutex<Answered>>) {
    loop {
        let next = {
            let mut answered = answered.lock().unwrap();
            let due = answered.acknowledged.len() / 8 > answered.deleting.len();
            let next = due.then(|| answered.acknowledged[answered.deleting.len() * 8].clone());
            answered.deleting.extend(next.clone());
            next
        };
        let Some(id) = next else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        if let Ok(answer) = api.send("DELETE", &format!("/tracepact/v1/traces/{id}"), None).await
            && answer.status == 200
        {
            answered.lock().unwrap().deleted.insert(id);
        }
    }
}
