//! Answers the gate gave.

use super::{Conn, sql};
use crate::BrokerError;

/// Answers kept; older ones go as new ones come.
const KEPT_MAX: i64 = 10_000;

#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct DecisionRow {
    pub(crate) pacticipant: String,
    pub(crate) version: String,
    pub(crate) environment: String,
    pub(crate) deployable: Option<bool>,
    pub(crate) reason: String,
    pub(crate) trace: Option<String>,
    /// The waivers and ignored versions it rests on, as JSON; absent when there are none.
    pub(crate) exceptions: Option<String>,
    pub(crate) times: i64,
    pub(crate) at: i64,
    pub(crate) last_at: i64,
}

/// Keeps an answer; true when it differs from the one given last to the same question.
pub(crate) async fn record(conn: &mut Conn, decision: &DecisionRow) -> Result<bool, BrokerError> {
    let last: Option<(i64, Option<bool>, String, Option<String>)> = sql::query_as(
        "SELECT id, deployable, reason, exceptions FROM decisions WHERE pacticipant = $1 AND version = $2 AND environment = $3 \
         ORDER BY id DESC LIMIT 1",
    )
    .bind(&decision.pacticipant)
    .bind(&decision.version)
    .bind(&decision.environment)
    .fetch_optional(&mut *conn)
    .await?;
    if let Some((id, deployable, reason, exceptions)) = last
        && (deployable, &reason, &exceptions) == (decision.deployable, &decision.reason, &decision.exceptions)
    {
        sql::query(
            "UPDATE decisions SET times = times + 1, last_at = $2, trace = coalesce($3, trace) WHERE id = $1",
        )
        .bind(id)
        .bind(decision.at)
        .bind(&decision.trace)
        .execute(conn)
        .await?;
        return Ok(false);
    }
    let id: i64 = sql::query_scalar(
        "INSERT INTO decisions (pacticipant, version, environment, deployable, reason, trace, times, at, last_at, exceptions) \
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7, $8) RETURNING id",
    )
    .bind(&decision.pacticipant)
    .bind(&decision.version)
    .bind(&decision.environment)
    .bind(decision.deployable)
    .bind(&decision.reason)
    .bind(&decision.trace)
    .bind(decision.at)
    .bind(&decision.exceptions)
    .fetch_one(&mut *conn)
    .await?;
    sql::query("DELETE FROM decisions WHERE id <= $1").bind(id - KEPT_MAX).execute(conn).await?;
    Ok(true)
}

/// Newest first.
pub(crate) async fn newest(conn: &mut Conn, limit: i64) -> Result<Vec<DecisionRow>, BrokerError> {
    Ok(sql::query_as(
        "SELECT pacticipant, version, environment, deployable, reason, trace, exceptions, times, at, last_at FROM decisions \
         ORDER BY last_at DESC, id DESC LIMIT $1",
    )
    .bind(limit)
    .fetch_all(conn)
    .await?)
}
