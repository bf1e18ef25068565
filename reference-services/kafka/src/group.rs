//! A classic consumer group as Apache Kafka's coordinator runs it.
//!
//! Rebalances do not flap because the join phase waits for *every known member* up to the rebalance timeout (never for
//! a fixed short time), and a member that waits for an answer of ours is never expelled.

mod join;
mod member;
mod sync;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;

pub(crate) use join::{JoinRequest, Joined};
pub(crate) use member::Member;
pub(crate) use sync::Synced;

use crate::error_code;

/// Where a group is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum GroupState {
    #[default]
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

impl GroupState {
    /// The name Kafka's admin APIs use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// A committed offset.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) metadata: Option<StrBytes>,
}

/// A group: its members, its generation and its commits.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) state: GroupState,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) generation: i32,
    pub(crate) members: BTreeMap<String, Member>,
    pub(crate) commits: BTreeMap<(String, i32), Commit>,
    /// Completed join phases, the first included.
    pub(crate) rebalances: u64,
    leader: String,
    /// Member ids handed out with MEMBER_ID_REQUIRED whose owners are expected back.
    promised: HashMap<String, Instant>,
    /// End of the join or sync phase for those who are missing.
    deadline: Option<Instant>,
    /// The first join phase of an empty group: it lasts its whole delay so that members starting together meet.
    gathering: bool,
}

impl Group {
    /// Whether `member` of `generation` may act; refreshes its session.
    pub(crate) fn check(&mut self, member: &str, instance: Option<&str>, generation: i32) -> i16 {
        if instance.is_some_and(|instance| self.fenced(member, instance)) {
            return error_code::FENCED_INSTANCE_ID;
        }
        let Some(known) = self.members.get_mut(member) else { return error_code::UNKNOWN_MEMBER_ID };
        if generation != self.generation {
            return error_code::ILLEGAL_GENERATION;
        }
        known.seen = Instant::now();
        error_code::NONE
    }

    /// Whether the static place `instance` belongs to another member now.
    fn fenced(&self, member: &str, instance: &str) -> bool {
        self.members.iter().any(|(id, m)| m.instance.as_deref() == Some(instance) && id != member)
    }

    /// A heartbeat; REBALANCE_IN_PROGRESS tells the member to join again.
    pub(crate) fn heartbeat(&mut self, member: &str, instance: Option<&str>, generation: i32) -> i16 {
        match self.check(member, instance, generation) {
            error_code::NONE if self.state == GroupState::PreparingRebalance => {
                error_code::REBALANCE_IN_PROGRESS
            }
            answer => answer,
        }
    }

    /// Whether a commit by this member is in order. A negative generation and no member id is a consumer that assigned
    /// itself, or an administrator; they may commit while nobody is in the group.
    pub(crate) fn may_commit(&mut self, member: &str, instance: Option<&str>, generation: i32) -> i16 {
        if generation < 0 && member.is_empty() {
            return if self.members.is_empty() { error_code::NONE } else { error_code::UNKNOWN_MEMBER_ID };
        }
        match self.check(member, instance, generation) {
            error_code::NONE if self.state == GroupState::CompletingRebalance => {
                error_code::REBALANCE_IN_PROGRESS
            }
            answer => answer,
        }
    }

    /// A member goes, by its id or by its static place.
    pub(crate) fn leave(&mut self, member: &str, instance: Option<&str>) -> i16 {
        if self.promised.remove(member).is_some() {
            return error_code::NONE;
        }
        let id = match instance {
            Some(instance) => self
                .members
                .iter()
                .find(|(_, m)| m.instance.as_deref() == Some(instance))
                .map(|(id, _)| id.clone()),
            None => Some(member.to_owned()),
        };
        if id.and_then(|id| self.members.remove(&id)).is_none() {
            return error_code::UNKNOWN_MEMBER_ID;
        }
        self.after_loss();
        error_code::NONE
    }

    /// Looks at sessions and deadlines; called a few times a second.
    pub(crate) fn tick(&mut self) {
        let now = Instant::now();
        self.promised.retain(|_, until| *until > now);
        let before = self.members.len();
        self.members.retain(|_, member| member.is_waiting() || member.seen + member.session > now);
        if self.members.len() != before {
            self.after_loss();
        }
        if self.deadline.is_none_or(|deadline| deadline > now) {
            self.finish_join(false);
            return;
        }
        match self.state {
            GroupState::PreparingRebalance => self.finish_join(true),
            GroupState::CompletingRebalance => {
                // The leader never sent a plan: start over without those who did not sync.
                self.members.retain(|_, member| member.waits_for_sync());
                self.deadline = None;
                self.after_loss();
            }
            GroupState::Empty | GroupState::Stable => self.deadline = None,
        }
    }

    fn after_loss(&mut self) {
        if self.members.is_empty() {
            if self.state != GroupState::Empty {
                self.generation += 1;
            }
            self.state = GroupState::Empty;
            self.deadline = None;
            self.gathering = false;
        } else {
            self.prepare(Duration::ZERO);
            self.finish_join(false);
        }
    }

    /// Longest rebalance timeout among the members.
    fn patience(&self) -> Duration {
        self.members.values().map(|member| member.rebalance).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
