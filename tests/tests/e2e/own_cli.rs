//! The commands that pipelines run: their exit codes, and that the gate keeps a deploy command from running.

use std::path::Path;

use tokio::process::Command;
use tracepact_tests::binaries::Binaries;
use tracepact_tests::processes::without_settings;

use super::provider::Catalog;
use super::server::{Ran, Server, fixture, run};

const TO: [&str; 2] = ["--to", "production"];

async fn ask(server: &Server, pacticipant: &str, version: &str) -> Ran {
    let args = ["can-i-deploy", "--pacticipant", pacticipant, "--version", version];
    server.tracepact(&[&args[..], &TO].concat()).await
}

async fn gate(server: &Server, version: &str, command: &[&str]) -> Ran {
    let args = ["deploy-gate", "--pacticipant", "catalog", "--version", version];
    server.tracepact(&[&args[..], &TO, &["--"], command].concat()).await
}

async fn verify(server: &Server, provider: &Catalog, version: &str) -> Ran {
    let url = format!("http://127.0.0.1:{}", provider.port);
    let args = ["verify", "--provider", "catalog", "--provider-url", &url, "--version", version];
    server.tracepact(&[&args[..], &["--branch", "main", "--publish"]].concat()).await
}

/// A broker in whose production `web` 1 runs.
async fn with_web_deployed() -> Server {
    let server = Server::start().await;
    let publish = ["contract", "publish", &fixture("web-catalog.json"), "--version", "1", "--branch", "main"];
    server.tracepact(&publish).await.ended_with(0);
    let deployed = ["record-deployment", "--pacticipant", "web", "--version", "1", "--create"];
    server.tracepact(&[&deployed[..], &TO].concat()).await.ended_with(0);
    server
}

#[tokio::test]
async fn the_gate_runs_a_deploy_only_on_yes() {
    let server = with_web_deployed().await;
    let marker = |name: &str| server.folder().join(name);
    let touch = |name: &str| ["touch".to_owned(), marker(name).display().to_string()];

    // Unknown: version 1 exists but was never verified.
    let unknown = touch("unknown");
    let create =
        ["record-deployment", "--pacticipant", "catalog", "--version", "1", "--to", "test", "--create"];
    server.tracepact(&create).await.ended_with(0);
    ask(&server, "catalog", "1").await.ended_with(1);
    gate(&server, "1", &unknown.each_ref().map(String::as_str)).await.ended_with(1);
    assert!(!marker("unknown").exists());

    // No: version 2 breaks the contract of what runs there.
    verify(&server, &Catalog::start("coffee").await, "2").await;
    let no = touch("no");
    gate(&server, "2", &no.each_ref().map(String::as_str)).await.ended_with(1).said("an item is read");
    assert!(!marker("no").exists());

    // Yes, but the deploy fails: nothing is recorded.
    verify(&server, &Catalog::start("tea").await, "3").await.ended_with(0);
    ask(&server, "catalog", "3").await.ended_with(0);
    gate(&server, "3", &["false"]).await.ended_with(4);
    let before = server.api().get("/tracepact/v1/contracts/overview").await.unwrap();
    assert!(!in_production(&before, "3"), "{before}");

    // Yes: it runs and is recorded.
    let yes = touch("yes");
    gate(&server, "3", &yes.each_ref().map(String::as_str)).await.ended_with(0);
    assert!(marker("yes").exists());
    let after = server.api().get("/tracepact/v1/contracts/overview").await.unwrap();
    assert!(in_production(&after, "3"), "{after}");
    server.stop().await;
}

fn in_production(overview: &serde_json::Value, version: &str) -> bool {
    let catalog = overview["pacticipants"].as_array().unwrap().iter().find(|p| p["name"] == "catalog");
    catalog
        .and_then(|p| p["deployed"].as_array())
        .into_iter()
        .flatten()
        .any(|d| d["environment"] == "production" && d["version"] == version)
}

#[tokio::test]
async fn a_broker_that_cannot_be_reached_is_neither_yes_nor_no() {
    let binaries = Binaries::find().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("deployed");
    // A port on which nobody listens: it was free a moment ago and is closed again.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let version = ["--pacticipant", "catalog", "--version", "1", "--to", "production", "--broker-url", &url];
    let tracepact = |command: &str| {
        let mut run = Command::new(&binaries.tracepact);
        without_settings(&mut run);
        run.arg(command).args(version);
        run
    };
    run(&mut tracepact("can-i-deploy")).await.ended_with(3);
    run(tracepact("deploy-gate").args(["--", "touch"]).arg(&marker)).await.ended_with(3);
    assert!(!Path::new(&marker).exists());
    run(&mut tracepact("record-deployment")).await.ended_with(3);
    // Wrong usage has a code of its own, too.
    run(Command::new(&binaries.tracepact).arg("can-i-deploy")).await.ended_with(2);
    run(tracepact("can-i-deploy").arg("--no-such-flag")).await.ended_with(2);
}
