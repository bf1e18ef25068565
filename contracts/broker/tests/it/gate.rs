//! Deploy questions: the same verdict in every dialect, over all rows.

use serde_json::json;

use super::support::{Bench, pact};

#[tokio::test]
async fn the_story_of_a_refused_deploy() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench.publish(&pact("orders", "products", "/items/1", "1"), "1", "main").await.is(200);
    // A consumer's first deploy: its provider must be there.
    let first = bench.native("orders", "1", "prod").await;
    assert!(first.get("deployable").is_none());
    assert!(first["rows"][0]["clears"].as_str().unwrap().contains("record-deployment"));
    // The provider goes first: nobody there needs it yet.
    bench.verify("products", "v1", "main", true).await;
    assert_eq!(bench.matrix("products", "v1", "prod").await["summary"]["deployable"], true);
    bench.deploy("products", "v1", "prod", None).await;
    assert_eq!(bench.matrix("orders", "1", "prod").await["summary"]["deployable"], true);
    bench.deploy("orders", "1", "prod", None).await;
    // v2 breaks it.
    bench.verify("products", "v2", "main", false).await;
    let refused = bench.matrix("products", "v2", "prod").await;
    assert_eq!(refused["summary"]["deployable"], false);
    assert_eq!(refused["summary"]["failed"], 1);
    let native = bench.native("products", "v2", "prod").await;
    assert_eq!(native["deployable"], false);
    assert_eq!(native["reason"], refused["summary"]["reason"]);
    let row = &native["rows"][0];
    assert_eq!(row["mismatches"][0]["interaction"], "a request for /items/1");
    assert_eq!(row["mismatches"][0]["operation"], "GET /items/1");
    assert_eq!(row["mismatches"][0]["description"], "status: expected 200 but was 404");
    assert_eq!(row["clears_by"], "products");
    // Not verified at all.
    bench.put("/pacticipants/products/branches/main/versions/v3", &json!({})).await.is(201);
    assert_eq!(bench.matrix("products", "v3", "prod").await["summary"]["deployable"], json!(null));
    // What was answered is kept, newest first; the same answer twice is one entry.
    bench.native("products", "v2", "prod").await;
    let kept = bench.get("/tracepact/v1/contracts/decisions?limit=50").await.is(200);
    let list = kept["decisions"].as_array().unwrap();
    let v2: Vec<_> = list.iter().filter(|d| d["version"] == "v2").collect();
    assert_eq!((v2.len(), &v2[0]["times"], &v2[0]["deployable"]), (1, &json!(3), &json!(false)));
}

#[tokio::test]
async fn two_live_versions_of_which_one_is_unverified_are_unknown() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    bench.verify("P", "9", "main", true).await;
    bench.put("/pacticipants/P/branches/main/versions/10", &json!({})).await.is(201);
    bench.deploy("P", "9", "prod", Some("blue")).await;
    assert_eq!(bench.matrix("C", "1", "prod").await["summary"]["deployable"], true);
    bench.deploy("P", "10", "prod", Some("green")).await;
    let answer = bench.matrix("C", "1", "prod").await;
    assert_eq!(answer["summary"]["deployable"], json!(null));
    assert_eq!((&answer["summary"]["success"], &answer["summary"]["unknown"]), (&json!(1), &json!(1)));
    let by_other = bench.get("/can-i-deploy?pacticipant=C&version=1&environment=prod").await.is(200);
    assert_eq!(by_other["summary"], answer["summary"]);
}

#[tokio::test]
async fn a_limit_cuts_the_list_and_never_the_verdict() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    for n in 0..6 {
        let provider = format!("P{n}");
        bench.publish(&pact("C", &provider, "/x", "1"), "1", "main").await.is(200);
        bench.verify(&provider, "1", "main", n != 0).await;
        bench.deploy(&provider, "1", "prod", None).await;
    }
    for limit in [1, 2, 100] {
        let path = format!(
            "/matrix?q%5B%5D%5Bpacticipant%5D=C&q%5B%5D%5Bversion%5D=1&latestby=cvpv&environment=prod&limit={limit}"
        );
        let answer = bench.get(&path).await.is(200);
        assert_eq!(answer["summary"]["deployable"], false);
        assert_eq!(answer["summary"]["success"], 5);
        assert_eq!(answer["matrix"].as_array().unwrap().len(), limit.min(6));
    }
}

