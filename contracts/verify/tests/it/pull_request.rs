//! A pull request at a server that speaks the part of GitHub's REST API that is used, with GitHub's rules about it: a
//! branch is made from a commit, a file is changed with its blob's SHA only, one open pull request for each branch.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tracepact_base::Secret;
use tracepact_verify::Error;
use tracepact_verify::github::{PullRequest, Repository};

use super::support::{crypto, serve};

#[derive(Default)]
struct Hub {
    branches: BTreeMap<String, BTreeMap<String, String>>,
    pulls: Vec<Value>,
}

type Shared = Arc<Mutex<Hub>>;
type Answer = (StatusCode, Json<Value>);

fn answer(status: u16, body: Value) -> Answer {
    (StatusCode::from_u16(status).unwrap(), Json(body))
}

fn allowed(headers: &HeaderMap) -> bool {
    headers.get("authorization").is_some_and(|v| v == "Bearer good") && headers.contains_key("user-agent")
}

fn sha(text: &str) -> String {
    format!("{:040x}", text.len())
}

async fn repository(headers: HeaderMap) -> Answer {
    if allowed(&headers) {
        answer(200, json!({ "default_branch": "trunk" }))
    } else {
        answer(401, json!({ "message": "Bad credentials" }))
    }
}

async fn reference(State(hub): State<Shared>, Path(branch): Path<String>) -> Answer {
    match hub.lock().branches.contains_key(&branch) {
        true => answer(200, json!({ "object": { "sha": sha(&branch) } })),
        false => answer(404, json!({ "message": "Not Found" })),
    }
}

async fn new_reference(State(hub): State<Shared>, Json(body): Json<Value>) -> Answer {
    let branch = body["ref"].as_str().unwrap().strip_prefix("refs/heads/").unwrap().to_owned();
    if body["sha"] != sha("trunk") {
        return answer(422, json!({ "message": "Object does not exist" }));
    }
    let mut hub = hub.lock();
    let files = hub.branches["trunk"].clone();
    hub.branches.insert(branch, files);
    answer(201, json!({}))
}

async fn file(
    State(hub): State<Shared>,
    Path(path): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Answer {
    match hub.lock().branches.get(&query["ref"]).and_then(|files| files.get(&path)) {
        Some(content) => answer(200, json!({ "sha": sha(content), "content": format!("{content}\n") })),
        None => answer(404, json!({ "message": "Not Found" })),
    }
}

async fn put_file(State(hub): State<Shared>, Path(path): Path<String>, Json(body): Json<Value>) -> Answer {
    let mut hub = hub.lock();
    let files = hub.branches.get_mut(body["branch"].as_str().unwrap()).unwrap();
    let known = files.get(&path).map(|content| sha(content));
    if known.as_deref() != body["sha"].as_str() {
        return answer(409, json!({ "message": "is at another SHA" }));
    }
    files.insert(path, body["content"].as_str().unwrap().to_owned());
    answer(201, json!({}))
}

async fn pulls(State(hub): State<Shared>, Query(query): Query<BTreeMap<String, String>>) -> Answer {
    let branch = query["head"].split_once(':').unwrap().1.to_owned();
    let list: Vec<Value> =
        hub.lock().pulls.iter().filter(|p| p["head"] == branch.as_str()).cloned().collect();
    answer(200, json!(list))
}

async fn new_pull(State(hub): State<Shared>, Json(mut body): Json<Value>) -> Answer {
    let mut hub = hub.lock();
    body["html_url"] =
        format!("https://github.example.org/acme/products/pull/{}", hub.pulls.len() + 1).into();
    hub.pulls.push(body.clone());
    answer(201, body)
}

async fn comment(State(hub): State<Shared>, Path(number): Path<usize>, Json(body): Json<Value>) -> Answer {
    match hub.lock().pulls.get_mut(number - 1) {
        Some(pull) => pull["comment"] = body["body"].clone(),
        None => return answer(404, json!({ "message": "Not Found" })),
    }
    answer(201, json!({}))
}

async fn start() -> (Shared, Repository) {
    crypto();
    let hub = Shared::default();
    hub.lock().branches.insert("trunk".into(), BTreeMap::new());
    let router = Router::new()
        .route("/repos/acme/products", get(repository))
        .route("/repos/acme/products/git/ref/heads/{*branch}", get(reference))
        .route("/repos/acme/products/git/refs", post(new_reference))
        .route("/repos/acme/products/contents/{*path}", get(file).put(put_file))
        .route("/repos/acme/products/pulls", get(pulls).post(new_pull))
        .route("/repos/acme/products/issues/{number}/comments", post(comment))
        .with_state(hub.clone());
    let api = serve(router).await;
    (hub, Repository { owner: "acme".into(), name: "products".into(), api })
}

#[tokio::test]
async fn a_branch_a_file_and_a_pull_request_and_the_same_again() {
    let (hub, repository) = start().await;
    let token = Secret::new("good");
    let request = |content: &str| PullRequest {
        branch: "contract/orders/feat".into(),
        path: "contracts/orders/products.yaml".into(),
        content: content.into(),
        title: "orders needs the price".into(),
        body: "…".into(),
    };
    let url = repository.open(&token, &request("a: 1\n")).await.unwrap();
    assert!(url.ends_with("/pull/1"), "{url}");
    {
        let hub = hub.lock();
        assert_eq!(hub.pulls[0]["base"], "trunk");
        assert!(hub.branches["contract/orders/feat"].contains_key("contracts/orders/products.yaml"));
        assert!(hub.branches["trunk"].is_empty(), "nothing goes to the main branch by itself");
    }
    // New content on the same branch: the same pull request, another commit. The same content: nothing at all.
    assert_eq!(repository.open(&token, &request("a: 22\n")).await.unwrap(), url);
    assert_eq!(repository.open(&token, &request("a: 22\n")).await.unwrap(), url);
    assert_eq!(hub.lock().pulls.len(), 1);
    repository.comment(&token, 1, "it is accepted").await.unwrap();
    assert_eq!(hub.lock().pulls[0]["comment"], "it is accepted");
    assert_eq!(repository.comment(&token, 2, "nobody hears").await.unwrap_err().exit_code(), 1);
}

#[tokio::test]
async fn what_github_refuses_is_told_with_its_reason() {
    let (_, repository) = start().await;
    let request = PullRequest {
        branch: "b".into(),
        path: "p".into(),
        content: String::new(),
        title: "t".into(),
        body: String::new(),
    };
    let error = repository.open(&Secret::new("bad"), &request).await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused { status: 401, .. }) && error.to_string().contains("Bad credentials"),
        "{error}"
    );
    let nowhere = Repository { api: "http://127.0.0.1:9".into(), ..repository };
    assert_eq!(nowhere.open(&Secret::new("good"), &request).await.unwrap_err().exit_code(), 3);
}
