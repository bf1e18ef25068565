//! How each state of a proposal shows to clients that know nothing of proposals: the table of `docs/contract-files.md`, row
//! by row, as pact-jvm and pact-python report it. One consumer stands for each state; all of them want the same item.
//!
//! The rules behind it are tested one by one in the broker's `tests/it/proposal_states.rs`; here the unmodified libraries
//! say what they make of the answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;
use tracepact_tests::projects;
use tracepact_tests::python::Venv;

use super::provider::Catalog;
use super::server::{Server, fixture, run};

/// What a client made of one contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// It was kept.
    Kept,
    /// It was not kept, and the build goes on.
    Pending,
    /// It was not kept, and the build fails.
    Breaks,
}

/// What a client reports of one build.
struct Report {
    /// By the description of the contract's only interaction.
    contracts: BTreeMap<String, Seen>,
    /// What the broker told the client, all of it.
    notices: String,
    /// Whether the build failed.
    failed: bool,
}

impl Report {
    /// Checks that exactly these contracts were verified, and what became of them.
    #[track_caller]
    fn shows(&self, wanted: &[(&str, Seen)]) -> &Self {
        let wanted: BTreeMap<String, Seen> =
            wanted.iter().map(|(of, seen)| (format!("the item of {of}"), *seen)).collect();
        assert_eq!(self.contracts, wanted, "{}", self.notices);
        assert_eq!(self.failed, wanted.values().any(|seen| *seen == Seen::Breaks));
        self
    }

    /// Checks that the broker said this.
    #[track_caller]
    fn tells(&self, part: &str) -> &Self {
        assert!(self.notices.contains(part), "{part:?} is not in:\n{}", self.notices);
        self
    }
}

/// A build of the provider's main branch.
struct Build<'a> {
    provider: &'a Catalog,
    version: &'a str,
    /// Asks for the consumers' branch `feat`.
    selects_feat: bool,
    /// Asks for work in progress.
    wip: bool,
}

/// pact-python, for what the builds report and to prepare them.
struct Python(Venv);

/// pact-jvm.
struct Jvm(PathBuf);

trait Client {
    /// Verifies and publishes the results.
    async fn build(&self, server: &Server, build: &Build<'_>) -> Report;
}

impl Client for Python {
    async fn build(&self, server: &Server, build: &Build<'_>) -> Report {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/verify_catalog.py");
        let report = server.folder().join(format!("python-{}.json", build.version));
        let mut python = self.0.command("python3");
        python
            .arg(script)
            .arg(server.broker_url())
            .arg(format!("http://127.0.0.1:{}", build.provider.port))
            .args([build.version, "pending", "publish"])
            .arg(format!("report={}", report.display()));
        if build.selects_feat {
            python.arg("select=feat");
        }
        if build.wip {
            python.arg("wip");
        }
        let ran = run(&mut python).await;
        let text = std::fs::read_to_string(&report).unwrap_or_else(|_| panic!("{}", ran.text));
        let report: Value = serde_json::from_str(&text).unwrap();
        let broken = report["errors"].to_string();
        let contracts = report["interactionResults"].as_array().unwrap().iter().map(|result| {
            let description = result["description"].as_str().unwrap();
            let seen = match (result["result"].as_str(), result["pending"].as_bool()) {
                (Some("OK"), _) => Seen::Kept,
                (_, Some(true)) => Seen::Pending,
                _ => Seen::Breaks,
            };
            assert_eq!(broken.contains(&format!("{description}\"")), seen == Seen::Breaks, "{broken}");
            (description.to_owned(), seen)
        });
        // Of the notices its report keeps those of the last contract only; its output has them all.
        Report { contracts: contracts.collect(), failed: ran.code != 0, notices: ran.text }
    }
}

impl Client for Jvm {
    async fn build(&self, server: &Server, build: &Build<'_>) -> Report {
        let mut maven = Command::new("mvn");
        maven
            .current_dir(&self.0)
            .args([
                "-q",
                "-B",
                "-o",
                "test",
                "-Dpact.verifier.publishResults=true",
                "-Dpact_do_not_track=true",
            ])
            .arg(format!("-Dpactbroker.url={}", server.broker_url()))
            .arg(format!("-Dcatalog.port={}", build.provider.port))
            .arg(format!("-Dpact.provider.version={}", build.version))
            .arg("-Dpact.provider.branch=main")
            // Builds of one project would write over one another.
            .arg(format!("-Dreports={}", server.folder().join("reports").display()));
        if build.selects_feat {
            maven.arg("-Dcatalog.select=feat");
        }
        if build.wip {
            maven.arg("-Dcatalog.wip=2020-01-01");
        }
        let ran = run(&mut maven).await;
        let mut contracts = BTreeMap::new();
        // Lines of JUnit name the tests that failed; those of pact-jvm what was verified, each under its heading.
        let broken = |description: &str| ran.text.contains(&format!("and catalog - Upon {description} \n"));
        let mut pending = false;
        let mut lines = ran.text.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("Verifying a pact between ") {
                pending = line.ends_with("[PENDING]");
            }
            if line.trim_start().starts_with("[from Pact Broker ") {
                let description = lines.next().unwrap().trim().to_owned();
                let one = lines.clone().take_while(|l| !l.starts_with("Verifying a pact between "));
                let failed = one.filter(|l| l.contains("(FAILED)")).count() > 0;
                let seen = match (failed, pending) {
                    (false, _) => Seen::Kept,
                    (true, true) => Seen::Pending,
                    (true, false) => Seen::Breaks,
                };
                assert_eq!(broken(&description), seen == Seen::Breaks, "{}", ran.text);
                contracts.insert(description, seen);
            }
        }
        Report { contracts, failed: ran.code != 0, notices: ran.text }
    }
}

