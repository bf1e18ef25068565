//! Metadata, DescribeCluster and FindCoordinator: there is one node and it does everything.

use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, DescribeClusterRequest, DescribeClusterResponse, FindCoordinatorRequest, FindCoordinatorResponse,
    MetadataRequest, MetadataResponse,
};
use uuid::Uuid;

use crate::error_code;
use crate::state::{NODE, Shared, State, Topic, text, topic_name};

pub(super) fn metadata(shared: &Shared, request: MetadataRequest, version: i16) -> MetadataResponse {
    let mut state = shared.state();
    // Null asks for all; before null existed (version 0) an empty list did.
    let all = request.topics.as_ref().is_none_or(|asked| version == 0 && asked.is_empty());
    let asked = request.topics.unwrap_or_default();
    let topics = if all {
        state.topics.iter().map(|(name, topic)| known(name, topic)).collect()
    } else {
        let may_create = shared.config.auto_create_topics && request.allow_auto_topic_creation;
        asked
            .into_iter()
            .map(|topic| match topic.name {
                Some(name) => named(shared, &mut state, name.as_str(), may_create),
                None => identified(&state, topic.topic_id, version),
            })
            .collect()
    };
    let node = MetadataResponseBroker::default()
        .with_node_id(NODE)
        .with_host(shared.host_text())
        .with_port(i32::from(shared.port));
    MetadataResponse::default()
        .with_brokers(vec![node])
        .with_cluster_id(Some(text(&shared.cluster_id)))
        .with_controller_id(NODE)
        .with_topics(topics)
}

fn known(name: &str, topic: &Topic) -> MetadataResponseTopic {
    let partitions = (0i32..)
        .take(topic.partitions.len())
        .map(|index| {
            MetadataResponsePartition::default()
                .with_partition_index(index)
                .with_leader_id(NODE)
                .with_leader_epoch(0)
                .with_replica_nodes(vec![NODE])
                .with_isr_nodes(vec![NODE])
        })
        .collect();
    MetadataResponseTopic::default()
        .with_name(Some(topic_name(name)))
        .with_topic_id(topic.id)
        .with_partitions(partitions)
}

fn named(shared: &Shared, state: &mut State, name: &str, may_create: bool) -> MetadataResponseTopic {
    if !state.topics.contains_key(name) {
        let code = if may_create {
            shared.create_topic(state, name, -1, Vec::new(), false)
        } else {
            error_code::UNKNOWN_TOPIC_OR_PARTITION
        };
        if code != error_code::NONE {
            return MetadataResponseTopic::default().with_name(Some(topic_name(name))).with_error_code(code);
        }
    }
    state.topics.get(name).map(|topic| known(name, topic)).unwrap_or_default()
}

fn identified(state: &State, id: Uuid, version: i16) -> MetadataResponseTopic {
    match state.topics.iter().find(|(_, topic)| topic.id == id) {
        Some((name, topic)) => known(name, topic),
        None => MetadataResponseTopic::default()
            .with_topic_id(id)
            .with_name((version < 12).then(|| topic_name("")))
            .with_error_code(error_code::UNKNOWN_TOPIC_ID),
    }
}

pub(super) fn describe_cluster(shared: &Shared, request: DescribeClusterRequest) -> DescribeClusterResponse {
    let node = DescribeClusterBroker::default()
        .with_broker_id(NODE)
        .with_host(shared.host_text())
        .with_port(i32::from(shared.port));
    DescribeClusterResponse::default()
        .with_endpoint_type(request.endpoint_type)
        .with_cluster_id(text(&shared.cluster_id))
        .with_controller_id(NODE)
        .with_brokers(vec![node])
}

pub(super) fn find_coordinator(
    shared: &Shared,
    request: FindCoordinatorRequest,
    version: i16,
) -> FindCoordinatorResponse {
    let code = shared.state().faults.take_error(ApiKey::FindCoordinator, None).unwrap_or(error_code::NONE);
    let port = i32::from(shared.port);
    if version < 4 {
        return FindCoordinatorResponse::default()
            .with_error_code(code)
            .with_node_id(NODE)
            .with_host(shared.host_text())
            .with_port(port);
    }
    let coordinator = |key| {
        Coordinator::default()
            .with_key(key)
            .with_error_code(code)
            .with_node_id(NODE)
            .with_host(shared.host_text())
            .with_port(port)
    };
    FindCoordinatorResponse::default()
        .with_coordinators(request.coordinator_keys.into_iter().map(coordinator).collect())
}
