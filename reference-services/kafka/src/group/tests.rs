use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot::Receiver;
use tokio::time;

use super::*;

const SESSION: Duration = Duration::from_secs(6);
const DELAY: Duration = Duration::from_millis(300);

fn request(member: &str, instance: Option<&str>) -> JoinRequest {
    JoinRequest {
        member: member.to_owned(),
        instance: instance.map(str::to_owned),
        client_id: "c".to_owned(),
        client_host: "h".to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![("range".to_owned(), Bytes::from_static(b"sub"))],
        session: SESSION,
        rebalance: Duration::from_secs(60),
        needs_id: false,
    }
}

fn join(group: &mut Group, member: &str) -> Receiver<Joined> {
    group.join(request(member, None), DELAY, 100)
}

/// Lets time pass in the steps of the broker's ticks.
async fn pass(group: &mut Group, how_long: Duration) {
    let until = time::Instant::now() + how_long;
    while time::Instant::now() < until {
        time::advance(Duration::from_millis(50)).await;
        group.tick();
    }
}

/// A group of `count` settled members; their ids, the leader first.
async fn settled(group: &mut Group, count: usize) -> Vec<String> {
    let joins: Vec<_> = (0..count).map(|_| join(group, "")).collect();
    pass(group, DELAY * 2).await;
    let mut ids = Vec::new();
    for answer in joins {
        let joined = answer.await.unwrap();
        assert_eq!((joined.error, joined.generation), (0, group.generation));
        if joined.leader == joined.member { ids.insert(0, joined.member) } else { ids.push(joined.member) }
    }
    sync_all(group, &ids).await;
    ids
}

async fn sync_all(group: &mut Group, ids: &[String]) {
    let leader = group.leader.clone();
    let generation = group.generation;
    let followers: Vec<_> = ids
        .iter()
        .filter(|id| **id != leader)
        .map(|id| group.sync(id, None, generation, Vec::new()))
        .collect();
    let plan = ids.iter().map(|id| (id.clone(), Bytes::from(id.clone()))).collect();
    let own = group.sync(&leader, None, generation, plan);
    assert_eq!(own.await.unwrap().assignment, Bytes::from(leader));
    for answer in followers {
        assert_eq!(answer.await.unwrap().error, error_code::NONE);
    }
    assert_eq!(group.state, GroupState::Stable);
}

#[tokio::test(start_paused = true)]
async fn members_that_start_together_meet_in_one_generation() {
    let mut group = Group::default();
    let first = join(&mut group, "");
    pass(&mut group, DELAY / 2).await;
    let second = join(&mut group, "");
    pass(&mut group, DELAY * 2).await;
    assert_eq!(first.await.unwrap().generation, 1);
    assert_eq!(second.await.unwrap().generation, 1);
    assert_eq!(group.rebalances, 1);
}

