//! A contract's way by the command line alone: from a file over a stub and a proposal to a verified contract.

use std::path::PathBuf;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tracepact_tests::binaries::Binaries;
use tracepact_tests::processes::without_settings;

use super::provider::Catalog;
use super::server::Server;

const CONTRACT: &str = "contract: 1
consumer: web
provider: catalog
interactions:
  - description: an item is read
    request: {method: GET, path: /item/1}
    response:
      status: 200
      headers: {Content-Type: application/json}
      body: {name: tea}
";

fn written(server: &Server, name: &str, text: &str) -> String {
    let path: PathBuf = server.folder().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn token(server: &Server) -> String {
    server.folder().join("data/admin-token").display().to_string()
}

/// The id of the only proposal.
async fn only_proposal(server: &Server) -> String {
    let list = server.api().get("/tracepact/v1/proposals").await.unwrap();
    list["proposals"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn from_a_file_to_a_verified_contract() {
    let server = Server::start().await;
    let file = written(&server, "contracts/web/item.yaml", CONTRACT);
    let run = async |args: &[&str]| server.tracepact(args).await;
    run(&["contract", "lint", &file]).await.ended_with(0).said("nothing wrong");
    let broken = written(&server, "broken.yaml", &CONTRACT.replace("request:", "requst:"));
    run(&["contract", "lint", &broken]).await.ended_with(2).said("broken.yaml: line 6").said("requst");
    let more = written(&server, "more.yaml", &CONTRACT.replace("{name: tea}", "{name: tea, price: 1}"));
    run(&["contract", "diff", &file, &more])
        .await
        .ended_with(1)
        .said("web against")
        .said("BREAKING")
        .said("price");
    run(&["contract", "diff", &more, &file]).await.ended_with(0).said("not breaking");

    // Before anybody is asked: tried at a running provider.
    let good = Catalog::start("tea").await;
    let at = format!("http://127.0.0.1:{}", good.port);
    run(&["contract", "check", &file, "--against", &at]).await.ended_with(0).said("an item is read: ok");
    run(&["contract", "check", &more, "--against", &at]).await.ended_with(1).said("price");

    // Proposed with its file in a checkout of the provider's repository.
    let repo = server.folder().join("catalog-repo");
    std::fs::create_dir(&repo).unwrap();
    let (repo_text, branch) = (repo.display().to_string(), "feat/item");
    run(&[
        "contract",
        "propose",
        &file,
        "--provider",
        "catalog",
        "--branch",
        branch,
        "--repo",
        &repo_text,
        "--author",
        "grace",
    ])
    .await
    .ended_with(0)
    .said("git -C")
    .said("proposed as");
    let merged = std::fs::read_to_string(repo.join("contracts/web/catalog.yaml")).unwrap();
    assert!(merged.contains("branch: feat/item") || merged.contains("branch: \"feat/item\""), "{merged}");
    run(&["contract", "propose", &file, "--provider", "other", "--branch", branch]).await.ended_with(2);
    let id = only_proposal(&server).await;
    run(&["contract", "status", &id]).await.ended_with(1).said("proposed by grace");

    // Its stub works at once, and says what it is; for CI it is not good enough.
    run(&["stub", "--proposal", &id, "--verified-only"])
        .await
        .ended_with(1)
        .said("web with catalog is proposed");
    stub_answers(&server, &id, "proposed").await;

    // The provider's build sees it as work in progress where it asks for that, and is not broken by it.
    let bad = Catalog::start("coffee").await;
    let url = format!("http://127.0.0.1:{}", bad.port);
    let early =
        ["verify", "--provider", "catalog", "--provider-url", &url, "--version", "6", "--branch", "main"];
    run(&early).await.ended_with(0).said("has no contracts to keep");
    run(&[&early[..], &["--include-wip-since", "2020-01-01"]].concat())
        .await
        .ended_with(0)
        .said("an item is read: FAILED (pending");

    // The provider accepts by merging: its pipeline reports the repository.
    let token = token(&server);
    let admin = ["--token-file", token.as_str()];
    run(&[&["contract", "mode", "catalog", "repository"][..], &admin].concat()).await.ended_with(0);
    run(&[&["contract", "accept", &id][..], &admin].concat()).await.ended_with(1).said("merge");
    let folder = repo.join("contracts").display().to_string();
    run(&[&["contract", "sync", &folder, "--provider", "catalog", "--commit", "abc"][..], &admin].concat())
        .await
        .ended_with(0)
        .said("accepted: web");
    run(&["contract", "status", &id]).await.ended_with(0).said("accepted").said("abc");
    run(&["contract", "sync", &folder, "--provider", "catalog"]).await.ended_with(3).said("401");

    // Verified: enforced, and the stub may stand in for the provider in CI.
    let verify = [
        "verify",
        "--provider",
        "catalog",
        "--provider-url",
        &at,
        "--version",
        "7",
        "--branch",
        "main",
        "--publish",
    ];
    run(&verify).await.ended_with(0);
    run(&["contract", "status", &id]).await.ended_with(0).said("enforced");
    stub_answers(&server, &id, "verified").await;

    // A provider that breaks it is told how.
    let bad = Catalog::start("coffee").await;
    let at = format!("http://127.0.0.1:{}", bad.port);
    let verify =
        ["verify", "--provider", "catalog", "--provider-url", &at, "--version", "8", "--branch", "main"];
    run(&verify).await.ended_with(1).said("- \"tea\"").said("+ \"coffee\"");
    server.stop().await;
}

/// Starts a stub, reads its line, asks it, and ends it by a signal.
async fn stub_answers(server: &Server, id: &str, state: &str) {
    let mut command = Command::new(Binaries::find().unwrap().tracepact);
    without_settings(&mut command);
    let mut child = command
        .args(["stub", "--proposal", id, "--broker-url", &server.broker_url()])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let line = BufReader::new(child.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
    assert!(line.contains(&format!("web → catalog ({state})")), "{line}");
    let url = line.split_whitespace().find(|w| w.starts_with("http://")).unwrap();
    let answer = reqwest::get(format!("{url}/item/1")).await.unwrap();
    assert_eq!(answer.headers()["tracepact-contract-state"], state);
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["name"], "tea");
    child.kill().await.unwrap();
}
