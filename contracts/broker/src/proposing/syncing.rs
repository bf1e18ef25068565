//! `sync`: the contract files on the main branch of a provider's repository are what it accepts, no more and no less.

use std::collections::BTreeSet;

use tracepact_contract_model::{Pact, check_name};

use super::{Mode, lines};
use crate::store::proposals::NewProposal;
use crate::store::{pacticipants, pacts, proposal_facts, proposals};
use crate::{Broker, BrokerError};

/// Most contract files of one provider.
const FILES_MAX: usize = 2_000;

/// One contract file on the provider's main branch.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) pact: Pact,
    /// The consumer branch it came from, where the file says so.
    pub(crate) consumer_branch: Option<String>,
}

/// What became of the proposals.
#[derive(Debug, Default)]
pub(crate) struct Synced {
    /// Accepted now: (id, consumer).
    pub(crate) accepted: Vec<(String, String)>,
    /// Accepted before, and still there.
    pub(crate) unchanged: Vec<(String, String)>,
    /// Gone from the repository, and needed by no live consumer version.
    pub(crate) retired: Vec<(String, String)>,
    /// Gone from the repository, but still needed: (id, by whom).
    pub(crate) still_needed: Vec<(String, String)>,
}

impl Broker {
    /// Takes over the state of a provider's repository: `files` is all its main branch has.
    pub(crate) async fn sync(
        &self,
        provider: &str,
        files: Vec<Merged>,
        commit: Option<&str>,
        who: Option<&str>,
    ) -> Result<Synced, BrokerError> {
        if files.len() > FILES_MAX {
            return Err(BrokerError::invalid("contracts", format!("at most {FILES_MAX} files")));
        }
        for (what, text) in [("commit", commit), ("who", who)] {
            if let Some(text) = text {
                check_name(what, text)?;
            }
        }
        let now = self.now();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let owner = pacticipants::get_or_create(conn, provider, now).await?;
        if Mode::of(conn, owner.id).await?.0 != Mode::Repository {
            return Err(BrokerError::Conflict {
                reason: format!(
                    "{provider} accepts contracts in the broker; to accept by merging, set its mode to repository \
                     (`tracepact contract mode {provider} repository`)"
                ),
                difference: None,
            });
        }
        let reason = match commit {
            Some(commit) => format!("merged into the main branch of {provider} ({commit})"),
            None => format!("merged into the main branch of {provider}"),
        };
        let mut synced = Synced::default();
        let mut present: BTreeSet<i64> = BTreeSet::new();
        for file in &files {
            if file.pact.provider != owner.name {
                return Err(BrokerError::invalid(
                    "contracts",
                    format!("the contract of {} is with {}", file.pact.consumer, file.pact.provider),
                ));
            }
            let consumer = pacticipants::get_or_create(conn, &file.pact.consumer, now).await?;
            let (content, _) =
                pacts::content_get_or_create(conn, consumer.id, owner.id, &file.pact, now).await?;
            if !present.insert(content) {
                continue;
            }
            let known = proposals::of_content(conn, content).await?;
            if let Some(bound) = known.iter().find(|p| matches!(p.state.as_str(), "accepted" | "enforced")) {
                synced.unchanged.push((bound.uuid.clone(), bound.consumer.clone()));
                continue;
            }
            let uuid =
                match known.iter().find(|p| matches!(p.state.as_str(), "proposed" | "draft" | "rejected")) {
                    Some(open) => {
                        self.check_not_own(conn, open).await?;
                        let line =
                            proposals::line(conn, &open.consumer, provider, &open.consumer_branch).await?;
                        for other in line.iter().filter(|p| p.id != open.id && lines::is_open(&p.state)) {
                            let because = format!("{} was merged", open.uuid);
                            lines::change(self, conn, other, "superseded", who, Some(&because)).await?;
                        }
                        open.uuid.clone()
                    }
                    None => {
                        // Nobody registered it, or its line had ended: the file itself is the proposal.
                        let branch = match &file.consumer_branch {
                            Some(branch) => check_name("consumer_branch", branch)?.to_owned(),
                            None => consumer.main_branch.clone().unwrap_or_else(|| "main".into()),
                        };
                        let title = format!("Contract of {} with {provider}", consumer.name);
                        let new = NewProposal {
                            consumer_id: consumer.id,
                            provider_id: owner.id,
                            consumer_branch: &branch,
                            content_row: content,
                            state: "proposed",
                            title: &title,
                            pull_request_url: None,
                            team: None,
                            author: None,
                        };
                        lines::open(self, conn, &new, &consumer.name, &owner.name, Some("a contract file"))
                            .await?
                    }
                };
            let row = proposals::get(conn, &uuid).await?;
            lines::change(self, conn, &row, "accepted", who, Some(&reason)).await?;
            synced.accepted.push((uuid, row.consumer));
        }
        for row in proposals::accepted(conn, owner.id).await? {
            if present.contains(&row.content_row) {
                continue;
            }
            let needed = proposal_facts::live_with_content(conn, row.content_row).await?;
            if needed.is_empty() {
                let because = format!("its file is gone from the main branch of {provider}");
                lines::change(self, conn, &row, "retired", who, Some(&because)).await?;
                synced.retired.push((row.uuid, row.consumer));
            } else {
                synced.still_needed.push((row.uuid, needed.join(", ")));
            }
        }
        self.commit(write).await?;
        Ok(synced)
    }
}
