//! What happens along a line: a new content supersedes the one before, the branch's end withdraws, and every step is
//! an event that says whether it asks more of the provider and who is affected.

use tracepact_base::{Event, EventKind};
use tracepact_contract_model::{Pact, meanings};

use crate::broker::{on_edge, tell};
use crate::store::pacticipants::Pacticipant;
use crate::store::proposals::{NewProposal, ProposalRow};
use crate::store::{Conn, pacts, proposal_facts, proposals, verifications, versions};
use crate::webhooks::fire::{ProposalStep, proposal_changed};
use crate::{Broker, BrokerError};

/// Most provider versions named as affected.
const AFFECTED_MAX: usize = 20;

/// Whether a proposal in this state is its line's present one.
pub(super) fn is_open(state: &str) -> bool {
    matches!(state, "draft" | "proposed" | "accepted" | "enforced")
}

/// Opens a proposal on a line; what was open there is superseded. Returns its id.
pub(super) async fn open(
    broker: &Broker,
    conn: &mut Conn,
    new: &NewProposal<'_>,
    consumer: &str,
    provider: &str,
    reason: Option<&str>,
) -> Result<String, BrokerError> {
    let now = broker.now();
    let before = proposals::line(conn, consumer, provider, new.consumer_branch).await?;
    let uuid = proposals::insert(conn, new, now).await?;
    let row = proposals::get(conn, &uuid).await?;
    for earlier in before.iter().filter(|p| is_open(&p.state)) {
        let because = format!("new content was {} as {uuid}", new.state);
        change(broker, conn, earlier, "superseded", new.author, Some(&because)).await?;
    }
    proposals::note(conn, row.id, new.state, new.author, reason, now).await?;
    announce(broker, conn, &row, new.state, new.author, reason).await?;
    Ok(uuid)
}

/// Moves a proposal, writes it down and tells of it.
pub(super) async fn change(
    broker: &Broker,
    conn: &mut Conn,
    row: &ProposalRow,
    state: &str,
    who: Option<&str>,
    reason: Option<&str>,
) -> Result<(), BrokerError> {
    proposals::set_state(conn, row.id, state, who, reason, broker.now()).await?;
    announce(broker, conn, row, state, who, reason).await
}

/// Puts back what `row` superseded, now that `row` came to nothing.
pub(super) async fn restore(broker: &Broker, conn: &mut Conn, row: &ProposalRow) -> Result<(), BrokerError> {
    let line = proposals::line(conn, &row.consumer, &row.provider, &row.consumer_branch).await?;
    if line.iter().any(|p| p.id != row.id && is_open(&p.state)) {
        return Ok(());
    }
    for earlier in line.iter().filter(|p| p.id < row.id && p.state == "superseded") {
        let history = proposals::history(conn, earlier.id).await?;
        let was =
            history.iter().rev().map(|h| h.state.as_str()).find(|s| *s != "superseded" && *s != "commented");
        if let Some(state @ ("accepted" | "enforced")) = was {
            let because = format!("{} did not take its place", row.uuid);
            return change(broker, conn, earlier, state, None, Some(&because)).await;
        }
    }
    Ok(())
}

/// A consumer's build published `content_row` on a branch: where a line is open there, other content is proposed on it.
pub(crate) async fn published_on_line(
    broker: &Broker,
    conn: &mut Conn,
    consumer: (i64, &str),
    provider: (i64, &str),
    branch: &str,
    content_row: i64,
    version: &str,
) -> Result<(), BrokerError> {
    let line = proposals::line(conn, consumer.1, provider.1, branch).await?;
    let Some(newest) = line.first() else { return Ok(()) };
    // A rejected line is still one: the consumer answers with other content. Ended ones (withdrawn, retired) are not.
    let state = match newest.state.as_str() {
        "draft" => "draft",
        "proposed" | "accepted" | "enforced" | "rejected" => "proposed",
        _ => return Ok(()),
    };
    if newest.content_row == content_row {
        return Ok(());
    }
    let new = NewProposal {
        consumer_id: consumer.0,
        provider_id: provider.0,
        consumer_branch: branch,
        content_row,
        state,
        title: &newest.title,
        pull_request_url: newest.pull_request_url.as_deref(),
        team: newest.team.as_deref(),
        author: newest.author.as_deref(),
    };
    let reason = format!("{} {version} published other content on branch '{branch}'", consumer.1);
    open(broker, conn, &new, consumer.1, provider.1, Some(&reason)).await.map(|_| ())
}

/// A consumer's branch is gone: its lines are withdrawn.
pub(crate) async fn branch_deleted(
    broker: &Broker,
    conn: &mut Conn,
    consumer: &str,
    branch: &str,
) -> Result<(), BrokerError> {
    for row in proposals::open_on_branch(conn, consumer, branch).await? {
        let reason = format!("branch '{branch}' of {consumer} was deleted");
        change(broker, conn, &row, "withdrawn", None, Some(&reason)).await?;
    }
    Ok(())
}

