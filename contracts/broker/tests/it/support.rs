//! A broker on an empty directory, asked through its router as a client would.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use tracepact_base::{Clock, ManualClock, Secret};
use tracepact_broker::{Broker, BrokerConfig, native_routes, pact_routes, with_pact_conventions};
use tracepact_listener::{Access, Scope, Scopes};

use super::databases;

pub(crate) const ADMIN: &str = "the-admin-token";

pub(crate) struct Bench {
    pub(crate) broker: Broker,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) router: axum::Router,
    _dir: tempfile::TempDir,
}

/// A sink that keeps everything.
#[derive(Default)]
struct Kept(std::sync::Mutex<Vec<tracepact_base::Event>>);

impl tracepact_base::EventSink for Kept {
    fn deliver(
        &self,
        events: Vec<tracepact_base::Event>,
    ) -> futures::future::BoxFuture<'_, Result<(), tracepact_base::event::SinkError>> {
        self.0.lock().unwrap().extend(events);
        Box::pin(async { Ok(()) })
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.text))
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut BrokerConfig)) -> Self {
        let (database, dir) = databases::fresh().await;
        let mut config = BrokerConfig::new(database);
        change(&mut config);
        let clock = ManualClock::at(1_790_000_000_000_000_000);
        let broker = Broker::open(config, clock.clone()).await.unwrap();
        Self::of(broker, clock, dir)
    }

    /// A broker that is open already, with what keeps its files alive.
    pub(crate) fn over(broker: Broker, dir: tempfile::TempDir) -> Self {
        Self::of(broker, ManualClock::at(1_790_000_000_000_000_000), dir)
    }

    fn of(broker: Broker, clock: Arc<ManualClock>, dir: tempfile::TempDir) -> Self {
        let routes = pact_routes(broker.clone()).merge(native_routes(broker.clone())).unwrap();
        let access = Access::for_listen([127, 0, 0, 1].into())
            .with_token(Secret::new(ADMIN), Scopes::NONE.with(Scope::Admin))
            .with_identities(broker.identities());
        let router = with_pact_conventions(routes.into_router(Arc::new(access)), &broker);
        Self { router, broker, clock, _dir: dir }
    }

    /// The file of a broker on SQLite.
    pub(crate) fn database_file(&self) -> std::path::PathBuf {
        self._dir.path().join("contracts.db")
    }

    pub(crate) async fn send(&self, request: Request<axum::body::Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// The status and the bytes, for what is no text.
    pub(crate) async fn send_for_bytes(&self, request: Request<axum::body::Body>) -> (u16, Vec<u8>) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let path = path.strip_prefix("http://broker.test").unwrap_or(path);
        let request = Request::get(path)
            .header("host", "localhost")
            .header("accept", "application/hal+json, application/json, */*;q=0.1");
        self.send(request.body(axum::body::Body::empty()).unwrap()).await
    }

    /// As the Rust clients do it: Accept on two lines.
    pub(crate) async fn write(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("accept", "application/hal+json")
            .header("accept", "application/json")
            .header("content-type", "application/json; charset=UTF-8")
            .header("authorization", format!("Bearer {ADMIN}"));
        self.send(request.body(body.to_string().into()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.write(Method::POST, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.write(Method::PUT, path, body).await
    }

    /// Publishes one pact of `consumer` on a branch; the answer is not judged.
    pub(crate) async fn publish(&self, pact: &str, version: &str, branch: &str) -> Answer {
        self.post("/contracts/publish", &publication(pact, version, Some(branch), "overwrite")).await
    }

    /// Every event so far, taken out of the outbox.
    pub(crate) async fn events(&self) -> Vec<tracepact_base::Event> {
        let (sink, stop) = (Arc::new(Kept::default()), tokio_util::sync::CancellationToken::new());
        let running = tokio::spawn({
            let (broker, sink, stop) = (self.broker.clone(), sink.clone(), stop.clone());
            async move { broker.run_outbox(sink, stop).await }
        });
        // One more that marks the end of what came before.
        let mark = format!("mark-{}", self.clock.now_ns());
        self.put(&format!("/pacticipants/{mark}/versions/1"), &json!({})).await.is(201);
        self.environment(&mark).await;
        self.deploy(&mark, "1", &mark, None).await;
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let kept = sink.0.lock().unwrap().clone();
            if kept.iter().any(|e| e.title.contains(&mark)) {
                stop.cancel();
                running.await.unwrap();
                return kept;
            }
            assert!(tokio::time::Instant::now() < deadline, "the events were not delivered");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// An environment of this name.
    pub(crate) async fn environment(&self, name: &str) -> String {
        let made =
            self.post("/environments", &json!({ "name": name, "production": name == "prod" })).await.is(201);
        made["uuid"].as_str().unwrap().to_owned()
    }

    /// Records a deployment the way the CLI does: by the link with the environment's name.
    pub(crate) async fn deploy(
        &self,
        pacticipant: &str,
        version: &str,
        environment: &str,
        instance: Option<&str>,
    ) {
        let shown = self.get(&format!("/pacticipants/{pacticipant}/versions/{version}")).await.is(200);
        let links = shown["_links"]["pb:record-deployment"].as_array().unwrap();
        let link =
            links.iter().find(|l| l["name"] == environment).expect("a link with the environment's name");
        let body = instance.map_or(json!({}), |i| json!({ "applicationInstance": i }));
        self.post(path_of(&link["href"]), &body).await.is(201);
    }

    /// A provider's build: asks what to verify, fetches each pact, publishes `success` for those it is told to.
    pub(crate) async fn verify(
        &self,
        provider: &str,
        version: &str,
        branch: &str,
        success: bool,
    ) -> Vec<Value> {
        let question = json!({
            "providerVersionBranch": branch,
            "includePendingStatus": true,
            "consumerVersionSelectors": [{ "mainBranch": true }, { "deployedOrReleased": true }],
        });
        let list =
            self.post(&format!("/pacts/provider/{provider}/for-verification"), &question).await.is(200);
        let pacts = list["_embedded"]["pacts"].as_array().unwrap().clone();
        let on_branch = format!("/pacticipants/{provider}/branches/{branch}/versions/{version}");
        let done = self.put(&on_branch, &json!({})).await;
        assert!(done.status.is_success(), "{}", done.text);
        for pact in &pacts {
            let content = self.get(path_of(&pact["_links"]["self"]["href"])).await.is(200);
            let results = path_of(&content["_links"]["pb:publish-verification-results"]["href"]).to_owned();
            self.post(&results, &result(version, success, &content)).await.is(201);
        }
        pacts
    }

    /// The gate, as the Rust CLI asks it.
    pub(crate) async fn matrix(&self, pacticipant: &str, version: &str, environment: &str) -> Value {
        let path = format!(
            "/matrix?q[][pacticipant]={pacticipant}&q[][version]={version}&latestby=cvpv&environment={environment}"
        );
        // hyper's Uri takes no raw brackets in a built request, real servers get them; both forms are one to the parser.
        self.get(&path.replace('[', "%5B").replace(']', "%5D")).await.is(200)
    }

    pub(crate) async fn native(&self, pacticipant: &str, version: &str, environment: &str) -> Value {
        let path = format!(
            "/tracepact/v1/contracts/can-i-deploy?pacticipant={pacticipant}&version={version}&environment={environment}"
        );
        self.get(&path).await.is(200)
    }
}

/// The path of an absolute link.
pub(crate) fn path_of(href: &Value) -> &str {
    let href = href.as_str().unwrap();
    let rest = href.split_once("://").expect("an absolute link").1;
    &rest[rest.find('/').unwrap_or(rest.len())..]
}

pub(crate) fn result(version: &str, success: bool, content: &Value) -> Value {
    let id = &content["interactions"][0]["_id"];
    let mut test = json!({ "interactionId": id, "success": success });
    if !success {
        test["mismatches"] = json!([{ "attribute": "status", "description": "expected 200 but was 404" }]);
    }
    json!({
        "providerApplicationVersion": version,
        "success": success,
        "buildUrl": "http://ci.example.org/5",
        "testResults": [test],
        "verifiedBy": { "implementation": "Pact-Rust", "version": "1.4.7" },
    })
}

/// A pact with one interaction, `GET path`, whose answer's body is `body`.
pub(crate) fn pact(consumer: &str, provider: &str, path: &str, body: &str) -> String {
    format!(
        r#"{{"consumer":{{"name":"{consumer}"}},"provider":{{"name":"{provider}"}},"interactions":[{{"description":"a request for {path}","request":{{"method":"GET","path":"{path}"}},"response":{{"status":200,"headers":{{"Content-Type":"application/json"}},"body":{body}}}}}],"metadata":{{"pactSpecification":{{"version":"2.0.0"}}}}}}"#
    )
}

pub(crate) fn publication(pact: &str, version: &str, branch: Option<&str>, on_conflict: &str) -> Value {
    let parsed: Value = serde_json::from_str(pact).unwrap();
    json!({
        "pacticipantName": parsed["consumer"]["name"],
        "pacticipantVersionNumber": version,
        "branch": branch,
        "contracts": [{
            "consumerName": parsed["consumer"]["name"],
            "providerName": parsed["provider"]["name"],
            "specification": "pact",
            "contentType": "application/json",
            "content": STANDARD.encode(pact),
            "onConflict": on_conflict,
        }],
    })
}
