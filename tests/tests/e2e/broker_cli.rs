//! `tracepact broker` beside the Pact project's own command line: the same commands end alike.

use tokio::process::Command;
use tracepact_tests::binaries::Binaries;
use tracepact_tests::processes::without_settings;
use tracepact_tests::python::Venv;

use super::server::{Ran, Server, fixture, run};

/// One after the other against one broker; what both must end with.
fn story() -> Vec<(i32, Vec<String>)> {
    let (pact, changed) = (fixture("web-catalog.json"), fixture("web-catalog-changed.json"));
    let steps: [(i32, String); 30] = [
        (0, "create-environment --name production --production".into()),
        (1, "create-environment --name production --production".into()),
        (0, "list-environments".into()),
        (0, format!("publish {pact} -a 1 --branch main")),
        (0, format!("publish {pact} -a 1 --branch main --tag dev")),
        (1, format!("publish {changed} -a 1 --branch main")),
        (0, "list-latest-pact-versions".into()),
        (1, "can-i-deploy -a web -e 1 --to-environment production".into()),
        (1, "can-i-deploy -a web -e nope --to-environment production".into()),
        (1, "can-i-deploy -a web -e 1 --to-environment nowhere".into()),
        (0, "can-i-deploy -a web -e 1 --to-environment production --dry-run".into()),
        (0, "can-i-deploy -a web -e 1 --to-environment production --ignore catalog".into()),
        (1, "can-i-deploy -a web --latest".into()),
        (1, "can-i-merge -a web -e 1".into()),
        (0, "create-or-update-pacticipant --name catalog --main-branch main".into()),
        (0, "create-or-update-pacticipant --name catalog --display-name Catalog".into()),
        (0, "describe-pacticipant --name catalog".into()),
        (0, "list-pacticipants".into()),
        (0, "create-or-update-version -a catalog -e 9 --branch main".into()),
        (0, "create-version-tag -a catalog -e 9 -t blue".into()),
        (0, "describe-version -a catalog -e 9".into()),
        (0, "record-deployment -a catalog -e 9 --environment production".into()),
        (1, "record-deployment -a catalog -e nope --environment production".into()),
        (1, "record-deployment -a catalog -e 9 --environment nowhere".into()),
        (0, "record-undeployment -a catalog --environment production".into()),
        (0, "record-release -a catalog -e 9 --environment production".into()),
        (0, "record-support-ended -a catalog -e 9 --environment production".into()),
        (0, "get-pacts --provider catalog".into()),
        (0, "delete-version-tag -a catalog -e 9 -t blue".into()),
        (0, "delete-branch -a catalog --branch main".into()),
    ];
    let words = |line: &str| line.split(' ').map(str::to_owned).collect();
    steps.iter().map(|(code, line)| (*code, words(line))).collect()
}

fn ours(server: &Server) -> Command {
    let mut command = Command::new(&Binaries::find().unwrap().tracepact);
    without_settings(&mut command);
    command
        .arg("broker")
        .env("PACT_BROKER_BASE_URL", server.broker_url())
        .env("PACT_BROKER_HTTP_RETRIES", "0");
    command
}

/// Guarantees: a pipeline written for the original needs another program name and nothing else.
#[tokio::test]
async fn both_command_lines_end_alike() {
    let venv = Venv::provide("pact").await.unwrap();
    let (for_us, for_them) = (Server::start().await, Server::start().await);
    for (code, args) in story() {
        let mine = run(ours(&for_us).args(&args)).await;
        let mut pact = venv.command("pact");
        let theirs = run(pact.arg("broker").args(&args).args(["-b", &for_them.broker_url()])).await;
        assert_eq!(
            (mine.code, theirs.code),
            (code, code),
            "{args:?}\nours:\n{}\ntheirs:\n{}",
            mine.text,
            theirs.text
        );
    }
    for_us.stop().await;
    for_them.stop().await;
}

/// The original ends with 0 on a *no* that is printed as JSON; a pipeline that reads the exit code would deploy.
#[tokio::test]
async fn a_no_is_a_no_as_json_too() {
    let server = Server::start().await;
    let ask = async |args: &[&str]| -> Ran { run(ours(&server).args(args)).await };
    ask(&["create-environment", "--name", "production"]).await.ended_with(0);
    ask(&["publish", &fixture("web-catalog.json"), "-a", "1", "--branch", "main"]).await.ended_with(0);
    let deploy = ["can-i-deploy", "-a", "web", "-e", "1", "--to-environment", "production"];
    ask(&[&deploy[..], &["-o", "json"]].concat()).await.ended_with(1).said("\"deployable\":null");
    // What stands in the way is said in the same words as everywhere.
    ask(&deploy).await.ended_with(1).said("web 1 needs catalog, of which no version is there.");
    // Results that do not come: asked again as often as wanted, then the answer stands.
    let again = ["--retry-while-unknown", "2", "--retry-interval", "0"];
    ask(&[&deploy[..], &again].concat()).await.ended_with(1).said("1 result(s) are missing");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut closed = ours(&server);
    run(closed.args(deploy).args(["-b", &format!("http://{nobody}")])).await.ended_with(1);
    ask(&["can-i-deploy"]).await.ended_with(2);
    ask(&["generate-uuid"]).await.ended_with(0);
    server.stop().await;
}
