//! Webhooks: what is told to whom, that nothing is lost, and where they do not go.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use axum::extract::{Request, State};
use hmac::{Hmac, Mac};
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio_util::sync::CancellationToken;
use tracepact_broker::{BrokerConfig, HostRule, WebhookPolicy};

use super::databases;
use super::support::{Bench, pact, path_of, result};

const DEADLINE: Duration = Duration::from_secs(60);

/// A server that webhooks call: remembers what came, answers what it is told, 200 otherwise.
pub(super) struct Receiver {
    pub(super) address: String,
    state: Arc<Received>,
}

#[derive(Default)]
struct Received {
    requests: Mutex<Vec<(String, http::HeaderMap, String)>>,
    answers: Mutex<VecDeque<u16>>,
    /// While set, requests get no answer.
    silent: std::sync::atomic::AtomicBool,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let state = Arc::new(Received::default());
        let app = axum::Router::new().fallback(receive).with_state(state.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, state }
    }

    fn answer(&self, statuses: &[u16]) {
        self.state.answers.lock().unwrap().extend(statuses);
    }

    fn be_silent(&self, silent: bool) {
        self.state.silent.store(silent, std::sync::atomic::Ordering::SeqCst);
    }

    fn count(&self) -> usize {
        self.state.requests.lock().unwrap().len()
    }

    /// The requests once there are `count` of them.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<(String, http::HeaderMap, String)> {
        until("the webhooks to arrive", async || self.count() >= count).await;
        self.state.requests.lock().unwrap().clone()
    }
}

async fn receive(State(state): State<Arc<Received>>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let line = format!("{} {}", parts.method, parts.uri);
    state.requests.lock().unwrap().push((line, parts.headers, body));
    if state.silent.load(std::sync::atomic::Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    let status = state.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The receivers stand on loopback, which has to be named.
pub(super) fn allow_loopback(config: &mut BrokerConfig) {
    config.webhooks = WebhookPolicy {
        methods: vec!["POST".into(), "PUT".into()],
        schemes: vec!["http".into(), "https".into()],
        hosts: vec!["127.0.0.1".parse::<HostRule>().unwrap()],
    };
    config.base_urls = vec!["https://pacts.example.org".into()];
}

/// A queue that runs until it is dropped, as in a process of its own.
pub(super) struct Running(tokio::task::JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn run(bench: &Bench) -> Running {
    let broker = bench.broker.clone();
    Running(tokio::spawn(async move { broker.run_webhooks(CancellationToken::new()).await }))
}

fn hook(receiver: &Receiver, events: &[&str]) -> Value {
    json!({
        "events": events.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "request": {
            "method": "POST",
            "url": format!("{}/build/${{pactbroker.providerName}}?e=${{pactbroker.eventName}}", receiver.address),
            "headers": { "Authorization": "Bearer s3cret-token", "X-Consumer": "${pactbroker.consumerName}" },
            "body": { "pact": "${pactbroker.pactUrl}", "version": "${pactbroker.consumerVersionNumber}",
                      "branch": "${pactbroker.consumerVersionBranch}", "status": "${pactbroker.githubVerificationStatus}" },
            "signingSecret": "a-signing-secret",
        },
    })
}

pub(super) async fn make(bench: &Bench, body: &Value) -> String {
    bench.post("/webhooks", body).await.is(201)["uuid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_published_is_told_with_its_variables_and_signed() {
    let bench = Bench::with(allow_loopback).await;
    let receiver = Receiver::start().await;
    make(&bench, &hook(&receiver, &["contract_content_changed", "contract_published"])).await;
    let _running = run(&bench);
    bench.publish(&pact("My C", "P/1", "/x", "1"), "7", "feat/x").await.is(200);
    let mut requests = receiver.wait_for(2).await;
    requests.sort_by(|a, b| a.0.cmp(&b.0));
    let (line, headers, body) = &requests[0];
    assert_eq!(line, "POST /build/P%2F1?e=contract%5Fcontent%5Fchanged");
    assert_eq!(headers["x-consumer"], "My C");
    assert_eq!(headers["authorization"], "Bearer s3cret-token");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["tracepact-event"], "contract_content_changed");
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (&told["version"], &told["branch"], &told["status"]),
        (&json!("7"), &json!("feat/x"), &json!("pending"))
    );
    // The address that was told is one that works, and the verifier's metadata is in it.
    let url = told["pact"].as_str().unwrap();
    let path = url.strip_prefix("https://pacts.example.org").unwrap();
    assert!(path.contains("/metadata/"), "{path}");
    bench.get(path).await.is(200);
    // As a receiver checks it.
    let signature = headers["tracepact-signature"].to_str().unwrap();
    let (time, hex) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"a-signing-secret").unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let expected: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, expected);
    // What happened can be read, without the secrets.
    let place = "/pacts/provider/P%2F1/consumer/My%20C/version/7/triggered-webhooks";
    until("both to be written down", async || {
        let list = bench.get(place).await.is(200);
        let list = list["_embedded"]["triggeredWebhooks"].as_array().unwrap().clone();
        list.len() == 2 && list.iter().all(|t| t["status"] == "success" && t["attemptsMade"] == 1)
    })
    .await;
    let list = bench.get(place).await.is(200);
    let logs = &list["_embedded"]["triggeredWebhooks"][0]["_links"]["pb:logs"]["href"];
    let logs_as = async |accept: &str| {
        let request = http::Request::get(path_of(logs)).header("host", "localhost").header("accept", accept);
        bench.send(request.body(axum::body::Body::empty()).unwrap()).await
    };
    // A browser shows the text as it is.
    assert_eq!(logs_as("text/html,*/*;q=0.8").await.headers["content-type"], "text/plain;charset=utf-8");
    assert!(logs_as("application/json").await.is(200)["logs"].is_string());
    let log = logs_as("text/plain").await;
    assert_eq!(log.status, 200);
    assert!(
        log.text.contains("HTTP/1.1 200") && log.text.contains("Webhook execution success"),
        "{}",
        log.text
    );
    assert!(!log.text.contains("s3cret-token") && !log.text.contains("a-signing-secret"), "{}", log.text);
}

