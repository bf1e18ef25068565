//! The provider's answer, and the consumer's withdrawal.

use super::{Mode, check_text, lines};
use crate::store::proposals;
use crate::{Broker, BrokerError};

/// What is done to a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The provider will keep it.
    Accept,
    /// The provider will not.
    Reject,
    /// The consumer takes it back.
    Withdraw,
    /// The consumer has finished a draft.
    Ready,
}

impl Answer {
    fn state(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Reject => "rejected",
            Self::Withdraw => "withdrawn",
            Self::Ready => "proposed",
        }
    }

    /// Whether a proposal in `present` can be moved; `None` when it is there already.
    fn fits(self, present: &str) -> Option<bool> {
        match (self, present) {
            (Self::Accept, "accepted" | "enforced")
            | (Self::Reject, "rejected")
            | (Self::Withdraw, "withdrawn")
            | (Self::Ready, "proposed") => None,
            (Self::Accept, "proposed" | "rejected")
            | (Self::Reject, "proposed" | "draft")
            | (Self::Withdraw, "draft" | "proposed" | "rejected" | "accepted" | "enforced")
            | (Self::Ready, "draft") => Some(true),
            _ => Some(false),
        }
    }
}

impl Broker {
    /// Accepts, rejects, withdraws or finishes a proposal. Saying it twice changes nothing.
    pub(crate) async fn answer_proposal(
        &self,
        uuid: &str,
        answer: Answer,
        who: Option<&str>,
        reason: Option<&str>,
    ) -> Result<(), BrokerError> {
        for (field, text) in [("who", who), ("reason", reason)] {
            if let Some(text) = text {
                check_text(field, text)?;
            }
        }
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let row = proposals::get(conn, uuid).await?;
        let state = answer.state();
        match answer.fits(&row.state) {
            None => return Ok(()),
            Some(true) => {}
            Some(false) => {
                return Err(BrokerError::Conflict {
                    reason: format!("the proposal is {} and can no longer be {state}", row.state),
                    difference: None,
                });
            }
        }
        if answer == Answer::Accept && Mode::of(conn, row.provider_id).await?.0 == Mode::Repository {
            let place =
                row.pull_request_url.as_deref().unwrap_or("the pull request that adds the contract file");
            return Err(BrokerError::Conflict {
                reason: format!(
                    "{} accepts contracts in its repository: merge {place}, then its build reports it with \
                     `tracepact contract sync`",
                    row.provider
                ),
                difference: None,
            });
        }
        if answer == Answer::Accept {
            // A rejected content may be taken after all, but not beside a newer one of the same line.
            let line = proposals::line(conn, &row.consumer, &row.provider, &row.consumer_branch).await?;
            if let Some(newer) = line.iter().find(|p| p.id > row.id && lines::is_open(&p.state)) {
                return Err(BrokerError::Conflict {
                    reason: format!("newer content was proposed on the same branch: answer {}", newer.uuid),
                    difference: None,
                });
            }
            for earlier in line.iter().filter(|p| p.id != row.id && lines::is_open(&p.state)) {
                let because = format!("{uuid} was accepted");
                lines::change(self, conn, earlier, "superseded", who, Some(&because)).await?;
            }
        }
        lines::change(self, conn, &row, state, who, reason).await?;
        if matches!(answer, Answer::Reject | Answer::Withdraw) {
            lines::restore(self, conn, &row).await?;
        }
        self.commit(write).await
    }
}
