//! OffsetCommit and OffsetFetch.

use std::collections::BTreeMap;

use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    ApiKey, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::error_code;
use crate::group::Commit;
use crate::state::{Shared, State, text, topic_name};

/// Longest commit metadata kept, Kafka's default.
const METADATA_BYTES_MAX: usize = 4_096;
const OFFSET_METADATA_TOO_LARGE: i16 = 12;

pub(super) fn commit(shared: &Shared, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let mut state = shared.state();
    let name = request.group_id.to_string();
    let ordered = state.faults.take_error(ApiKey::OffsetCommit, None);
    let room = state.groups.contains_key(&name) || state.groups.len() < shared.config.group_members_max;
    let error = if let Some(code) = ordered {
        code
    } else if name.is_empty() {
        error_code::INVALID_GROUP_ID
    } else if !room {
        error_code::GROUP_MAX_SIZE_REACHED
    } else {
        state.groups.entry(name.clone()).or_default().may_commit(
            &request.member_id,
            request.group_instance_id.as_deref(),
            request.generation_id_or_member_epoch,
        )
    };
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in topic.partitions {
            let index = wanted.partition_index;
            let exists = state.topics.get(topic.name.as_str()).is_some_and(|t| t.partition(index).is_some());
            let too_long = wanted.committed_metadata.as_ref().is_some_and(|m| m.len() > METADATA_BYTES_MAX);
            let code = match error {
                error_code::NONE if !exists => error_code::UNKNOWN_TOPIC_OR_PARTITION,
                error_code::NONE if too_long => OFFSET_METADATA_TOO_LARGE,
                code => code,
            };
            if code == error_code::NONE
                && let Some(group) = state.groups.get_mut(&name)
            {
                let commit = Commit {
                    offset: wanted.committed_offset,
                    leader_epoch: wanted.committed_leader_epoch,
                    metadata: wanted.committed_metadata.map(|m| text(&m)),
                };
                group.commits.insert((topic.name.to_string(), index), commit);
            }
            partitions.push(
                OffsetCommitResponsePartition::default().with_partition_index(index).with_error_code(code),
            );
        }
        topics.push(OffsetCommitResponseTopic::default().with_name(topic.name).with_partitions(partitions));
    }
    OffsetCommitResponse::default().with_topics(topics)
}

/// Topics and partitions asked for; `None` for all that have a commit.
type Wanted = Option<Vec<(String, Vec<i32>)>>;
/// Topic to (partition, commit).
type Found = BTreeMap<String, Vec<(i32, Commit)>>;

fn look_up(state: &State, group: &str, wanted: Wanted) -> Found {
    let commits = state.groups.get(group).map(|known| &known.commits);
    let none = || Commit { offset: -1, leader_epoch: -1, metadata: Some(StrBytes::new()) };
    let mut found = Found::new();
    match wanted {
        None => {
            for ((topic, partition), commit) in commits.into_iter().flatten() {
                found.entry(topic.clone()).or_default().push((*partition, commit.clone()));
            }
        }
        Some(topics) => {
            for (topic, partitions) in topics {
                let into = found.entry(topic.clone()).or_default();
                for partition in partitions {
                    let commit = commits.and_then(|commits| commits.get(&(topic.clone(), partition)));
                    into.push((partition, commit.cloned().unwrap_or_else(none)));
                }
            }
        }
    }
    found
}

pub(super) fn fetch(shared: &Shared, request: OffsetFetchRequest, version: i16) -> OffsetFetchResponse {
    let mut state = shared.state();
    let code = state.faults.take_error(ApiKey::OffsetFetch, None).unwrap_or(error_code::NONE);
    if version < 8 {
        let wanted = request.topics.map(|topics| {
            topics.into_iter().map(|topic| (topic.name.to_string(), topic.partition_indexes)).collect()
        });
        let answer = OffsetFetchResponse::default();
        let found = look_up(&state, &request.group_id, wanted);
        let topics = found.into_iter().map(|(topic, partitions)| old_topic(&topic, partitions, code));
        let answer = answer.with_topics(topics.collect());
        return if version >= 2 { answer.with_error_code(code) } else { answer };
    }
    let groups = request.groups.into_iter().map(|group| {
        let wanted = group.topics.map(|topics| {
            topics.into_iter().map(|topic| (topic.name.to_string(), topic.partition_indexes)).collect()
        });
        let found = look_up(&state, &group.group_id, wanted);
        let found = if code == error_code::NONE { found } else { Found::new() };
        OffsetFetchResponseGroup::default()
            .with_group_id(group.group_id)
            .with_error_code(code)
            .with_topics(found.into_iter().map(|(topic, partitions)| new_topic(&topic, partitions)).collect())
    });
    OffsetFetchResponse::default().with_groups(groups.collect())
}

fn old_topic(topic: &str, partitions: Vec<(i32, Commit)>, code: i16) -> OffsetFetchResponseTopic {
    let partition = |(index, commit): (i32, Commit)| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(index)
            .with_error_code(code)
            .with_committed_offset(commit.offset)
            .with_committed_leader_epoch(commit.leader_epoch)
            .with_metadata(commit.metadata)
    };
    OffsetFetchResponseTopic::default()
        .with_name(topic_name(topic))
        .with_partitions(partitions.into_iter().map(partition).collect())
}

fn new_topic(topic: &str, partitions: Vec<(i32, Commit)>) -> OffsetFetchResponseTopics {
    let partition = |(index, commit): (i32, Commit)| {
        OffsetFetchResponsePartitions::default()
            .with_partition_index(index)
            .with_committed_offset(commit.offset)
            .with_committed_leader_epoch(commit.leader_epoch)
            .with_metadata(commit.metadata)
    };
    OffsetFetchResponseTopics::default()
        .with_name(topic_name(topic))
        .with_partitions(partitions.into_iter().map(partition).collect())
}
