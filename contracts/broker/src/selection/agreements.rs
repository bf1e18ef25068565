//! What proposals add to a provider's question: contracts it accepted are there and binding, others that only a
//! proposal stands behind never break its build.
//!
//! | state of the proposal | in the answer | pending |
//! |---|---|---|
//! | none, retired | by Pact's rules alone | by Pact's rules alone |
//! | draft | when its branch is selected | yes |
//! | proposed | when its branch is selected, and as work in progress | yes |
//! | accepted, enforced | always for the provider's main branch | no |
//! | rejected, withdrawn, superseded | when selected, never as work in progress | yes |

use tracepact_contract_model::{Selector, SelectorKind};

use super::{Accepted, Selected, Wanted};
use crate::BrokerError;
use crate::proposing::{Standing, standing};
use crate::store::Conn;
use crate::store::pacticipants::Pacticipant;
use crate::store::pacts::{Which, last_with_content, published};
use crate::store::proposals::{self, ProposalRow};

/// A proposal as an entry of the answer.
pub(super) async fn of_proposal(
    conn: &mut Conn,
    proposal: &ProposalRow,
    short: &str,
) -> Result<Selected, BrokerError> {
    let version = last_with_content(conn, proposal.content_row).await?.map(|p| (p.version_id, p.version));
    Ok(Selected {
        consumer: proposal.consumer.clone(),
        content_row: proposal.content_row,
        content_id: proposal.content_id.clone(),
        version,
        short: short.to_owned(),
        reasons: Vec::new(),
        pending: false,
        wip: false,
        accepted: None,
        unbound: None,
    })
}

/// Drafts and proposals of a branch that a selector names, whether or not a version of the consumer was published.
pub(super) async fn add_selected_proposals(
    conn: &mut Conn,
    provider: &Pacticipant,
    selectors: &[Selector],
    wanted: &Wanted,
    selected: &mut Vec<Selected>,
) -> Result<(), BrokerError> {
    for selector in selectors {
        let branch = match (&selector.kind, &wanted.branch) {
            (SelectorKind::Branch { name, .. }, _) => name,
            (SelectorKind::MatchingBranch, Some(branch)) => branch,
            _ => continue,
        };
        let consumer = selector.consumer.as_deref();
        for proposal in proposals::open_from_branch(conn, provider.id, branch, consumer).await? {
            if selected.iter().any(|s| s.content_row == proposal.content_row) {
                continue;
            }
            let mut entry =
                of_proposal(conn, &proposal, &format!("{} on branch {branch}", proposal.state)).await?;
            entry.pending = wanted.pending;
            entry.reasons = vec![format!(
                "the contract that {} has as {} on branch '{branch}'",
                proposal.consumer, proposal.state
            )];
            selected.push(entry);
        }
    }
    Ok(())
}

/// Makes pending, or binding, what the proposals of each selected content say.
pub(super) async fn rule_by_proposals(
    conn: &mut Conn,
    provider: &Pacticipant,
    selected: &mut [Selected],
) -> Result<(), BrokerError> {
    let contents: Vec<i64> = selected.iter().map(|one| one.content_row).collect();
    let proposed = proposals::with_proposals(conn, &contents).await?;
    for one in selected.iter_mut().filter(|one| proposed.contains(&one.content_row)) {
        let (standing, proposal) = of_content(conn, provider, one.content_row).await?;
        let Some(proposal) = proposal else { continue };
        match standing {
            Standing::Binding => {
                one.pending = false;
                one.accepted = Some(accepted(conn, &proposal).await?);
            }
            standing if standing.is_pending() => {
                one.pending = true;
                one.unbound = Some(said(provider, &proposal, standing));
            }
            _ => {}
        }
    }
    Ok(())
}

fn said(provider: &Pacticipant, proposal: &ProposalRow, standing: Standing) -> String {
    let (consumer, branch, name) = (&proposal.consumer, &proposal.consumer_branch, &provider.name);
    match standing {
        Standing::Draft => format!("{consumer} drafts this contract on branch '{branch}'."),
        Standing::Ended => {
            format!("This contract, which {consumer} proposed on branch '{branch}', is {}.", proposal.state)
        }
        _ => format!("{consumer} proposes this contract on branch '{branch}'; {name} has not accepted it."),
    }
}

/// What the provider accepted is never pending, and is there even when no selector asks for it.
pub(super) async fn add_accepted(
    conn: &mut Conn,
    provider: &Pacticipant,
    selected: &mut Vec<Selected>,
) -> Result<(), BrokerError> {
    for proposal in proposals::accepted(conn, provider.id).await? {
        if selected.iter().any(|s| s.content_row == proposal.content_row) {
            continue;
        }
        let mut entry = of_proposal(conn, &proposal, "accepted").await?;
        entry.reasons = vec![format!(
            "the contract that {} proposed on branch '{}' and {} accepted",
            proposal.consumer, proposal.consumer_branch, provider.name
        )];
        entry.accepted = Some(accepted(conn, &proposal).await?);
        selected.push(entry);
    }
    Ok(())
}

async fn accepted(conn: &mut Conn, proposal: &ProposalRow) -> Result<Accepted, BrokerError> {
    let history = proposals::history(conn, proposal.id).await?;
    let by = history.into_iter().rev().find(|h| h.state == "accepted" && h.who.is_some()).and_then(|h| h.who);
    Ok(Accepted { by, branch: proposal.consumer_branch.clone() })
}

/// Whether a content may be offered as work in progress.
pub(super) async fn may_be_wip(
    conn: &mut Conn,
    provider: &Pacticipant,
    content_row: i64,
) -> Result<bool, BrokerError> {
    let (standing, _) = of_content(conn, provider, content_row).await?;
    Ok(matches!(standing, Standing::Plain | Standing::Proposed))
}

/// The standing of a content; the consumer's main branch counts when that carries it now.
async fn of_content(
    conn: &mut Conn,
    provider: &Pacticipant,
    content_row: i64,
) -> Result<(Standing, Option<ProposalRow>), BrokerError> {
    let (first, row) = standing(conn, content_row, None).await?;
    let Some(row) = row else { return Ok((first, None)) };
    if first == Standing::Binding {
        return Ok((first, Some(row)));
    }
    let heads = published(conn, Some(provider.id), Some(&row.consumer), Which::LatestOnMainBranch).await?;
    match heads.into_iter().find(|p| p.content_row == content_row) {
        Some(head) => {
            standing(conn, content_row, Some(head.main_branch.as_deref().unwrap_or_default())).await
        }
        None => Ok((first, Some(row))),
    }
}
