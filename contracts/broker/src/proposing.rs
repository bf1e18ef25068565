//! Proposals: a consumer proposes a contract, its provider accepts or rejects it.
//!
//! A *line* is (consumer, provider, consumer branch); every content proposed on it is one proposal. Acceptance belongs
//! to one content: a further content on the line supersedes the one before and needs its own acceptance, with the
//! difference to what was accepted. When the provider rejects the new content, or the consumer takes it back, what it
//! superseded is in force again, so that no agreement is lost by a try.
//!
//! Whatever verifies: a success never moves a proposal from `proposed` to `accepted`. Only the provider does.

mod answering;
mod lines;
mod mode;
mod notice;
mod syncing;

use tracepact_contract_model::{Pact, check_name};

use crate::publish::check_url;
use crate::store::proposals::NewProposal;
use crate::store::{Conn, pacticipants, pacts, proposal_facts, proposals};
use crate::{Broker, BrokerError};

pub(crate) use answering::Answer;
pub(crate) use lines::{branch_deleted, impact, published_on_line};
pub(crate) use mode::Mode;
pub(crate) use notice::{Standing, standing};
pub(crate) use syncing::Merged;

/// Longest reason or comment, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 10_000;

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
    /// Not to be decided yet.
    pub(crate) draft: bool,
}

/// The content: a pact, or the id of one that was published.
#[derive(Debug)]
pub(crate) enum ProposedContent {
    Pact(Box<Pact>),
    Id(String),
}

impl Broker {
    /// Proposes; the same content on the same line again is the same proposal (a draft of it becomes proposed, a link
    /// to the pull request is taken over). Returns its id, and whether it is new.
    pub(crate) async fn propose(&self, proposed: Proposed) -> Result<(String, bool), BrokerError> {
        let branch = check_name("consumer_branch", &proposed.consumer_branch)?.to_owned();
        check_line("title", &proposed.title)?;
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
        let (consumer, provider, content_row) = content(conn, &proposed, now).await?;
        let author = proposed.author.as_deref();
        let newest = proposals::line(conn, &consumer.name, &provider.name, &branch).await?.into_iter().next();
        if let Some(newest) = newest.filter(|n| n.content_row == content_row && lines::is_open(&n.state)) {
            if let Some(url) = proposed.pull_request_url.as_deref() {
                proposals::set_pull_request(conn, newest.id, url, now).await?;
            }
            if newest.state == "draft" && !proposed.draft {
                lines::change(self, conn, &newest, "proposed", author, None).await?;
            }
            self.commit(write).await?;
            return Ok((newest.uuid, false));
        }
        let title = match proposed.title.trim() {
            "" => format!("Contract of {} with {}", consumer.name, provider.name),
            title => title.to_owned(),
        };
        let new = NewProposal {
            consumer_id: consumer.id,
            provider_id: provider.id,
            consumer_branch: &branch,
            content_row,
            state: if proposed.draft { "draft" } else { "proposed" },
            title: &title,
            pull_request_url: proposed.pull_request_url.as_deref(),
            team: proposed.team.as_deref(),
            author,
        };
        let uuid = lines::open(self, conn, &new, &consumer.name, &provider.name, None).await?;
        self.commit(write).await?;
        Ok((uuid, true))
    }

    /// Says something about a proposal.
    pub(crate) async fn comment(
        &self,
        uuid: &str,
        author: Option<&str>,
        text: &str,
    ) -> Result<(), BrokerError> {
        check_text("text", text)?;
        if text.trim().is_empty() {
            return Err(BrokerError::invalid("text", "can't be blank"));
        }
        if let Some(author) = author {
            check_name("author", author)?;
        }
        let now = self.now();
        let mut write = self.store().write().await?;
        let row = proposals::get(write.conn(), uuid).await?;
        proposal_facts::add_comment(write.conn(), row.id, author, text, now).await?;
        lines::announce(self, write.conn(), &row, "commented", author, None).await?;
        self.commit(write).await
    }
}

/// The pair and the content's row, created as far as they are missing.
async fn content(
    conn: &mut Conn,
    proposed: &Proposed,
    now: i64,
) -> Result<(pacticipants::Pacticipant, pacticipants::Pacticipant, i64), BrokerError> {
    match &proposed.content {
        ProposedContent::Pact(pact) => {
            if (&pact.consumer, &pact.provider) != (&proposed.consumer, &proposed.provider) {
                return Err(BrokerError::invalid(
                    "content",
                    format!("is between {} and {}, not the two that are named", pact.consumer, pact.provider),
                ));
            }
            let consumer = pacticipants::get_or_create(conn, &proposed.consumer, now).await?;
            let provider = pacticipants::get_or_create(conn, &proposed.provider, now).await?;
            let row = pacts::content_get_or_create(conn, consumer.id, provider.id, pact, now).await?.0;
            Ok((consumer, provider, row))
        }
        ProposedContent::Id(id) => {
            let consumer = pacticipants::get(conn, &proposed.consumer).await?;
            let provider = pacticipants::get(conn, &proposed.provider).await?;
            let found = pacts::content(conn, consumer.id, provider.id, id).await?.ok_or_else(|| {
                BrokerError::NotFound(format!("no contract with content {id} was published between the two"))
            })?;
            Ok((consumer, provider, found.id))
        }
    }
}

/// One line of at most 300 characters.
fn check_line(field: &str, text: &str) -> Result<(), BrokerError> {
    if text.chars().count() > 300 || text.chars().any(char::is_control) {
        return Err(BrokerError::invalid(field, "must be one line of at most 300 characters"));
    }
    Ok(())
}

/// A text of several lines, bounded.
pub(crate) fn check_text(field: &str, text: &str) -> Result<(), BrokerError> {
    if text.len() > TEXT_BYTES_MAX || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(BrokerError::invalid(
            field,
            format!("is longer than {TEXT_BYTES_MAX} bytes or contains control characters"),
        ));
    }
    Ok(())
}
