//! What surrounds a proposal: who is live and needs what, and what was said about it.

use super::proposals::ProposalRow;
use super::{Conn, sql};
use crate::BrokerError;

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
