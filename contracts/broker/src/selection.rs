//! Which pacts a provider is to verify, and whether a failure breaks its build.

use std::collections::{BTreeMap, HashSet};

use tracepact_contract_model::{Selector, SelectorKind};

use crate::BrokerError;
use crate::store::pacticipants::Pacticipant;
use crate::store::pacts::{Published, Which, content_by_row, published};
use crate::store::proposals;
use crate::store::verifications::{SuccessBy, succeeded_among};
use crate::store::{Conn, environments, versions};

mod agreements;

use agreements::{add_accepted, add_selected_proposals, rule_by_proposals};

/// What a provider's build asks for.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) selectors: Vec<Selector>,
    pub(crate) pending: bool,
    /// Since when, in nanoseconds; `None` when work in progress is not wanted.
    pub(crate) wip_since: Option<i64>,
    pub(crate) branch: Option<String>,
    pub(crate) tags: Vec<String>,
}

/// One content to verify.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    pub(crate) consumer: String,
    pub(crate) content_row: i64,
    pub(crate) content_id: String,
    /// The latest consumer version that carries it; absent for a contract that was only proposed.
    pub(crate) version: Option<(i64, String)>,
    /// Why it was selected: short, for a heading, and whole.
    pub(crate) short: String,
    pub(crate) reasons: Vec<String>,
    pub(crate) pending: bool,
    pub(crate) wip: bool,
    /// Set for a contract the provider accepted: who accepted it, and on which consumer branch it was proposed.
    pub(crate) accepted: Option<Accepted>,
    /// What its proposal says: a failure does not break the build, however often it was verified before.
    pub(crate) unbound: Option<String>,
}

/// How a contract became binding.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub(crate) by: Option<String>,
    pub(crate) branch: String,
}

/// The contents for `provider`, selected ones first, then accepted, then work in progress.
pub(crate) async fn select(
    conn: &mut Conn,
    provider: &Pacticipant,
    wanted: &Wanted,
) -> Result<Vec<Selected>, BrokerError> {
    let standing = [
        Selector { consumer: None, kind: SelectorKind::MainBranch },
        Selector { consumer: None, kind: SelectorKind::DeployedOrReleased(None) },
    ];
    let selectors = if wanted.selectors.is_empty() { &standing[..] } else { &wanted.selectors[..] };
    let mut found: BTreeMap<(String, i64), Selected> = BTreeMap::new();
    for selector in selectors {
        for (publication, short, reason) in matches(conn, provider, selector, wanted).await? {
            let entry = found
                .entry((publication.consumer.clone(), publication.content_row))
                .or_insert_with(|| of_publication(&publication, &short));
            if entry.version.as_ref().is_none_or(|(id, _)| *id < publication.version_id) {
                entry.version = Some((publication.version_id, publication.version.clone()));
            }
            if !entry.reasons.contains(&reason) {
                entry.reasons.push(reason);
            }
        }
    }
    let mut selected: Vec<Selected> = found.into_values().collect();
    if wanted.pending {
        let contents: Vec<i64> = selected.iter().map(|one| one.content_row).collect();
        let pending = pending_among(conn, provider, contents, wanted).await?;
        for one in &mut selected {
            one.pending = pending.contains(&one.content_row);
        }
    }
    add_selected_proposals(conn, provider, selectors, wanted, &mut selected).await?;
    rule_by_proposals(conn, provider, &mut selected).await?;
    if on_main_branch(provider, wanted) {
        add_accepted(conn, provider, &mut selected).await?;
    }
    if let Some(since) = wanted.wip_since {
        add_wip(conn, provider, wanted, since, &mut selected).await?;
    }
    Ok(selected)
}

fn of_publication(publication: &Published, short: &str) -> Selected {
    Selected {
        consumer: publication.consumer.clone(),
        content_row: publication.content_row,
        content_id: publication.content_id.clone(),
        version: Some((publication.version_id, publication.version.clone())),
        short: short.to_owned(),
        reasons: Vec::new(),
        pending: false,
        wip: false,
        accepted: None,
        unbound: None,
    }
}

/// Whether the build is one of the provider's main branch. A build that does not say its branch is taken for one.
fn on_main_branch(provider: &Pacticipant, wanted: &Wanted) -> bool {
    match (&wanted.branch, &provider.main_branch) {
        (None, _) => true,
        (Some(branch), Some(main)) => branch == main,
        (Some(branch), None) => versions::MAIN_BRANCH_CANDIDATES.contains(&branch.as_str()),
    }
}

