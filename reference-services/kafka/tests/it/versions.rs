//! Every version that is offered, called. The codec refuses to encode a field that a version lacks and the connection
//! then closes: this is the test that finds a forgotten guard.

use bytes::Bytes;
use kafka_protocol::messages::{self as m, ApiKey};
use kafka_protocol::protocol::StrBytes;
use tracepact_kafka::{Broker, Config, OFFERED};

use crate::requests as r;
use crate::wire::call;

async fn generation(at: &str, group: &str) -> (i32, String) {
    let joined: m::JoinGroupResponse = call(at, ApiKey::JoinGroup, 3, &r::join(group, "")).await;
    assert_eq!(joined.error_code, 0);
    (joined.generation_id, joined.member_id.to_string())
}

#[tokio::test]
async fn every_offered_version_of_every_api_answers_with_sense() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    broker.create_topic("t", 1).unwrap();
    let mut stored = 0;
    for range in OFFERED {
        for v in range.min..=range.max {
            let api = range.api;
            let s = StrBytes::from_static_str;
            match api {
                ApiKey::Produce => {
                    let a: m::ProduceResponse = call(&at, api, v, &r::produce("t", r::some_records())).await;
                    let p = &a.responses[0].partition_responses[0];
                    assert_eq!((p.error_code, p.base_offset), (0, stored));
                    stored += 3;
                }
                ApiKey::Fetch => {
                    let a: m::FetchResponse = call(&at, api, v, &r::fetch("t", 0, 0)).await;
                    let p = &a.responses[0].partitions[0];
                    assert_eq!((p.error_code, p.high_watermark), (0, stored));
                    assert!(!p.records.as_ref().unwrap().is_empty());
                }
                ApiKey::ListOffsets => {
                    for (time, want) in [(-1, stored), (-2, 0), (1_001, 1), (99_999, -1)] {
                        let a: m::ListOffsetsResponse = call(&at, api, v, &r::list_offsets("t", time)).await;
                        assert_eq!(a.topics[0].partitions[0].offset, want, "v{v} at {time}");
                    }
                    if v >= 7 {
                        let a: m::ListOffsetsResponse = call(&at, api, v, &r::list_offsets("t", -3)).await;
                        let p = &a.topics[0].partitions[0];
                        assert_eq!((p.offset, p.timestamp), (2, 1_002));
                    }
                }
                ApiKey::Metadata => {
                    let name = format!("auto{v}");
                    let a: m::MetadataResponse = call(&at, api, v, &r::metadata(&name)).await;
                    assert_eq!((a.topics[0].error_code, a.topics[0].partitions.len()), (0, 6));
                    assert_eq!(a.brokers[0].port.to_string(), at.rsplit_once(':').unwrap().1);
                    let all = m::MetadataRequest::default().with_topics((v == 0).then(Vec::new));
                    let a: m::MetadataResponse = call(&at, api, v, &all).await;
                    assert!(a.topics.len() > 1, "v{v}");
                    if v >= 10 {
                        let id = m::metadata_request::MetadataRequestTopic::default()
                            .with_topic_id(uuid::Uuid::from_u128(7))
                            .with_name(if v >= 12 { None } else { Some(r::topic("t")) });
                        let by_id = m::MetadataRequest::default().with_topics(Some(vec![id]));
                        let a: m::MetadataResponse = call(&at, api, v, &by_id).await;
                        assert_eq!(a.topics[0].error_code, if v >= 12 { 100 } else { 0 });
                    }
                }
                ApiKey::OffsetCommit => {
                    let a: m::OffsetCommitResponse =
                        call(&at, api, v, &r::commit("g", "t", i64::from(v))).await;
                    assert_eq!(a.topics[0].partitions[0].error_code, 0);
                    let a: m::OffsetCommitResponse = call(&at, api, v, &r::commit("g", "none", 1)).await;
                    assert_eq!(a.topics[0].partitions[0].error_code, 3);
                }
                ApiKey::OffsetFetch => {
                    let a: m::OffsetFetchResponse = call(&at, api, v, &r::offset_fetch("g", "t", v)).await;
                    let got = if v >= 8 {
                        a.groups[0].topics[0].partitions[0].committed_offset
                    } else {
                        a.topics[0].partitions[0].committed_offset
                    };
                    assert_eq!(got, 8, "what the last version of OffsetCommit wrote");
                }
                ApiKey::FindCoordinator => {
                    let q = if v >= 4 {
                        m::FindCoordinatorRequest::default().with_coordinator_keys(vec![s("g")])
                    } else {
                        m::FindCoordinatorRequest::default().with_key(s("g"))
                    };
                    let a: m::FindCoordinatorResponse = call(&at, api, v, &q).await;
                    let port = if v >= 4 { a.coordinators[0].port } else { a.port };
                    assert_eq!(port.to_string(), at.rsplit_once(':').unwrap().1);
                }
                ApiKey::JoinGroup => {
                    let name = format!("join{v}");
                    let mut a: m::JoinGroupResponse = call(&at, api, v, &r::join(&name, "")).await;
                    if v >= 4 {
                        assert_eq!(a.error_code, 79, "v{v}: MEMBER_ID_REQUIRED");
                        a = call(&at, api, v, &r::join(&name, &a.member_id)).await;
                    }
                    assert_eq!((a.error_code, a.generation_id, a.members.len()), (0, 1, 1), "v{v}");
                    assert_eq!(a.leader, a.member_id);
                }
                ApiKey::SyncGroup | ApiKey::Heartbeat | ApiKey::LeaveGroup => {
                    let name = format!("{api:?}{v}");
                    let (generation, member) = generation(&at, &name).await;
                    member_apis(&at, api, v, &name, generation, &member).await;
                }
                ApiKey::DescribeGroups => {
                    let q = m::DescribeGroupsRequest::default().with_groups(vec![
                        r::group("g"),
                        r::group("nobody"),
                        r::group("SyncGroup5"),
                    ]);
                    let a: m::DescribeGroupsResponse = call(&at, api, v, &q).await;
                    let states: Vec<_> = a.groups.iter().map(|g| g.group_state.to_string()).collect();
                    assert_eq!(states, ["Empty", "Dead", "Stable"]);
                    assert_eq!(a.groups[2].members[0].member_assignment, Bytes::from_static(b"plan"));
                }
                ApiKey::ListGroups => {
                    let a: m::ListGroupsResponse = call(&at, api, v, &m::ListGroupsRequest::default()).await;
                    let found = a.groups.iter().find(|g| g.group_id == r::group("SyncGroup5")).unwrap();
                    assert_eq!(found.protocol_type.to_string(), "consumer");
                    if v >= 4 {
                        assert_eq!(found.group_state.to_string(), "Stable");
                        let q = m::ListGroupsRequest::default().with_states_filter(vec![s("Empty")]);
                        let a: m::ListGroupsResponse = call(&at, api, v, &q).await;
                        assert!(a.groups.iter().all(|g| g.group_id != r::group("SyncGroup5")));
                    }
                    assert_eq!(found.group_type.to_string(), if v >= 5 { "classic" } else { "" });
                }
                ApiKey::ApiVersions => {
                    let a: m::ApiVersionsResponse =
                        call(&at, api, v, &m::ApiVersionsRequest::default()).await;
                    assert_eq!((a.error_code, a.api_keys.len()), (0, OFFERED.len()));
                }
                _ => admin_apis(&at, api, v).await,
            }
        }
    }
    broker.stop().await;
}

