//! The stories of `docs/stories.md`, run as they stand there, each on an empty broker.

use std::time::Duration;

use tokio::process::Command;
use tracepact_tests::binaries::Binaries;
use tracepact_tests::processes::without_settings;

use super::server::{Ran, Server, run};

const PAGE: &str = include_str!("../../../docs/stories.md");
/// Longest time that a story may take.
const LONGEST: Duration = Duration::from_secs(180);
/// Stands between the output of two scripts.
const NEXT: &str = "=== the next script ===";

/// A script of a story, and what the page says that it prints.
struct Step {
    script: String,
    prints: Vec<String>,
}

/// The scripts under a heading. A block of text belongs to the script before it.
fn steps(heading: &str) -> Vec<Step> {
    let section = PAGE.split("\n## ").find(|s| s.starts_with(heading)).expect("the page has this story");
    let mut steps: Vec<Step> = Vec::new();
    for (i, block) in section.split("```").enumerate() {
        // Between an opening and a closing fence stands every second piece.
        if i % 2 == 0 {
            continue;
        }
        let (kind, text) = block.split_once('\n').unwrap();
        match kind {
            "sh" => steps.push(Step { script: text.to_owned(), prints: Vec::new() }),
            "text" => steps.last_mut().unwrap().prints.extend(text.lines().map(str::to_owned)),
            other => panic!("a block of {other:?} is neither a script nor what it prints"),
        }
    }
    steps
}

/// All scripts of the story in one shell, as somebody would paste them; what was deployed, in order.
async fn told(heading: &str) -> Vec<String> {
    let steps = steps(heading);
    assert!(steps.iter().any(|s| s.script.contains("deploy-gate")), "the story deploys");
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let script: String =
        steps.iter().map(|s| format!("{}\necho '{NEXT}'\n", s.script)).collect::<Vec<_>>().concat();
    let ran = in_shell(&server, folder.path(), &script).await.ended_with(0);
    let parts: Vec<&str> = ran.text.split(NEXT).collect();
    assert_eq!(parts.len(), steps.len() + 1, "{}", ran.text);
    for (step, printed) in steps.iter().zip(parts) {
        for line in &step.prints {
            assert!(
                printed.contains(line.as_str()),
                "{line:?} is not printed by\n{}but\n{printed}",
                step.script
            );
        }
    }
    server.stop().await;
    let deploys = std::fs::read_to_string(folder.path().join("deploys")).unwrap();
    deploys.lines().map(str::to_owned).collect()
}

async fn in_shell(server: &Server, folder: &std::path::Path, script: &str) -> Ran {
    let programs = Binaries::find().unwrap().tracepact.parent().unwrap().display().to_string();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new("sh");
    without_settings(&mut command);
    command
        // Standard error goes where standard output goes, so that the order of both is kept.
        .args(["-e", "-c", &format!("exec 2>&1\n{script}")])
        .current_dir(folder)
        .env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()))
        .env("TRACEPACT_BROKER_URL", server.broker_url())
        .env("TRACEPACT_TOKEN_FILE", server.folder().join("data/admin-token"))
        .env("PROVIDER_PORT", free.to_string())
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "ada").env(format!("GIT_{who}_EMAIL"), "ada@example.com");
    }
    // A story that waits for something that never comes is a failed one.
    tokio::time::timeout(LONGEST, run(&mut command)).await.expect("the story comes to an end")
}

#[tokio::test]
async fn a_path_is_renamed() {
    assert_eq!(told("A path is renamed").await, ["catalog 2", "web 1", "catalog 4", "web 2"]);
}

#[tokio::test]
async fn a_field_of_a_message_is_dropped() {
    assert_eq!(
        told("A field of a message is dropped").await,
        ["orders 1", "billing 1", "billing 2", "orders 3"]
    );
}
