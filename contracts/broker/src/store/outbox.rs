//! Events waiting for delivery.

use tracepact_base::Event;

use super::{Conn, sql};
use crate::BrokerError;

/// Adds an event to the transaction of what it tells.
pub(crate) async fn add(conn: &mut Conn, event: &Event) -> Result<(), BrokerError> {
    let body =
        serde_json::to_string(event).map_err(|e| BrokerError::Database(sqlx::Error::Encode(Box::new(e))))?;
    sql::query("INSERT INTO outbox (body) VALUES ($1)").bind(body).execute(conn).await?;
    Ok(())
}

/// The oldest `limit` events with their places.
pub(crate) async fn oldest(conn: &mut Conn, limit: i64) -> Result<Vec<(i64, String)>, BrokerError> {
    Ok(sql::query_as("SELECT id, body FROM outbox ORDER BY id LIMIT $1").bind(limit).fetch_all(conn).await?)
}

/// Forgets everything up to `id`, which was delivered.
pub(crate) async fn forget(conn: &mut Conn, id: i64) -> Result<(), BrokerError> {
    sql::query("DELETE FROM outbox WHERE id <= $1").bind(id).execute(conn).await?;
    Ok(())
}
