//! Senders of Zipkin's users, unmodified: Brave and its reporters in every encoding, OpenTelemetry's exporters of four
//! languages, and a Spring Boot service of which only the address of its Zipkin is set.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use tracepact_tests::{projects, until};

use super::otel_clients::found;
use super::server::{Server, run};

/// Sends one span as `PROTOCOL ENDPOINT SERVICE` and looks for it with every reader.
async fn send(server: &Server, mut client: Command, protocol: &str, endpoint: &str, service: &str) {
    let sent = run(client.args([protocol, endpoint, service])).await.ended_with(0);
    let trace_id = sent.text.trim().lines().last().unwrap().to_owned();
    found(server, &trace_id, service).await;
}

/// The addresses a client is given.
struct Endpoints {
    grpc: String,
    otlp: String,
    main: String,
    zipkin: String,
    zipkin_v1: String,
}

impl Endpoints {
    fn of(server: &Server) -> Self {
        let (otlp, http) = (server.address("otlp_http"), server.address("http"));
        Self {
            grpc: format!("http://{}", server.address("otlp_grpc")),
            otlp: format!("http://{otlp}/v1/traces"),
            main: format!("http://{http}/v1/traces"),
            zipkin: format!("http://{http}/api/v2/spans"),
            zipkin_v1: format!("http://{http}/api/v1/spans"),
        }
    }
}

/// A client of the Java project.
fn java(built: &Path) -> Command {
    let mut java = Command::new("java");
    let classes = format!("{0}/target/classes:{0}/target/dependency/*", built.display());
    java.args(["-cp", &classes, "clients.Send"]);
    java
}

#[tokio::test]
async fn brave_and_java_exporters() {
    let built: PathBuf = projects::java("java").await.unwrap();
    let server = Server::start().await;
    let at = Endpoints::of(&server);
    for (protocol, endpoint, service) in [
        ("brave-json", &at.zipkin, "brave-json"),
        ("brave-proto3", &at.zipkin, "brave-proto3"),
        ("v1-json", &at.zipkin_v1, "reporter-v1-json"),
        ("v1-thrift", &at.zipkin_v1, "reporter-v1-thrift"),
        ("grpc", &at.grpc, "java-grpc"),
        ("grpc-gzip", &at.grpc, "java-grpc-gzip"),
        ("http", &at.otlp, "java-http"),
        ("http", &at.main, "java-main-port"),
    ] {
        send(&server, java(&built), protocol, endpoint, service).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn node_exporters() {
    let built = projects::node("node").await.unwrap();
    let server = Server::start().await;
    let at = Endpoints::of(&server);
    for (protocol, endpoint, service) in [
        ("json", &at.otlp, "node-json"),
        ("json", &at.main, "node-json-main-port"),
        ("http", &at.otlp, "node-http"),
        ("grpc", &at.grpc, "node-grpc"),
        ("zipkin", &at.zipkin, "node-zipkin"),
    ] {
        let mut node = Command::new("node");
        node.arg(built.join("send.mjs"));
        send(&server, node, protocol, endpoint, service).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn go_exporters() {
    let built = projects::go("go").await.unwrap();
    let server = Server::start().await;
    let at = Endpoints::of(&server);
    for (protocol, endpoint, service) in
        [("grpc", &at.grpc, "go-grpc"), ("http", &at.otlp, "go-http"), ("http", &at.main, "go-main-port")]
    {
        send(&server, Command::new(built.join("client")), protocol, endpoint, service).await;
    }
    server.stop().await;
}

/// Guarantees: a Spring Boot service's Zipkin address is all there is to change.
#[tokio::test]
async fn a_spring_boot_service() {
    let built = projects::spring_boot("spring-boot").await.unwrap();
    let server = Server::start().await;
    let folder = server.folder();
    let log = std::fs::File::create(folder.join("greeter.log")).unwrap();
    let log_file = folder.join("greeter.log");
    let mut greeter = Command::new("java")
        .arg("-jar")
        .arg(built.join("target/greeter-1.jar"))
        .args(["--server.port=0", "--server.address=127.0.0.1", "--spring.application.name=greeter"])
        .args(["--management.tracing.sampling.probability=1.0", "--spring.main.banner-mode=off"])
        .arg(format!("--management.tracing.export.zipkin.endpoint={}", Endpoints::of(&server).zipkin))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let port = until(Duration::from_secs(90), "the service's port", async || {
        let log = std::fs::read_to_string(&log_file)?;
        let port = log.split("Tomcat started on port ").nth(1);
        Ok(port.and_then(|rest| rest.split_whitespace().next()).map(str::to_owned))
    })
    .await
    .unwrap();
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/hello")).await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "hello");
    let api = server.api();
    let traces = until(Duration::from_secs(30), "the trace of the request", async || {
        let traces = api.get("/api/v2/traces?serviceName=greeter&spanName=http%20get%20%2Fhello").await?;
        Ok(traces.as_array().is_some_and(|traces| !traces.is_empty()).then_some(traces))
    })
    .await
    .unwrap();
    let span = &traces[0][0];
    assert_eq!((&span["kind"], &span["tags"]["status"]), (&"SERVER".into(), &"200".into()), "{span}");
    greeter.kill().await.unwrap();
    server.stop().await;
}
