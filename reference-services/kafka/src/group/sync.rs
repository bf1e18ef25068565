//! The sync phase: the leader brings the plan, everybody gets its part.

use std::collections::HashMap;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Group, GroupState};
use crate::error_code;

/// The answer to a SyncGroup request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Synced {
    pub(crate) error: i16,
    pub(crate) protocol: String,
    pub(crate) assignment: Bytes,
}

impl Synced {
    pub(crate) fn refused(error: i16) -> Self {
        Self { error, protocol: String::new(), assignment: Bytes::new() }
    }
}

impl Group {
    /// Takes a sync; followers wait until the leader's arrives.
    pub(crate) fn sync(
        &mut self,
        member: &str,
        instance: Option<&str>,
        generation: i32,
        plan: Vec<(String, Bytes)>,
    ) -> oneshot::Receiver<Synced> {
        let (answer, receiver) = oneshot::channel();
        let refusal = match self.check(member, instance, generation) {
            error_code::NONE => match self.state {
                GroupState::Empty => Some(error_code::UNKNOWN_MEMBER_ID),
                GroupState::PreparingRebalance => Some(error_code::REBALANCE_IN_PROGRESS),
                GroupState::CompletingRebalance | GroupState::Stable => None,
            },
            error => Some(error),
        };
        if let Some(error) = refusal {
            drop(answer.send(Synced::refused(error)));
            return receiver;
        }
        if let Some(known) = self.members.get_mut(member) {
            known.sync = Some(answer);
        }
        if self.state == GroupState::Stable {
            let protocol = self.protocol.clone();
            if let Some(known) = self.members.get_mut(member) {
                let assignment = known.assignment.clone();
                known.answer_sync(Synced { error: error_code::NONE, protocol, assignment });
            }
        } else if member == self.leader {
            self.hand_out(plan);
        }
        receiver
    }

    fn hand_out(&mut self, plan: Vec<(String, Bytes)>) {
        let mut plan: HashMap<String, Bytes> = plan.into_iter().collect();
        for (id, member) in &mut self.members {
            member.assignment = plan.remove(id).unwrap_or_default();
            let assignment = member.assignment.clone();
            member.answer_sync(Synced {
                error: error_code::NONE,
                protocol: self.protocol.clone(),
                assignment,
            });
        }
        self.state = GroupState::Stable;
        self.deadline = None;
    }
}
