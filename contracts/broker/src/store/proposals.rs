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
    .bind(crate::auth::gate::user_name())
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

/// The content the pair uses now, other than the proposed one: of a live consumer version, else of its main branch.
pub(crate) async fn in_use(conn: &mut Conn, row: &ProposalRow) -> Result<Option<i64>, BrokerError> {
    let live: Option<i64> = sql::query_scalar(
        "SELECT p.content_row FROM pacts p JOIN pacticipants c ON c.id = p.consumer_id \
         WHERE c.name = $1 AND p.provider_id = $2 AND (\
         EXISTS (SELECT 1 FROM deployed_versions d WHERE d.version_id = p.version_id AND d.undeployed_at IS NULL) OR \
         EXISTS (SELECT 1 FROM released_versions r WHERE r.version_id = p.version_id AND r.support_ended_at IS NULL)) \
         ORDER BY p.version_id DESC LIMIT 1",
    )
    .bind(&row.consumer)
    .bind(row.provider_id)
    .fetch_optional(&mut *conn)
    .await?;
    if live.is_some() {
        return Ok(live);
    }
    Ok(sql::query_scalar(
        "SELECT p.content_row FROM pacts p JOIN pacticipants c ON c.id = p.consumer_id \
         JOIN branch_versions bv ON bv.version_id = p.version_id JOIN branches b ON b.id = bv.branch_id \
         WHERE c.name = $1 AND p.provider_id = $2 AND b.name = c.main_branch AND p.content_row <> $3 \
         ORDER BY bv.id DESC LIMIT 1",
    )
    .bind(&row.consumer)
    .bind(row.provider_id)
    .bind(row.content_row)
    .fetch_optional(conn)
    .await?)
}

/// The live consumer versions that carry a content: `orders 1.4 in production`.
pub(crate) async fn live_with_content(conn: &mut Conn, content_row: i64) -> Result<Vec<String>, BrokerError> {
    let rows: Vec<(String, String, String)> = sql::query_as(
        "SELECT c.name, v.number, e.name FROM pacts p JOIN versions v ON v.id = p.version_id \
         JOIN pacticipants c ON c.id = p.consumer_id \
         JOIN (SELECT version_id, environment_id FROM deployed_versions WHERE undeployed_at IS NULL UNION \
         SELECT version_id, environment_id FROM released_versions WHERE support_ended_at IS NULL) live \
         ON live.version_id = v.id JOIN environments e ON e.id = live.environment_id \
         WHERE p.content_row = $1 ORDER BY v.id DESC LIMIT 50",
    )
    .bind(content_row)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(consumer, version, environment)| format!("{consumer} {version} in {environment}"))
        .collect())
}

/// A pacticipant's live versions and where they are, each once.
pub(crate) async fn live_versions(
    conn: &mut Conn,
    pacticipant: i64,
) -> Result<Vec<(String, String)>, BrokerError> {
    Ok(sql::query_as(
        "SELECT v.number, e.name FROM versions v \
         JOIN (SELECT version_id, environment_id FROM deployed_versions WHERE undeployed_at IS NULL AND \
         pacticipant_id = $1 UNION SELECT version_id, environment_id FROM released_versions \
         WHERE support_ended_at IS NULL AND pacticipant_id = $1) live ON live.version_id = v.id \
         JOIN environments e ON e.id = live.environment_id ORDER BY e.name, v.id DESC LIMIT 200",
    )
    .bind(pacticipant)
    .fetch_all(conn)
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

/// A contribution to a proposal's discussion.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct CommentRow {
    pub(crate) author: Option<String>,
    pub(crate) body: String,
    pub(crate) at: i64,
}

pub(crate) async fn add_comment(
    conn: &mut Conn,
    id: i64,
    author: Option<&str>,
    body: &str,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query("INSERT INTO proposal_comments (proposal_id, author, body, at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(author)
        .bind(body)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// The discussion, oldest first.
pub(crate) async fn comments(conn: &mut Conn, id: i64) -> Result<Vec<CommentRow>, BrokerError> {
    Ok(sql::query_as(
        "SELECT author, body, at FROM proposal_comments WHERE proposal_id = $1 ORDER BY id LIMIT 1000",
    )
    .bind(id)
    .fetch_all(conn)
    .await?)
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
