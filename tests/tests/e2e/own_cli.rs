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

/// Guarantees: with --json standard output is one document, whatever the verifier has to say.
#[tokio::test]
async fn verify_prints_json_and_nothing_else() {
    let server = with_web_deployed().await;
    for (name, code) in [("tea", 0), ("coffee", 1)] {
        let provider = Catalog::start(name).await;
        let url = format!("http://127.0.0.1:{}", provider.port);
        let args =
            ["verify", "--provider", "catalog", "--provider-url", &url, "--version", "1", "--branch", "main"];
        let ran = server.tracepact(&[&args[..], &["--publish", "--json"]].concat()).await.ended_with(code);
        let outcome: serde_json::Value = serde_json::from_str(&ran.printed).unwrap();
        assert_eq!(outcome["ok"], code == 0, "{outcome}");
        ran.said("Verifying a pact between web and catalog");
        let file = fixture("web-catalog.json");
        let check = ["contract", "check", &file, "--against", &url, "--json"];
        let ran = server.tracepact(&check).await.ended_with(code);
        let outcome: serde_json::Value = serde_json::from_str(&ran.printed).unwrap();
        assert_eq!(outcome["interactions"][0]["interaction"], "an item is read", "{outcome}");
    }
    server.stop().await;
}

/// Guarantees: a deploy that lacks a result has the provider's build started by webhook, waits for what it publishes, and goes on.
#[tokio::test]
async fn a_deploy_has_the_missing_verification_started_and_waits_for_it() {
    let server = Server::start_in(
        tempfile::tempdir().unwrap(),
        &[],
        &[
            ("PACT_BROKER_WEBHOOK_SCHEME_WHITELIST", "http https"),
            ("PACT_BROKER_WEBHOOK_HOST_WHITELIST", "127.0.0.1"),
        ],
    )
    .await;
    let publish = ["contract", "publish", &fixture("web-catalog.json"), "--version", "1", "--branch", "main"];
    let deployed = ["record-deployment", "--pacticipant", "catalog", "--version", "7", "--create"];
    server.tracepact(&[&deployed[..], &TO].concat()).await.ended_with(0);
    server.tracepact(&publish).await.ended_with(0);
    let marker = server.folder().join("deployed").display().to_string();
    let deploy = async |seconds: &str| {
        let args = ["deploy-gate", "--pacticipant", "web", "--version", "1", "--request-verification"];
        let wait = ["--wait-while-unknown", seconds, "--", "touch", &marker];
        server.tracepact(&[&args[..], &TO, &wait].concat()).await
    };
    // Nobody is told: that is said, and the gate stays closed.
    deploy("0").await.ended_with(1).said("nobody is told that catalog 7 has to verify the contract of web");
    assert!(!Path::new(&marker).exists());

    // The build server: starts the provider's verification for the version it is told.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/build", listener.local_addr().unwrap());
    let (told, mut builds) = tokio::sync::mpsc::channel::<String>(10);
    let app = axum::Router::new().route(
        "/build",
        axum::routing::post(move |body: String| async move {
            told.send(body).await.unwrap();
        }),
    );
    let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let hook = serde_json::json!({
        "provider": { "name": "catalog" },
        "events": [{ "name": "contract_requiring_verification_published" }],
        "request": { "method": "POST", "url": url, "body": "${pactbroker.providerVersionNumber}" },
    });
    tracepact_tests::Api::new(&server.address("broker"))
        .unwrap()
        .change("POST", "/webhooks", &hook)
        .await
        .unwrap();
    let tea = Catalog::start("tea").await;
    let build = async {
        let version = builds.recv().await.unwrap();
        verify(&server, &tea, version.trim_matches('"')).await.ended_with(0);
        version
    };
    let (ran, version) = tokio::join!(deploy("60"), build);
    ran.ended_with(0)
        .said("catalog 7 is asked to verify the contract of web")
        .said("web 1 is recorded as deployed");
    assert_eq!(version.trim_matches('"'), "7");
    assert!(Path::new(&marker).exists());
    serving.abort();
    server.stop().await;
}

/// Each may go as long as the other is not there; together they break.
#[tokio::test]
async fn of_two_deploys_that_exclude_each_other_exactly_one_goes_through() {
    let server = Server::start().await;
    server.tracepact(&["broker", "create-environment", "--name", "production"]).await.ended_with(0);
    let publish = ["contract", "publish", &fixture("web-catalog.json"), "--version", "1", "--branch", "main"];
    server.tracepact(&publish).await.ended_with(0);
    // `web` 1 works with what is there, and not with what comes.
    verify(&server, &Catalog::start("tea").await, "1").await.ended_with(0);
    let deployed = ["record-deployment", "--pacticipant", "catalog", "--version", "1"];
    server.tracepact(&[&deployed[..], &TO].concat()).await.ended_with(0);
    verify(&server, &Catalog::start("coffee").await, "2").await;
    let deploy = async |name: &str, version: &str| -> Ran {
        // Long enough to overlap; ended by the other's wish for the lease being visible, not by time alone.
        let args = ["deploy-gate", "--pacticipant", name, "--version", version, "--lease-life", "30"];
        server.tracepact(&[&args[..], &TO, &["--", "sleep", "1"]].concat()).await
    };
    let (web, catalog) = tokio::join!(deploy("web", "1"), deploy("catalog", "2"));
    let codes = (web.code, catalog.code);
    assert!(codes == (0, 1) || codes == (1, 0), "{codes:?}\nweb: {}\ncatalog: {}", web.text, catalog.text);
    let overview = server.api().get("/tracepact/v1/contracts/overview").await.unwrap();
    assert_eq!(in_production(&overview, "2"), codes == (1, 0), "{overview}");
    server.stop().await;
}

/// Guarantees: the command ran, but somebody else may have decided since; so nothing is recorded.
#[tokio::test]
async fn a_lost_lease_records_nothing() {
    let server = with_web_deployed().await;
    verify(&server, &Catalog::start("tea").await, "3").await.ended_with(0);
    // The gate's own process is stopped until its lease has run out, as a machine that sleeps would.
    let folder = server.folder();
    let lease = format!("http://{}/tracepact/v1/environments/production/lease", server.address("broker"));
    let script = format!(
        "curl -sf {lease} > {}/held; kill -STOP $PPID; \
         (until curl -sf {lease} | grep -q '\"held\":false'; do sleep 0.2; done; kill -CONT $PPID) &",
        folder.display()
    );
    let args = ["deploy-gate", "--pacticipant", "catalog", "--version", "3", "--lease-life", "5"];
    let ran = server.tracepact(&[&args[..], &TO, &["--", "sh", "-c", &script]].concat()).await;
    ran.ended_with(3).said("is NOT recorded");
    let held = std::fs::read_to_string(folder.join("held")).unwrap();
    assert!(held.contains("\"held\":true"), "{held}");
    let after = server.api().get("/tracepact/v1/contracts/overview").await.unwrap();
    assert!(!in_production(&after, "3"), "{after}");
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