#[tokio::test(start_paused = true)]
async fn the_barrier_waits_for_every_known_member_and_opens_at_once() {
    let mut group = Group::default();
    let ids = settled(&mut group, 2).await;
    let newcomer = join(&mut group, "");
    // The others learn of it by heartbeat, seconds later; nobody is thrown out and nothing starts over meanwhile.
    pass(&mut group, Duration::from_secs(3)).await;
    assert_eq!(group.heartbeat(&ids[0], None, 1), error_code::REBALANCE_IN_PROGRESS);
    let a = join(&mut group, &ids[0]);
    pass(&mut group, Duration::from_secs(2)).await;
    assert_eq!(group.heartbeat(&ids[1], None, 1), error_code::REBALANCE_IN_PROGRESS);
    let b = join(&mut group, &ids[1]);
    for answer in [newcomer, a, b] {
        assert_eq!(answer.await.unwrap().generation, 2);
    }
    assert_eq!((group.members.len(), group.rebalances), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_waits_for_our_answer_is_never_expelled() {
    let mut group = Group::default();
    let ids = settled(&mut group, 2).await;
    let newcomer = join(&mut group, "");
    let a = join(&mut group, &ids[0]);
    // The third stays alive by heartbeats and takes long to come: longer than the session of those who wait.
    for _ in 0..4 {
        pass(&mut group, SESSION / 2).await;
        assert_eq!(group.heartbeat(&ids[1], None, 1), error_code::REBALANCE_IN_PROGRESS);
    }
    let b = join(&mut group, &ids[1]);
    for answer in [newcomer, a, b] {
        assert_eq!(answer.await.unwrap().error, error_code::NONE);
    }
    assert_eq!(group.members.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_silent_member_is_expelled_and_the_rest_go_on() {
    let mut group = Group::default();
    let ids = settled(&mut group, 2).await;
    for _ in 0..4 {
        pass(&mut group, SESSION / 3).await;
        group.heartbeat(&ids[0], None, group.generation);
    }
    assert_eq!(group.members.len(), 1);
    let back = join(&mut group, &ids[0]);
    assert_eq!(back.await.unwrap().generation, 2);
    assert_eq!(group.heartbeat(&ids[1], None, 2), error_code::UNKNOWN_MEMBER_ID);
}

#[tokio::test(start_paused = true)]
async fn a_static_member_comes_back_without_a_rebalance_and_its_old_id_is_fenced() {
    let mut group = Group::default();
    let joins = ["one", "two"].map(|instance| group.join(request("", Some(instance)), DELAY, 100));
    pass(&mut group, DELAY * 2).await;
    let mut ids = Vec::new();
    let mut instances = Vec::new();
    for (answer, instance) in joins.into_iter().zip(["one", "two"]) {
        ids.push(answer.await.unwrap().member);
        instances.push(instance);
    }
    sync_all(&mut group, &ids).await;
    let follower = usize::from(group.leader == ids[0]);
    let back = group.join(request("", Some(instances[follower])), DELAY, 100).await.unwrap();
    assert_eq!((back.error, back.generation, group.rebalances), (0, 1, 1));
    assert_ne!(back.member, ids[follower]);
    let part = group.sync(&back.member, Some(instances[follower]), 1, Vec::new()).await.unwrap();
    assert_eq!(part.assignment, Bytes::from(ids[follower].clone()));
    let old = group.heartbeat(&ids[follower], Some(instances[follower]), 1);
    assert_eq!(old, error_code::FENCED_INSTANCE_ID);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_vanished_while_waiting_does_not_hold_the_barrier_for_ever() {
    let mut group = Group::default();
    let ids = settled(&mut group, 2).await;
    drop(join(&mut group, "")); // joins and its connection breaks
    let a = join(&mut group, &ids[0]);
    let b = join(&mut group, &ids[1]);
    pass(&mut group, SESSION + SESSION / 2).await;
    assert_eq!(a.await.unwrap().error, error_code::NONE);
    assert_eq!(b.await.unwrap().error, error_code::NONE);
    assert_eq!(group.members.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_leader_without_a_plan_does_not_block_the_group() {
    let mut group = Group::default();
    let joins = [join(&mut group, ""), join(&mut group, "")];
    pass(&mut group, DELAY * 2).await;
    let mut ids = Vec::new();
    for answer in joins {
        ids.push(answer.await.unwrap().member);
    }
    let follower = ids.iter().find(|id| **id != group.leader).unwrap().clone();
    let mut waiting = group.sync(&follower, None, 1, Vec::new());
    let leader = group.leader.clone();
    let start = time::Instant::now();
    let answer = loop {
        if let Ok(answer) = waiting.try_recv() {
            break answer;
        }
        assert!(start.elapsed() < Duration::from_secs(62), "the rebalance timeout has passed");
        group.heartbeat(&leader, None, 1);
        pass(&mut group, Duration::from_secs(1)).await;
    };
    assert_eq!(answer.error, error_code::REBALANCE_IN_PROGRESS);
    assert_eq!(group.members.len(), 1);
}

#[test]
fn commits_follow_the_members() {
    let mut group = Group::default();
    assert_eq!(group.may_commit("", None, -1), error_code::NONE);
    assert_eq!(group.may_commit("ghost", None, 3), error_code::UNKNOWN_MEMBER_ID);
}
