//! Users: who may do what, that secrets stay secret, and that every change is written down.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request};
use serde_json::{Value, json};
use tracepact_base::Secret;
use tracepact_broker::{BasicPair, BrokerConfig};

use super::databases;
use super::support::{ADMIN, Answer, Bench, pact, publication, result};

/// A request under somebody's credentials.
async fn ask(bench: &Bench, credentials: &str, method: Method, path: &str, body: &Value) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json");
    if !credentials.is_empty() {
        request = request.header("authorization", credentials);
    }
    bench.send(request.body(body.to_string().into()).unwrap()).await
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A user with these rights; the header that proves a token of theirs.
async fn user(bench: &Bench, name: &str, grants: &[&str]) -> String {
    let path = format!("/tracepact/v1/broker/users/{name}");
    bench.put(&path, &json!({ "grants": grants })).await.is(201);
    let made = bench.post(&format!("{path}/tokens"), &json!({ "name": "ci" })).await.is(201);
    format!("Bearer {}", made["token"].as_str().unwrap())
}

#[tokio::test]
async fn without_users_everything_is_as_the_listener_has_it_and_the_first_closes_it() {
    let bench = Bench::new().await;
    let publish = async |credentials: &str, version: &str| {
        let body = publication(&pact("C", "P", "/x", "1"), version, Some("main"), "overwrite");
        ask(&bench, credentials, Method::POST, "/contracts/publish", &body).await.status.as_u16()
    };
    assert_eq!(publish("", "1").await, 200);
    // An unknown token gives no less than none.
    assert_eq!(publish("Bearer nobody's-token", "1").await, 200);
    let ci = user(&bench, "ci", &["publish:C"]).await;
    assert_eq!(publish("", "2").await, 401);
    assert_eq!(publish("Bearer nobody's-token", "2").await, 401);
    assert_eq!(publish(&ci, "2").await, 200);
    assert_eq!(publish(&format!("Bearer {ADMIN}"), "3").await, 200);
    // Old clients know basic authentication only, and some wait to be asked for it.
    let token = ci.strip_prefix("Bearer ").unwrap();
    assert_eq!(publish(&basic("whoever", token), "4").await, 200);
    let refused = ask(&bench, "", Method::GET, "/pacticipants", &json!({})).await;
    assert_eq!(refused.status, 401);
    assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    // The heartbeat is for everybody.
    assert_eq!(ask(&bench, "", Method::GET, "/diagnostic/status/heartbeat", &json!({})).await.status, 200);
    // The last one gone, it is open again.
    bench.write(Method::DELETE, "/tracepact/v1/broker/users/ci", &json!({})).await.is(204);
    assert_eq!(publish("", "5").await, 200);
}

