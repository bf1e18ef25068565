//! One request of every API, in the form each version wants.

use bytes::Bytes;
use kafka_protocol::messages::{self as m, GroupId, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::wire::batch;

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

pub(crate) fn group(name: &str) -> GroupId {
    GroupId(StrBytes::from_string(name.to_owned()))
}

pub(crate) fn produce(name: &str, records: Bytes) -> m::ProduceRequest {
    use m::produce_request::{PartitionProduceData, TopicProduceData};
    let partition = PartitionProduceData::default().with_records(Some(records));
    let data = TopicProduceData::default().with_name(topic(name)).with_partition_data(vec![partition]);
    m::ProduceRequest::default().with_acks(-1).with_timeout_ms(1_000).with_topic_data(vec![data])
}

pub(crate) fn fetch(name: &str, offset: i64, wait_ms: i32) -> m::FetchRequest {
    use m::fetch_request::{FetchPartition, FetchTopic};
    let partition = FetchPartition::default().with_fetch_offset(offset).with_partition_max_bytes(1 << 20);
    m::FetchRequest::default()
        .with_replica_id((-1).into())
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_topics(vec![FetchTopic::default().with_topic(topic(name)).with_partitions(vec![partition])])
}

pub(crate) fn list_offsets(name: &str, timestamp: i64) -> m::ListOffsetsRequest {
    use m::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
    let partition = ListOffsetsPartition::default().with_timestamp(timestamp);
    m::ListOffsetsRequest::default().with_replica_id((-1).into()).with_topics(vec![
        ListOffsetsTopic::default().with_name(topic(name)).with_partitions(vec![partition]),
    ])
}

pub(crate) fn metadata(name: &str) -> m::MetadataRequest {
    let wanted = m::metadata_request::MetadataRequestTopic::default().with_name(Some(topic(name)));
    m::MetadataRequest::default().with_topics(Some(vec![wanted])).with_allow_auto_topic_creation(true)
}

pub(crate) fn commit(group_name: &str, name: &str, offset: i64) -> m::OffsetCommitRequest {
    use m::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(offset);
    m::OffsetCommitRequest::default()
        .with_group_id(group(group_name))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![
            OffsetCommitRequestTopic::default().with_name(topic(name)).with_partitions(vec![partition]),
        ])
}

pub(crate) fn offset_fetch(group_name: &str, name: &str, version: i16) -> m::OffsetFetchRequest {
    use m::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopic};
    if version >= 8 {
        let wanted = OffsetFetchRequestGroup::default().with_group_id(group(group_name)).with_topics(None);
        return m::OffsetFetchRequest::default().with_groups(vec![wanted]);
    }
    let wanted = OffsetFetchRequestTopic::default().with_name(topic(name)).with_partition_indexes(vec![0]);
    m::OffsetFetchRequest::default().with_group_id(group(group_name)).with_topics(Some(vec![wanted]))
}

pub(crate) fn join(group_name: &str, member: &str) -> m::JoinGroupRequest {
    use m::join_group_request::JoinGroupRequestProtocol;
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(StrBytes::from_static_str("range"))
        .with_metadata(Bytes::from_static(b"subscription"));
    m::JoinGroupRequest::default()
        .with_group_id(group(group_name))
        .with_session_timeout_ms(6_000)
        .with_member_id(StrBytes::from_string(member.to_owned()))
        .with_protocol_type(StrBytes::from_static_str("consumer"))
        .with_protocols(vec![protocol])
}

pub(crate) fn create_topics(name: &str) -> m::CreateTopicsRequest {
    use m::create_topics_request::{CreatableTopic, CreatableTopicConfig};
    let config = CreatableTopicConfig::default()
        .with_name(StrBytes::from_static_str("retention.ms"))
        .with_value(Some(StrBytes::from_static_str("60000")));
    m::CreateTopicsRequest::default().with_topics(vec![
        CreatableTopic::default()
            .with_name(topic(name))
            .with_num_partitions(2)
            .with_replication_factor(1)
            .with_configs(vec![config]),
    ])
}

pub(crate) fn some_records() -> Bytes {
    batch(3)
}
