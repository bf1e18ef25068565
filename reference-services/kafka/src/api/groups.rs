//! ListGroups, DescribeGroups and DeleteGroups.

use bytes::Bytes;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    ApiKey, DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, ListGroupsRequest, ListGroupsResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::error_code;
use crate::group::{Group, GroupState};
use crate::state::{Shared, text};

/// The only type of group here.
const CLASSIC: &str = "classic";

pub(super) fn list(shared: &Shared, request: ListGroupsRequest) -> ListGroupsResponse {
    let mut state = shared.state();
    if let Some(code) = state.faults.take_error(ApiKey::ListGroups, None) {
        return ListGroupsResponse::default().with_error_code(code);
    }
    let passes = |filter: &[StrBytes], value: &str| {
        filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    let groups = state
        .groups
        .iter()
        .filter(|(_, group)| passes(&request.states_filter, group.state.name()))
        .filter(|_| passes(&request.types_filter, CLASSIC))
        .map(|(name, group)| {
            ListedGroup::default()
                .with_group_id(GroupId(text(name)))
                .with_protocol_type(text(&group.protocol_type))
                .with_group_state(text(group.state.name()))
                .with_group_type(text(CLASSIC))
        })
        .collect();
    ListGroupsResponse::default().with_groups(groups)
}

pub(super) fn describe(shared: &Shared, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    let state = shared.state();
    let groups = request
        .groups
        .into_iter()
        .map(|id| match state.groups.get(id.as_str()) {
            Some(group) => described(group).with_group_id(id),
            None => DescribedGroup::default().with_group_state(text("Dead")).with_group_id(id),
        })
        .collect();
    DescribeGroupsResponse::default().with_groups(groups)
}

fn described(group: &Group) -> DescribedGroup {
    let stable = group.state == GroupState::Stable;
    let members = group
        .members
        .iter()
        .map(|(id, member)| {
            DescribedGroupMember::default()
                .with_member_id(text(id))
                .with_group_instance_id(member.instance.as_deref().map(text))
                .with_client_id(text(&member.client_id))
                .with_client_host(text(&format!("/{}", member.client_host)))
                .with_member_metadata(member.subscription(&group.protocol))
                .with_member_assignment(if stable { member.assignment.clone() } else { Bytes::new() })
        })
        .collect();
    DescribedGroup::default()
        .with_group_state(text(group.state.name()))
        .with_protocol_type(text(&group.protocol_type))
        .with_protocol_data(text(&group.protocol))
        .with_members(members)
}

pub(super) fn delete(shared: &Shared, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let mut state = shared.state();
    let results = request
        .groups_names
        .into_iter()
        .map(|id| {
            let code = match state.groups.get(id.as_str()) {
                None => error_code::GROUP_ID_NOT_FOUND,
                Some(group) if !group.members.is_empty() => error_code::NON_EMPTY_GROUP,
                Some(_) => {
                    state.groups.remove(id.as_str());
                    error_code::NONE
                }
            };
            DeletableGroupResult::default().with_group_id(id).with_error_code(code)
        })
        .collect();
    DeleteGroupsResponse::default().with_results(results)
}
