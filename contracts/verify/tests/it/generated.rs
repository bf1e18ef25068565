//! Generated Rust tests, compiled by the compiler and run against a provider, from a contract full of hostile text.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tracepact_contract_model::ContractFile;
use tracepact_verify::generate::{Language, generate};

use super::support::serve;

/// A contract whose every text breaks out of careless generators.
fn hostile() -> ContractFile {
    let interactions: Vec<_> = ["\"; panic!(); //", "*/ }\n\r\u{2028} /*", "\\u0022\\\"#", "../../etc/passwd", "${x} {} é😀\u{202e}"]
        .iter()
        .map(|text| {
            json!({
                "type": "Synchronous/HTTP", "description": text,
                "request": { "method": "GET", "path": "/echo", "query": { "text": [text.replace(['\n', '\r'], " ")] } },
                "response": { "status": 200, "headers": { "Content-Type": ["application/json"] },
                    "body": { "content": { "text": text.replace(['\n', '\r'], " ") }, "contentType": "application/json", "encoded": false } },
            })
        })
        .collect();
    let pact = json!({
        "consumer": { "name": "\"*/ ../x" }, "provider": { "name": "\\u0022; {}" }, "interactions": interactions,
        "metadata": { "pactSpecification": { "version": "4.0" } },
    });
    ContractFile::from_json(pact.to_string().as_bytes()).unwrap()
}

/// The compiled libraries of a crate beside this test's own binary, the newest first.
fn libraries(deps: &Path, name: &str) -> Vec<PathBuf> {
    let prefix = format!("lib{name}-");
    let mut found: Vec<(std::time::SystemTime, PathBuf)> = std::fs::read_dir(deps)
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let file = entry.file_name().into_string().ok()?;
            let fits = file.starts_with(&prefix) && file.ends_with(".rlib");
            fits.then(|| (entry.metadata().unwrap().modified().unwrap(), entry.path()))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Whether `library` was built against `dependency`: a library names the files it depends on by their hash.
fn built_against(library: &[u8], dependency: &Path) -> bool {
    let stem = dependency.file_stem().unwrap().to_str().unwrap();
    let hash = &stem.as_bytes()[stem.rfind('-').unwrap()..];
    library.windows(hash.len()).any(|window| window == hash)
}

/// Compiles `source` as a test binary. Several builds of a library may lie there: the verifier is taken with the runtime
/// it was built against, as cargo would, for with another one it compiles too and finds no reactor.
fn compile(source: &Path, binary: &Path) {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let mut last = String::from("no build of pact_verifier and tokio was found");
    for verifier in libraries(&deps, "pact_verifier") {
        let library = std::fs::read(&verifier).unwrap();
        for tokio in libraries(&deps, "tokio").into_iter().filter(|tokio| built_against(&library, tokio)) {
            let out = Command::new("rustc")
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .args(["--edition", "2024", "--test", "-D", "warnings", "-o"])
                .arg(binary)
                .arg("-L")
                .arg(format!("dependency={}", deps.display()))
                .arg("--extern")
                .arg(format!("pact_verifier={}", verifier.display()))
                .arg("--extern")
                .arg(format!("tokio={}", tokio.display()))
                .arg(source)
                .output()
                .unwrap();
            if out.status.success() {
                return;
            }
            last = String::from_utf8_lossy(&out.stderr).into_owned();
        }
    }
    panic!("the generated tests do not compile:\n{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_contracts_become_tests_that_compile_and_tell_a_good_provider_from_a_bad_one() {
    let dir = tempfile::tempdir().unwrap();
    let generated = generate(&hostile(), Language::Rust).unwrap().remove(0);
    assert_eq!(generated.path, Path::new("tests/contract_x.rs"));
    let (source, binary) = (dir.path().join("generated.rs"), dir.path().join("generated"));
    std::fs::write(&source, &generated.content).unwrap();
    compile(&source, &binary);
    let run = async |echo: fn(String) -> String| {
        let answer = move |axum::extract::Query(query): axum::extract::Query<
            std::collections::BTreeMap<String, String>,
        >| async move { axum::Json(json!({ "text": echo(query["text"].clone()) })) };
        let url = serve(axum::Router::new().route("/echo", axum::routing::get(answer))).await;
        let binary = binary.clone();
        let out = tokio::task::spawn_blocking(move || {
            Command::new(binary).env("PROVIDER_URL", url).env("PACT_DO_NOT_TRACK", "true").output().unwrap()
        });
        let out = out.await.unwrap();
        (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let (ok, text) = run(|text| text).await;
    assert!(ok && text.contains("5 passed"), "{text}");
    let (ok, text) = run(|_| "another".into()).await;
    assert!(!ok && text.contains("5 failed"), "{text}");
}
