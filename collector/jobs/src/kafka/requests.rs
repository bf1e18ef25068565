//! Questions and answers in our own words.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::messages as m;
use kafka_protocol::messages::{ApiKey, BrokerId, GroupId, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::Place;
use super::connection::{Connection, WireError};

/// A group as its coordinator lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedGroup {
    pub(crate) group: String,
    /// `classic`, `consumer`, `share`; empty before Kafka 3.8.
    pub(crate) kind: String,
    pub(crate) state: String,
}

/// A group's members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DescribedGroup {
    pub(crate) state: String,
    pub(crate) members: usize,
    /// Partition → client id of its owner.
    pub(crate) owners: BTreeMap<Place, String>,
}

/// One partition of a fetch answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fetched {
    pub(crate) code: i16,
    pub(crate) log_start: i64,
    pub(crate) records: Bytes,
}

fn text(from: &str) -> StrBytes {
    StrBytes::from_string(from.to_owned())
}

fn code(what: &'static str, code: i16) -> Result<(), WireError> {
    if code == 0 { Ok(()) } else { Err(WireError::Code { what, code }) }
}

fn by_topic<T: Copy>(places: &[(Place, T)]) -> BTreeMap<&str, Vec<(i32, T)>> {
    let mut topics = BTreeMap::<&str, Vec<(i32, T)>>::new();
    for ((topic, partition), value) in places {
        topics.entry(topic).or_default().push((*partition, *value));
    }
    topics
}

impl Connection {
    /// All topics and brokers.
    pub(crate) async fn metadata(&mut self) -> Result<m::MetadataResponse, WireError> {
        let api = ApiKey::Metadata;
        let version = self.version(api, 9..=12)?;
        let question = m::MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(false);
        self.call(api, version, &question).await
    }

    /// The groups that this broker coordinates.
    pub(crate) async fn list_groups(&mut self) -> Result<Vec<ListedGroup>, WireError> {
        let api = ApiKey::ListGroups;
        let version = self.version(api, 3..=5)?;
        let answer: m::ListGroupsResponse = self.call(api, version, &m::ListGroupsRequest::default()).await?;
        code("ListGroups", answer.error_code)?;
        let listed = |group: m::list_groups_response::ListedGroup| ListedGroup {
            group: group.group_id.to_string(),
            kind: group.group_type.to_string(),
            state: group.group_state.to_string(),
        };
        Ok(answer.groups.into_iter().map(listed).collect())
    }

    /// Every commit of these groups. Groups that answer with an error are left out.
    pub(crate) async fn commits(
        &mut self,
        groups: &[String],
    ) -> Result<BTreeMap<String, BTreeMap<Place, i64>>, WireError> {
        let api = ApiKey::OffsetFetch;
        let version = self.version(api, 8..=8)?;
        let wanted = |group: &String| {
            m::offset_fetch_request::OffsetFetchRequestGroup::default()
                .with_group_id(GroupId(text(group)))
                .with_topics(None)
        };
        let question = m::OffsetFetchRequest::default().with_groups(groups.iter().map(wanted).collect());
        let answer: m::OffsetFetchResponse = self.call(api, version, &question).await?;
        let mut found = BTreeMap::new();
        for group in answer.groups.into_iter().filter(|group| group.error_code == 0) {
            let commits: &mut BTreeMap<Place, i64> = found.entry(group.group_id.to_string()).or_default();
            for topic in group.topics {
                let name = topic.name.to_string();
                let known = topic.partitions.iter().filter(|p| p.error_code == 0 && p.committed_offset >= 0);
                commits.extend(known.map(|p| ((name.clone(), p.partition_index), p.committed_offset)));
            }
        }
        Ok(found)
    }

