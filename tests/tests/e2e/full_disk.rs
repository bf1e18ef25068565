//! A disk that is full under the broker's database: what is refused, what still answers, what is there afterwards.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use tracepact_tests::binaries::Binaries;
use tracepact_tests::{Api, Processes};

use super::server::arguments;

/// Largest file that the server may write, in blocks of 512 bytes: 6 MiB.
const FILE_BLOCKS_MAX: u32 = 12_288;
/// Far more than fits.
const VERSIONS_MAX: usize = 100;

fn pact(version: usize) -> Value {
    let body = json!({ "version": version, "text": "x".repeat(200_000) });
    json!({
        "consumer": { "name": "web" }, "provider": { "name": "catalog" },
        "interactions": [{ "description": "x", "request": { "method": "GET", "path": "/" },
                           "response": { "status": 200, "body": body } }],
    })
}

fn at(version: usize) -> String {
    format!("/pacts/provider/catalog/consumer/web/version/{version}")
}

/// Guarantees: an answer that is 2xx is kept, one that is not has left nothing, and reading goes on.
#[tokio::test]
async fn what_was_acknowledged_is_there_and_what_was_refused_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let binaries = Binaries::find().unwrap();
    let limited = folder.path().join("limited");
    // A write beyond the limit fails, as it does on a full disk, instead of ending the process.
    let script = format!(
        "#!/bin/sh\ntrap '' XFSZ\nulimit -f {FILE_BLOCKS_MAX}\nexec '{}' \"$@\"\n",
        binaries.tracepact.display()
    );
    std::fs::write(&limited, script).unwrap();
    std::fs::set_permissions(&limited, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut processes = Processes::new(folder.path()).unwrap();
    let args = arguments(&folder.path().join("data"));
    let address = processes.start("tracepact", &limited, &args).await.unwrap().address("broker").unwrap();
    let api = Api::new(&address).unwrap();
    let mut kept = Vec::new();
    let mut refused = None;
    for version in 0..VERSIONS_MAX {
        let answer = api.send("PUT", &at(version), Some(&pact(version))).await.unwrap();
        match answer.status {
            201 => kept.push(version),
            _ => {
                refused = Some((version, answer));
                break;
            }
        }
    }
    let (missing, answer) = refused.expect("the disk is full before that");
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.header("retry-after").is_some());
    assert!(answer.json().unwrap()["error"].as_str().unwrap().contains("full"), "{}", answer.text);
    assert!(!kept.is_empty());
    api.get(&at(kept[0])).await.unwrap();
    processes.stop("tracepact").await.unwrap();

    let address =
        processes.start("tracepact", &binaries.tracepact, &args).await.unwrap().address("broker").unwrap();
    let api = Api::new(&address).unwrap();
    for version in &kept {
        let shown = api.get(&at(*version)).await.unwrap();
        assert_eq!(shown["interactions"][0]["response"]["body"]["version"], *version);
    }
    assert_eq!(api.send("GET", &at(missing), None).await.unwrap().status, 404);
    assert_eq!(api.send("PUT", &at(missing), Some(&pact(missing))).await.unwrap().status, 201);
    processes.stop_all(&[]).await;
}
