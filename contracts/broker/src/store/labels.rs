//! Labels of pacticipants.

use super::{Conn, sql};
use crate::BrokerError;

/// A label of one pacticipant.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Label {
    pub(crate) name: String,
    pub(crate) created_at: i64,
}

/// The labels of a pacticipant, by name.
pub(crate) async fn of(conn: &mut Conn, pacticipant: i64) -> Result<Vec<Label>, BrokerError> {
    Ok(sql::query_as("SELECT name, created_at FROM labels WHERE pacticipant_id = $1 ORDER BY name")
        .bind(pacticipant)
        .fetch_all(conn)
        .await?)
}

/// Every label that some pacticipant has.
pub(crate) async fn names(conn: &mut Conn) -> Result<Vec<String>, BrokerError> {
    Ok(sql::query_scalar("SELECT DISTINCT name FROM labels ORDER BY name").fetch_all(conn).await?)
}

/// The names of the pacticipants that carry a label.
pub(crate) async fn carriers(conn: &mut Conn, label: &str) -> Result<Vec<String>, BrokerError> {
    Ok(sql::query_scalar(
        "SELECT p.name FROM labels l JOIN pacticipants p ON p.id = l.pacticipant_id WHERE l.name = $1 ORDER BY p.name",
    )
    .bind(label)
    .fetch_all(conn)
    .await?)
}

/// Adds a label; true when the pacticipant did not have it.
pub(crate) async fn add(
    conn: &mut Conn,
    pacticipant: i64,
    label: &str,
    now: i64,
) -> Result<bool, BrokerError> {
    let done = sql::query(
        "INSERT INTO labels (pacticipant_id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(pacticipant)
    .bind(label)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes a label away; true when it was there.
pub(crate) async fn remove(conn: &mut Conn, pacticipant: i64, label: &str) -> Result<bool, BrokerError> {
    let done = sql::query("DELETE FROM labels WHERE pacticipant_id = $1 AND name = $2")
        .bind(pacticipant)
        .bind(label)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}
