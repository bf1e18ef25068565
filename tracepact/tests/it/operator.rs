//! What an operator does: delete, back up and restore, check, count, export; over HTTP and by command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::server::{BINARY, Server};
use crate::spans::now_us;

async fn send(server: &Server, traces: &[(&str, &str)]) {
    let spans: Vec<String> = traces
        .iter()
        .map(|(trace, user)| {
            format!(
                "{{\"traceId\":\"{trace}\",\"id\":\"1\",\"name\":\"get\",\"kind\":\"SERVER\",\"timestamp\":{},\"duration\":1000,\
                 \"localEndpoint\":{{\"serviceName\":\"orders\"}},\"tags\":{{\"user\":\"{user}\"}}}}",
                now_us()
            )
        })
        .collect();
    let request = server.client.post(format!("{}/api/v2/spans", server.http));
    let request = request.header("content-type", "application/json").body(format!("[{}]", spans.join(",")));
    assert_eq!(request.send().await.unwrap().status().as_u16(), 202);
}

fn token(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("data/admin-token")).unwrap().trim().to_owned()
}

async fn ask(server: &Server, method: &str, path: &str, token: Option<&str>) -> (u16, Value) {
    let mut request = server.client.request(method.parse().unwrap(), format!("{}{path}", server.http));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn status(server: &Server, trace: &str) -> u16 {
    server.get(&format!("/api/v2/trace/{trace}")).await.0
}

/// Runs a command to its end: exit code, standard output, standard error.
async fn run(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(BINARY);
    command.args(args).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRACEPACT_"))
    {
        command.env_remove(name);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn a_deleted_trace_is_gone_for_everybody_and_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path()).await;
    let admin = token(dir.path());
    send(&server, &[("a1", "eve"), ("a2", "bob"), ("a3", "bob"), ("a4", "eve")]).await;
    assert_eq!(ask(&server, "DELETE", "/tracepact/v1/traces/a1", None).await.0, 401);
    assert_eq!(status(&server, "a1").await, 200, "refused, so it is there");
    let (code, answer) = ask(&server, "DELETE", "/tracepact/v1/traces/a1", Some(&admin)).await;
    assert_eq!((code, &answer["traces"][0]), (200, &Value::from("00000000000000a1")), "{answer}");
    assert_eq!(status(&server, "a1").await, 404);
    assert_eq!(server.get("/tracepact/v1/traces/a1").await.0, 404, "by the native API too");
    assert_eq!(
        ask(&server, "DELETE", "/tracepact/v1/traces/a1", Some(&admin)).await.0,
        404,
        "there is none any more"
    );
    assert_eq!(ask(&server, "DELETE", "/tracepact/v1/traces/xyz", Some(&admin)).await.0, 400);

    let by_user = "/tracepact/v1/traces/delete?tag=user%3Dbob&limit=10";
    assert_eq!(ask(&server, "POST", by_user, None).await.0, 401);
    let (code, answer) = ask(&server, "POST", "/tracepact/v1/traces/delete", Some(&admin)).await;
    assert_eq!(code, 400, "everything at once by an empty question: {answer}");
    let (code, answer) = ask(&server, "POST", &format!("{by_user}&dry_run=true"), Some(&admin)).await;
    assert_eq!((code, answer["traces"].as_array().unwrap().len()), (200, 2), "{answer}");
    assert_eq!(status(&server, "a2").await, 200, "only looked");
    let (code, answer) = ask(&server, "POST", by_user, Some(&admin)).await;
    assert_eq!(
        (code, &answer["complete"], &answer["pending_traces"]),
        (200, &Value::Bool(true), &Value::from(3)),
        "{answer}"
    );
    server.signal("KILL");
    server.ended().await;
    let server = Server::start(dir.path()).await;
    for (trace, found) in [("a1", 404), ("a2", 404), ("a3", 404), ("a4", 200)] {
        assert_eq!(status(&server, trace).await, found, "{trace}");
    }
    let (code, answer) = ask(&server, "GET", "/tracepact/v1/store", None).await;
    assert_eq!((code, &answer["pending_traces"]), (200, &Value::from(3)), "{answer}");
}

#[tokio::test]
async fn backed_up_while_it_runs_restored_checked_and_exported() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path()).await;
    let data = dir.path().join("data").display().to_string();
    let token_file = dir.path().join("data/admin-token").display().to_string();
    let url = server.http.clone();
    send(&server, &[("b1", "eve"), ("b2", "bob")]).await;

    let (code, _, said) = run(&["snapshot", "--url", &url]).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("401") && said.contains("--token-file"), "{said}");
    let (code, made, said) = run(&["snapshot", "--url", &url, "--token-file", &token_file, "--json"]).await;
    assert_eq!(code, 0, "{said}");
    let made: Value = serde_json::from_str(&made).unwrap();
    let snapshot = PathBuf::from(made["path"].as_str().unwrap());
    let (code, listed, _) = run(&["snapshot", "--url", &url, "--token-file", &token_file, "--list"]).await;
    assert!(code == 0 && listed.contains(made["path"].as_str().unwrap()), "{listed}");

    let delete = ["store", "delete", "--url", &url, "--token-file", &token_file];
    let (code, deleted, said) = run(&[&delete[..], &["--tag", "user=eve"]].concat()).await;
    assert!(code == 0 && deleted.contains("1 traces deleted"), "{deleted}{said}");
    assert_eq!(status(&server, "b1").await, 404);
    let (code, _, _) = run(&[&delete[..], &["--trace-id", "b1"]].concat()).await;
    assert_eq!(code, 1, "nothing was found");
    let (code, counted, _) = run(&["store", "stats", "--url", &url]).await;
    assert!(code == 0 && counted.contains("pending: 1 deleted traces"), "{counted}");

    let (code, _, said) = run(&["store", "check", "--data-dir", &data]).await;
    assert!(code == 3 && said.contains("in use by another tracepact"), "{code} {said}");
    server.signal("TERM");
    server.ended().await;
    let (code, report, said) = run(&["store", "check", "--data-dir", &data]).await;
    assert!(code == 0 && report.contains("sound"), "{report}{said}");
    let (code, counted, said) = run(&["store", "stats", "--data-dir", &data, "--json"]).await;
    let counted: Value = serde_json::from_str(&counted).unwrap();
    assert_eq!((code, &counted["pending_traces"]), (0, &Value::from(1)), "{said}");
    let (code, _, said) = run(&["snapshot", "--url", &url]).await;
    assert!(code == 3 && said.contains("is a server running there"), "{said}");

    // Restoring: data and log of the snapshot, in a directory of their own.
    let other = tempfile::tempdir().unwrap();
    std::fs::create_dir(other.path().join("data")).unwrap();
    for part in ["data", "log"].iter().map(|part| snapshot.join(part)).filter(|part| part.is_dir()) {
        assert!(
            Command::new("cp").arg("-r").arg(part).arg(other.path().join("data")).status().unwrap().success()
        );
    }
    let restored = Server::start(other.path()).await;
    for trace in ["b1", "b2"] {
        assert_eq!(status(&restored, trace).await, 200, "{trace}: the backup is older than the deletion");
    }
    drop(restored);

    let jsonl = dir.path().join("spans.jsonl").display().to_string();
    let (code, written, said) =
        run(&["store", "export", "--data-dir", &data, "--format", "otlp-json", "--out", &jsonl]).await;
    assert!(code == 0 && written.contains("1 rows"), "{written}{said}");
    let lines = std::fs::read_to_string(&jsonl).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let span = &first["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["traceId"], "000000000000000000000000000000b2", "{first}");
    let parquet = dir.path().join("spans.parquet").display().to_string();
    let export = ["store", "export", "--data-dir", &data, "--format", "parquet", "--out", &parquet];
    assert_eq!(run(&export).await.0, 0);
    assert_eq!(std::fs::read(&parquet).unwrap()[..4], *b"PAR1");
    let (code, _, said) = run(&export).await;
    assert!(code == 2 && said.contains("exists"), "a file that is there is not overwritten: {said}");

    // A flipped byte is named, with what is lost.
    let block = block_file(&snapshot.join("data"), "spans.parquet");
    let mut bytes = std::fs::read(&block).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&block, bytes).unwrap();
    let at = snapshot.display().to_string();
    let (code, report, _) = run(&["store", "check", "--data-dir", &at]).await;
    assert!(code == 1 && report.contains("spans.parquet") && report.contains("lost: "), "{report}");
    let closed = dir.path().join("closed").display().to_string();
    let (code, _, said) = run(&["snapshot", "--data-dir", &data, "--to", &closed]).await;
    assert!(code <= 1, "{said}");
    assert_eq!(run(&["store", "check", "--data-dir", &closed]).await.0, code, "as sound as it says");
}

fn block_file(dir: &Path, name: &str) -> PathBuf {
    let mut left = vec![dir.to_path_buf()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.ends_with(name) {
            return path;
        }
    }
    panic!("no {name} below {}", dir.display());
}
