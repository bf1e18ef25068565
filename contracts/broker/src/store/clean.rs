//! What clean-up has to know of versions, and their deletion.

use super::{Conn, sql};
use crate::BrokerError;

/// A version with everything that may be a reason to keep it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Candidate {
    pub(crate) id: i64,
    pub(crate) number: String,
    pub(crate) created_at: i64,
    /// Deployed now.
    pub(crate) deployed: bool,
    /// Released and supported now.
    pub(crate) released: bool,
    /// It has a result for a content that a live version carries, or that is proposed or accepted.
    pub(crate) verifies_live: bool,
}

/// A content is live when a version that is deployed or released carries it, or a proposal that is not over has it.
const LIVE_CONTENT: &str = "(EXISTS (SELECT 1 FROM pacts lp JOIN deployed_versions ld ON ld.version_id = lp.version_id \
     WHERE lp.content_row = r.content_row AND ld.undeployed_at IS NULL) \
     OR EXISTS (SELECT 1 FROM pacts lp JOIN released_versions lr ON lr.version_id = lp.version_id \
     WHERE lp.content_row = r.content_row AND lr.support_ended_at IS NULL) \
     OR EXISTS (SELECT 1 FROM proposals lq WHERE lq.content_row = r.content_row AND \
     lq.state IN ('draft', 'proposed', 'accepted', 'enforced')))";

/// The versions of a pacticipant, oldest first.
pub(crate) async fn candidates(conn: &mut Conn, pacticipant: i64) -> Result<Vec<Candidate>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT v.id AS id, v.number AS number, v.created_at AS created_at, \
         EXISTS (SELECT 1 FROM deployed_versions d WHERE d.version_id = v.id AND d.undeployed_at IS NULL) AS deployed, \
         EXISTS (SELECT 1 FROM released_versions d WHERE d.version_id = v.id AND d.support_ended_at IS NULL) AS released, \
         EXISTS (SELECT 1 FROM verifications r WHERE r.provider_version_id = v.id AND {LIVE_CONTENT}) AS verifies_live \
         FROM versions v WHERE v.pacticipant_id = $1 ORDER BY v.id"
    ));
    Ok(sql::query_as(sql).bind(pacticipant).fetch_all(conn).await?)
}

/// A line that a version stands on, and whether it is its head.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct OnLine {
    pub(crate) version_id: i64,
    pub(crate) name: String,
    pub(crate) latest: bool,
}

/// The branches of all versions of a pacticipant.
pub(crate) async fn branches(conn: &mut Conn, pacticipant: i64) -> Result<Vec<OnLine>, BrokerError> {
    Ok(sql::query_as(
        "SELECT bv.version_id AS version_id, b.name AS name, bv.id = h.head AS latest FROM branch_versions bv \
         JOIN branches b ON b.id = bv.branch_id \
         JOIN (SELECT branch_id, max(id) AS head FROM branch_versions GROUP BY branch_id) h ON h.branch_id = b.id \
         WHERE b.pacticipant_id = $1",
    )
    .bind(pacticipant)
    .fetch_all(conn)
    .await?)
}

/// The tags of all versions of a pacticipant.
pub(crate) async fn tags(conn: &mut Conn, pacticipant: i64) -> Result<Vec<OnLine>, BrokerError> {
    Ok(sql::query_as(
        "SELECT t.version_id AS version_id, t.name AS name, t.version_id = h.head AS latest FROM tags t \
         JOIN versions v ON v.id = t.version_id \
         JOIN (SELECT ht.name AS name, max(ht.version_id) AS head FROM tags ht JOIN versions hv ON hv.id = ht.version_id \
         WHERE hv.pacticipant_id = $1 GROUP BY ht.name) h ON h.name = t.name \
         WHERE v.pacticipant_id = $1",
    )
    .bind(pacticipant)
    .fetch_all(conn)
    .await?)
}

/// Deletes a version with its pacts, results, tags and history, unless it is deployed or released at this moment; true
/// when it is gone.
pub(crate) async fn delete_unless_live(conn: &mut Conn, version: i64) -> Result<bool, BrokerError> {
    let done = sql::query(
        "DELETE FROM versions WHERE id = $1 AND NOT EXISTS \
         (SELECT 1 FROM deployed_versions d WHERE d.version_id = $1 AND d.undeployed_at IS NULL) AND NOT EXISTS \
         (SELECT 1 FROM released_versions d WHERE d.version_id = $1 AND d.support_ended_at IS NULL)",
    )
    .bind(version)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes contents of a consumer that no version carries and no proposal has, with their results; how many.
pub(crate) async fn delete_orphaned_contents(conn: &mut Conn, consumer: i64) -> Result<u64, BrokerError> {
    let done = sql::query(
        "DELETE FROM contents WHERE consumer_id = $1 AND NOT EXISTS \
         (SELECT 1 FROM pacts p WHERE p.content_row = contents.id) AND NOT EXISTS \
         (SELECT 1 FROM proposals q WHERE q.content_row = contents.id)",
    )
    .bind(consumer)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes branches of a pacticipant on which no version is left; how many.
pub(crate) async fn delete_empty_branches(conn: &mut Conn, pacticipant: i64) -> Result<u64, BrokerError> {
    let done = sql::query(
        "DELETE FROM branches WHERE pacticipant_id = $1 AND NOT EXISTS \
         (SELECT 1 FROM branch_versions bv WHERE bv.branch_id = branches.id)",
    )
    .bind(pacticipant)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
