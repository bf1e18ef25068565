//! Asking for the verifications that a deploy waits for.

use tracepact_gate::Outcome;

use super::DeployQuestion;
use crate::store::{pacticipants, pacts, versions};
use crate::webhooks::fire::{Missing, verification_asked_for};
use crate::{Broker, BrokerError};

/// Most pairs that one question asks for.
const PAIRS_MAX: usize = 500;

/// A pair whose verification was asked for.
#[derive(Debug)]
pub(crate) struct AskedFor {
    pub(crate) consumer: String,
    pub(crate) consumer_version: Option<String>,
    pub(crate) provider: String,
    pub(crate) provider_version: String,
    /// How many webhooks were fired; with none, nobody is told.
    pub(crate) webhooks: usize,
}

impl Broker {
    /// Fires the webhooks for every pair without a result that the answer to `question` rests on.
    pub(crate) async fn ask_for_verifications(
        &self,
        question: &DeployQuestion,
        waits: &str,
    ) -> Result<Vec<AskedFor>, BrokerError> {
        let verdict = self.look(question).await?.verdict;
        let now = self.now();
        let mut asked: Vec<AskedFor> = Vec::new();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let missing = verdict.rows.iter().filter(|row| row.counts() && row.outcome == Outcome::Unknown);
        let mut seen = Vec::new();
        for row in missing {
            // Without a version there is nothing to verify; the verdict says so.
            let Some(number) = &row.provider_version else { continue };
            // A content may be there as a pact and as an accepted contract, and needs one result.
            let pair = (&row.content_id, number);
            if seen.contains(&pair) || seen.len() >= PAIRS_MAX {
                continue;
            }
            seen.push(pair);
            let consumer = pacticipants::get(conn, &row.consumer).await?;
            let provider = pacticipants::get(conn, &row.provider).await?;
            let Some(version) = versions::find(conn, provider.id, number).await? else { continue };
            let content = pacts::content(conn, consumer.id, provider.id, &row.content_id).await?;
            let Some(content) = content else { continue };
            let pair = Missing {
                consumer: &consumer,
                provider: &provider,
                content_row: content.id,
                provider_version: &version,
                waits,
            };
            let fired = verification_asked_for(self, conn, &pair, now).await?;
            asked.push(AskedFor {
                consumer: row.consumer.clone(),
                consumer_version: row.consumer_version.clone(),
                provider: row.provider.clone(),
                provider_version: number.clone(),
                webhooks: fired.len(),
            });
        }
        self.commit(write).await?;
        Ok(asked)
    }
}