#[tokio::test]
async fn the_other_forms_that_clients_ask_in() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "dev").await.is(200);
    bench.put("/pacticipants/C/versions/1/tags/dev", &json!({})).await.is(201);
    let ask = async |query: &str| {
        let path = format!("/matrix?{}", query.replace('[', "%5B").replace(']', "%5D"));
        bench.get(&path).await
    };
    let none = ask("q[][pacticipant]=C&q[][version]=nope&latestby=cvpv&latest=true").await.is(200);
    assert_eq!(none["summary"]["deployable"], false);
    assert!(
        none["summary"]["reason"]
            .as_str()
            .unwrap()
            .contains("No pacts or verifications have been published for version nope of C")
    );
    let merge =
        ask("q[][pacticipant]=C&q[][version]=1&latestby=cvp&latest=true&mainBranch=true").await.is(200);
    assert_eq!(merge["summary"]["deployable"], json!(null));
    bench.put("/pacticipants/P/branches/main/versions/9", &json!({})).await.is(201);
    let merge =
        ask("q[][pacticipant]=C&q[][version]=1&latestby=cvp&latest=true&mainBranch=true").await.is(200);
    assert_eq!(
        merge["summary"]["reason"],
        "There is no verified pact between version 1 of C and the latest version of P from branch main (9)"
    );
    let list = bench
        .post("/pacts/provider/P/for-verification", &json!({"consumerVersionSelectors":[{"branch":"dev"}]}))
        .await
        .is(200);
    let link = super::support::path_of(&list["_embedded"]["pacts"][0]["_links"]["self"]["href"]).to_owned();
    let content = bench.get(&link).await.is(200);
    let results =
        super::support::path_of(&content["_links"]["pb:publish-verification-results"]["href"]).to_owned();
    bench.post(&results, &super::support::result("9", true, &content)).await.is(201);
    bench.put("/pacticipants/P/versions/9/tags/prod", &json!({})).await.is(201);
    for query in [
        "q[][pacticipant]=C&q[][version]=1&tag=prod&latestby=cvp&latest=true",
        "q[][pacticipant]=C&q[][latest]=true&q[][tag]=dev&tag=prod&latestby=cvp&latest=true",
        "q[][pacticipant]=C&q[][version]=1&latestby=cvp&latest=true",
        "q[][pacticipant]=C&q[][branch]=dev&latestby=cvp&latest=true",
        "q[][pacticipant]=C&q[][version]=1&q[][pacticipant]=P&q[][version]=9&latestby=cvpv",
        "q[][pacticipant]=C&q[][version]=1&latestby=cvpv",
        "q[]pacticipant=C&q[]version=1&latestby=cvpv",
        "q[][pacticipant]=P&q[][version]=9&latestby=cvpv",
    ] {
        let answer = ask(query).await.is(200);
        assert_eq!(
            (&answer["summary"]["deployable"], &answer["summary"]["success"]),
            (&json!(true), &json!(1)),
            "{query}"
        );
        assert_eq!(answer["matrix"][0]["verificationResult"]["success"], true);
        assert_eq!(answer["matrix"][0]["consumer"]["version"]["branch"], "dev");
    }
    bench.environment("empty").await;
    let ignored =
        ask("q[][pacticipant]=C&q[][version]=1&ignore[][pacticipant]=P&latestby=cvpv&environment=empty")
            .await
            .is(200);
    assert_eq!(ignored["summary"]["deployable"], true);
    assert_eq!((&ignored["summary"]["ignored"], &ignored["matrix"][0]["ignored"]), (&json!(1), &json!(true)));
    for bad in [
        "latestby=cvpv",
        "q[][pacticipant]=nobody&q[][version]=1&latest=true",
        "q[][pacticipant]=C&q[][version]=1&environment=nope",
        "q[][pacticipant]=C&q[][version]=1&environment=empty&tag=x",
        "q[][pacticipant]=C&q[][version]=1&environment=empty&latest=true",
        "q[][pacticipant]=C&q[][version]=1&limit=0",
        "q[][version]=1",
        "q[b=1",
    ] {
        let answer = ask(bad).await;
        assert_eq!(answer.status, 400, "{bad}: {}", answer.text);
        assert!(answer.json().get("errors").is_some());
    }
}

#[tokio::test]
async fn releases_coexist_and_undeployment_ends() {
    let bench = Bench::new().await;
    let uuid = bench.environment("prod").await;
    bench.put("/pacticipants/P/branches/main/versions/1", &json!({})).await.is(201);
    bench.put("/pacticipants/P/branches/main/versions/2", &json!({})).await.is(201);
    for version in ["1", "2"] {
        let path = format!("/pacticipants/P/versions/{version}/released-versions/environment/{uuid}");
        bench.post(&path, &json!({})).await.is(201);
        bench.post(&path, &json!({})).await.is(200);
    }
    let list = bench
        .get(&format!("/environments/{uuid}/released-versions/currently-supported?pacticipant=P"))
        .await
        .is(200);
    assert_eq!(list["_embedded"]["releasedVersions"].as_array().unwrap().len(), 2);
    bench.deploy("P", "1", "prod", None).await;
    bench.deploy("P", "2", "prod", None).await;
    bench.deploy("P", "1", "prod", Some("eu")).await;
    let current = format!("/environments/{uuid}/deployed-versions/currently-deployed?pacticipant=P");
    let list = bench.get(&current).await.is(200);
    let list = list["_embedded"]["deployedVersions"].as_array().unwrap().clone();
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["_embedded"]["version"]["number"], "2");
    assert!(list[0].get("applicationInstance").is_none());
    let own = super::support::path_of(&list[0]["_links"]["self"]["href"]).to_owned();
    let ended = bench.write(http::Method::PATCH, &own, &json!({"currentlyDeployed": false})).await.is(200);
    assert_eq!(ended["currentlyDeployed"], false);
    assert!(ended["undeployedAt"].is_string());
    bench.write(http::Method::PATCH, &own, &json!({"currentlyDeployed": true})).await.is(422);
    assert_eq!(
        bench.get(&current).await.is(200)["_embedded"]["deployedVersions"].as_array().unwrap().len(),
        1
    );
    bench.post("/environments", &json!({"name": "prod"})).await.is(400);
    bench.post("/environments", &json!({"name": "a b"})).await.is(400);
}

#[tokio::test]
async fn the_overview_says_where_things_stand() {
    let bench = Bench::new().await;
    bench.environment("prod").await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let overview = bench.get("/tracepact/v1/contracts/overview").await.is(200);
    assert_eq!(overview["pacts"][0]["verification"], "none");
    bench.verify("P", "9", "main", false).await;
    bench.deploy("P", "9", "prod", None).await;
    let overview = bench.get("/tracepact/v1/contracts/overview").await.is(200);
    assert_eq!(overview["pacts"][0]["verification"], "pending");
    assert_eq!(overview["pacts"][0]["verified_by_version"], "9");
    assert_eq!(overview["environments"][0], json!({"name": "prod", "production": true}));
    assert_eq!(overview["pacticipants"][1]["deployed"][0]["version"], "9");
    assert_eq!(overview["complete"], true);
}