async fn member_apis(at: &str, api: ApiKey, v: i16, name: &str, generation: i32, member: &str) {
    let member_id = StrBytes::from_string(member.to_owned());
    match api {
        ApiKey::SyncGroup => {
            let part = m::sync_group_request::SyncGroupRequestAssignment::default()
                .with_member_id(member_id.clone())
                .with_assignment(Bytes::from_static(b"plan"));
            let q = m::SyncGroupRequest::default()
                .with_group_id(r::group(name))
                .with_generation_id(generation)
                .with_member_id(member_id)
                .with_assignments(vec![part]);
            let a: m::SyncGroupResponse = call(at, api, v, &q).await;
            assert_eq!((a.error_code, a.assignment), (0, Bytes::from_static(b"plan")));
        }
        ApiKey::Heartbeat => {
            for (generation, code) in [(generation, 0), (generation + 1, 22)] {
                let q = m::HeartbeatRequest::default()
                    .with_group_id(r::group(name))
                    .with_generation_id(generation)
                    .with_member_id(member_id.clone());
                let a: m::HeartbeatResponse = call(at, api, v, &q).await;
                assert_eq!(a.error_code, code);
            }
        }
        _ => {
            let q = m::LeaveGroupRequest::default().with_group_id(r::group(name));
            let q = if v >= 3 {
                q.with_members(vec![
                    m::leave_group_request::MemberIdentity::default().with_member_id(member_id),
                ])
            } else {
                q.with_member_id(member_id)
            };
            for code in [0, 25] {
                let a: m::LeaveGroupResponse = call(at, api, v, &q).await;
                assert_eq!(if v >= 3 { a.members[0].error_code } else { a.error_code }, code);
            }
        }
    }
}

