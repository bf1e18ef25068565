//! The join phase: members arrive, the barrier holds until all known ones are there, a leader is told who they are.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::sync::Synced;
use super::{Group, GroupState, Member};
use crate::error_code;

/// How long the owner of a handed-out member id is waited for.
const PROMISE: Duration = Duration::from_secs(3);

/// A JoinGroup request.
#[derive(Debug, Clone)]
pub(crate) struct JoinRequest {
    pub(crate) member: String,
    pub(crate) instance: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) protocol_type: String,
    pub(crate) protocols: Vec<(String, Bytes)>,
    pub(crate) session: Duration,
    pub(crate) rebalance: Duration,
    /// Since version 4 a new dynamic member first gets an id and comes again with it.
    pub(crate) needs_id: bool,
}

/// The answer to a JoinGroup request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) error: i16,
    pub(crate) generation: i32,
    pub(crate) protocol: String,
    pub(crate) leader: String,
    pub(crate) member: String,
    /// (member, instance, subscription) of everybody; only the leader is told.
    pub(crate) members: Vec<(String, Option<String>, Bytes)>,
}

impl Joined {
    pub(crate) fn refused(error: i16, member: &str) -> Self {
        Self {
            error,
            generation: -1,
            protocol: String::new(),
            leader: String::new(),
            member: member.to_owned(),
            members: Vec::new(),
        }
    }
}

impl Group {
    /// Takes a join; the answer comes when the barrier opens.
    pub(crate) fn join(
        &mut self,
        request: JoinRequest,
        initial_delay: Duration,
        members_max: usize,
    ) -> oneshot::Receiver<Joined> {
        let (answer, receiver) = oneshot::channel();
        match self.admit(&request, members_max) {
            Err(refused) => drop(answer.send(refused)),
            Ok((id, changed)) => {
                let follows = self.state == GroupState::Stable && self.leader != id;
                if !changed && (follows || self.state == GroupState::CompletingRebalance) {
                    drop(answer.send(self.joined(&id)));
                    if let Some(member) = self.members.get_mut(&id) {
                        member.seen = Instant::now();
                    }
                } else {
                    self.wait_for_all(id, request, answer, initial_delay);
                }
            }
        }
        receiver
    }

    /// The member's id and whether the group must rebalance for it, or the refusal.
    fn admit(&mut self, request: &JoinRequest, members_max: usize) -> Result<(String, bool), Joined> {
        let refuse = |error, id: &str| Err(Joined::refused(error, id));
        let others = self.members.iter().any(|(id, _)| *id != request.member);
        if request.protocols.is_empty()
            || others
                && (self.protocol_type != request.protocol_type
                    || self.common_protocol(&request.protocols).is_none())
        {
            return refuse(error_code::INCONSISTENT_GROUP_PROTOCOL, &request.member);
        }
        if request.member.is_empty() {
            if self.members.len() >= members_max {
                return refuse(error_code::GROUP_MAX_SIZE_REACHED, "");
            }
            let id = format!("{}-{}", request.client_id, uuid::Uuid::new_v4());
            return match &request.instance {
                Some(instance) => Ok(self.take_static_place(instance, id, request)),
                None if request.needs_id => {
                    self.promised.insert(id.clone(), Instant::now() + PROMISE);
                    refuse(error_code::MEMBER_ID_REQUIRED, &id)
                }
                None => Ok((id, true)),
            };
        }
        if let Some(instance) = &request.instance
            && self.fenced(&request.member, instance)
        {
            return refuse(error_code::FENCED_INSTANCE_ID, &request.member);
        }
        match self.members.get(&request.member) {
            Some(known) => Ok((request.member.clone(), known.protocols != request.protocols)),
            None if self.promised.remove(&request.member).is_some() => Ok((request.member.clone(), true)),
            None => refuse(error_code::UNKNOWN_MEMBER_ID, &request.member),
        }
    }

