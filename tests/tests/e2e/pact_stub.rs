//! `pact-stub-server` as its makers publish it (it is `pact stub` of their command line), fed by the broker.

use std::time::Duration;

use serde_json::Value;
use tracepact_tests::python::Venv;
use tracepact_tests::until_ok;

use super::server::{Server, fixture};

/// Guarantees: the stub finds every contract through the broker's index, filters them, and serves what they say. It asks
/// for all of them and filters afterwards, so a second pair is there as well.
#[tokio::test]
async fn the_stub_server_serves_what_the_broker_holds() {
    let venv = Venv::provide("pact").await.unwrap();
    let server = Server::start().await;
    let publish = async |file: &str, version: &str| {
        let args = ["contract", "publish", file, "--version", version, "--branch", "main"];
        server.tracepact(&args).await.ended_with(0);
    };
    publish(&fixture("web-catalog.json"), "1").await;
    // The latest counts, and a name with a slash is a name.
    publish(&fixture("web-catalog-changed.json"), "2").await;
    let other = server.folder().join("other.json");
    let text = std::fs::read_to_string(fixture("web-catalog.json")).unwrap();
    std::fs::write(&other, text.replace("\"web\"", "\"shop/tills\"").replace("/item/1", "/till/1")).unwrap();
    publish(&other.display().to_string(), "1").await;

    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let serve = |consumer: &str| {
        let mut stub = venv.command("pact");
        stub.args(["stub", "--broker-url", &server.broker_url(), "--port", &port.to_string()])
            .args(["--consumer-name", consumer, "--provider-name", "catalog"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        stub.spawn().unwrap()
    };
    let get = async |path: &str| reqwest::get(format!("http://127.0.0.1:{port}{path}")).await;

    let mut stub = serve("web");
    let item = until_ok(Duration::from_secs(30), "the stub", async || Ok(Some(get("/item/1").await?)))
        .await
        .unwrap();
    assert_eq!(item.status(), 200);
    assert_eq!(item.json::<Value>().await.unwrap()["name"], "coffee");
    assert_eq!(get("/till/1").await.unwrap().status(), 404, "that is another consumer's contract");
    stub.kill().await.unwrap();

    let mut stub = serve("shop/tills");
    let till = until_ok(Duration::from_secs(30), "the stub", async || Ok(Some(get("/till/1").await?)))
        .await
        .unwrap();
    assert_eq!(till.json::<Value>().await.unwrap()["name"], "tea");
    stub.kill().await.unwrap();
    server.stop().await;
}
