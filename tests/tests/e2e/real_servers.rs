//! The real servers that other tests compare with start here from packages.

use tracepact_tests::kafka::RealKafka;

#[tokio::test]
async fn apache_kafka_starts_and_stops() {
    let kafka = RealKafka::start().await.unwrap();
    assert!(std::net::TcpStream::connect(&kafka.bootstrap).is_ok());
    kafka.stop().await.unwrap();
}
