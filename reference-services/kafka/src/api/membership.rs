//! JoinGroup, SyncGroup, Heartbeat and LeaveGroup.

use std::time::Duration;

use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{
    ApiKey, HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};

use super::Client;
use crate::error_code;
use crate::group::{JoinRequest, Joined, Synced};
use crate::state::{Shared, text};

fn millis(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

pub(super) async fn join(
    shared: &Shared,
    request: JoinGroupRequest,
    version: i16,
    client: Client,
) -> JoinGroupResponse {
    let group = request.group_id.to_string();
    let session = millis(request.session_timeout_ms);
    let (session_min, session_max) = shared.config.session_timeout;
    let refusal = if group.is_empty() {
        Some(error_code::INVALID_GROUP_ID)
    } else if session < session_min || session > session_max {
        Some(error_code::INVALID_SESSION_TIMEOUT)
    } else {
        shared.state().faults.take_error(ApiKey::JoinGroup, None)
    };
    let joined = match refusal {
        Some(code) => Joined::refused(code, &request.member_id),
        None => {
            let rebalance = millis(request.rebalance_timeout_ms);
            let join = JoinRequest {
                member: request.member_id.to_string(),
                instance: request.group_instance_id.map(|instance| instance.to_string()),
                client_id: client.id,
                client_host: client.host,
                protocol_type: request.protocol_type.to_string(),
                protocols: request
                    .protocols
                    .into_iter()
                    // The subscription is copied: it outlives the request, whose whole frame it would keep alive.
                    .map(|p| (p.name.to_string(), bytes::Bytes::copy_from_slice(&p.metadata)))
                    .collect(),
                session,
                rebalance: if rebalance.is_zero() { session } else { rebalance },
                needs_id: version >= 4,
            };
            wait_for_join(shared, &group, join).await
        }
    };
    let kind = shared.state().groups.get(&group).map(|known| known.protocol_type.clone());
    let members = joined
        .members
        .into_iter()
        .map(|(id, instance, subscription)| {
            JoinGroupResponseMember::default()
                .with_member_id(text(&id))
                .with_group_instance_id(instance.filter(|_| version >= 5).map(|i| text(&i)))
                .with_metadata(subscription)
        })
        .collect();
    JoinGroupResponse::default()
        .with_error_code(joined.error)
        .with_generation_id(joined.generation)
        .with_protocol_type(Some(text(&kind.unwrap_or_default())))
        .with_protocol_name(Some(text(&joined.protocol)))
        .with_leader(text(&joined.leader))
        .with_member_id(text(&joined.member))
        .with_members(members)
}

async fn wait_for_join(shared: &Shared, group: &str, join: JoinRequest) -> Joined {
    let limit = shared.config.group_members_max;
    let member = join.member.clone();
    let answer = {
        let mut state = shared.state();
        if !state.groups.contains_key(group) && state.groups.len() >= limit {
            return Joined::refused(error_code::GROUP_MAX_SIZE_REACHED, &member);
        }
        let known = state.groups.entry(group.to_owned()).or_default();
        known.join(join, shared.config.initial_rebalance_delay, limit)
    };
    answer.await.unwrap_or_else(|_| Joined::refused(error_code::UNKNOWN_MEMBER_ID, &member))
}

pub(super) async fn sync(shared: &Shared, request: SyncGroupRequest) -> SyncGroupResponse {
    let group = request.group_id.to_string();
    let plan = request
        .assignments
        .into_iter()
        .map(|a| (a.member_id.to_string(), bytes::Bytes::copy_from_slice(&a.assignment)))
        .collect();
    let ordered = shared.state().faults.take_error(ApiKey::SyncGroup, None);
    let answer = match ordered {
        Some(_) => None,
        None => shared.state().groups.get_mut(&group).map(|known| {
            known.sync(&request.member_id, request.group_instance_id.as_deref(), request.generation_id, plan)
        }),
    };
    let unknown = || Synced::refused(ordered.unwrap_or(error_code::UNKNOWN_MEMBER_ID));
    let synced = match answer {
        Some(answer) => answer.await.unwrap_or_else(|_| unknown()),
        None => unknown(),
    };
    let kind = shared.state().groups.get(&group).map(|known| known.protocol_type.clone());
    SyncGroupResponse::default()
        .with_error_code(synced.error)
        .with_protocol_type(Some(text(&kind.unwrap_or_default())))
        .with_protocol_name(Some(text(&synced.protocol)))
        .with_assignment(synced.assignment)
}

pub(super) fn heartbeat(shared: &Shared, request: HeartbeatRequest) -> HeartbeatResponse {
    let mut state = shared.state();
    let ordered = state.faults.take_error(ApiKey::Heartbeat, None);
    let code = ordered.unwrap_or_else(|| {
        state.groups.get_mut(request.group_id.as_str()).map_or(error_code::UNKNOWN_MEMBER_ID, |known| {
            known.heartbeat(&request.member_id, request.group_instance_id.as_deref(), request.generation_id)
        })
    });
    HeartbeatResponse::default().with_error_code(code)
}

pub(super) fn leave(shared: &Shared, request: LeaveGroupRequest, version: i16) -> LeaveGroupResponse {
    let mut state = shared.state();
    let Some(known) = state.groups.get_mut(request.group_id.as_str()) else {
        return LeaveGroupResponse::default().with_error_code(error_code::UNKNOWN_MEMBER_ID);
    };
    if version < 3 {
        let code = known.leave(&request.member_id, None);
        return LeaveGroupResponse::default().with_error_code(code);
    }
    let members = request
        .members
        .into_iter()
        .map(|member| {
            let code = known.leave(&member.member_id, member.group_instance_id.as_deref());
            MemberResponse::default()
                .with_member_id(member.member_id)
                .with_group_instance_id(member.group_instance_id)
                .with_error_code(code)
        })
        .collect();
    LeaveGroupResponse::default().with_members(members)
}