/// The publications a selector means, each with its reason in short and in full.
async fn matches(
    conn: &mut Conn,
    provider: &Pacticipant,
    selector: &Selector,
    wanted: &Wanted,
) -> Result<Vec<(Published, String, String)>, BrokerError> {
    let consumer = selector.consumer.as_deref();
    let of = consumer.map(|c| format!(" of {c}")).unwrap_or_default();
    let id = Some(provider.id);
    let mut out = Vec::new();
    let mut take = |list: Vec<Published>, short: String, reason: &dyn Fn(&Published) -> String| {
        out.extend(list.into_iter().map(|p| {
            let reason = reason(&p);
            (p, short.clone(), reason)
        }));
    };
    match &selector.kind {
        SelectorKind::MainBranch => {
            let list = published(conn, id, consumer, Which::LatestOnMainBranch).await?;
            take(list, "latest from main branch".into(), &|p| {
                let branch = p.main_branch.as_deref().unwrap_or_default();
                format!("latest version{of} from the main branch '{branch}' ({})", p.version)
            });
        }
        SelectorKind::Branch { name, fallback } => {
            let list = published(conn, id, consumer, Which::LatestOnBranch(name)).await?;
            let present: Vec<i64> = list.iter().map(|p| p.consumer_id).collect();
            take(list, format!("latest from branch {name}"), &|p| {
                format!("latest version{of} from branch '{name}' ({})", p.version)
            });
            if let Some(fallback) = fallback {
                let mut list = published(conn, id, consumer, Which::LatestOnBranch(fallback)).await?;
                list.retain(|p| !present.contains(&p.consumer_id));
                take(list, format!("latest from branch {fallback}"), &|p| {
                    format!(
                        "latest version{of} from branch '{fallback}' (fallback for branch '{name}') ({})",
                        p.version
                    )
                });
            }
        }
        SelectorKind::MatchingBranch => {
            if let Some(name) = &wanted.branch {
                let list = published(conn, id, consumer, Which::LatestOnBranch(name)).await?;
                take(list, "matches current branch".into(), &|p| {
                    format!(
                        "latest version{of} from branch '{name}' (matching the provider's branch) ({})",
                        p.version
                    )
                });
            }
        }
        SelectorKind::Tag { name, latest: true, fallback } => {
            let list = published(conn, id, consumer, Which::LatestWithTag(name)).await?;
            let present: Vec<i64> = list.iter().map(|p| p.consumer_id).collect();
            take(list, format!("latest with tag {name}"), &|p| {
                format!("latest version{of} tagged '{name}' ({})", p.version)
            });
            if let Some(fallback) = fallback {
                let mut list = published(conn, id, consumer, Which::LatestWithTag(fallback)).await?;
                list.retain(|p| !present.contains(&p.consumer_id));
                take(list, format!("latest with tag {fallback}"), &|p| {
                    format!(
                        "latest version{of} tagged '{fallback}' (fallback tag used as no pact was found with tag '{name}') ({})",
                        p.version
                    )
                });
            }
        }
        SelectorKind::Tag { name, latest: false, .. } => {
            let list = published(conn, id, consumer, Which::WithTag(name)).await?;
            take(list, format!("with tag {name}"), &|p| {
                format!("all versions{of} tagged '{name}' ({})", p.version)
            });
        }
        SelectorKind::Latest => {
            let list = published(conn, id, consumer, Which::Latest).await?;
            take(list, "latest".into(), &|p| format!("latest version{of} ({})", p.version));
        }
        SelectorKind::Deployed(name)
        | SelectorKind::Released(name)
        | SelectorKind::DeployedOrReleased(name) => {
            let environment = match name {
                None => None,
                Some(name) => Some(environments::find_by_name(conn, name).await?.ok_or_else(|| {
                    BrokerError::invalid(
                        "consumerVersionSelectors",
                        format!("environment with name '{name}' does not exist"),
                    )
                })?),
            };
            let place = environment.as_ref().map_or("any environment".to_owned(), |e| e.name.clone());
            let env = environment.map(|e| e.id);
            if !matches!(selector.kind, SelectorKind::Released(_)) {
                let list = published(conn, id, consumer, Which::Deployed(env)).await?;
                take(list, format!("deployed to {place}"), &|p| {
                    format!("consumer version(s){of} currently deployed to {place} ({})", p.version)
                });
            }
            if !matches!(selector.kind, SelectorKind::Deployed(_)) {
                let list = published(conn, id, consumer, Which::Released(env)).await?;
                take(list, format!("released to {place}"), &|p| {
                    format!(
                        "consumer version(s){of} currently released and supported in {place} ({})",
                        p.version
                    )
                });
            }
        }
    }
    Ok(out)
}