impl Broker {
    /// A success of a provider's version: an accepted contract is enforced from its first success on the provider's
    /// main branch. A proposed one stays proposed, whatever succeeds.
    pub(crate) async fn enforce(
        &self,
        conn: &mut Conn,
        provider: &Pacticipant,
        version: i64,
        content_row: i64,
    ) -> Result<(), BrokerError> {
        let Some(main) = provider.main_branch.as_deref() else { return Ok(()) };
        if !versions::branches(conn, version).await?.iter().any(|b| b.name == main) {
            return Ok(());
        }
        for row in proposals::of_content(conn, content_row).await? {
            if row.state == "accepted" {
                let because = "first success on the provider's main branch";
                change(self, conn, &row, "enforced", None, Some(because)).await?;
            }
        }
        Ok(())
    }
}

/// Writes the event of one step.
pub(super) async fn announce(
    broker: &Broker,
    conn: &mut Conn,
    row: &ProposalRow,
    action: &str,
    who: Option<&str>,
    reason: Option<&str>,
) -> Result<(), BrokerError> {
    let (consumer, provider) = (&row.consumer, &row.provider);
    let title = match action {
        "draft" => format!("{consumer} drafted a contract with {provider}"),
        "proposed" => format!("{consumer} proposed a contract to {provider}"),
        "accepted" => format!("{provider} accepted the contract that {consumer} proposed"),
        "enforced" => format!("{provider} keeps the contract that {consumer} proposed: it is enforced"),
        "rejected" => format!("{provider} rejected the contract that {consumer} proposed"),
        "commented" => format!("the contract that {consumer} proposed to {provider} was commented on"),
        other => format!("the contract that {consumer} proposed to {provider} is {other}"),
    };
    let mut step = ProposalStep {
        consumer,
        provider,
        content_row: row.content_row,
        proposal: &row.uuid,
        state: action,
        who,
        change: None,
        affected: None,
        pull_request_url: row.pull_request_url.as_deref(),
    };
    let affected;
    let event = of_proposal(broker.event(EventKind::ContractChange, title), row, action);
    let mut event = match who {
        Some(who) => event.with("who", who),
        None => event,
    };
    if let Some(team) = &row.team {
        event = event.with("team", team.as_str());
    }
    if matches!(action, "draft" | "proposed" | "accepted" | "rejected") {
        let impact = impact(conn, row).await?;
        event = event.with("breaking", if impact.breaking { "true" } else { "false" });
        affected = impact.affected.join(", ");
        if !affected.is_empty() {
            event = event.with("affected", affected.as_str());
        }
        step.change = Some(if impact.breaking { "breaking" } else { "compatible" });
        step.affected = Some(&affected);
    }
    if let Some(reason) = reason {
        event = event.because(reason);
    }
    // What is said about it does not move it.
    if action != "commented" {
        proposal_changed(broker, conn, &step, broker.now()).await?;
    }
    tell(conn, event).await
}

/// What a proposal changes.
#[derive(Debug, Default)]
pub(crate) struct Impact {
    /// Whether it asks more of the provider than before.
    pub(crate) breaking: bool,
    /// Changes in words.
    pub(crate) changes: String,
    /// Live provider versions without a success for this content: `products 1.2 (production)`.
    pub(crate) affected: Vec<String>,
}

/// What a proposal changes against what the provider agreed to before: on this line, else for what the consumer has
/// live, else on the consumer's main branch.
pub(crate) async fn impact(conn: &mut Conn, row: &ProposalRow) -> Result<Impact, BrokerError> {
    let pact = Pact::parse(pacts::content_by_row(conn, row.content_row).await?.body.as_bytes())?;
    let base = match proposals::accepted_before(conn, row).await? {
        Some(before) => Some(before.content_row),
        None => proposal_facts::in_use(conn, row).await?,
    };
    let base = match base {
        Some(content) => Some(Pact::parse(pacts::content_by_row(conn, content).await?.body.as_bytes())?),
        None => None,
    };
    let found = meanings(base.as_ref(), &pact)?;
    let mut affected = Vec::new();
    for (version, environment) in proposal_facts::live_versions(conn, row.provider_id).await? {
        let result = verifications::of_pair(conn, row.content_row, row.provider_id, &version).await?;
        if affected.len() < AFFECTED_MAX && !result.is_some_and(|r| r.success) {
            affected.push(format!("{} {version} ({environment})", row.provider));
        }
    }
    Ok(Impact { breaking: found.is_breaking(), changes: found.text(), affected })
}

fn of_proposal(event: Event, row: &ProposalRow, action: &str) -> Event {
    let mut event = on_edge(event, &row.consumer, &row.provider)
        .with("action", action)
        .with("proposal", row.uuid.as_str())
        .with("branch", row.consumer_branch.as_str())
        .with("content_id", row.content_id.as_str())
        .link("proposal", format!("/contracts/proposals/{}", row.uuid));
    if let Some(url) = row.pull_request_url.as_deref().filter(|url| url.starts_with("https://")) {
        event = event.link("pull-request", url);
    }
    event
}
