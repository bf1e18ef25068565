//! CreateTopics, DeleteTopics, CreatePartitions, DeleteRecords and DescribeConfigs.

use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    DescribeConfigsRequest, DescribeConfigsResponse,
};
use uuid::Uuid;

use crate::error_code;
use crate::log::Partition;
use crate::state::{Shared, Topic, text, topic_name};

pub(super) fn create(shared: &Shared, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let mut state = shared.state();
    let topics = request
        .topics
        .into_iter()
        .map(|topic| {
            let configs = topic
                .configs
                .into_iter()
                .filter_map(|config| config.value.map(|value| (config.name.to_string(), value.to_string())))
                .collect();
            let partitions = if topic.assignments.is_empty() {
                topic.num_partitions
            } else {
                i32::try_from(topic.assignments.len()).unwrap_or(i32::MAX)
            };
            let name = topic.name.as_str();
            let code = shared.create_topic(&mut state, name, partitions, configs, request.validate_only);
            let answer = CreatableTopicResult::default().with_replication_factor(1).with_error_code(code);
            let created = state.topics.get(name).filter(|_| code == error_code::NONE);
            let answer = match created {
                Some(known) => answer
                    .with_topic_id(known.id)
                    .with_num_partitions(i32::try_from(known.partitions.len()).unwrap_or(i32::MAX)),
                None => answer,
            };
            answer.with_configs(Some(Vec::new())).with_name(topic.name)
        })
        .collect();
    CreateTopicsResponse::default().with_topics(topics)
}

pub(super) fn delete(shared: &Shared, request: DeleteTopicsRequest, version: i16) -> DeleteTopicsResponse {
    let mut state = shared.state();
    let wanted: Vec<(Option<String>, Uuid)> = if version >= 6 {
        request.topics.into_iter().map(|t| (t.name.map(|name| name.to_string()), t.topic_id)).collect()
    } else {
        request.topic_names.into_iter().map(|name| (Some(name.to_string()), Uuid::nil())).collect()
    };
    let mut responses = Vec::with_capacity(wanted.len());
    for (name, id) in wanted {
        let unknown = if name.is_some() {
            error_code::UNKNOWN_TOPIC_OR_PARTITION
        } else {
            error_code::UNKNOWN_TOPIC_ID
        };
        let name = name.or_else(|| state.topic_name(id)).unwrap_or_default();
        let gone = state.topics.remove(&name);
        if gone.is_some() {
            // Apache Kafka forgets the commits of a deleted topic too.
            state.groups.values_mut().for_each(|group| group.commits.retain(|at, _| at.0 != name));
        }
        responses.push(
            DeletableTopicResult::default()
                .with_name(Some(topic_name(&name)))
                .with_topic_id(gone.as_ref().map_or(id, |topic| topic.id))
                .with_error_code(if gone.is_some() { error_code::NONE } else { unknown }),
        );
    }
    state.recount();
    drop(state);
    shared.news.notify_waiters();
    DeleteTopicsResponse::default().with_responses(responses)
}

pub(super) fn create_partitions(
    shared: &Shared,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let mut state = shared.state();
    let mut results = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let total = state.partition_count();
        let count = usize::try_from(topic.count).unwrap_or(0);
        let code = match state.topics.get_mut(topic.name.as_str()) {
            None => error_code::UNKNOWN_TOPIC_OR_PARTITION,
            Some(known) if count <= known.partitions.len() => error_code::INVALID_PARTITIONS,
            Some(known) if total - known.partitions.len() + count > shared.config.partitions_max => {
                error_code::POLICY_VIOLATION
            }
            Some(known) => {
                if !request.validate_only {
                    known.partitions.resize_with(count, Partition::default);
                }
                error_code::NONE
            }
        };
        results.push(CreatePartitionsTopicResult::default().with_name(topic.name).with_error_code(code));
    }
    CreatePartitionsResponse::default().with_results(results)
}

pub(super) fn delete_records(shared: &Shared, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let mut state = shared.state();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut known = state.topics.get_mut(topic.name.as_str());
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in &topic.partitions {
            let answer = DeleteRecordsPartitionResult::default().with_partition_index(wanted.partition_index);
            let log = known
                .as_mut()
                .zip(usize::try_from(wanted.partition_index).ok())
                .and_then(|(topic, index)| topic.partitions.get_mut(index));
            partitions.push(match log {
                None => answer.with_low_watermark(-1).with_error_code(error_code::UNKNOWN_TOPIC_OR_PARTITION),
                Some(log) if wanted.offset > log.end() || wanted.offset < -1 => {
                    answer.with_low_watermark(-1).with_error_code(error_code::OFFSET_OUT_OF_RANGE)
                }
                Some(log) => {
                    log.delete_before(if wanted.offset == -1 { log.end() } else { wanted.offset });
                    answer.with_low_watermark(log.start())
                }
            });
        }
        topics.push(DeleteRecordsTopicResult::default().with_name(topic.name).with_partitions(partitions));
    }
    state.recount();
    drop(state);
    shared.news.notify_waiters();
    DeleteRecordsResponse::default().with_topics(topics)
}

/// Resource types of DescribeConfigs.
const TOPIC_RESOURCE: i8 = 2;
const BROKER_RESOURCE: i8 = 4;

pub(super) fn describe_configs(shared: &Shared, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let state = shared.state();
    let results = request
        .resources
        .into_iter()
        .map(|resource| {
            let answer = DescribeConfigsResult::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name.clone());
            let values = match resource.resource_type {
                TOPIC_RESOURCE => state.topics.get(resource.resource_name.as_str()).map(topic_values),
                BROKER_RESOURCE => Some(broker_values(shared)),
                _ => return answer.with_error_code(error_code::INVALID_REQUEST),
            };
            let Some(values) = values else {
                return answer.with_error_code(error_code::UNKNOWN_TOPIC_OR_PARTITION);
            };
            let wanted = resource.configuration_keys;
            let configs = values
                .into_iter()
                .filter(|(key, _)| wanted.as_ref().is_none_or(|keys| keys.iter().any(|k| k.as_str() == key)))
                .map(|(key, value)| {
                    DescribeConfigsResourceResult::default()
                        .with_name(text(&key))
                        .with_value(Some(text(&value)))
                        .with_read_only(true)
                })
                .collect();
            answer.with_configs(configs)
        })
        .collect();
    DescribeConfigsResponse::default().with_results(results)
}

fn topic_values(topic: &Topic) -> Vec<(String, String)> {
    let number = |value: u64| if value == u64::MAX { "-1".to_owned() } else { value.to_string() };
    let mut values = vec![
        ("cleanup.policy".to_owned(), "delete".to_owned()),
        ("retention.bytes".to_owned(), number(topic.retention.bytes)),
        ("retention.ms".to_owned(), number(topic.retention.age_ms)),
    ];
    values.extend(topic.configs.iter().filter(|c| !c.0.starts_with("retention.")).cloned());
    values
}

fn broker_values(shared: &Shared) -> Vec<(String, String)> {
    let config = &shared.config;
    vec![
        ("auto.create.topics.enable".to_owned(), config.auto_create_topics.to_string()),
        ("num.partitions".to_owned(), config.default_partitions.to_string()),
        ("log.retention.bytes".to_owned(), config.retention_bytes.to_string()),
        ("log.retention.ms".to_owned(), config.retention_ms.to_string()),
        ("socket.request.max.bytes".to_owned(), config.frame_bytes_max.to_string()),
    ]
}
