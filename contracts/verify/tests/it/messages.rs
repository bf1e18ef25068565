//! Messages: published by a stub to Kafka, verified from a command and from a real topic.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Headers;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use tracepact_contract_model::ContractFile;
use tracepact_kafka::{Broker, Config};
use tracepact_verify::provider::verify_contracts;
use tracepact_verify::stub::{Contracts, publish};
use tracepact_verify::{Outcome, ProviderCheck, ProviderConfig};

use super::support::crypto;

fn contract() -> ContractFile {
    ContractFile::from_yaml(
        "contract: 1\nconsumer: billing\nprovider: orders\ninteractions:\n  - description: an order was placed\n    \
         states: [{name: an order, params: {id: 7}}]\n    message:\n      topic: orders\n      key: order-7\n      \
         headers: {ce_type: placed}\n      contents: {id: 7, total: 12.5}\n      \
         match: {contents: {$.id: integer, $.total: number}, key: {regex: 'order-\\d+'}}\n",
    )
    .unwrap()
}

fn check(config: ProviderConfig) -> ProviderCheck {
    crypto();
    ProviderCheck {
        provider: "orders".into(),
        provider_url: "http://127.0.0.1:9".into(),
        version: "1".into(),
        branch: None,
        wip_since: None,
        publish: false,
        message_path: None,
        state_change_url: None,
        config: Some(config),
        build_url: None,
        request_timeout_ms: 30_000,
    }
}

async fn verified(folder: &std::path::Path, config: &str) -> Outcome {
    let file = folder.join("tracepact-provider.toml");
    std::fs::write(&file, config).unwrap();
    verify_contracts(&check(ProviderConfig::read(&file).unwrap()), &[contract().pact]).await.unwrap()
}

/// A command that keeps what it was given and prints `text`.
fn printing(folder: &std::path::Path, text: &str) -> String {
    std::fs::write(folder.join("message.json"), text).unwrap();
    "[messages.\"an order was placed\"]\ncommand = [\"cat\", \"message.json\"]\n\
     [states.\"an order\"]\ncommand = [\"tee\", \"-a\", \"states.log\"]\n"
        .to_owned()
}

#[tokio::test]
async fn a_command_makes_the_message_and_another_sets_up_the_state() {
    let dir = tempfile::tempdir().unwrap();
    let good =
        r#"{"contents":{"id":9,"total":1},"metadata":{"topic":"orders","key":"order-9","ce_type":"placed"}}"#;
    let outcome = verified(dir.path(), &printing(dir.path(), good)).await;
    assert!(outcome.ok, "{outcome:?}");
    let states = std::fs::read_to_string(dir.path().join("states.log")).unwrap();
    assert!(states.contains(r#""state":"an order""#) && states.contains(r#""params":{"id":7}"#), "{states}");
    assert!(states.contains(r#""action":"setup""#) && states.contains(r#""action":"teardown""#), "{states}");
    // A field is gone: a difference that names it.
    let bad = good.replace(r#","total":1"#, "");
    let outcome = verified(dir.path(), &printing(dir.path(), &bad)).await;
    assert!(!outcome.ok);
    let places: Vec<&str> = outcome.interactions[0].differences.iter().map(|d| d.place.as_str()).collect();
    assert!(places.iter().any(|p| p.contains('$')), "{outcome:?}");
    assert!(outcome.interactions[0].differences[0].reason.contains("total"), "{outcome:?}");
    // A state nobody set up fails and says what there is.
    let without = printing(dir.path(), good)
        .replace("an order\"]\ncommand = [\"tee\"", "another\"]\ncommand = [\"tee\"");
    let outcome = verified(dir.path(), &without).await;
    assert!(!outcome.ok);
    assert!(outcome.interactions[0].mismatches.join(" ").contains("no command for the state"), "{outcome:?}");
}

#[tokio::test]
async fn a_stub_publishes_records_that_a_consumer_can_read() {
    let kafka = Broker::start(Config::default()).await.unwrap();
    kafka.create_topic("orders", 1).unwrap();
    let mut contracts = Contracts::default();
    contracts.add_file(contract(), None).await.unwrap();
    let brokers = kafka.bootstrap().to_string();
    let published = publish(&contracts, &brokers, None).await.unwrap();
    assert_eq!((published.len(), published[0].topic.as_str()), (1, "orders"));
    assert_eq!(publish(&contracts, &brokers, Some("nothing of that name")).await.unwrap_err().exit_code(), 2);
    let (key, payload, headers) = tokio::task::spawn_blocking(move || {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &brokers)
            .set("group.id", "reader")
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("orders", 0, Offset::Beginning).unwrap();
        consumer.assign(&list).unwrap();
        let record = (0..300).find_map(|_| consumer.poll(Duration::from_millis(100))).unwrap().unwrap();
        let headers: Vec<(String, String)> = record
            .headers()
            .unwrap()
            .iter()
            .map(|h| (h.key.to_owned(), String::from_utf8(h.value.unwrap().to_vec()).unwrap()))
            .collect();
        (record.key().unwrap().to_vec(), record.payload().unwrap().to_vec(), headers)
    })
    .await
    .unwrap();
    assert_eq!(key, b"order-7");
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&payload).unwrap(),
        serde_json::json!({"id": 7, "total": 12.5})
    );
    assert!(headers.contains(&("tracepact-contract-state".into(), "draft".into())), "{headers:?}");
    assert!(headers.contains(&("ce_type".into(), "placed".into())), "{headers:?}");
    kafka.stop().await;
}

#[tokio::test]
async fn a_real_topic_is_verified_by_the_record_the_provider_publishes() {
    let kafka = Arc::new(Broker::start(Config::default()).await.unwrap());
    kafka.create_topic("orders", 3).unwrap();
    let brokers = kafka.bootstrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    // The "provider": once triggered it publishes one record, another after it. The trigger is a file that appears.
    let flag = dir.path().join("triggered");
    let publisher = tokio::spawn({
        let (flag, brokers) = (flag.clone(), brokers.clone());
        async move {
            let mut contracts = Contracts::default();
            contracts.add_file(contract(), None).await.unwrap();
            loop {
                if tokio::fs::remove_file(&flag).await.is_ok() {
                    publish(&contracts, &brokers, None).await.unwrap();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    let config = |header: &str, wait: u64| {
        format!(
            "[states.\"an order\"]\ncommand = [\"true\"]\n[kafka]\nbrokers = \"{brokers}\"\ntimeout_ms = {wait}\n\
             [kafka.messages.\"an order was placed\"]\ntopic = \"orders\"\ntrigger = [\"touch\", \"triggered\"]\n\
             headers = {{ ce_type = \"{header}\" }}\n"
        )
    };
    let outcome = verified(dir.path(), &config("placed", 60_000)).await;
    assert!(outcome.ok, "{outcome:?}");
    let outcome = verified(dir.path(), &config("shipped", 2_000)).await;
    assert!(!outcome.ok);
    let told = &outcome.interactions[0].mismatches[0];
    assert!(told.contains("nothing came on topic orders") && told.contains("1 others came"), "{told}");
    publisher.abort();
}
