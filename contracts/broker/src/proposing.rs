//! Proposals: a consumer proposes a contract, its provider accepts or rejects it.
//!
//! Acceptance belongs to one content. A further content proposed on the same line (consumer, provider, consumer
//! branch) needs its own; until it is accepted, the one accepted before stays binding.

use tracepact_base::{Event, EventKind};
use tracepact_contract_model::{Pact, check_name};

use crate::broker::{on_edge, tell};
use crate::publish::check_url;
use crate::store::proposals::{NewProposal, ProposalRow};
use crate::store::{pacticipants, pacts, proposals};
use crate::{Broker, BrokerError};

/// What is proposed.
#[derive(Debug)]
pub(crate) struct Proposed {
    pub(crate) consumer: String,
    pub(crate) provider: String,
    pub(crate) consumer_branch: String,
    pub(crate) content: ProposedContent,
    pub(crate) title: String,
    pub(crate) pull_request_url: Option<String>,
    pub(crate) team: Option<String>,
    pub(crate) author: Option<String>,
}

/// The content: a pact, or the id of one that was published.
#[derive(Debug)]
pub(crate) enum ProposedContent {
    Pact(Box<Pact>),
    Id(String),
}

/// The provider's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Accept,
    Reject,
}

impl Broker {
    /// Proposes; the same content on the same line again is the same proposal. Returns its id, and whether it is new.
    pub(crate) async fn propose(&self, proposed: Proposed) -> Result<(String, bool), BrokerError> {
        let branch = check_name("consumer_branch", &proposed.consumer_branch)?;
        let title = proposed.title.trim();
        if title.chars().count() > 300 || title.chars().any(char::is_control) {
            return Err(BrokerError::invalid("title", "must be one line of at most 300 characters"));
        }
        for (what, text) in [("team", &proposed.team), ("author", &proposed.author)] {
            if let Some(text) = text {
                check_name(what, text)?;
            }
        }
        if let Some(url) = &proposed.pull_request_url {
            check_url("pull_request_url", url)?;
        }
        let now = self.now();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let content_row;
        let (consumer, provider);
        match &proposed.content {
            ProposedContent::Pact(pact) => {
                if (&pact.consumer, &pact.provider) != (&proposed.consumer, &proposed.provider) {
                    return Err(BrokerError::invalid(
                        "content",
                        format!(
                            "is between {} and {}, not the two that are named",
                            pact.consumer, pact.provider
                        ),
                    ));
                }
                consumer = pacticipants::get_or_create(conn, &proposed.consumer, now).await?;
                provider = pacticipants::get_or_create(conn, &proposed.provider, now).await?;
                content_row =
                    pacts::content_get_or_create(conn, consumer.id, provider.id, pact, now).await?.0;
            }
            ProposedContent::Id(id) => {
                consumer = pacticipants::get(conn, &proposed.consumer).await?;
                provider = pacticipants::get(conn, &proposed.provider).await?;
                let content = pacts::content(conn, consumer.id, provider.id, id).await?;
                content_row = content
                    .ok_or_else(|| {
                        BrokerError::NotFound(format!(
                            "no contract with content {id} was published between the two"
                        ))
                    })?
                    .id;
            }
        }
        for earlier in proposals::line(conn, &consumer.name, &provider.name, branch).await? {
            let open = matches!(earlier.state.as_str(), "proposed" | "draft");
            let binding = matches!(earlier.state.as_str(), "accepted" | "enforced");
            if earlier.content_row == content_row && (open || binding) {
                return Ok((earlier.uuid, false));
            }
            if open {
                proposals::set_state(
                    conn,
                    earlier.id,
                    "superseded",
                    None,
                    Some("new content was proposed"),
                    now,
                )
                .await?;
            }
        }
        let title = if title.is_empty() {
            format!("Contract of {} with {}", consumer.name, provider.name)
        } else {
            title.to_owned()
        };
        let new = NewProposal {
            consumer_id: consumer.id,
            provider_id: provider.id,
            consumer_branch: branch,
            content_row,
            title: &title,
            pull_request_url: proposed.pull_request_url.as_deref(),
            team: proposed.team.as_deref(),
            author: proposed.author.as_deref(),
        };
        let uuid = proposals::insert(conn, &new, now).await?;
        let row = proposals::get(conn, &uuid).await?;
        proposals::note(conn, row.id, "proposed", proposed.author.as_deref(), None, now).await?;
        let event = self.event(
            EventKind::ContractChange,
            format!("{} proposed a contract to {}", row.consumer, row.provider),
        );
        tell(conn, of_proposal(event, &row, "proposed")).await?;
        self.commit(write).await?;
        Ok((uuid, true))
    }

    /// Accepts or rejects, in the provider's name.
    pub(crate) async fn answer_proposal(
        &self,
        uuid: &str,
        answer: Answer,
        who: Option<&str>,
        reason: Option<&str>,
    ) -> Result<(), BrokerError> {
        let now = self.now();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let row = proposals::get(conn, uuid).await?;
        let state = match answer {
            Answer::Accept => "accepted",
            Answer::Reject => "rejected",
        };
        match (answer, row.state.as_str()) {
            (_, "proposed") | (Answer::Accept, "rejected") | (Answer::Reject, "draft") => {}
            // Saying it twice changes nothing.
            (Answer::Accept, "accepted" | "enforced") | (Answer::Reject, "rejected") => return Ok(()),
            (_, present) => {
                return Err(BrokerError::Conflict {
                    reason: format!("the proposal is {present} and can no longer be {state}"),
                    difference: None,
                });
            }
        }
        if answer == Answer::Accept {
            for earlier in proposals::line(conn, &row.consumer, &row.provider, &row.consumer_branch).await? {
                if earlier.id != row.id && matches!(earlier.state.as_str(), "accepted" | "enforced") {
                    let because = format!("{uuid} was accepted");
                    proposals::set_state(conn, earlier.id, "superseded", who, Some(&because), now).await?;
                }
            }
        }
        proposals::set_state(conn, row.id, state, who, reason, now).await?;
        let title = format!("{} {state} the contract that {} proposed", row.provider, row.consumer);
        let mut event = of_proposal(self.event(EventKind::ContractChange, title), &row, state);
        if let Some(who) = who {
            event = event.with("who", who);
        }
        if let Some(reason) = reason {
            event = event.because(reason);
        }
        tell(conn, event).await?;
        self.commit(write).await
    }
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
