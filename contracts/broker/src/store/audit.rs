//! Who changed what, and when: written in the transaction of the change.

use super::{Conn, sql};
use crate::BrokerError;

/// Entries kept; the oldest go as new ones come.
const KEPT_MAX: i64 = 200_000;

/// One change.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) at: i64,
    pub(crate) who: String,
    pub(crate) what: String,
}

/// Writes down a change.
pub(crate) async fn add(conn: &mut Conn, who: &str, what: &str, now: i64) -> Result<(), BrokerError> {
    let id: i64 = sql::query_scalar("INSERT INTO audit (at, who, what) VALUES ($1, $2, $3) RETURNING id")
        .bind(now)
        .bind(who)
        .bind(what)
        .fetch_one(&mut *conn)
        .await?;
    if id % 100 == 0 {
        sql::query("DELETE FROM audit WHERE id <= $1").bind(id - KEPT_MAX).execute(conn).await?;
    }
    Ok(())
}

/// Newest first, before `before`, of one user or all.
pub(crate) async fn list(
    conn: &mut Conn,
    who: Option<&str>,
    before: i64,
    limit: i64,
) -> Result<Vec<Entry>, BrokerError> {
    Ok(sql::query_as(
        "SELECT id, at, who, what FROM audit WHERE id < $1 AND (CAST($2 AS TEXT) IS NULL OR who = $2) \
         ORDER BY id DESC LIMIT $3",
    )
    .bind(before)
    .bind(who)
    .bind(limit)
    .fetch_all(conn)
    .await?)
}