#[tokio::test]
async fn only_what_changed_on_its_branch_counts_as_changed() {
    let bench = Bench::with(allow_loopback).await;
    let receiver = Receiver::start().await;
    make(&bench, &hook(&receiver, &["contract_content_changed"])).await;
    let _running = run(&bench);
    let triggered = async |version: &str| {
        let list = bench
            .get(&format!("/pacts/provider/P/consumer/C/version/{version}/triggered-webhooks"))
            .await
            .is(200);
        list["_embedded"]["triggeredWebhooks"].as_array().unwrap().len()
    };
    for (version, branch, body, count) in [
        ("1", "main", "1", 1),
        ("2", "main", "1", 0),
        ("3", "main", "2", 1),
        // New on its branch, though main has it.
        ("4", "feat", "2", 1),
        ("5", "main", "2", 0),
    ] {
        bench.publish(&pact("C", "P", "/x", body), version, branch).await.is(200);
        assert_eq!(triggered(version).await, count, "version {version}");
    }
}

#[tokio::test]
async fn results_are_told_as_what_they_are() {
    let bench = Bench::with(allow_loopback).await;
    let receiver = Receiver::start().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    make(
        &bench,
        &hook(
            &receiver,
            &[
                "provider_verification_published",
                "provider_verification_succeeded",
                "provider_verification_failed",
            ],
        ),
    )
    .await;
    let _running = run(&bench);
    bench.verify("P", "9", "main", false).await;
    let requests = receiver.wait_for(2).await;
    let events: Vec<_> = requests.iter().map(|(_, h, _)| h["tracepact-event"].to_str().unwrap()).collect();
    assert!(
        events.contains(&"provider_verification_published")
            && events.contains(&"provider_verification_failed")
    );
    assert!(requests[0].2.contains(r#""status":"failure""#), "{}", requests[0].2);
    let content = bench.get("/pacts/provider/P/consumer/C/latest").await.is(200);
    let answer =
        bench.get(path_of(&content["_links"]["pb:latest-verification-results"]["href"])).await.is(200);
    let list = bench.get(path_of(&answer["_links"]["pb:triggered-webhooks"]["href"])).await.is(200);
    assert_eq!(list["_embedded"]["triggeredWebhooks"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_failure_is_tried_again_after_its_pause_under_the_same_id() {
    let bench = Bench::with(allow_loopback).await;
    let receiver = Receiver::start().await;
    receiver.answer(&[500, 302]);
    make(&bench, &hook(&receiver, &["contract_published"])).await;
    let _running = run(&bench);
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let status = async || {
        let list = bench.get("/pacts/provider/P/consumer/C/webhooks/status").await.is(200);
        list["_embedded"]["triggeredWebhooks"][0].clone()
    };
    for (attempt, pause) in [(1, 10), (2, 60)] {
        until("the attempt to be written down", async || status().await["attemptsMade"] == attempt).await;
        assert_eq!(status().await["status"], "retrying");
        assert_eq!(receiver.count(), usize::try_from(attempt).unwrap(), "not before its time");
        bench.clock.advance_ns(pause * 1_000_000_000);
    }
    let requests = receiver.wait_for(3).await;
    until("the success to be written down", async || status().await["status"] == "success").await;
    let ids: std::collections::BTreeSet<_> =
        requests.iter().map(|(_, h, _)| h["tracepact-delivery"].to_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

#[tokio::test]
async fn nothing_is_lost_when_the_process_ends_before_or_while_it_delivers() {
    let (database, _dir) = databases::fresh().await;
    let config = |c: &mut BrokerConfig| {
        *c = BrokerConfig::new(database.clone());
        allow_loopback(c);
    };
    let receiver = Receiver::start().await;
    let first = Bench::with(config).await;
    make(&first, &hook(&receiver, &["contract_published"])).await;
    first.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    // Ended between the commit and the delivery.
    drop(first);
    let second = Bench::with(config).await;
    receiver.be_silent(true);
    let running = run(&second);
    let id = receiver.wait_for(1).await[0].1["tracepact-delivery"].clone();
    // Ended while the receiver had not answered yet.
    drop(running);
    drop(second);
    receiver.be_silent(false);
    let third = Bench::with(config).await;
    let _running = run(&third);
    if !databases::is_file() {
        // Another process may still be at it; its lease has to end.
        third.clock.advance_ns(91 * 1_000_000_000);
    }
    let requests = receiver.wait_for(2).await;
    assert_eq!(requests[1].1["tracepact-delivery"], id, "it is the same delivery");
    until("it to be written down", async || {
        let list = third.get("/pacts/provider/P/consumer/C/webhooks/status").await.is(200);
        list["summary"]["successful"] == 1
    })
    .await;
}

#[tokio::test]
async fn a_wanted_verification_is_asked_for_again_until_it_exists() {
    let bench = Bench::with(allow_loopback).await;
    let receiver = Receiver::start().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    bench.verify("P", "9", "main", true).await;
    make(&bench, &hook(&receiver, &["contract_requiring_verification_published"])).await;
    let _running = run(&bench);
    // The same content is verified already.
    bench.publish(&pact("C", "P", "/x", "1"), "2", "main").await.is(200);
    bench.publish(&pact("C", "P", "/x", "2"), "3", "main").await.is(200);
    receiver.wait_for(1).await;
    let attempts = async || {
        let list = bench.get("/pacts/provider/P/consumer/C/webhooks/status").await.is(200);
        list["_embedded"]["triggeredWebhooks"][0]["attemptsMade"].clone()
    };
    until("it to be written down", async || attempts().await == 1).await;
    bench.clock.advance_ns(1_801 * 1_000_000_000);
    receiver.wait_for(2).await;
    until("it to be written down", async || attempts().await == 2).await;
    // The result comes: nothing is asked for any more.
    let content = bench.get("/pacts/provider/P/consumer/C/version/3").await.is(200);
    let results = path_of(&content["_links"]["pb:publish-verification-results"]["href"]).to_owned();
    bench.post(&results, &result("9", true, &content)).await.is(201);
    bench.clock.advance_ns(100_000 * 1_000_000_000);
    // A further event passes through the queue after it, so the queue has looked.
    bench.publish(&pact("C", "P", "/x", "3"), "4", "main").await.is(200);
    let requests = receiver.wait_for(3).await;
    assert!(requests[2].2.contains(r#""version":"4""#), "{}", requests[2].2);
    assert_eq!(receiver.count(), 3);
}

#[tokio::test]
async fn the_steps_of_a_proposal_are_told() {
    let bench = Bench::with(allow_loopback).await;
    let receiver = Receiver::start().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let mut all = hook(&receiver, &["contract_proposal_changed"]);
    all["request"]["body"] =
        json!({ "state": "${pactbroker.proposalState}", "url": "${pactbroker.proposalUrl}" });
    make(&bench, &all).await;
    let _running = run(&bench);
    let content: Value = serde_json::from_str(&pact("C", "P", "/y", "1")).unwrap();
    let proposal = json!({ "consumer": "C", "provider": "P", "consumer_branch": "b", "content": content });
    let id =
        bench.post("/tracepact/v1/proposals", &proposal).await.is(201)["id"].as_str().unwrap().to_owned();
    receiver.wait_for(1).await;
    bench.post(&format!("/tracepact/v1/proposals/{id}/accept"), &json!({})).await.is(200);
    let requests = receiver.wait_for(2).await;
    let told: Vec<Value> = requests.iter().map(|(_, _, body)| serde_json::from_str(body).unwrap()).collect();
    assert_eq!((&told[0]["state"], &told[1]["state"]), (&json!("proposed"), &json!("accepted")));
    assert_eq!(told[1]["url"], format!("https://pacts.example.org/contracts/proposals/{id}"));
}

#[tokio::test]
async fn only_the_pair_it_is_for_triggers_it_and_only_while_enabled() {
    let bench = Bench::with(allow_loopback).await;
    let receiver = Receiver::start().await;
    for consumer in ["C", "D"] {
        bench.publish(&pact(consumer, "P", "/x", "1"), "1", "main").await.is(200);
    }
    let mut only_c = hook(&receiver, &["contract_published"]);
    only_c["consumer"] = json!({ "name": "C" });
    let uuid = make(&bench, &only_c).await;
    let mut of_q = hook(&receiver, &["contract_published"]);
    bench.put("/pacticipants/Q/branches/main/versions/1", &json!({})).await.is(201);
    of_q["provider"] = json!({ "name": "Q" });
    make(&bench, &of_q).await;
    let triggered = async |consumer: &str| {
        let list = bench.get(&format!("/pacts/provider/P/consumer/{consumer}/webhooks/status")).await.is(200);
        list["_embedded"]["triggeredWebhooks"].as_array().unwrap().len()
    };
    for consumer in ["C", "D"] {
        bench.publish(&pact(consumer, "P", "/x", "1"), "2", "main").await.is(200);
    }
    assert_eq!((triggered("C").await, triggered("D").await), (1, 0));
    only_c["enabled"] = json!(false);
    bench.put(&format!("/webhooks/{uuid}"), &only_c).await.is(200);
    bench.publish(&pact("C", "P", "/x", "1"), "3", "main").await.is(200);
    assert_eq!(triggered("C").await, 1);
    // Forgotten: what it still had to deliver is given up, what it did stays readable.
    let place = format!("/webhooks/{uuid}");
    bench.write(http::Method::DELETE, &place, &json!({})).await.is(204);
    bench.get(&place).await.is(404);
    let list = bench.get("/pacts/provider/P/consumer/C/webhooks/status").await.is(200);
    assert_eq!(list["_embedded"]["triggeredWebhooks"][0]["status"], "not_run");
}

#[tokio::test]
async fn the_recorded_requests_of_the_cli_get_the_recorded_answers() {
    let bench = Bench::with(|c| {
        allow_loopback(c);
    })
    .await;
    bench.publish(&pact("Consumer", "Provider", "/x", "1"), "1", "main").await.is(200);
    let body = json!({
        "description": "d1", "events": [{ "name": "contract_content_changed" }],
        "request": { "method": "POST", "url": "http://127.0.0.1:1/x", "headers": { "Content-Type": "application/json" },
                     "body": { "a": "${pactbroker.pactUrl}" } },
    });
    let made = bench.post("/webhooks/provider/Provider/consumer/Consumer", &body).await;
    assert_eq!(made.headers["location"].to_str().unwrap(), made.json()["_links"]["self"]["href"]);
    let made = made.is(201);
    let mut keys: Vec<_> = made.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "_links",
            "consumer",
            "createdAt",
            "description",
            "enabled",
            "events",
            "provider",
            "request",
            "uuid"
        ]
    );
    for relation in ["self", "pb:execute", "pb:consumer", "pb:provider", "pb:pact-webhooks", "pb:webhooks"] {
        assert!(made["_links"][relation]["href"].is_string(), "{relation}");
    }
    assert_eq!(made["request"]["headers"], json!({ "content-type": "application/json" }));
    // create-or-update: PUT under an id of one's own, with `headers: {}` and `body: null`.
    let own = "/webhooks/f09753ec-78ff-4968-a241-d5bde99fd74e";
    let body = json!({
        "description": "d2", "events": [{ "name": "contract_requiring_verification_published" }],
        "provider": { "name": "Provider" },
        "request": { "body": null, "headers": {}, "method": "POST", "url": "http://127.0.0.1:1/y" },
    });
    let first = bench.put(own, &body).await.is(201);
    assert_eq!(first["request"], json!({ "method": "POST", "url": "http://127.0.0.1:1/y" }));
    assert!(first.get("consumer").is_none());
    bench.put(own, &body).await.is(200);
    let tried = bench.post(&format!("{own}/execute"), &json!({})).await.is(200);
    assert_eq!(tried["success"], false);
    assert!(tried["error"]["message"].as_str().unwrap().contains("onnect"), "{tried}");
    assert!(tried["logs"].as_str().unwrap().contains("Webhook execution failed"));
    assert!(tried["_links"]["webhook"]["href"].as_str().unwrap().ends_with(own));
    assert!(tried["_links"]["try-again"]["href"].as_str().unwrap().ends_with(&format!("{own}/execute")));
    assert_eq!(bench.get("/webhooks").await.is(200)["_links"]["pb:webhooks"].as_array().unwrap().len(), 2);
    assert_eq!(
        bench.get("/webhooks/provider/Provider").await.is(200)["_links"]["pb:webhooks"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    bench.write(http::Method::DELETE, own, &json!({})).await.is(204);
    bench.write(http::Method::DELETE, own, &json!({})).await.is(404);
    bench.post("/webhooks/provider/Nobody", &body).await.is(404);
}

#[tokio::test]
async fn addresses_that_nobody_named_are_not_called() {
    let bench = Bench::with(|c| c.webhooks.schemes.push("http".into())).await;
    let receiver = Receiver::start().await;
    let port = receiver.address.rsplit_once(':').unwrap().1.to_owned();
    // As an address it is refused when it is made, as a name when it was resolved.
    let direct = json!({ "request": { "method": "POST", "url": receiver.address } });
    let refused = bench.post("/webhooks", &direct).await.is(400);
    assert!(refused["errors"]["request.url"][0].as_str().unwrap().contains("host"), "{refused}");
    let named = json!({ "request": { "method": "POST", "url": format!("http://localhost:{port}/") } });
    let uuid = make(&bench, &named).await;
    let tried = bench.post(&format!("/webhooks/{uuid}/execute"), &json!({})).await.is(200);
    assert_eq!(tried["success"], false);
    assert!(tried["error"]["message"].as_str().unwrap().contains("127.0.0.1"), "{tried}");
    let tried = bench.post("/webhooks/execute", &named).await.is(200);
    assert_eq!(tried["success"], false);
    assert_eq!(receiver.count(), 0);
    for (field, value, reason) in [
        ("method", json!("DELETE"), "must be POST"),
        ("url", json!("ftp://ci.example.org/"), "scheme must be https, http"),
    ] {
        let mut body = named.clone();
        body["request"][field] = value;
        let refused = bench.post("/webhooks", &body).await.is(400);
        assert!(
            refused["errors"][format!("request.{field}")][0].as_str().unwrap().contains(reason),
            "{refused}"
        );
    }
    let short = bench.put("/webhooks/short", &named).await;
    assert_eq!(short.status, 400);
}

#[tokio::test]
async fn answers_are_shown_only_of_hosts_that_are_named_and_redirects_are_not_followed() {
    let bench = Bench::with(allow_loopback).await;
    let receiver = Receiver::start().await;
    receiver.answer(&[307]);
    let uuid = make(&bench, &hook(&receiver, &["contract_published"])).await;
    let tried = bench.post(&format!("/webhooks/{uuid}/execute"), &json!({})).await.is(200);
    assert_eq!((&tried["success"], &tried["response"]["status"]), (&json!(false), &json!(307)));
    assert_eq!(receiver.count(), 1);
    assert!(!tried.to_string().contains("s3cret-token"), "{tried}");
    let shown = bench.get(&format!("/webhooks/{uuid}")).await.is(200);
    assert!(!shown.to_string().contains("s3cret"), "{shown}");
    assert_eq!(shown["request"]["headers"]["authorization"], "**********");
}

#[tokio::test]
async fn a_commit_shows_what_its_contract_is_up_to() {
    let bench = Bench::with(allow_loopback).await;
    let receiver = Receiver::start().await;
    make(
        &bench,
        &json!({
            "events": [{ "name": "contract_published" }, { "name": "provider_verification_published" }],
            "github": { "repository": "shop/orders", "token": "gh-t0ken", "apiUrl": receiver.address },
        }),
    )
    .await;
    let _running = run(&bench);
    let commit = "0123456789abcdef0123456789abcdef01234567";
    bench.publish(&pact("C", "P", "/x", "1"), commit, "main").await.is(200);
    let requests = receiver.wait_for(1).await;
    assert_eq!(requests[0].0, format!("POST /repos/shop/orders/statuses/{commit}"));
    assert_eq!(requests[0].1["authorization"], "Bearer gh-t0ken");
    assert_eq!(serde_json::from_str::<Value>(&requests[0].2).unwrap()["state"], "pending");
    bench.verify("P", "9", "main", true).await;
    let requests = receiver.wait_for(2).await;
    assert_eq!(serde_json::from_str::<Value>(&requests[1].2).unwrap()["state"], "success");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL server: cargo xtask test --suite postgres"]
async fn brokers_that_share_a_database_share_the_work_and_send_once() {
    let (database, _dir) = databases::fresh().await;
    let config = |c: &mut BrokerConfig| {
        *c = BrokerConfig::new(database.clone());
        allow_loopback(c);
    };
    let (first, second) = (Bench::with(config).await, Bench::with(config).await);
    let receiver = Receiver::start().await;
    make(&first, &hook(&receiver, &["contract_published"])).await;
    let _running = (run(&first), run(&second));
    for version in 0..40 {
        let bench = if version % 2 == 0 { &first } else { &second };
        bench.publish(&pact("C", "P", "/x", "1"), &version.to_string(), "main").await.is(200);
    }
    receiver.wait_for(40).await;
    until("all to be written down", async || {
        let list = second.get("/pacts/provider/P/consumer/C/webhooks/status").await.is(200);
        list["summary"]["successful"] == 40
    })
    .await;
    assert_eq!(receiver.count(), 40);
}
