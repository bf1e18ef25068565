//! `tracepact broker user | role | token | audit`, and what a token of a pipeline may do with nobody's help.

use serde_json::Value;
use tokio::process::Command;
use tracepact_tests::binaries::Binaries;
use tracepact_tests::processes::without_settings;

use super::server::{Ran, Server, fixture, run};

/// A command under somebody's token.
async fn as_user(server: &Server, token: &str, args: &[&str]) -> Ran {
    let mut command = Command::new(Binaries::find().unwrap().tracepact);
    without_settings(&mut command);
    command.env("TRACEPACT_BROKER_URL", server.broker_url()).env("TRACEPACT_TOKEN", token);
    run(command.args(args)).await
}

#[tokio::test]
async fn users_rights_tokens_and_the_log_by_the_command_line() {
    let server = Server::start().await;
    let admin = std::fs::read_to_string(server.folder().join("data/admin-token")).unwrap().trim().to_owned();
    let admin_runs = async |args: &[&str]| as_user(&server, &admin, &[&["broker"], args].concat()).await;
    admin_runs(&["user", "list"]).await.ended_with(0).said("there are no users");

    let file = server.folder().join("password");
    std::fs::write(&file, "correct horse battery\n").unwrap();
    let file = file.display().to_string();
    admin_runs(&["user", "create", "web-ci", "--grant", "publish:web"])
        .await
        .ended_with(0)
        .said("publish:web");
    admin_runs(&["user", "create", "web-ci"]).await.ended_with(1).said("exists already");
    admin_runs(&["user", "create", "x", "--grant", "root"])
        .await
        .ended_with(1)
        .said("there is no role `root`");
    admin_runs(&["user", "create", "ada", "--grant", "team:t", "--password-file", &file]).await.ended_with(0);
    admin_runs(&["user", "show", "ada"]).await.ended_with(0).said("team:t").said("a password");
    admin_runs(&["user", "show", "nobody"]).await.ended_with(1).said("there is no user nobody");
    admin_runs(&["user", "password", "ada", "--password-file", "/nowhere"]).await.ended_with(2);

    let made =
        admin_runs(&["token", "create", "web-ci", "--name", "ci", "--expires-in-days", "30", "--json"]).await;
    let made: Value = serde_json::from_str(&made.ended_with(0).printed).unwrap();
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let listed = admin_runs(&["token", "list", "web-ci"]).await.ended_with(0).said(id).said("ends 20");
    assert!(!listed.text.contains(token), "{}", listed.text);

    // The token does what its right says, and the log has it under its user's name.
    let publish = ["contract", "publish", &fixture("web-catalog.json"), "--version", "1", "--branch", "main"];
    as_user(&server, token, &publish).await.ended_with(0);
    let deploy =
        ["record-deployment", "--pacticipant", "web", "--version", "1", "--to", "production", "--create"];
    as_user(&server, token, &deploy).await.ended_with(3).said("403");
    as_user(&server, token, &["broker", "user", "list"]).await.ended_with(3);
    admin_runs(&["audit", "--who", "web-ci"]).await.ended_with(0).said("web-ci  POST /contracts/publish");

    admin_runs(&["broker"]).await.ended_with(2);
    admin_runs(&["create-environment", "--name", "production", "--broker-token", &admin]).await.ended_with(0);
    admin_runs(&["role", "grant", "web-ci", "deploy:prod*", "verify:web"]).await.ended_with(0);
    let deploy = ["record-deployment", "--pacticipant", "web", "--version", "1", "--to", "production"];
    as_user(&server, token, &deploy).await.ended_with(0);
    admin_runs(&["role", "revoke", "web-ci", "deploy:prod*"]).await.ended_with(0);
    admin_runs(&["role", "revoke", "web-ci", "deploy:prod*"]).await.ended_with(1).said("publish:web");
    as_user(&server, token, &deploy).await.ended_with(3).said("deploy:production");
    admin_runs(&["role", "list", "web-ci"]).await.ended_with(0).said("web-ci  verify:web");

    admin_runs(&["token", "revoke", id]).await.ended_with(0);
    admin_runs(&["token", "revoke", id]).await.ended_with(1);
    as_user(&server, token, &publish).await.ended_with(3).said("401");
    admin_runs(&["user", "delete", "web-ci"]).await.ended_with(0);
    admin_runs(&["user", "delete", "web-ci"]).await.ended_with(1);
    let all = admin_runs(&["user", "list", "--json"]).await.ended_with(0);
    let all: Value = serde_json::from_str(&all.text).unwrap();
    assert_eq!(all["users"].as_array().unwrap().len(), 1, "{all}");
    server.stop().await;
}

/// Guarantees: the provider's pipeline, with a right for its own provider and no other, reports a merge and verifies.
#[tokio::test]
async fn the_providers_pipeline_syncs_with_its_own_token() {
    let server = Server::start().await;
    let admin = std::fs::read_to_string(server.folder().join("data/admin-token")).unwrap().trim().to_owned();
    let admin_runs = async |args: &[&str]| as_user(&server, &admin, args).await.ended_with(0);
    admin_runs(&["contract", "mode", "catalog", "repository", "--team", "catalogue"]).await;
    let mut tokens = Vec::new();
    for (name, right) in [("catalog-ci", "verify:catalog"), ("web-ci", "publish:web")] {
        admin_runs(&["broker", "user", "create", name, "--grant", right]).await;
        let made = admin_runs(&["broker", "token", "create", name, "--name", "ci"]).await;
        tokens.push(made.printed.trim().to_owned());
    }
    let file = server.folder().join("contracts/web/catalog.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::copy(fixture("web-catalog.json"), &file).unwrap();
    let folder = server.folder().join("contracts").display().to_string();
    let propose = ["contract", "propose", &file.display().to_string(), "--branch", "feat"];
    as_user(&server, &tokens[1], &propose).await.ended_with(0);
    let sync = ["contract", "sync", &folder, "--provider", "catalog", "--commit", "abc"];
    as_user(&server, &tokens[1], &sync).await.ended_with(3).said("verify:catalog");
    as_user(&server, &tokens[0], &sync).await.ended_with(0).said("accepted: web");
    server.stop().await;
}
