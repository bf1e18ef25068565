//! Many writers at once.

use futures::future::join_all;
use serde_json::json;

use super::support::{Bench, pact};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_parallel_publishers_all_succeed() {
    let bench = Bench::new().await;
    let all = (0..50).map(|n| {
        let bench = &bench;
        async move {
            bench
                .publish(&pact("C", &format!("P{}", n % 7), "/x", &n.to_string()), &n.to_string(), "main")
                .await
        }
    });
    for answer in join_all(all).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let list = bench.get("/pacticipants/C/versions").await.is(200);
    assert_eq!(list["_embedded"]["versions"].as_array().unwrap().len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_ten_conflicting_publishers_of_one_version_exactly_one_succeeds() {
    let bench = Bench::new().await;
    let all = (0..10).map(|n| {
        let bench = &bench;
        async move { bench.publish(&pact("C", "P", "/x", &n.to_string()), "1", "main").await.status.as_u16() }
    });
    let mut answers = join_all(all).await;
    answers.sort_unstable();
    assert_eq!(answers, [200, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_parallel_results_all_count() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let content = bench.get("/pacts/provider/P/consumer/C/latest").await.is(200);
    let results =
        super::support::path_of(&content["_links"]["pb:publish-verification-results"]["href"]).to_owned();
    let all = (0..50).map(|n| {
        let (bench, results, content) = (&bench, &results, &content);
        async move { bench.post(results, &super::support::result(&n.to_string(), true, content)).await }
    });
    for answer in join_all(all).await {
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    let path = "/matrix?q%5B%5D%5Bpacticipant%5D=C&q%5B%5D%5Bversion%5D=1&latestby=cvpv";
    assert_eq!(bench.get(path).await.is(200)["summary"]["success"], json!(50));
}
