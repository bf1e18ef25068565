//! Pairs that have contracts.

use super::heads::pairs;
use super::{Conn, sql};
use crate::BrokerError;

/// A consumer and a provider between which pacts were published.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Integration {
    pub(crate) consumer_id: i64,
    pub(crate) consumer: String,
    pub(crate) provider_id: i64,
    pub(crate) provider: String,
}

/// All of them, by consumer and provider.
pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<Integration>, BrokerError> {
    let sql = format!(
        "WITH RECURSIVE {} SELECT c.id AS consumer_id, c.name AS consumer, pr.id AS provider_id, pr.name AS provider \
         FROM pairs i CROSS JOIN pacticipants c CROSS JOIN pacticipants pr WHERE c.id = i.consumer_id AND pr.id = i.provider_id \
         ORDER BY c.name, pr.name",
        pairs(false)
    );
    Ok(sql::query_as(sqlx::AssertSqlSafe(sql)).bind(None::<i64>).fetch_all(conn).await?)
}

/// Whether a pacticipant is in none, nothing of it is deployed or released and no webhook is for it, so that it is only a
/// name.
pub(crate) async fn is_idle(conn: &mut Conn, pacticipant: i64) -> Result<bool, BrokerError> {
    let used: bool = sql::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM contents WHERE consumer_id = $1 OR provider_id = $1) \
         OR EXISTS (SELECT 1 FROM deployed_versions WHERE pacticipant_id = $1 AND undeployed_at IS NULL) \
         OR EXISTS (SELECT 1 FROM released_versions WHERE pacticipant_id = $1 AND support_ended_at IS NULL) \
         OR EXISTS (SELECT 1 FROM webhooks WHERE consumer_id = $1 OR provider_id = $1)",
    )
    .bind(pacticipant)
    .fetch_one(conn)
    .await?;
    Ok(!used)
}

/// Forgets every pact, result and proposal of a pair, and its webhooks with what they did.
pub(crate) async fn delete(conn: &mut Conn, consumer: i64, provider: i64) -> Result<(), BrokerError> {
    // Contents are referenced by pacts and proposals, so those go first; results go with the contents.
    for sql in [
        "DELETE FROM triggered_webhooks WHERE consumer_id = $1 AND provider_id = $2",
        "DELETE FROM webhooks WHERE consumer_id = $1 AND provider_id = $2",
        "DELETE FROM proposals WHERE consumer_id = $1 AND provider_id = $2",
        "DELETE FROM pacts WHERE consumer_id = $1 AND provider_id = $2",
        "DELETE FROM contents WHERE consumer_id = $1 AND provider_id = $2",
    ] {
        sql::query(sql).bind(consumer).bind(provider).execute(&mut *conn).await?;
    }
    Ok(())
}