#[tokio::test]
async fn rights_are_of_named_things_only() {
    let bench = Bench::new().await;
    bench.environment("test").await;
    let prod = bench.environment("prod").await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let consumer = user(&bench, "consumer", &["publish:C"]).await;
    let provider = user(&bench, "provider", &["verify:P", "deploy:test"]).await;
    let reader = user(&bench, "reader", &[]).await;
    let content: Value = {
        let shown =
            ask(&bench, &reader, Method::GET, "/pacts/provider/P/consumer/C/latest", &json!({})).await;
        shown.is(200)
    };
    let results =
        super::support::path_of(&content["_links"]["pb:publish-verification-results"]["href"]).to_owned();
    let test = "/pacticipants/P/versions/9/deployed-versions/environment/test";
    let in_prod = format!("/pacticipants/P/versions/9/deployed-versions/environment/{prod}");
    let of_c = publication(&pact("C", "P", "/x", "2"), "2", Some("main"), "overwrite");
    let of_d = publication(&pact("D", "P", "/x", "2"), "2", Some("main"), "overwrite");
    let verified = result("9", true, &content);
    let nothing = json!({});
    for (who, method, path, body, status) in [
        (&consumer, Method::POST, "/contracts/publish", &of_c, 200),
        (&consumer, Method::POST, "/contracts/publish", &of_d, 403),
        (&consumer, Method::PUT, "/pacticipants/C/branches/x/versions/3", &nothing, 201),
        (&consumer, Method::PUT, "/pacticipants/P/branches/x/versions/3", &nothing, 403),
        (&consumer, Method::POST, results.as_str(), &verified, 403),
        (&consumer, Method::DELETE, "/pacticipants/C", &nothing, 403),
        (&consumer, Method::POST, "/pacticipants", &json!({ "name": "Other" }), 403),
        (&provider, Method::POST, results.as_str(), &verified, 201),
        (&provider, Method::POST, "/contracts/publish", &of_c, 403),
        (&provider, Method::POST, test, &nothing, 201),
        (&provider, Method::POST, in_prod.as_str(), &nothing, 403),
        (&provider, Method::POST, "/environments", &json!({ "name": "more" }), 403),
        (&reader, Method::GET, "/pacticipants", &nothing, 200),
        (&reader, Method::POST, "/pacts/provider/P/for-verification", &nothing, 200),
        (&reader, Method::POST, "/contracts/publish", &of_c, 403),
        (&reader, Method::GET, "/tracepact/v1/broker/users", &nothing, 403),
        (&reader, Method::GET, "/tracepact/v1/broker/audit", &nothing, 403),
        (&reader, Method::POST, "/webhooks", &nothing, 403),
    ] {
        let answer = ask(&bench, who, method.clone(), path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }
    // Undeploying needs the environment's right, too.
    let list = ask(
        &bench,
        &reader,
        Method::GET,
        "/environments/test/deployed-versions/currently-deployed",
        &nothing,
    );
    let list = list.await.is(200);
    let deployed =
        super::support::path_of(&list["_embedded"]["deployedVersions"][0]["_links"]["self"]["href"])
            .to_owned();
    let ended = json!({ "currentlyDeployed": false });
    assert_eq!(ask(&bench, &consumer, Method::PATCH, &deployed, &ended).await.status, 403);
    assert_eq!(ask(&bench, &provider, Method::PATCH, &deployed, &ended).await.status, 200);
    // A result says who posted it.
    let shown = bench.get("/pacts/provider/P/consumer/C/latest/verification-results/latest").await;
    let shown = if shown.status == 401 {
        ask(
            &bench,
            &reader,
            Method::GET,
            "/pacts/provider/P/consumer/C/version/1/verification-results/latest",
            &nothing,
        )
        .await
    } else {
        shown
    };
    assert_eq!(shown.is(200)["postedBy"], "provider");
}

#[tokio::test]
async fn proposals_are_accepted_by_the_providers_team_and_not_by_their_author() {
    let bench = Bench::with(|c| {
        c.auth.teams.insert("P".into(), "provider-team".into());
    })
    .await;
    let author = user(&bench, "author", &["publish:C", "admin"]).await;
    let member = user(&bench, "member", &["team:provider-team"]).await;
    let outsider = user(&bench, "outsider", &["team:other", "publish:*"]).await;
    let propose = async |who: &str, n: u32| {
        let content: Value = serde_json::from_str(&pact("C", "P", "/x", &n.to_string())).unwrap();
        let body = json!({ "consumer": "C", "provider": "P", "consumer_branch": format!("b{n}"), "content": content,
                           "team": "other" });
        ask(&bench, who, Method::POST, "/tracepact/v1/proposals", &body).await
    };
    assert_eq!(propose(&member, 0).await.status, 403, "proposing is publishing");
    let id = propose(&author, 1).await.is(201)["id"].as_str().unwrap().to_owned();
    let accept = format!("/tracepact/v1/proposals/{id}/accept");
    let body = json!({ "who": "somebody else" });
    // Not who only says that they are in the team, and not the author, administrator or not.
    assert_eq!(ask(&bench, &outsider, Method::POST, &accept, &body).await.status, 403);
    let refused = ask(&bench, &author, Method::POST, &accept, &body).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("their own"), "{}", refused.text);
    let accepted = ask(&bench, &member, Method::POST, &accept, &body).await.is(200);
    assert_eq!(accepted["state"], "accepted");
    assert_eq!(accepted["history"].as_array().unwrap().last().unwrap()["who"], "member");
}

