//! Fetch with long poll, and ListOffsets.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::FetchTopic;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{
    ApiKey, BrokerId, FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse,
};
use tokio::time::Instant;

use crate::error_code;
use crate::state::{Shared, State};

/// Longest a fetch waits, whatever it asks for.
const WAIT_MAX_MS: i32 = 30_000;
/// Most bytes of records in one answer, whatever it asks for (the first batch always fits).
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// ListOffsets' special times.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;

/// What one look at the logs found.
struct Look {
    topics: Vec<FetchableTopicResponse>,
    bytes: usize,
    /// Something that the client must hear at once: an error or a moved log.
    urgent: bool,
}

pub(super) async fn fetch(shared: &Shared, request: FetchRequest) -> FetchResponse {
    let wait = Duration::from_millis(u64::from(request.max_wait_ms.clamp(0, WAIT_MAX_MS).unsigned_abs()));
    let deadline = Instant::now() + wait;
    let wanted = usize::try_from(request.min_bytes).unwrap_or(0);
    loop {
        // Registered before reading, so that nothing that arrives in between is missed.
        let woken = shared.news.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let look = look(&mut shared.state(), &request);
        if look.urgent || look.bytes >= wanted || Instant::now() >= deadline {
            return FetchResponse::default().with_responses(look.topics);
        }
        drop(tokio::time::timeout_at(deadline, woken).await);
    }
}

fn look(state: &mut State, request: &FetchRequest) -> Look {
    let bytes_max = usize::try_from(request.max_bytes).unwrap_or(0).min(ANSWER_BYTES_MAX);
    let mut found = Look { topics: Vec::new(), bytes: 0, urgent: request.topics.is_empty() };
    for topic in &request.topics {
        let answer = look_at_topic(state, topic, bytes_max, &mut found);
        found.topics.push(answer);
    }
    found
}

fn look_at_topic(
    state: &mut State,
    topic: &FetchTopic,
    bytes_max: usize,
    found: &mut Look,
) -> FetchableTopicResponse {
    let ordered = state.faults.take_error(ApiKey::Fetch, Some(topic.topic.as_str()));
    let known = state.topics.get(topic.topic.as_str());
    let partitions = topic
        .partitions
        .iter()
        .map(|wanted| {
            let answer = PartitionData::default()
                .with_partition_index(wanted.partition)
                .with_high_watermark(-1)
                .with_last_stable_offset(-1)
                .with_log_start_offset(-1)
                .with_preferred_read_replica(BrokerId(-1))
                .with_records(Some(Bytes::new()));
            let log = known.and_then(|topic| topic.partition(wanted.partition));
            let log = log.ok_or(error_code::UNKNOWN_TOPIC_OR_PARTITION);
            let log = match ordered.map_or(log, Err) {
                Ok(log) => log,
                Err(code) => {
                    found.urgent = true;
                    return answer.with_error_code(code);
                }
            };
            let answer = answer
                .with_high_watermark(log.end())
                .with_last_stable_offset(log.end())
                .with_log_start_offset(log.start());
            if !(log.start()..=log.end()).contains(&wanted.fetch_offset) {
                found.urgent = true;
                return answer.with_error_code(error_code::OFFSET_OUT_OF_RANGE);
            }
            let room = bytes_max.saturating_sub(found.bytes);
            if wanted.fetch_offset == log.end() || (found.bytes > 0 && room == 0) {
                return answer;
            }
            let partition_max = usize::try_from(wanted.partition_max_bytes).unwrap_or(0);
            let records = log.read(wanted.fetch_offset, partition_max.min(room.max(1)));
            found.bytes += records.len();
            answer.with_records(Some(records))
        })
        .collect();
    FetchableTopicResponse::default().with_topic(topic.topic.clone()).with_partitions(partitions)
}

pub(super) fn list_offsets(
    shared: &Shared,
    request: ListOffsetsRequest,
    version: i16,
) -> ListOffsetsResponse {
    let mut state = shared.state();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let ordered = state.faults.take_error(ApiKey::ListOffsets, Some(topic.name.as_str()));
        let known = state.topics.get(topic.name.as_str());
        let partitions = topic
            .partitions
            .iter()
            .map(|wanted| {
                let answer = ListOffsetsPartitionResponse::default()
                    .with_partition_index(wanted.partition_index)
                    .with_timestamp(-1)
                    .with_offset(-1);
                let log = known.and_then(|topic| topic.partition(wanted.partition_index));
                let log = match ordered.map_or(log.ok_or(error_code::UNKNOWN_TOPIC_OR_PARTITION), Err) {
                    Ok(log) => log,
                    Err(code) => return answer.with_error_code(code),
                };
                let (offset, timestamp) = match wanted.timestamp {
                    LATEST => (log.end(), -1),
                    EARLIEST => (log.start(), -1),
                    MAX_TIMESTAMP if version >= 7 => log.newest_time().unwrap_or((-1, -1)),
                    time if time >= 0 => log.offset_for_time(time).unwrap_or((-1, -1)),
                    _ => return answer.with_error_code(error_code::INVALID_REQUEST),
                };
                let epoch = if version >= 4 && offset >= 0 { 0 } else { -1 };
                answer.with_offset(offset).with_timestamp(timestamp).with_leader_epoch(epoch)
            })
            .collect();
        topics.push(ListOffsetsTopicResponse::default().with_name(topic.name).with_partitions(partitions));
    }
    ListOffsetsResponse::default().with_topics(topics)
}
