//! The scripts of `docs/pipelines.md`, run as they stand there.

use std::path::Path;

use tokio::process::Command;
use tracepact_tests::binaries::Binaries;
use tracepact_tests::processes::without_settings;

use super::provider::Catalog;
use super::server::{Ran, Server, fixture, run};

const PAGE: &str = include_str!("../../../docs/pipelines.md");

/// The scripts of the code block whose first line is `title`, in order: `run:` steps, or the entries under `script:`.
fn scripts(title: &str) -> Vec<String> {
    let block = PAGE.split("```yaml\n").find(|b| b.starts_with(title)).expect("the page has this example");
    let lines: Vec<&str> = block.split("```").next().unwrap().lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    let mut script_at = None;
    let mut i = 0;
    while i < lines.len() {
        let (line, text) = (lines[i], lines[i].trim());
        i += 1;
        if script_at.is_some_and(|at| indent(line) <= at) {
            script_at = None;
        }
        if text == "script:" {
            script_at = Some(indent(line));
            continue;
        }
        let Some(step) =
            text.strip_prefix("- run: ").or_else(|| text.strip_prefix("- ").filter(|_| script_at.is_some()))
        else {
            continue;
        };
        if step != "|" {
            found.push(step.to_owned());
            continue;
        }
        let mut body = String::new();
        while i < lines.len() && indent(lines[i]) > indent(line) {
            body.push_str(lines[i].trim_start());
            body.push('\n');
            i += 1;
        }
        found.push(body);
    }
    found
}

/// A build in a folder of its own.
struct Build<'a> {
    server: &'a Server,
    folder: tempfile::TempDir,
    commit: &'static str,
    provider_url: String,
}

impl<'a> Build<'a> {
    fn new(server: &'a Server, commit: &'static str, provider: &Catalog) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pact = fixture("web-catalog.json");
        // What the page leaves to the reader: tests that write a pact, a provider that runs, a deploy that leaves a trace.
        let makefile = format!(
            "test:\n\tmkdir -p pacts && cp '{pact}' pacts/\nstart:\n\ttrue\ndeploy:\n\techo deployed > deployed\n"
        );
        std::fs::write(folder.path().join("Makefile"), makefile).unwrap();
        Self { server, folder, commit, provider_url: format!("http://127.0.0.1:{}", provider.port) }
    }

    async fn run(&self, script: &str) -> Ran {
        let binaries = Binaries::find().unwrap();
        let programs = binaries.tracepact.parent().unwrap().display().to_string();
        let mut command = Command::new("sh");
        without_settings(&mut command);
        command
            .args(["-e", "-c", script])
            .current_dir(self.folder.path())
            .env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()))
            .env("TRACEPACT_BROKER_URL", self.server.broker_url())
            .env("PROVIDER_URL", &self.provider_url);
        for name in ["GITHUB_SHA", "CI_COMMIT_SHA"] {
            command.env(name, self.commit);
        }
        for name in ["GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"] {
            command.env(name, "main");
        }
        run(&mut command).await
    }

    fn file(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(Path::new(self.folder.path()).join(name)).ok()
    }
}

async fn both_pipelines(consumer: &str, provider: &str) {
    let server = Server::start().await;
    let catalog = Catalog::start("tea").await;
    let web = Build::new(&server, "c0ffee1", &catalog);
    let setup = PAGE.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    web.run(setup).await.ended_with(0);

    let steps = scripts(consumer);
    let (deploy, before) = steps.split_last().unwrap();
    assert!(deploy.contains("deploy-gate") && before.len() == 2, "{steps:?}");
    for step in before {
        web.run(step).await.ended_with(0);
    }
    // The provider first: nobody there needs it yet.
    let good = Build::new(&server, "9a1", &catalog);
    for step in scripts(provider) {
        good.run(&step).await.ended_with(0);
    }
    assert!(good.file("deployed").is_some());
    assert!(good.file("verification.xml").unwrap().contains("failures=\"0\""));
    web.run(deploy).await.ended_with(0).said("is recorded as deployed to production");
    assert!(web.file("deployed").is_some());

    // A provider that breaks what runs there: its verification fails the build, and the gate stays closed.
    let bad = Build::new(&server, "9a2", &Catalog::start("coffee").await);
    let steps = scripts(provider);
    let verify = steps.iter().find(|s| s.contains("tracepact verify")).unwrap();
    bad.run(verify).await.ended_with(1);
    assert!(bad.file("verification.xml").unwrap().contains("<failure"));
    bad.run(steps.last().unwrap()).await.ended_with(1).said("does not keep the contract of web c0ffee1");
    assert!(bad.file("deployed").is_none());
    server.stop().await;
}

#[tokio::test]
async fn github_actions() {
    both_pipelines("# .github/workflows/web.yml", "# .github/workflows/catalog.yml").await;
}

#[tokio::test]
async fn gitlab_ci() {
    both_pipelines("# .gitlab-ci.yml of the consumer", "# .gitlab-ci.yml of the provider").await;
}