#[tokio::test]
async fn tokens_end_and_passwords_are_kept_as_hashes() {
    let (database, _dir) = databases::fresh().await;
    let bench = Bench::with(|c| *c = BrokerConfig::new(database.clone())).await;
    let path = "/tracepact/v1/broker/users/ann";
    let password = "correct horse battery";
    bench.put(path, &json!({ "password": password, "grants": ["publish:C"] })).await.is(201);
    let get = async |credentials: &str| {
        ask(&bench, credentials, Method::GET, "/pacticipants", &json!({})).await.status.as_u16()
    };
    assert_eq!(get(&basic("ann", password)).await, 200);
    assert_eq!(get(&basic("ann", password)).await, 200, "and again, from memory");
    assert_eq!(get(&basic("ann", "correct horse batterz")).await, 401);
    assert_eq!(get(&basic("bob", password)).await, 401);
    assert_eq!(get(&format!("Bearer {password}")).await, 401, "a password is no token");
    // A changed password holds at once.
    bench.put(path, &json!({ "password": "another long password" })).await.is(200);
    assert_eq!(get(&basic("ann", password)).await, 401);
    assert_eq!(get(&basic("ann", "another long password")).await, 200);
    let made =
        bench.post(&format!("{path}/tokens"), &json!({ "name": "ci", "expires_in_days": 1 })).await.is(201);
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    assert_eq!(get(&bearer).await, 200);
    let shown = bench.write(Method::GET, "/tracepact/v1/broker/users", &json!({})).await;
    assert!(
        !shown.text.contains(made["token"].as_str().unwrap()) && !shown.text.contains("argon2"),
        "{}",
        shown.text
    );
    bench.clock.advance_ns(86_400_000_000_001);
    assert_eq!(get(&bearer).await, 401, "it ended");
    let made = bench.post(&format!("{path}/tokens"), &json!({ "name": "ci" })).await.is(201);
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    assert_eq!(get(&bearer).await, 200);
    let id = made["id"].as_str().unwrap();
    bench.write(Method::DELETE, &format!("/tracepact/v1/broker/tokens/{id}"), &json!({})).await.is(204);
    assert_eq!(get(&bearer).await, 401, "it was revoked");
    for (change, reason) in [
        (json!({ "password": "short" }), "12"),
        (json!({ "grants": ["root"] }), "there is no role"),
        (json!({ "grant": [] }), "unknown field"),
    ] {
        let refused = bench.put(path, &change).await;
        assert!(refused.status.is_client_error() && refused.text.contains(reason), "{}", refused.text);
    }
    assert_eq!(bench.put("/tracepact/v1/broker/users/a:b", &json!({})).await.status, 400);
    // Nothing of them lies in the database as it is.
    if databases::is_file() {
        let tracepact_broker::Database::File(file) = &database else { panic!("a file") };
        let mut bytes = std::fs::read(file).unwrap();
        bytes.extend(std::fs::read(file.with_extension("db-wal")).unwrap_or_default());
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("$argon2id$") && !text.contains("another long password"));
        assert!(!text.contains(bearer.strip_prefix("Bearer ").unwrap()));
    }
}

