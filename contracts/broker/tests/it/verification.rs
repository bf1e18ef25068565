//! What is to be verified, pending, work in progress.

use serde_json::{Value, json};

use super::support::{Bench, pact, path_of};

async fn ask(bench: &Bench, question: &Value) -> Vec<Value> {
    let answer = bench.post("/pacts/provider/P/for-verification", question).await.is(200);
    answer["_embedded"]["pacts"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_verifiers_way_through_the_api() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let index = bench.get("/").await.is(200);
    let template = index["_links"]["pb:provider-pacts-for-verification"]["href"].as_str().unwrap().to_owned();
    let first = bench.get(&template.replace("http://localhost", "").replace("{provider}", "P")).await.is(200);
    assert_eq!(first["_embedded"]["pacts"][0]["shortDescription"], "latest from main branch");
    // The Rust client's typed link map: single objects only.
    for (_, link) in first["_embedded"]["pacts"][0]["_links"].as_object().unwrap() {
        assert!(link.is_object());
    }
    let target = path_of(&first["_links"]["self"]["href"]).to_owned();
    let list = bench
        .post(&target, &json!({"consumerVersionSelectors":[{"mainBranch":true}],"includePendingStatus":true,"providerVersionBranch":"main"}))
        .await
        .is(200);
    let entry = &list["_embedded"]["pacts"][0];
    assert_eq!(entry["verificationProperties"]["pending"], true);
    let content = bench.get(path_of(&entry["_links"]["self"]["href"])).await.is(200);
    assert_eq!(content["_links"]["pb:consumer-version"]["name"], "1");
    let provider = bench.get(path_of(&content["_links"]["pb:provider"]["href"])).await.is(200);
    let on_branch = provider["_links"]["pb:branch-version"]["href"].as_str().unwrap();
    let on_branch =
        on_branch.replace("http://localhost", "").replace("{branch}", "main").replace("{version}", "9");
    bench.put(&on_branch, &json!({})).await.is(201);
    let results = path_of(&content["_links"]["pb:publish-verification-results"]["href"]).to_owned();
    let stored = bench.post(&results, &super::support::result("9", true, &content)).await;
    let place = stored.headers["location"].to_str().unwrap().to_owned();
    let stored = stored.is(201);
    assert_eq!(stored["providerApplicationVersion"], "9");
    let again = bench.get(&place.replace("http://localhost", "")).await.is(200);
    assert_eq!(again["success"], true);
    assert_eq!(bench.get("/pacticipants/P").await.is(200)["mainBranch"], "main");
    let summary = bench.get("/verification-results/consumer/C/version/1/latest").await.is(200);
    assert_eq!(
        (&summary["success"], &summary["providerSummary"]["successful"][0]),
        (&json!(true), &json!("P"))
    );
    assert!(
        ask(&bench, &json!({"providerVersionBranch":"main"})).await[0]["verificationProperties"]["pending"]
            == false
    );
}

#[tokio::test]
async fn pending_is_a_matter_of_the_providers_branch() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let pending = |list: &[Value]| list[0]["verificationProperties"]["pending"] == true;
    bench.put("/pacticipants/P/branches/old/versions/0", &json!({})).await.is(201);
    bench.clock.advance_ns(1_000_000_000);
    bench.verify("P", "9", "main", false).await;
    assert!(
        pending(&ask(&bench, &json!({"providerVersionBranch":"main"})).await),
        "a failure does not end it"
    );
    bench.verify("P", "10", "main", true).await;
    assert!(!pending(&ask(&bench, &json!({"providerVersionBranch":"main"})).await));
    // A branch begun afterwards knows it; one from before does not.
    assert!(!pending(&ask(&bench, &json!({"providerVersionBranch":"new"})).await));
    assert!(pending(&ask(&bench, &json!({"providerVersionBranch":"old"})).await));
    let quiet = ask(&bench, &json!({"providerVersionBranch":"main","includePendingStatus":false})).await;
    assert!(quiet[0]["verificationProperties"].get("pending").is_none());
}

#[tokio::test]
async fn selectors_choose_and_fallback_branches_work() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    bench.publish(&pact("C", "P", "/x", "2"), "2", "feat").await.is(200);
    bench.publish(&pact("D", "P", "/x", "3"), "1", "main").await.is(200);
    bench.deploy("C", "1", "prod", None).await;
    for (selectors, expected) in [
        (json!([]), 2),
        (json!([{"branch":"feat"}]), 1),
        (json!([{"branch":"feat","fallbackBranch":"main"}]), 2),
        (json!([{"branch":"feat","fallbackBranch":"main","consumer":"D"}]), 1),
        (json!([{"latest":true}]), 2),
        (json!([{"deployed":true}]), 1),
        (json!([{"environment":"prod"}]), 1),
        (json!([{"released":true}]), 0),
        (json!([{"mainBranch":true},{"branch":"feat"}]), 3),
        (json!([{"tag":"none","latest":true}]), 0),
    ] {
        let list = ask(&bench, &json!({ "consumerVersionSelectors": selectors })).await;
        assert_eq!(list.len(), expected, "{selectors}");
    }
    let matching =
        json!({"consumerVersionSelectors":[{"matchingBranch":true}],"providerVersionBranch":"feat"});
    assert_eq!(ask(&bench, &matching).await.len(), 1);
    // One content selected twice is one entry with both reasons.
    let both = ask(
        &bench,
        &json!({"consumerVersionSelectors":[{"mainBranch":true,"consumer":"C"},{"deployed":true}]}),
    )
    .await;
    assert_eq!(both.len(), 1);
    let why = both[0]["verificationProperties"]["notices"][0]["text"].as_str().unwrap();
    assert!(
        why.contains("main branch 'main' (1)") && why.contains("currently deployed to any environment (1)"),
        "{why}"
    );
    let old_form = "consumer_version_selectors[][branch]=feat&consumer_version_selectors[][consumer]=C";
    let encoded = old_form.replace('[', "%5B").replace(']', "%5D");
    let list = bench.get(&format!("/pacts/provider/P/for-verification?{encoded}")).await.is(200);
    assert_eq!(list["_embedded"]["pacts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn work_in_progress_is_what_is_new_on_branches() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    bench.publish(&pact("C", "P", "/x", "2"), "2", "feat").await.is(200);
    let question = |since: &str| {
        json!({
            "consumerVersionSelectors": [{"mainBranch": true}], "includePendingStatus": true,
            "includeWipPactsSince": since, "providerVersionBranch": "main",
        })
    };
    let list = ask(&bench, &question("2020-01-01")).await;
    assert_eq!(list.len(), 2);
    assert_eq!(list[1]["verificationProperties"]["wip"], true);
    assert_eq!(list[1]["verificationProperties"]["pending"], true);
    assert!(list[0]["verificationProperties"].get("wip").is_none());
    assert_eq!(ask(&bench, &question("2030-01-01T00:00:00Z")).await.len(), 1);
    // A success as work in progress does not end it; neither does it need a branch twice.
    let content = bench.get(path_of(&list[1]["_links"]["self"]["href"])).await.is(200);
    let results = path_of(&content["_links"]["pb:publish-verification-results"]["href"]).to_owned();
    bench.put("/pacticipants/P/branches/main/versions/9", &json!({})).await.is(201);
    bench.post(&results, &super::support::result("9", true, &content)).await.is(201);
    assert_eq!(ask(&bench, &question("2020-01-01")).await.len(), 2);
}
