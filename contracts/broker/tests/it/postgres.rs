//! What only PostgreSQL can do to a broker: be shared, be away. The suite `postgres` runs these.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracepact_broker::{Broker, BrokerConfig, Database};

use super::databases;
use super::support::{Bench, pact};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL server: cargo xtask test --suite postgres"]
async fn brokers_that_start_at_once_share_one_database_and_its_rules() {
    let (database, _dir) = databases::fresh().await;
    let started = (0..4).map(|_| Bench::with(|c| *c = BrokerConfig::new(database.clone())));
    let brokers = Arc::new(join_all(started).await);
    // Ten publishers of one version, spread over all of them.
    let all = (0..10).map(|n| {
        let brokers = brokers.clone();
        async move {
            let broker = &brokers[n % brokers.len()];
            broker.publish(&pact("C", "P", "/x", &n.to_string()), "1", "main").await.status.as_u16()
        }
    });
    let mut answers = join_all(all).await;
    answers.sort_unstable();
    assert_eq!(answers, [200, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
    // And what one wrote the others read.
    for broker in brokers.iter() {
        broker.get("/pacts/provider/P/consumer/C/version/1").await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL server: cargo xtask test --suite postgres"]
async fn a_database_that_goes_away_is_a_503_and_comes_back_by_itself() {
    let (database, _dir) = databases::fresh().await;
    let Database::Postgres(url) = &database else { panic!("TRACEPACT_TEST_POSTGRES names no server") };
    let (before, rest) = url.expose().rsplit_once('@').unwrap();
    let (address, name) = rest.split_once('/').unwrap();
    let line = Line::to(address).await;
    let through = Database::parse(&format!("{before}@{}/{name}", line.address)).unwrap();
    let bench = Bench::with(|c| *c = BrokerConfig::new(through)).await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);

    line.cut(true);
    for answer in
        [bench.get("/pacticipants/C").await, bench.publish(&pact("C", "P", "/y", "1"), "2", "main").await]
    {
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert!(bench.broker.ping().await.is_err());

    line.cut(false);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let answer = bench.publish(&pact("C", "P", "/y", "1"), "2", "main").await;
        if answer.status == 200 {
            break;
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(tokio::time::Instant::now() < deadline, "it never came back");
    }
    bench.get("/pacticipants/C/versions/2").await.is(200);
}

#[tokio::test]
async fn a_start_without_the_database_is_refused_with_the_reason() {
    let nobody = Database::parse("postgres://u:s3cret@127.0.0.1:1/broker").unwrap();
    let clock = tracepact_base::SystemClock::shared();
    let error = Broker::open(BrokerConfig::new(nobody), clock).await.unwrap_err().to_string();
    assert!(error.contains("postgres://127.0.0.1:1/broker"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

/// A line to the server that can be cut: running connections end, new ones are closed at once.
struct Line {
    address: String,
    cut: watch::Sender<bool>,
}

impl Line {
    async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (cut, state) = watch::channel(false);
        let target = target.to_owned();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (target, mut state) = (target.clone(), state.clone());
                tokio::spawn(async move {
                    if *state.borrow() {
                        return;
                    }
                    let mut far = TcpStream::connect(&target).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = state.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        Self { address, cut }
    }

    fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }
}
