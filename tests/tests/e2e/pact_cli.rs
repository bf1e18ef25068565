//! The Pact command line as its makers publish it, pointed at the broker's port and told nothing else.

use std::path::PathBuf;

use tokio::process::Command;
use tracepact_tests::projects;
use tracepact_tests::python::Venv;

use super::provider::Catalog;
use super::server::{Ran, Server, fixture, run};

/// Where it was installed from.
enum Installed {
    Pypi(Venv),
    Npm(PathBuf),
}

impl Installed {
    fn command(&self) -> Command {
        match self {
            Self::Pypi(venv) => venv.command("pact"),
            Self::Npm(folder) => {
                let mut command = Command::new(folder.join("node_modules/.bin/pact"));
                command.env("PACT_DO_NOT_TRACK", "true").kill_on_drop(true);
                command
            }
        }
    }
}

struct Pact {
    installed: Installed,
    server: Server,
}

impl Pact {
    async fn start() -> Self {
        Self::start_from(Installed::Pypi(Venv::provide("pact").await.unwrap())).await
    }

    async fn start_from(installed: Installed) -> Self {
        Self { installed, server: Server::start().await }
    }

    async fn broker(&self, args: &[&str]) -> Ran {
        let url = self.server.broker_url();
        run(self.installed.command().arg("broker").args(args).args(["-b", &url])).await
    }

    async fn publish(&self, file: &str, version: &str) -> Ran {
        self.broker(&["publish", &fixture(file), "-a", version, "--branch", "main"]).await
    }

    async fn can_i_deploy(&self, pacticipant: &str, version: &str, environment: &str) -> Ran {
        self.broker(&["can-i-deploy", "-a", pacticipant, "-e", version, "--to-environment", environment])
            .await
    }

    async fn deployed(&self, pacticipant: &str, version: &str) -> Ran {
        self.broker(&["record-deployment", "-a", pacticipant, "-e", version, "--environment", "production"])
            .await
    }

    async fn verify(&self, provider: &Catalog, version: &str) -> Ran {
        let (url, port) = (self.server.broker_url(), provider.port.to_string());
        let args = ["verifier", "-b", &url, "-n", "catalog", "--hostname", "127.0.0.1", "--port", &port];
        let publish = ["--publish", "--provider-version", version, "--provider-branch", "main"];
        let selectors = ["--consumer-version-selectors", r#"{"mainBranch":true}"#];
        run(self.installed.command().args(args).args(publish).args(selectors)).await
    }
}

#[tokio::test]
async fn publish_verify_deploy_and_ask_with_the_one_from_pypi() {
    publish_verify_deploy_and_ask(Pact::start().await).await;
}

#[tokio::test]
async fn publish_verify_deploy_and_ask_with_the_one_from_npm() {
    let installed = Installed::Npm(projects::node("pact-cli").await.unwrap());
    publish_verify_deploy_and_ask(Pact::start_from(installed).await).await;
}

/// Guarantees: the exit codes that pipelines rely on, for a conflict and for each answer of the gate.
async fn publish_verify_deploy_and_ask(pact: Pact) {
    pact.broker(&["create-environment", "--name", "production", "--production"]).await.ended_with(0);
    pact.broker(&["create-environment", "--name", "production", "--production"]).await.ended_with(1);

    pact.publish("web-catalog.json", "1").await.ended_with(0);
    pact.publish("web-catalog.json", "1").await.ended_with(0);
    pact.publish("web-catalog-changed.json", "1").await.ended_with(1).said("coffee");
    let stored = pact.server.api().get("/tracepact/v1/contracts/overview").await.unwrap();
    assert_eq!(stored["pacts"].as_array().unwrap().len(), 1, "{stored}");
    let kept = tracepact_tests::Api::new(&pact.server.address("broker")).unwrap();
    let kept = kept.get("/pacts/provider/catalog/consumer/web/version/1").await.unwrap();
    assert_eq!(kept["interactions"][0]["response"]["body"]["name"], "tea");

    // Unknown: nothing was verified, nothing is deployed.
    pact.can_i_deploy("web", "1", "production").await.ended_with(1).said("no verified pact");
    pact.can_i_deploy("web", "1", "nowhere").await.ended_with(1).said("nowhere");
    pact.deployed("catalog", "never-seen").await.ended_with(1);

    // Yes: the provider keeps the contract and runs there.
    let tea = Catalog::start("tea").await;
    pact.verify(&tea, "1").await.ended_with(0).said("has a matching body");
    pact.can_i_deploy("web", "1", "production").await.ended_with(1);
    pact.deployed("catalog", "1").await.ended_with(0);
    pact.can_i_deploy("web", "1", "production").await.ended_with(0).said("Computer says yes");
    pact.deployed("web", "1").await.ended_with(0);

    // No: the next version of the provider breaks the contract of what runs there.
    let coffee = Catalog::start("coffee").await;
    pact.verify(&coffee, "2").await.ended_with(1);
    pact.can_i_deploy("catalog", "2", "production").await.ended_with(1).said("Computer says no");
    pact.can_i_deploy("catalog", "1", "production").await.ended_with(0);

    // The product's own command line reads the same history.
    let ask =
        |version| ["can-i-deploy", "--pacticipant", "catalog", "--version", version, "--to", "production"];
    pact.server.tracepact(&ask("1")).await.ended_with(0);
    pact.server.tracepact(&ask("2")).await.ended_with(1).said("an item is read");
    pact.server.stop().await;
}

/// Guarantees: a deployment that a Pact client records is an event of the one feed, with its version and environment.
#[tokio::test]
async fn a_recorded_deployment_is_an_event() {
    let pact = Pact::start().await;
    pact.broker(&["create-environment", "--name", "production", "--production"]).await.ended_with(0);
    pact.publish("web-catalog.json", "7").await.ended_with(0);
    pact.deployed("web", "7").await.ended_with(0);
    let api = pact.server.api();
    let event = tracepact_tests::until(std::time::Duration::from_secs(20), "the deploy event", async || {
        let events = api.get("/tracepact/v1/events?service=web&limit=50").await?;
        let events = events["events"].as_array().cloned().unwrap_or_default();
        Ok(events.into_iter().find(|e| e["kind"] == "deploy"))
    })
    .await
    .unwrap();
    let text = event.to_string();
    assert!(text.contains("production") && text.contains("\"7\""), "{text}");
    pact.server.stop().await;
}