async fn admin_apis(at: &str, api: ApiKey, v: i16) {
    match api {
        ApiKey::CreateTopics => {
            let a: m::CreateTopicsResponse = call(at, api, v, &r::create_topics(&format!("c{v}"))).await;
            assert_eq!(a.topics[0].error_code, 0);
            let a: m::CreateTopicsResponse = call(at, api, v, &r::create_topics("t")).await;
            assert_eq!(a.topics[0].error_code, 36);
        }
        ApiKey::DeleteTopics => {
            let name = r::topic(&format!("c{}", v + 1));
            let state = m::delete_topics_request::DeleteTopicState::default().with_name(Some(name.clone()));
            let q = if v >= 6 {
                m::DeleteTopicsRequest::default().with_topics(vec![state])
            } else {
                m::DeleteTopicsRequest::default().with_topic_names(vec![name])
            };
            for code in [0, 3] {
                let a: m::DeleteTopicsResponse = call(at, api, v, &q).await;
                assert_eq!(a.responses[0].error_code, code);
            }
        }
        ApiKey::DeleteRecords => {
            let until = i64::from(v) + 1;
            let partition = m::delete_records_request::DeleteRecordsPartition::default().with_offset(until);
            let wanted = m::delete_records_request::DeleteRecordsTopic::default()
                .with_name(r::topic("t"))
                .with_partitions(vec![partition]);
            let q = m::DeleteRecordsRequest::default().with_topics(vec![wanted]);
            let a: m::DeleteRecordsResponse = call(at, api, v, &q).await;
            assert_eq!(
                (a.topics[0].partitions[0].error_code, a.topics[0].partitions[0].low_watermark),
                (0, until)
            );
        }
        ApiKey::InitProducerId => {
            let q = m::InitProducerIdRequest::default().with_transactional_id(None);
            let a: m::InitProducerIdResponse = call(at, api, v, &q).await;
            assert_eq!((a.error_code, a.producer_id.0), (0, i64::from(v)));
            let id = StrBytes::from_static_str("tx");
            let q = m::InitProducerIdRequest::default().with_transactional_id(Some(id.into()));
            let a: m::InitProducerIdResponse = call(at, api, v, &q).await;
            assert_eq!(a.error_code, 53, "transactions are refused");
        }
        ApiKey::DescribeConfigs => {
            let resource = m::describe_configs_request::DescribeConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(StrBytes::from_static_str("c2"))
                .with_configuration_keys(Some(vec![StrBytes::from_static_str("retention.ms")]));
            let resource = resource.with_resource_name(StrBytes::from_static_str("t"));
            let q = m::DescribeConfigsRequest::default().with_resources(vec![resource]);
            let a: m::DescribeConfigsResponse = call(at, api, v, &q).await;
            assert_eq!(a.results[0].configs.len(), 1);
            assert_eq!(a.results[0].configs[0].value.as_ref().unwrap().to_string(), "3600000");
        }
        ApiKey::CreatePartitions => {
            let wanted = m::create_partitions_request::CreatePartitionsTopic::default()
                .with_name(r::topic("t"))
                .with_count(2 + i32::from(v))
                .with_assignments(None);
            let q = m::CreatePartitionsRequest::default().with_topics(vec![wanted]);
            for code in [0, 37] {
                let a: m::CreatePartitionsResponse = call(at, api, v, &q).await;
                assert_eq!(a.results[0].error_code, code);
            }
        }
        ApiKey::DeleteGroups => {
            let _: m::OffsetCommitResponse =
                call(at, ApiKey::OffsetCommit, 2, &r::commit("short-lived", "t", 1)).await;
            let q = m::DeleteGroupsRequest::default().with_groups_names(vec![
                r::group("short-lived"),
                r::group("SyncGroup5"),
                r::group("nobody"),
            ]);
            let a: m::DeleteGroupsResponse = call(at, api, v, &q).await;
            let codes: Vec<_> = a.results.iter().map(|g| g.error_code).collect();
            assert_eq!(codes, [0, 68, 69]);
        }
        ApiKey::DescribeCluster => {
            let a: m::DescribeClusterResponse = call(at, api, v, &m::DescribeClusterRequest::default()).await;
            assert_eq!(a.brokers.len(), 1);
        }
        other => panic!("{other:?} is offered and has no case here"),
    }
}

#[tokio::test]
async fn an_api_versions_request_from_the_future_is_answered_in_version_0() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let mut frame = crate::wire::frame(ApiKey::ApiVersions, 4, &m::ApiVersionsRequest::default()).to_vec();
    frame[2..4].copy_from_slice(&99i16.to_be_bytes());
    let answer = crate::wire::exchange(&broker.bootstrap(), &frame).await.unwrap();
    assert_eq!(&answer[4..6], 35i16.to_be_bytes(), "UNSUPPORTED_VERSION, and the list follows");
    assert_eq!(answer.len(), 4 + 2 + 4 + OFFERED.len() * 6);
}
