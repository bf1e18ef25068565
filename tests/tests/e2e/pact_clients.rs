//! Pact's libraries of three languages as their makers publish them, pointed at the broker's port and told nothing else.

use std::path::Path;

use serde_json::Value;
use tokio::process::Command;
use tracepact_tests::python::Venv;
use tracepact_tests::{Api, projects};

use super::provider::Catalog;
use super::server::{Ran, Server, fixture, run};

/// Publishes a contract of `web` as its pipeline would.
async fn publish(server: &Server, file: &str, version: &str, branch: &str) {
    let ran = server
        .tracepact(&["contract", "publish", &fixture(file), "--version", version, "--branch", branch])
        .await;
    ran.ended_with(0);
}

/// What the broker holds of the newest result of `web`'s version.
async fn latest_result(server: &Server, consumer: &str, version: &str) -> Value {
    let api = Api::new(&server.address("broker")).unwrap();
    let path =
        format!("/pacts/provider/catalog/consumer/{consumer}/version/{version}/verification-results/latest");
    api.get(&path).await.unwrap()
}

struct PactJvm(std::path::PathBuf);

impl PactJvm {
    async fn provide() -> Self {
        Self(projects::pact_jvm("pact-jvm").await.unwrap())
    }

    /// The provider's build.
    async fn build(&self, server: &Server, provider: &Catalog, version: &str, options: &[&str]) -> Ran {
        let mut maven = Command::new("mvn");
        maven.current_dir(&self.0).args(["-q", "-B", "-o", "test"]);
        // Builds of one project would write over one another.
        let reports = server.folder().join(format!("reports-{version}"));
        maven
            .arg(format!("-Dreports={}", reports.display()))
            .arg(format!("-Dpactbroker.url={}", server.broker_url()))
            .arg(format!("-Dcatalog.port={}", provider.port))
            .arg(format!("-Dpact.provider.version={version}"))
            .arg("-Dpact.provider.branch=main")
            .arg("-Dpact.verifier.publishResults=true")
            .arg("-Dpact_do_not_track=true")
            .args(options);
        run(&mut maven).await
    }
}

/// Guarantees: pact-jvm finds what it has to verify, its results arrive, and the gate believes them.
#[tokio::test]
async fn pact_jvm_verifies_and_publishes() {
    let jvm = PactJvm::provide().await;
    let server = Server::start().await;
    publish(&server, "web-catalog.json", "1", "main").await;
    let (tea, coffee) = (Catalog::start("tea").await, Catalog::start("coffee").await);

    jvm.build(&server, &tea, "1", &[]).await.ended_with(0);
    let result = latest_result(&server, "web", "1").await;
    assert_eq!((&result["success"], &result["providerApplicationVersion"]), (&true.into(), &"1".into()));
    assert_eq!(result["verifiedBy"]["implementation"], "Pact-JVM", "{result}");

    // It kept the contract once, so breaking it is no pending matter any more.
    let broken = jvm.build(&server, &coffee, "2", &[]).await;
    assert_ne!(broken.code, 0, "{}", broken.text);
    assert_eq!(latest_result(&server, "web", "1").await["success"], false);

    let said = server.tracepact(&[
        "can-i-deploy",
        "--pacticipant",
        "catalog",
        "--version",
        "2",
        "--to",
        "production",
    ]);
    said.await.ended_with(1);
    server.stop().await;
}

/// Guarantees: a contract that was never kept is pending for pact-jvm and breaks no build, its failure is stored.
#[tokio::test]
async fn a_pending_contract_breaks_no_build_of_pact_jvm() {
    let jvm = PactJvm::provide().await;
    let server = Server::start().await;
    publish(&server, "web-catalog.json", "1", "main").await;
    let coffee = Catalog::start("coffee").await;
    jvm.build(&server, &coffee, "1", &[]).await.ended_with(0);
    assert_eq!(latest_result(&server, "web", "1").await["success"], false);
    server.stop().await;
}

/// Guarantees: pact-python's verifier, selectors, pending and publishing work, and an empty selection is no failure.
#[tokio::test]
async fn pact_python_verifies_and_publishes() {
    let venv = Venv::provide("pact-python").await.unwrap();
    let server = Server::start().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/verify_catalog.py");
    let verify = async |provider: &Catalog, version: &str, options: &[&str]| {
        let mut python = venv.command("python3");
        python.arg(&script).arg(server.broker_url());
        python.arg(format!("http://127.0.0.1:{}", provider.port)).arg(version).args(options);
        run(&mut python).await
    };
    let (tea, coffee) = (Catalog::start("tea").await, Catalog::start("coffee").await);

    publish(&server, "web-catalog.json", "1", "feat/größe").await;
    verify(&tea, "0", &["publish"]).await.ended_with(0);
    // Never kept: pending, so the failure is told and stored, and the build goes on.
    verify(&coffee, "1", &["select=feat/größe", "pending", "publish"]).await.ended_with(0);
    assert_eq!(latest_result(&server, "web", "1").await["success"], false);
    verify(&coffee, "1", &["select=feat/größe", "publish"]).await.ended_with(1);
    // Kept once: from then on the same failure breaks the build.
    verify(&tea, "2", &["select=feat/größe", "pending", "publish"]).await.ended_with(0);
    assert_eq!(latest_result(&server, "web", "1").await["success"], true);
    verify(&coffee, "3", &["select=feat/größe", "pending", "publish"]).await.ended_with(1);
    server.stop().await;
}

/// Guarantees: a contract that pact-js wrote is published, verified by pact-js, and the gate knows it.
#[tokio::test]
async fn pact_js_writes_verifies_and_publishes() {
    let built = projects::node("pact-js").await.unwrap();
    let server = Server::start().await;
    let pacts = server.folder().join("pacts");
    let script = async |name: &str, args: &[&str]| {
        let mut node = Command::new("node");
        node.env("PACT_DO_NOT_TRACK", "true").arg(built.join(name)).args(args);
        run(&mut node).await
    };
    script("consume.mjs", &[&pacts.display().to_string()]).await.ended_with(0);
    let folder = pacts.display().to_string();
    let args = ["contract", "publish", &folder, "--version", "1", "--branch", "main"];
    server.tracepact(&args).await.ended_with(0);

    let (tea, coffee) = (Catalog::start("tea").await, Catalog::start("coffee").await);
    let url = |provider: &Catalog| format!("http://127.0.0.1:{}", provider.port);
    script("verify.mjs", &[&server.broker_url(), &url(&tea), "1"]).await.ended_with(0);
    assert_eq!(latest_result(&server, "web-js", "1").await["success"], true);
    script("verify.mjs", &[&server.broker_url(), &url(&coffee), "2"]).await.ended_with(1);
    assert_eq!(latest_result(&server, "web-js", "1").await["success"], false);
    server.stop().await;
}
