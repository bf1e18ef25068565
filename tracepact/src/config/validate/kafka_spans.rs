//! Spans from Kafka, from what was written to what holds.

use std::path::Path;
use std::time::Duration;

use tracepact_ingest::{KafkaConfig, KafkaTopic, TopicEncoding};

use super::{Error, invalid};
use crate::config::raw;

/// Checks `raw`; `None` when spans are not read from Kafka. What cannot be read is kept under `data_dir`.
pub(crate) fn kafka_spans(raw: &raw::KafkaSpans, data_dir: &Path) -> Result<Option<KafkaConfig>, Error> {
    let Some(bootstrap) = raw.bootstrap.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if !raw.enabled {
        return Ok(None);
    }
    let named = |names: &[String], encoding| {
        let topics = names.iter().map(move |name| KafkaTopic { name: name.trim().to_owned(), encoding });
        topics.collect::<Vec<_>>()
    };
    let mut topics = named(&raw.zipkin_topics, TopicEncoding::Zipkin);
    topics.extend(named(&raw.otlp_topics, TopicEncoding::Otlp));
    if topics.is_empty() {
        return Err(invalid(
            "kafka_spans.zipkin_topics",
            "name at least one topic, here or in `otlp_topics`",
        ));
    }
    for (i, topic) in topics.iter().enumerate() {
        if let Err(error) = tracepact_base::Topic::new(&topic.name) {
            return Err(invalid("kafka_spans.zipkin_topics", format!("`{}`: {error}", topic.name)));
        }
        if topics[..i].iter().any(|other| other.name == topic.name) {
            return Err(invalid("kafka_spans.otlp_topics", format!("`{}` is named twice", topic.name)));
        }
    }
    if raw.group.trim().is_empty() {
        return Err(invalid("kafka_spans.group", "a consumer group has a name"));
    }
    let consumers = usize::try_from(raw.consumers).ok().filter(|n| (1..=64).contains(n));
    let consumers = consumers.ok_or_else(|| {
        invalid("kafka_spans.consumers", format!("{} is not between 1 and 64", raw.consumers))
    })?;
    if !(64 << 10..=4 << 30).contains(&raw.poison_bytes_max) {
        let reason = format!("{} is not between 65536 and 4294967296", raw.poison_bytes_max);
        return Err(invalid("kafka_spans.poison_bytes_max", reason));
    }
    if !(1..=3_650).contains(&raw.poison_days) {
        return Err(invalid(
            "kafka_spans.poison_days",
            format!("{} is not between 1 and 3650", raw.poison_days),
        ));
    }
    let mut config = KafkaConfig::new(bootstrap, topics, data_dir.join("poison"));
    config.group = raw.group.trim().to_owned();
    config.consumers = consumers;
    config.poison.bytes_max = raw.poison_bytes_max;
    config.poison.age_max = Duration::from_secs(raw.poison_days * 24 * 3_600);
    Ok(Some(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Option<KafkaConfig>, String> {
        let raw: raw::Raw = toml::from_str(text).unwrap();
        kafka_spans(&raw.kafka_spans, Path::new("data")).map_err(|error| error.to_string())
    }

    #[test]
    fn off_unless_brokers_are_named() {
        assert!(of("").unwrap().is_none());
        assert!(of("kafka_spans.bootstrap = \"k:1\"\nkafka_spans.enabled = false").unwrap().is_none());
        let on = of("kafka_spans.bootstrap = \"k:1\"\nkafka_spans.otlp_topics = [\"otlp_spans\"]")
            .unwrap()
            .unwrap();
        let topics: Vec<_> = on.topics.iter().map(|topic| (topic.name.as_str(), topic.encoding)).collect();
        assert_eq!(topics, [("zipkin", TopicEncoding::Zipkin), ("otlp_spans", TopicEncoding::Otlp)]);
        assert_eq!((on.group.as_str(), on.poison.dir.as_path()), ("zipkin", Path::new("data/poison")));
    }

    #[test]
    fn refusals_name_the_key() {
        for (key, value) in [
            ("zipkin_topics", "[]"),
            ("zipkin_topics", "[\"not a topic\"]"),
            ("otlp_topics", "[\"zipkin\"]"),
            ("group", "\" \""),
            ("consumers", "0"),
            ("poison_bytes_max", "1"),
            ("poison_days", "0"),
        ] {
            let error =
                of(&format!("kafka_spans.bootstrap = \"k:1\"\nkafka_spans.{key} = {value}")).unwrap_err();
            assert!(error.contains(&format!("`kafka_spans.{key}`")), "{key}: {error}");
        }
    }
}