/// Runs `tracepact` as the administrator; what it printed must be JSON.
async fn admin(server: &Server, args: &[&str]) -> Value {
    let token = server.folder().join("data/admin-token").display().to_string();
    let ran = server.tracepact(&[args, &["--token-file", &token, "--json"]].concat()).await.ended_with(0);
    serde_json::from_str(&ran.printed).unwrap_or_else(|e| panic!("{e}: {}", ran.text))
}

/// The contract of a consumer, as a file. A second content of the same consumer has another description.
fn contract(server: &Server, consumer: &str, description: &str) -> String {
    let file = server.folder().join(format!("{}.json", description.replace(' ', "-")));
    let text = std::fs::read_to_string(fixture("web-catalog.json")).unwrap();
    let text = text
        .replace("\"web\"", &format!("\"{consumer}\""))
        .replace("an item is read", &format!("the item of {description}"));
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

async fn publish(server: &Server, consumer: &str) -> String {
    let file = contract(server, consumer, consumer);
    let args = ["contract", "publish", &file, "--version", "1", "--branch", "feat"];
    server.tracepact(&args).await.ended_with(0);
    file
}

/// Proposes a file from `feat`; the proposal's id.
async fn propose(server: &Server, file: &str, more: &[&str]) -> String {
    let args = ["contract", "propose", file, "--branch", "feat", "--author", "grace"];
    admin(server, &[&args[..], more].concat()).await["id"].as_str().unwrap().to_owned()
}

async fn state(server: &Server, id: &str) -> String {
    let shown = server.api().get(&format!("/tracepact/v1/proposals/{id}")).await.unwrap();
    shown["state"].as_str().unwrap().to_owned()
}

/// The whole table, as `client` reports it. `python` prepares what was verified before.
async fn the_table_holds_for(client: &impl Client, python: &Python) {
    let server = Server::start().await;
    let (tea, coffee) = (Catalog::start("tea").await, Catalog::start("coffee").await);
    let mut ids = BTreeMap::new();
    publish(&server, "c-none").await;
    for name in ["c-accepted", "c-enforced", "c-rejected", "c-withdrawn", "c-superseded", "c-retired"] {
        let file = publish(&server, name).await;
        ids.insert(name, propose(&server, &file, &[]).await);
    }

    // All were kept once, so by Pact's rules alone a failure of any would break the build from here on.
    let all =
        ["c-accepted", "c-enforced", "c-none", "c-rejected", "c-retired", "c-superseded", "c-withdrawn"];
    let build = Build { provider: &tea, version: "1", selects_feat: true, wip: false };
    python.build(&server, &build).await.shows(&all.map(|name| (name, Seen::Kept)));
    for (name, id) in &ids {
        assert_eq!(state(&server, id).await, "proposed", "a success never accepts: {name}");
    }

    // Retired: its file was merged, and is gone again. The others never were in the repository.
    admin(&server, &["contract", "mode", "catalog", "repository"]).await;
    let merged = server.folder().join("merged");
    std::fs::create_dir(&merged).unwrap();
    let file = merged.join("c-retired.json");
    std::fs::copy(contract(&server, "c-retired", "c-retired"), &file).unwrap();
    let folder = merged.display().to_string();
    admin(&server, &["contract", "sync", &folder, "--provider", "catalog"]).await;
    assert_eq!(state(&server, &ids["c-retired"]).await, "accepted");
    std::fs::remove_file(&file).unwrap();
    admin(&server, &["contract", "sync", &folder, "--provider", "catalog"]).await;
    admin(&server, &["contract", "mode", "catalog", "broker"]).await;

    // Enforced: accepted, and kept by the main branch since. Nothing selects it.
    admin(&server, &["contract", "accept", &ids["c-enforced"], "--who", "ada"]).await;
    let build = Build { provider: &tea, version: "2", selects_feat: false, wip: false };
    python.build(&server, &build).await.shows(&[("c-enforced", Seen::Kept)]);

    admin(&server, &["contract", "accept", &ids["c-accepted"], "--who", "ada"]).await;
    admin(&server, &["contract", "reject", &ids["c-rejected"], "--reason", "no", "--who", "ada"]).await;
    admin(&server, &["contract", "withdraw", &ids["c-withdrawn"]]).await;
    let newer = contract(&server, "c-superseded", "c-superseded, newer");
    propose(&server, &newer, &[]).await;
    let file = publish(&server, "c-proposed").await;
    ids.insert("c-proposed", propose(&server, &file, &[]).await);
    let file = publish(&server, "c-draft").await;
    ids.insert("c-draft", propose(&server, &file, &["--draft"]).await);
    for (name, id) in &ids {
        assert_eq!(format!("c-{}", state(&server, id).await), *name);
    }

    // Without a word about branches: what was accepted is there and breaks the build, the rest is not.
    let build = Build { provider: &coffee, version: "3", selects_feat: false, wip: false };
    let report = client.build(&server, &build).await;
    report
        .shows(&[("c-accepted", Seen::Breaks), ("c-enforced", Seen::Breaks)])
        .tells("catalog (ada) accepted this contract, which c-accepted proposed on branch 'feat'")
        .tells("catalog (ada) accepted this contract, which c-enforced proposed on branch 'feat'");

    // Work in progress: proposals only. A draft is none, nor is what was rejected, withdrawn or superseded.
    let build = Build { version: "4", wip: true, ..build };
    let report = client.build(&server, &build).await;
    report
        .shows(&[
            ("c-accepted", Seen::Breaks),
            ("c-enforced", Seen::Breaks),
            ("c-proposed", Seen::Pending),
            ("c-superseded, newer", Seen::Pending),
        ])
        .tells("work in progress of c-proposed");

    // Selected: all are there. A success changed nothing for what is not accepted.
    let every = ["c-draft", "c-proposed", "c-superseded, newer"];
    let kept = Build { provider: &tea, version: "5", selects_feat: true, wip: false };
    python
        .build(&server, &kept)
        .await
        .shows(&[&all[..], &every].concat().iter().map(|n| (*n, Seen::Kept)).collect::<Vec<_>>());
    assert_eq!(state(&server, &ids["c-proposed"]).await, "proposed");
    assert_eq!(state(&server, &ids["c-draft"]).await, "draft");
    let build = Build { version: "6", selects_feat: true, wip: false, ..build };
    let report = client.build(&server, &build).await;
    report
        .shows(&[
            ("c-none", Seen::Breaks),
            ("c-draft", Seen::Pending),
            ("c-proposed", Seen::Pending),
            ("c-accepted", Seen::Breaks),
            ("c-enforced", Seen::Breaks),
            ("c-rejected", Seen::Pending),
            ("c-withdrawn", Seen::Pending),
            ("c-superseded", Seen::Pending),
            ("c-superseded, newer", Seen::Pending),
            ("c-retired", Seen::Breaks),
        ])
        .tells("c-draft drafts this contract on branch 'feat'")
        .tells("c-proposed proposes this contract on branch 'feat'; catalog has not accepted it")
        .tells("which c-rejected proposed on branch 'feat', is rejected")
        .tells("which c-withdrawn proposed on branch 'feat', is withdrawn")
        .tells("which c-superseded proposed on branch 'feat', is superseded");
    server.stop().await;
}

#[tokio::test]
async fn pact_python_sees_each_state_as_the_table_has_it() {
    let python = Python(Venv::provide("pact-python").await.unwrap());
    the_table_holds_for(&python, &python).await;
}

#[tokio::test]
async fn pact_jvm_sees_each_state_as_the_table_has_it() {
    let python = Python(Venv::provide("pact-python").await.unwrap());
    let jvm = Jvm(projects::pact_jvm("pact-jvm").await.unwrap());
    the_table_holds_for(&jvm, &python).await;
}
