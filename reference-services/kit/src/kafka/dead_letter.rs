//! Dead letters as Spring for Apache Kafka writes them: `<topic>.DLT`, same partition number, `kafka_dlt-*` headers
//! (numbers as big-endian bytes), all original headers unchanged, the trace context among them.

use rdkafka::message::{Header, OwnedHeaders};

use super::producer::Outgoing;
use super::record::Record;

/// What is appended to a topic's name.
pub const DLT_SUFFIX: &str = ".DLT";
/// Longest exception message that is kept, in bytes.
const MESSAGE_BYTES_MAX: usize = 4096;

/// The headers of the dead letter of `record`: its own, then `kafka_dlt-original-topic`, `-partition` (4 bytes),
/// `-offset` (8), `-timestamp` (8, if known), `-consumer-group`, `kafka_dlt-exception-fqcn` and `-exception-message`.
pub fn dead_letter_headers(record: &Record, group: &str, error: &str, message: &str) -> OwnedHeaders {
    let mut headers = record.headers.clone().unwrap_or_default();
    let mut put = |name: &str, value: &[u8]| {
        headers = std::mem::take(&mut headers).insert(Header { key: name, value: Some(value) });
    };
    put("kafka_dlt-original-topic", record.topic.as_bytes());
    put("kafka_dlt-original-partition", &record.partition.to_be_bytes());
    put("kafka_dlt-original-offset", &record.offset.to_be_bytes());
    if let Some(timestamp) = record.timestamp_ms {
        put("kafka_dlt-original-timestamp", &timestamp.to_be_bytes());
    }
    put("kafka_dlt-original-consumer-group", group.as_bytes());
    put("kafka_dlt-exception-fqcn", error.as_bytes());
    let cut = message.floor_char_boundary(MESSAGE_BYTES_MAX);
    put("kafka_dlt-exception-message", &message.as_bytes()[..cut]);
    headers
}

/// The dead letter of `record`.
pub(super) fn dead_letter(record: &Record, group: &str, error: &str, message: &str) -> Outgoing {
    Outgoing {
        topic: format!("{}{DLT_SUFFIX}", record.topic),
        partition: Some(record.partition),
        key: record.key.clone(),
        payload: record.payload.clone(),
        headers: Some(dead_letter_headers(record, group, error, message)),
        timestamp_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_headers_stay_and_come_first() {
        use rdkafka::message::Headers as _;
        let own = OwnedHeaders::new()
            .insert(Header { key: "b3", value: Some("463ac35c9f6413ad-a2fb4a1d1a96d312-1") });
        let record = Record {
            topic: "t".to_owned(),
            partition: 3,
            offset: 42,
            timestamp_ms: None,
            key: None,
            payload: None,
            headers: Some(own),
        };
        let headers = dead_letter_headers(&record, "g", "Boom", &"é".repeat(4000));
        assert_eq!(headers.get(0).key, "b3");
        assert_eq!(headers.get(0).value, Some(&b"463ac35c9f6413ad-a2fb4a1d1a96d312-1"[..]));
        let find = |name: &str| headers.iter().find(|h| h.key == name).and_then(|h| h.value).unwrap();
        assert_eq!(find("kafka_dlt-original-partition"), [0, 0, 0, 3]);
        assert_eq!(find("kafka_dlt-original-offset"), 42i64.to_be_bytes());
        assert!(std::str::from_utf8(find("kafka_dlt-exception-message")).is_ok());
    }
}
