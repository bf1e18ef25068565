//! Proposals and their history.

use std::collections::HashSet;

use super::{Conn, sql, uuid};
use crate::BrokerError;

#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct ProposalRow {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) consumer: String,
    pub(crate) provider: String,
    pub(crate) consumer_branch: String,
    pub(crate) provider_id: i64,
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
    /// `draft` or `proposed`.
    pub(crate) state: &'a str,
    pub(crate) title: &'a str,
    pub(crate) pull_request_url: Option<&'a str>,
    pub(crate) team: Option<&'a str>,
    pub(crate) author: Option<&'a str>,
}

const COLUMNS: &str = "SELECT o.id AS id, o.uuid AS uuid, c.name AS consumer, p.name AS provider, \
     o.provider_id AS provider_id, o.consumer_branch AS consumer_branch, o.content_row AS content_row, k.content_id AS content_id, o.state AS state, \
     o.title AS title, o.pull_request_url AS pull_request_url, o.team AS team, o.author AS author, \
     o.created_at AS created_at, o.updated_at AS updated_at FROM proposals o \
     JOIN pacticipants c ON c.id = o.consumer_id JOIN pacticipants p ON p.id = o.provider_id \
     JOIN contents k ON k.id = o.content_row";

pub(crate) async fn insert(conn: &mut Conn, new: &NewProposal<'_>, now: i64) -> Result<String, BrokerError> {
    let uuid = uuid();
    sql::query(
        "INSERT INTO proposals (uuid, consumer_id, provider_id, consumer_branch, content_row, state, title, \
         pull_request_url, team, author, created_at, updated_at, proposed_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12)",
    )
    .bind(&uuid)
    .bind(new.consumer_id)
    .bind(new.provider_id)
    .bind(new.consumer_branch)
    .bind(new.content_row)
    .bind(new.state)
    .bind(new.title)
    .bind(new.pull_request_url)
    .bind(new.team)
    .bind(new.author)
    .bind(now)
    .bind(crate::auth::asker::user_name())
    .execute(conn)
    .await?;
    Ok(uuid)
}

pub(crate) async fn get(conn: &mut Conn, uuid: &str) -> Result<ProposalRow, BrokerError> {
    let text = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE o.uuid = $1"));
    sql::query_as(text)
        .bind(uuid)
        .fetch_optional(conn)
        .await?
        .ok_or_else(|| BrokerError::NotFound(format!("there is no proposal {uuid}")))
}

/// The user who proposed it, if one did.
pub(crate) async fn proposed_by(conn: &mut Conn, uuid: &str) -> Result<Option<String>, BrokerError> {
    let found: Option<Option<String>> =
        sql::query_scalar("SELECT proposed_by FROM proposals WHERE uuid = $1")
            .bind(uuid)
            .fetch_optional(conn)
            .await?;
    Ok(found.flatten())
}

/// Newest first, of one provider, consumer or state, or all.
pub(crate) async fn list(
    conn: &mut Conn,
    provider: Option<&str>,
    consumer: Option<&str>,
    state: Option<&str>,
    limit: i64,
) -> Result<Vec<ProposalRow>, BrokerError> {
    let text = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE (CAST($1 AS TEXT) IS NULL OR p.name = $1) AND (CAST($2 AS TEXT) IS NULL OR c.name = $2) AND \
         (CAST($3 AS TEXT) IS NULL OR o.state = $3) ORDER BY o.id DESC LIMIT $4"
    ));
    Ok(sql::query_as(text).bind(provider).bind(consumer).bind(state).bind(limit).fetch_all(conn).await?)
}

/// The proposals of one line, newest first.
pub(crate) async fn line(
    conn: &mut Conn,
    consumer: &str,
    provider: &str,
    branch: &str,
) -> Result<Vec<ProposalRow>, BrokerError> {
    let text = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE c.name = $1 AND p.name = $2 AND o.consumer_branch = $3 ORDER BY o.id DESC"
    ));
    Ok(sql::query_as(text).bind(consumer).bind(provider).bind(branch).fetch_all(conn).await?)
}

