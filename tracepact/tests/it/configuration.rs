//! Refusals at start name what is wrong and what would be right.

use std::process::Command;

use crate::server::{BINARY, Server, fails, serve};

#[tokio::test]
async fn wrong_configurations_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (text, wanted) in [
        ("http_adr = \"127.0.0.1:1\"", "did you mean `http_addr`?"),
        ("[kafka]\nbootstrap_servers = \"x:1\"", "did you mean `kafka.bootstrap`?"),
        ("[query]\ntimeout_ms = \"long\"", "timeout_ms"),
        ("[query", "not valid TOML"),
        ("access.open = [\"admin\"]", "admin always needs a token"),
    ] {
        let file = dir.path().join("tracepact.toml");
        std::fs::write(&file, text).unwrap();
        let mut command = serve(dir.path(), "127.0.0.1");
        command.arg("--config").arg(&file);
        let (code, stderr) = fails(command).await;
        assert_eq!(code, 2, "{text}: {stderr}");
        assert!(stderr.contains(wanted), "{text}: {stderr}");
        assert!(stderr.matches("TOML parse error").count() <= 1, "said twice: {stderr}");
    }
    assert!(!dir.path().join("data").exists(), "a refused start leaves nothing behind");
}

#[tokio::test]
async fn wrong_environment_and_flags_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = serve(dir.path(), "127.0.0.1");
    command.env("TRACEPACT_DATADIR", "x");
    let (code, stderr) = fails(command).await;
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean `TRACEPACT_DATA_DIR`?"), "{stderr}");
    let mut command = serve(dir.path(), "127.0.0.1");
    command.args(["--only", "colector"]);
    assert_eq!(fails(command).await.0, 2);
    let mut command = serve(dir.path(), "127.0.0.1");
    command.arg("--no-such-flag");
    assert_eq!(fails(command).await.0, 2);
}

#[tokio::test]
async fn a_busy_port_and_a_used_or_impossible_directory_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let other = tempfile::tempdir().unwrap();
    let mut busy = Command::new(BINARY);
    busy.args(["serve", "--http-addr", server.http.trim_start_matches("http://"), "--data-dir"]);
    busy.arg(other.path()).stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
    let (code, stderr) = fails(busy).await;
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("--http-addr"), "{stderr}");

    let (code, stderr) = fails(serve(dir.path(), "127.0.0.1")).await;
    assert_eq!(code, 5, "{stderr}");
    assert!(stderr.contains(&server.child.id().to_string()) && stderr.contains("--data-dir"), "{stderr}");

    let file = other.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let (code, stderr) = fails(serve(&file, "127.0.0.1")).await;
    assert_eq!(code, 5, "{stderr}");
    assert!(stderr.contains("--data-dir"), "{stderr}");
}

#[tokio::test]
async fn what_holds_can_be_shown_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tracepact.toml");
    std::fs::write(&file, "[[access.tokens]]\ntoken = \"a-very-secret-token\"\nscopes = [\"read\"]").unwrap();
    let shown = Command::new(BINARY).args(["config", "show", "--config"]).arg(&file).output().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success());
    assert!(text.contains("token = \"***\"") && !text.contains("a-very-secret"), "{text}");
    assert!(text.contains("http_addr = \"127.0.0.1:9411\""));
}
