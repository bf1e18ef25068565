//! Proposals and their history.

use super::{Conn, sql, uuid};
use crate::BrokerError;

#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct ProposalRow {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) consumer: String,
    pub(crate) provider: String,
    pub(crate) consumer_branch: String,
    pub(crate) content_row: i64,
    pub(crate) content_id: String,
    pub(crate) state: String,
    pub(crate) title: String,
    pub(crate) pull_request_url: Option<String>,
    pub(crate) team: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// Who did what when.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct HistoryRow {
    pub(crate) state: String,
    pub(crate) who: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) at: i64,
}

/// A proposal to be stored.
#[derive(Debug)]
pub(crate) struct NewProposal<'a> {
    pub(crate) consumer_id: i64,
    pub(crate) provider_id: i64,
    pub(crate) consumer_branch: &'a str,
    pub(crate) content_row: i64,
    pub(crate) title: &'a str,
    pub(crate) pull_request_url: Option<&'a str>,
    pub(crate) team: Option<&'a str>,
    pub(crate) author: Option<&'a str>,
}

const COLUMNS: &str = "SELECT o.id AS id, o.uuid AS uuid, c.name AS consumer, p.name AS provider, \
     o.consumer_branch AS consumer_branch, o.content_row AS content_row, k.content_id AS content_id, o.state AS state, \
     o.title AS title, o.pull_request_url AS pull_request_url, o.team AS team, o.author AS author, \
     o.created_at AS created_at, o.updated_at AS updated_at FROM proposals o \
     JOIN pacticipants c ON c.id = o.consumer_id JOIN pacticipants p ON p.id = o.provider_id \
     JOIN contents k ON k.id = o.content_row";

pub(crate) async fn insert(conn: &mut Conn, new: &NewProposal<'_>, now: i64) -> Result<String, BrokerError> {
    let uuid = uuid();
    sql::query(
        "INSERT INTO proposals (uuid, consumer_id, provider_id, consumer_branch, content_row, state, title, \
         pull_request_url, team, author, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, 'proposed', $6, $7, $8, $9, $10, $10)",
    )
    .bind(&uuid)
    .bind(new.consumer_id)
    .bind(new.provider_id)
    .bind(new.consumer_branch)
    .bind(new.content_row)
    .bind(new.title)
    .bind(new.pull_request_url)
    .bind(new.team)
    .bind(new.author)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(uuid)
}

pub(crate) async fn get(conn: &mut Conn, uuid: &str) -> Result<ProposalRow, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE o.uuid = $1"));
    sql::query_as(sql)
        .bind(uuid)
        .fetch_optional(conn)
        .await?
        .ok_or_else(|| BrokerError::NotFound(format!("there is no proposal {uuid}")))
}

/// Newest first, of one provider, consumer or state, or all.
pub(crate) async fn list(
    conn: &mut Conn,
    provider: Option<&str>,
    consumer: Option<&str>,
    state: Option<&str>,
    limit: i64,
) -> Result<Vec<ProposalRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE (CAST($1 AS TEXT) IS NULL OR p.name = $1) AND (CAST($2 AS TEXT) IS NULL OR c.name = $2) AND \
         (CAST($3 AS TEXT) IS NULL OR o.state = $3) ORDER BY o.id DESC LIMIT $4"
    ));
    Ok(sql::query_as(sql).bind(provider).bind(consumer).bind(state).bind(limit).fetch_all(conn).await?)
}

/// The proposals of one line, newest first.
pub(crate) async fn line(
    conn: &mut Conn,
    consumer: &str,
    provider: &str,
    branch: &str,
) -> Result<Vec<ProposalRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE c.name = $1 AND p.name = $2 AND o.consumer_branch = $3 ORDER BY o.id DESC"
    ));
    Ok(sql::query_as(sql).bind(consumer).bind(provider).bind(branch).fetch_all(conn).await?)
}

/// What a provider is bound to: accepted, or enforced since.
pub(crate) async fn accepted(conn: &mut Conn, provider: i64) -> Result<Vec<ProposalRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE o.provider_id = $1 AND o.state IN ('accepted', 'enforced') ORDER BY o.id"
    ));
    Ok(sql::query_as(sql).bind(provider).fetch_all(conn).await?)
}

/// Proposals of a provider in `state`.
pub(crate) async fn in_state(
    conn: &mut Conn,
    provider: i64,
    state: &str,
) -> Result<Vec<ProposalRow>, BrokerError> {
    let sql =
        sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE o.provider_id = $1 AND o.state = $2 ORDER BY o.id"));
    Ok(sql::query_as(sql).bind(provider).bind(state).fetch_all(conn).await?)
}

/// Moves a proposal to `state` and writes down who did it and why.
pub(crate) async fn set_state(
    conn: &mut Conn,
    id: i64,
    state: &str,
    who: Option<&str>,
    reason: Option<&str>,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query("UPDATE proposals SET state = $2, updated_at = $3 WHERE id = $1")
        .bind(id)
        .bind(state)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    note(conn, id, state, who, reason, now).await
}

/// Adds a line to a proposal's history.
pub(crate) async fn note(
    conn: &mut Conn,
    id: i64,
    state: &str,
    who: Option<&str>,
    reason: Option<&str>,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query(
        "INSERT INTO proposal_history (proposal_id, state, who, reason, at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(state)
    .bind(who)
    .bind(reason)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn history(conn: &mut Conn, id: i64) -> Result<Vec<HistoryRow>, BrokerError> {
    Ok(sql::query_as(
        "SELECT state, who, reason, at FROM proposal_history WHERE proposal_id = $1 ORDER BY id",
    )
    .bind(id)
    .fetch_all(conn)
    .await?)
}