#[tokio::test]
async fn the_pairs_of_the_settings_are_those_of_a_pact_broker() {
    let pair = |name: &str| {
        Some(BasicPair { username: name.to_owned(), password: Secret::new(format!("{name}-password")) })
    };
    let bench = Bench::with(|c| {
        c.auth.writer = pair("writer");
        c.auth.reader = pair("reader");
    })
    .await;
    let (writer, reader) = (basic("writer", "writer-password"), basic("reader", "reader-password"));
    let body = publication(&pact("C", "P", "/x", "1"), "1", Some("main"), "overwrite");
    let nothing = json!({});
    for (who, method, path, body, status) in [
        ("", Method::GET, "/", &nothing, 401),
        (&reader, Method::GET, "/", &nothing, 200),
        (&reader, Method::POST, "/contracts/publish", &body, 403),
        (&writer, Method::POST, "/contracts/publish", &body, 200),
        (&writer, Method::DELETE, "/pacticipants/C", &nothing, 204),
        (&writer, Method::GET, "/tracepact/v1/broker/users", &nothing, 403),
        (&basic("writer", "reader-password"), Method::GET, "/", &nothing, 401),
    ] {
        let answer = ask(&bench, who, method.clone(), path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }
    let open = Bench::with(|c| {
        c.auth.writer = pair("writer");
        c.auth.allow_public_read = true;
    })
    .await;
    assert_eq!(ask(&open, "", Method::GET, "/", &nothing).await.status, 200);
    assert_eq!(ask(&open, "", Method::POST, "/contracts/publish", &body).await.status, 401);
    assert_eq!(ask(&open, "", Method::GET, "/tracepact/v1/broker/users", &nothing).await.status, 401);
    // What is open is open with a file's extension, too, and nothing else by it.
    let badges = Bench::with(|c| {
        c.auth.writer = pair("writer");
        c.public_badges = true;
    })
    .await;
    assert_eq!(ask(&badges, &writer, Method::POST, "/contracts/publish", &body).await.status, 200);
    let latest = "/pacts/provider/P/consumer/C/latest";
    for (path, status) in [("/badge", 200), ("/badge.svg", 200), ("", 401), (".json", 401)] {
        let answer = ask(&badges, "", Method::GET, &format!("{latest}{path}"), &nothing).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn every_change_is_written_down_with_who_made_it() {
    let bench = Bench::new().await;
    let ci = user(&bench, "ci", &["publish:C"]).await;
    let body = publication(&pact("C", "P", "/x", "1"), "1", Some("main"), "overwrite");
    ask(&bench, &ci, Method::POST, "/contracts/publish", &body).await.is(200);
    ask(&bench, &ci, Method::PUT, "/pacticipants/C/versions/1/tags/a%2Fb", &json!({})).await.is(201);
    // What was refused changed nothing.
    assert_eq!(ask(&bench, &ci, Method::DELETE, "/pacticipants/C", &json!({})).await.status, 403);
    let log = bench.write(Method::GET, "/tracepact/v1/broker/audit?limit=3", &json!({})).await.is(200);
    let seen: Vec<(&str, &str)> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["who"].as_str().unwrap(), e["what"].as_str().unwrap()))
        .collect();
    assert_eq!(
        seen,
        [
            ("ci", "PUT /pacticipants/C/versions/1/tags/a%2Fb"),
            ("ci", "POST /contracts/publish"),
            ("admin token", "POST /tracepact/v1/broker/users/ci/tokens"),
        ]
    );
    assert_eq!(log["complete"], false);
    let before = log["entries"][2]["id"].as_i64().unwrap();
    let rest =
        bench.write(Method::GET, &format!("/tracepact/v1/broker/audit?before={before}"), &json!({})).await;
    let rest = rest.is(200);
    assert_eq!(rest["entries"][0]["what"], "PUT /tracepact/v1/broker/users/ci");
    assert_eq!(rest["complete"], true);
}

/// Guarantees: a merge is reported by the provider's pipeline or its team; neither needs an administrator, and who
/// proposed cannot accept by reporting a merge.
#[tokio::test]
async fn the_providers_own_token_reports_what_was_merged() {
    let bench = Bench::with(|c| {
        c.auth.teams.insert("P".into(), "provider-team".into());
    })
    .await;
    let pipeline = user(&bench, "pipeline", &["verify:P"]).await;
    let member = user(&bench, "member", &["team:provider-team"]).await;
    let consumer = user(&bench, "consumer", &["publish:C", "verify:Q"]).await;
    let both = user(&bench, "both", &["publish:C", "verify:P"]).await;
    let mode = json!({ "mode": "repository" });
    let acceptance = "/tracepact/v1/providers/P/acceptance";
    for (who, status) in [(&pipeline, 403), (&consumer, 403), (&member, 200)] {
        assert_eq!(ask(&bench, who, Method::PUT, acceptance, &mode).await.status, status);
    }
    let content = |n: u32| -> Value { serde_json::from_str(&pact("C", "P", "/x", &n.to_string())).unwrap() };
    let propose = async |who: &str, n: u32| {
        let body = json!({ "consumer": "C", "provider": "P", "consumer_branch": format!("b{n}"), "content": content(n) });
        ask(&bench, who, Method::POST, "/tracepact/v1/proposals", &body).await.is(201)
    };
    let merged = |n: u32| json!({ "contracts": [{ "content": content(n) }], "who": "somebody else" });
    let sync = async |who: &str, n: u32| {
        ask(&bench, who, Method::POST, "/tracepact/v1/providers/P/sync", &merged(n)).await
    };
    propose(&consumer, 1).await;
    assert_eq!(sync(&consumer, 1).await.status, 403, "neither its team nor its pipeline");
    let synced = sync(&pipeline, 1).await.is(200);
    let id = synced["accepted"][0]["id"].as_str().unwrap();
    let shown = ask(&bench, &consumer, Method::GET, &format!("/tracepact/v1/proposals/{id}"), &json!({}))
        .await
        .is(200);
    let last = shown["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["state"], &last["who"]), (&"accepted".into(), &"pipeline".into()));
    // Reporting one's own proposal as merged would be accepting it.
    let own = propose(&both, 2).await["id"].as_str().unwrap().to_owned();
    let refused = sync(&both, 2).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("their own"), "{}", refused.text);
    let state =
        ask(&bench, &member, Method::GET, &format!("/tracepact/v1/proposals/{own}"), &json!({})).await;
    assert_eq!(state.is(200)["state"], "proposed", "nothing half-written");
    assert_eq!(sync(&member, 2).await.is(200)["accepted"][0]["id"], own.as_str());
}

/// Guarantees: where there are users, two people are two users, whatever names they give.
#[tokio::test]
async fn the_second_person_of_a_waiver_is_a_second_user() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    let rules = json!({ "forbid_ignore": false, "second_person": true });
    bench.put("/tracepact/v1/environments/prod/rules", &rules).await.is(200);
    let ada = user(&bench, "ada", &["admin"]).await;
    let grace = user(&bench, "grace", &["admin"]).await;
    let admin = format!("Bearer {ADMIN}");
    let waive = async |who: &str, by: &str| {
        let body = json!({ "environment": "prod", "name": "INC-1", "reason": "down", "by": by, "consumer": "C",
                           "expires_in_s": 60 });
        let made = ask(&bench, who, Method::POST, "/tracepact/v1/waivers", &body).await.is(201);
        (made["id"].as_str().unwrap().to_owned(), made["by"].as_str().unwrap().to_owned())
    };
    let approve = async |who: &str, id: &str, by: &str| {
        let path = format!("/tracepact/v1/waivers/{id}/approve");
        ask(&bench, who, Method::POST, &path, &json!({ "by": by })).await
    };
    // The name that is given is not the one that counts.
    let (id, by) = waive(&ada, "grace").await;
    assert_eq!(by, "ada");
    let refused = approve(&ada, &id, "somebody else").await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(
        approve(&admin, &id, "grace").await.status,
        422,
        "the administrator's token is nobody in particular"
    );
    let approved = approve(&grace, &id, "ada").await.is(200);
    assert_eq!((&approved["state"], &approved["approved_by"]), (&"standing".into(), &"grace".into()));
    // Nor is what the token gave anybody's.
    let (id, by) = waive(&admin, "grace").await;
    assert_eq!(by, "admin token: grace");
    assert_eq!(approve(&ada, &id, "ada").await.status, 422);
}