/// Pending: this line of the provider never verified it successfully, so a failure is news and not a breakage.
async fn pending_among(
    conn: &mut Conn,
    provider: &Pacticipant,
    mut contents: Vec<i64>,
    wanted: &Wanted,
) -> Result<HashSet<i64>, BrokerError> {
    if let Some(branch) = &wanted.branch {
        let done = succeeded_among(conn, &contents, SuccessBy::Branch(branch), true).await?;
        contents.retain(|content| !done.contains(content));
        if contents.is_empty() {
            return Ok(HashSet::new());
        }
        let since = versions::branch_since(conn, provider.id, branch).await?.unwrap_or(i64::MAX);
        let before = SuccessBy::OtherBranchBefore(branch, since);
        let done = succeeded_among(conn, &contents, before, true).await?;
        contents.retain(|content| !done.contains(content));
        return Ok(contents.into_iter().collect());
    }
    if wanted.tags.is_empty() {
        let done = succeeded_among(conn, &contents, SuccessBy::Anyone, true).await?;
        contents.retain(|content| !done.contains(content));
        return Ok(contents.into_iter().collect());
    }
    let mut pending = HashSet::new();
    for tag in &wanted.tags {
        let done = succeeded_among(conn, &contents, SuccessBy::Tag(tag), true).await?;
        pending.extend(contents.iter().copied().filter(|content| !done.contains(content)));
    }
    Ok(pending)
}

/// Work in progress: new heads of branches and tags, and open proposals, that this line has not verified yet.
async fn add_wip(
    conn: &mut Conn,
    provider: &Pacticipant,
    wanted: &Wanted,
    since: i64,
    selected: &mut Vec<Selected>,
) -> Result<(), BrokerError> {
    if wanted.branch.is_none() && wanted.tags.is_empty() {
        return Ok(());
    }
    let mut candidates: Vec<Selected> = Vec::new();
    let mut heads = published(conn, Some(provider.id), None, Which::HeadsSince(since)).await?;
    heads.sort_by_key(|p| p.version_id);
    for head in heads.iter().rev() {
        candidates.push(of_publication(head, "WIP"));
    }
    for proposal in proposals::in_state(conn, provider.id, "proposed").await? {
        if content_by_row(conn, proposal.content_row).await?.created_at >= since {
            candidates.push(agreements::of_proposal(conn, &proposal, "WIP").await?);
        }
    }
    let known: HashSet<i64> = selected.iter().map(|one| one.content_row).collect();
    candidates.retain(|candidate| !known.contains(&candidate.content_row));
    let contents: Vec<i64> = candidates.iter().map(|one| one.content_row).collect();
    let done = done_by_this_line(conn, provider, &contents, wanted).await?;
    let proposed = proposals::with_proposals(conn, &contents).await?;
    let mut added = HashSet::new();
    for mut candidate in candidates {
        let content = candidate.content_row;
        if done.contains(&content)
            || proposed.contains(&content) && !agreements::may_be_wip(conn, provider, content).await?
            || !added.insert(content)
        {
            continue;
        }
        candidate.pending = true;
        candidate.wip = true;
        let version =
            candidate.version.as_ref().map(|(_, number)| format!(" ({number})")).unwrap_or_default();
        candidate.reasons = vec![format!(
            "work in progress of {}{version}, new since the build's includeWipPactsSince",
            candidate.consumer
        )];
        selected.push(candidate);
    }
    Ok(())
}

/// Which of `contents` this line has verified successfully, other than as work in progress.
async fn done_by_this_line(
    conn: &mut Conn,
    provider: &Pacticipant,
    contents: &[i64],
    wanted: &Wanted,
) -> Result<HashSet<i64>, BrokerError> {
    if let Some(branch) = &wanted.branch {
        let mut done = succeeded_among(conn, contents, SuccessBy::Branch(branch), false).await?;
        let since = versions::branch_since(conn, provider.id, branch).await?.unwrap_or(i64::MAX);
        let before = SuccessBy::OtherBranchBefore(branch, since);
        done.extend(succeeded_among(conn, contents, before, false).await?);
        return Ok(done);
    }
    // Under several tags it is done once it is under each.
    let mut done: HashSet<i64> = contents.iter().copied().collect();
    for tag in &wanted.tags {
        let by_tag = succeeded_among(conn, contents, SuccessBy::Tag(tag), false).await?;
        done.retain(|content| by_tag.contains(content));
    }
    Ok(done)
}
