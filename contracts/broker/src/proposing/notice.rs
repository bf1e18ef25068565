//! How the state of a proposal shows to a provider's build that asks what to verify.

use crate::BrokerError;
use crate::store::proposals::ProposalRow;
use crate::store::{Conn, proposals};

/// What the proposals of one content say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Pact's rules alone: no proposal, or one that was retired.
    Plain,
    /// Not to be decided yet: verified only when selected.
    Draft,
    /// Waits for the provider's answer.
    Proposed,
    /// Binds the provider.
    Binding,
    /// Rejected, withdrawn or superseded: nobody is asked to work on it.
    Ended,
}

impl Standing {
    fn of(state: &str) -> Self {
        match state {
            "draft" => Self::Draft,
            "proposed" => Self::Proposed,
            "accepted" | "enforced" => Self::Binding,
            "rejected" | "withdrawn" | "superseded" => Self::Ended,
            _ => Self::Plain,
        }
    }

    /// Whether a failure never breaks the provider's build, whatever was verified before.
    pub(crate) fn is_pending(self) -> bool {
        matches!(self, Self::Draft | Self::Proposed | Self::Ended)
    }
}

/// The standing of a content, and the proposal that decides it: the binding one, else the newest.
///
/// A content that the consumer's main branch carries is ruled by Pact alone unless it was proposed on that very
/// branch or is accepted: what happens on a feature branch takes nothing from the main branch.
pub(crate) async fn standing(
    conn: &mut Conn,
    content_row: i64,
    main_branch: Option<&str>,
) -> Result<(Standing, Option<ProposalRow>), BrokerError> {
    let mut rows = proposals::of_content(conn, content_row).await?;
    if let Some(at) = rows.iter().position(|p| matches!(p.state.as_str(), "accepted" | "enforced")) {
        return Ok((Standing::Binding, Some(rows.swap_remove(at))));
    }
    if let Some(main) = main_branch {
        rows.retain(|p| p.consumer_branch == main);
    }
    Ok(match rows.into_iter().next() {
        None => (Standing::Plain, None),
        Some(row) => (Standing::of(&row.state), Some(row)),
    })
}
