//! The real servers that other tests compare with start here from packages.

use std::path::PathBuf;

use tracepact_tests::kafka::RealKafka;

fn cache() -> PathBuf {
    // target/debug/deps/e2e-… → target/tools/kafka
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(3).unwrap().join("tools/kafka")
}

#[tokio::test]
async fn apache_kafka_starts_and_stops() {
    let kafka = RealKafka::start(&cache()).await.unwrap();
    assert!(std::net::TcpStream::connect(&kafka.bootstrap).is_ok());
    kafka.stop().await.unwrap();
}
