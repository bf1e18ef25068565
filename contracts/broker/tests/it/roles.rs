//! Who answers for whom: teams accept, pipelines report merges, a second person is a second user.

use http::Method;
use serde_json::{Value, json};

use super::support::{ADMIN, Bench, pact};
use super::users::{ask, user};

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