    /// Offsets at times (-1 for the end, -2 for the start). Partitions that answer with an error are left out.
    pub(crate) async fn offsets(
        &mut self,
        places: &[(Place, i64)],
    ) -> Result<BTreeMap<Place, i64>, WireError> {
        use m::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
        let api = ApiKey::ListOffsets;
        let version = self.version(api, 6..=7)?;
        let partition = |(index, time): (i32, i64)| {
            ListOffsetsPartition::default()
                .with_partition_index(index)
                .with_timestamp(time)
                .with_current_leader_epoch(-1)
        };
        let topics = by_topic(places)
            .into_iter()
            .map(|(topic, partitions)| {
                ListOffsetsTopic::default()
                    .with_name(TopicName(text(topic)))
                    .with_partitions(partitions.into_iter().map(partition).collect())
            })
            .collect();
        let question = m::ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(topics);
        let answer: m::ListOffsetsResponse = self.call(api, version, &question).await?;
        let mut found = BTreeMap::new();
        for topic in answer.topics {
            let name = topic.name.to_string();
            let known = topic.partitions.iter().filter(|p| p.error_code == 0);
            found.extend(known.map(|p| ((name.clone(), p.partition_index), p.offset)));
        }
        Ok(found)
    }

    /// State, members and ownership of these groups. Groups that answer with an error are left out.
    pub(crate) async fn describe(
        &mut self,
        groups: &[String],
    ) -> Result<BTreeMap<String, DescribedGroup>, WireError> {
        let api = ApiKey::DescribeGroups;
        let version = self.version(api, 5..=5)?;
        let wanted = groups.iter().map(|group| GroupId(text(group))).collect();
        let question = m::DescribeGroupsRequest::default().with_groups(wanted);
        let answer: m::DescribeGroupsResponse = self.call(api, version, &question).await?;
        let mut found = BTreeMap::new();
        for group in answer.groups.into_iter().filter(|group| group.error_code == 0) {
            let mut described = DescribedGroup {
                state: group.group_state.to_string(),
                members: group.members.len(),
                owners: BTreeMap::new(),
            };
            for member in &group.members {
                let owned = super::owned_partitions(&member.member_assignment);
                let owner = member.client_id.to_string();
                described.owners.extend(owned.into_iter().map(|place| (place, owner.clone())));
            }
            found.insert(group.group_id.to_string(), described);
        }
        Ok(found)
    }

    /// The broker that coordinates a group.
    pub(crate) async fn coordinator(&mut self, group: &str) -> Result<i32, WireError> {
        let api = ApiKey::FindCoordinator;
        let version = self.version(api, 4..=4)?;
        let question = m::FindCoordinatorRequest::default().with_coordinator_keys(vec![text(group)]);
        let answer: m::FindCoordinatorResponse = self.call(api, version, &question).await?;
        let found = answer.coordinators.first();
        let found = found.ok_or(WireError::Code { what: "FindCoordinator", code: -1 })?;
        code("FindCoordinator", found.error_code)?;
        Ok(found.node_id.0)
    }

    /// What follows these offsets, at once and without waiting for more.
    pub(crate) async fn fetch(
        &mut self,
        places: &[(Place, i64)],
        bytes_max: i32,
    ) -> Result<BTreeMap<Place, Fetched>, WireError> {
        use m::fetch_request::{FetchPartition, FetchTopic};
        let api = ApiKey::Fetch;
        let version = self.version(api, 12..=12)?;
        let partition = |(index, offset): (i32, i64)| {
            FetchPartition::default()
                .with_partition(index)
                .with_fetch_offset(offset)
                .with_current_leader_epoch(-1)
                .with_last_fetched_epoch(-1)
                .with_log_start_offset(-1)
                .with_partition_max_bytes(bytes_max)
        };
        let topics = by_topic(places)
            .into_iter()
            .map(|(topic, partitions)| {
                FetchTopic::default()
                    .with_topic(TopicName(text(topic)))
                    .with_partitions(partitions.into_iter().map(partition).collect())
            })
            .collect();
        let question = m::FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(0)
            .with_min_bytes(0)
            .with_max_bytes(bytes_max)
            .with_isolation_level(1)
            .with_session_epoch(-1)
            .with_topics(topics);
        let answer: m::FetchResponse = self.call(api, version, &question).await?;
        code("Fetch", answer.error_code)?;
        let mut found = BTreeMap::new();
        for topic in answer.responses {
            let name = topic.topic.to_string();
            for p in topic.partitions {
                let fetched = Fetched {
                    code: p.error_code,
                    log_start: p.log_start_offset,
                    records: p.records.unwrap_or_default(),
                };
                found.insert((name.clone(), p.partition_index), fetched);
            }
        }
        Ok(found)
    }
}