    /// A static member that came back takes over its old place under a new id; the old id is fenced.
    fn take_static_place(&mut self, instance: &str, id: String, request: &JoinRequest) -> (String, bool) {
        let old = self
            .members
            .iter()
            .find(|(_, m)| m.instance.as_deref() == Some(instance))
            .map(|(id, _)| id.clone());
        let Some((old, mut member)) = old.and_then(|old| self.members.remove(&old).map(|m| (old, m))) else {
            return (id, true);
        };
        member.answer_join(Joined::refused(error_code::FENCED_INSTANCE_ID, &old));
        member.answer_sync(Synced::refused(error_code::FENCED_INSTANCE_ID));
        let changed = member.protocols != request.protocols;
        if self.leader == old {
            self.leader.clone_from(&id);
        }
        member.seen = Instant::now();
        self.members.insert(id.clone(), member);
        (id, changed)
    }

    fn wait_for_all(
        &mut self,
        id: String,
        request: JoinRequest,
        answer: oneshot::Sender<Joined>,
        initial_delay: Duration,
    ) {
        let now = Instant::now();
        let newcomer = !self.members.contains_key(&id);
        self.protocol_type = request.protocol_type;
        let member = self.members.entry(id).or_insert_with(|| Member {
            instance: request.instance,
            client_id: request.client_id,
            client_host: request.client_host,
            protocols: Vec::new(),
            assignment: Bytes::new(),
            session: request.session,
            rebalance: request.rebalance,
            seen: now,
            join: None,
            sync: None,
        });
        member.protocols = request.protocols;
        member.session = request.session;
        member.rebalance = request.rebalance;
        member.seen = now;
        member.join = Some(answer);
        if self.gathering && newcomer {
            // Members that start together meet in one generation: each newcomer prolongs the first wait.
            self.deadline = Some(now + initial_delay);
        }
        self.prepare(initial_delay);
        self.finish_join(false);
    }

    /// The best assignor of `mine` that every member supports.
    fn common_protocol(&self, mine: &[(String, Bytes)]) -> Option<String> {
        mine.iter().map(|p| &p.0).find(|name| self.members.values().all(|m| m.supports(name))).cloned()
    }

    /// Begins a join phase unless one is under way.
    pub(super) fn prepare(&mut self, initial_delay: Duration) {
        if self.state == GroupState::PreparingRebalance {
            return;
        }
        for member in self.members.values_mut() {
            member.answer_sync(Synced::refused(error_code::REBALANCE_IN_PROGRESS));
        }
        self.gathering = self.state == GroupState::Empty;
        let wait = if self.gathering { initial_delay } else { self.patience() };
        self.deadline = Some(Instant::now() + wait);
        self.state = GroupState::PreparingRebalance;
    }

    /// Ends the join phase when everybody is here, or when it `expired`, then without those who are missing.
    pub(super) fn finish_join(&mut self, expired: bool) {
        if self.state != GroupState::PreparingRebalance {
            return;
        }
        let all_here = self.promised.is_empty() && self.members.values().all(Member::waits_for_join);
        if !expired && (self.gathering || !all_here) {
            return;
        }
        self.members.retain(|_, member| member.waits_for_join());
        self.gathering = false;
        self.generation += 1;
        let Some(first) = self.members.keys().next().cloned() else {
            self.state = GroupState::Empty;
            self.deadline = None;
            return;
        };
        self.rebalances += 1;
        if !self.members.contains_key(&self.leader) {
            self.leader = first;
        }
        let wanted = self.members.get(&self.leader).map(|m| m.protocols.clone()).unwrap_or_default();
        self.protocol = self.common_protocol(&wanted).unwrap_or_default();
        self.state = GroupState::CompletingRebalance;
        self.deadline = Some(Instant::now() + self.patience());
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let joined = self.joined(&id);
            if let Some(member) = self.members.get_mut(&id) {
                member.answer_join(joined);
            }
        }
    }

    /// The current generation as told to `id`.
    fn joined(&self, id: &str) -> Joined {
        let everybody = || {
            self.members
                .iter()
                .map(|(id, m)| (id.clone(), m.instance.clone(), m.subscription(&self.protocol)))
                .collect()
        };
        Joined {
            error: error_code::NONE,
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            member: id.to_owned(),
            members: if self.leader == id { everybody() } else { Vec::new() },
        }
    }
}