/// What a provider is bound to: accepted, or enforced since.
pub(crate) async fn accepted(conn: &mut Conn, provider: i64) -> Result<Vec<ProposalRow>, BrokerError> {
    let text = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE o.provider_id = $1 AND o.state IN ('accepted', 'enforced') ORDER BY o.id"
    ));
    Ok(sql::query_as(text).bind(provider).fetch_all(conn).await?)
}

/// Proposals of a provider in `state`.
pub(crate) async fn in_state(
    conn: &mut Conn,
    provider: i64,
    state: &str,
) -> Result<Vec<ProposalRow>, BrokerError> {
    let text =
        sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE o.provider_id = $1 AND o.state = $2 ORDER BY o.id"));
    Ok(sql::query_as(text).bind(provider).bind(state).fetch_all(conn).await?)
}

/// The proposals of one content, newest first.
pub(crate) async fn of_content(conn: &mut Conn, content_row: i64) -> Result<Vec<ProposalRow>, BrokerError> {
    let text =
        sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE o.content_row = $1 ORDER BY o.id DESC LIMIT 100"));
    Ok(sql::query_as(text).bind(content_row).fetch_all(conn).await?)
}

/// Which of `contents` have a proposal, whatever became of it.
pub(crate) async fn with_proposals(conn: &mut Conn, contents: &[i64]) -> Result<HashSet<i64>, BrokerError> {
    let mut found = HashSet::new();
    for chunk in contents.chunks(sql::LIST_MAX) {
        let text = format!(
            "WITH wanted (content_row) AS (VALUES {}) SELECT w.content_row FROM wanted w WHERE EXISTS \
             (SELECT 1 FROM proposals o WHERE o.content_row = w.content_row)",
            sql::list(1, chunk.len(), 1)
        );
        let rows: Vec<i64> =
            sql::query_scalar(sqlx::AssertSqlSafe(text)).bind_list(chunk).fetch_all(&mut *conn).await?;
        found.extend(rows);
    }
    Ok(found)
}

/// The present proposals of a consumer's branch, whoever the provider is.
pub(crate) async fn open_on_branch(
    conn: &mut Conn,
    consumer: &str,
    branch: &str,
) -> Result<Vec<ProposalRow>, BrokerError> {
    let text = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE c.name = $1 AND o.consumer_branch = $2 AND \
         o.state IN ('draft', 'proposed', 'accepted', 'enforced') ORDER BY o.id"
    ));
    Ok(sql::query_as(text).bind(consumer).bind(branch).fetch_all(conn).await?)
}

/// The present proposals to a provider from a consumer branch of this name, of one consumer or all.
pub(crate) async fn open_from_branch(
    conn: &mut Conn,
    provider: i64,
    branch: &str,
    consumer: Option<&str>,
) -> Result<Vec<ProposalRow>, BrokerError> {
    let text = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE o.provider_id = $1 AND o.consumer_branch = $2 AND (CAST($3 AS TEXT) IS NULL OR c.name = $3) \
         AND o.state IN ('draft', 'proposed') ORDER BY o.id"
    ));
    Ok(sql::query_as(text).bind(provider).bind(branch).bind(consumer).fetch_all(conn).await?)
}

/// The proposal of the same line with other content that was accepted last before `row` was made.
pub(crate) async fn accepted_before(
    conn: &mut Conn,
    row: &ProposalRow,
) -> Result<Option<ProposalRow>, BrokerError> {
    let text = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE c.name = $1 AND p.name = $2 AND o.consumer_branch = $3 AND o.id < $4 AND o.content_row <> $5 \
         AND EXISTS (SELECT 1 FROM proposal_history h WHERE h.proposal_id = o.id AND h.state = 'accepted') \
         ORDER BY o.id DESC LIMIT 1"
    ));
    Ok(sql::query_as(text)
        .bind(&row.consumer)
        .bind(&row.provider)
        .bind(&row.consumer_branch)
        .bind(row.id)
        .bind(row.content_row)
        .fetch_optional(conn)
        .await?)
}

pub(crate) async fn set_pull_request(
    conn: &mut Conn,
    id: i64,
    url: &str,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query("UPDATE proposals SET pull_request_url = $2, updated_at = $3 WHERE id = $1")
        .bind(id)
        .bind(url)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
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
