//! Everything at a glance in a fixed number of queries, each at the cost of what it lists.

use super::heads::pairs;
use super::{Conn, sql};
use crate::BrokerError;

/// A pacticipant and its newest version.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) main_branch: Option<String>,
    pub(crate) latest_version: Option<String>,
    /// How many pacticipants there are in all.
    pub(crate) total: i64,
}

/// The first `limit` pacticipants by name.
pub(crate) async fn people(conn: &mut Conn, limit: i64) -> Result<Vec<Person>, BrokerError> {
    Ok(sql::query_as(
        "SELECT o.name AS name, o.main_branch AS main_branch, (SELECT v.number FROM versions v WHERE v.pacticipant_id = o.id \
         ORDER BY v.id DESC LIMIT 1) AS latest_version, count(*) OVER () AS total FROM pacticipants o ORDER BY o.name LIMIT $1",
    )
    .bind(limit)
    .fetch_all(conn)
    .await?)
}

/// The newest publication of a pair and how it stands.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct PairStanding {
    pub(crate) consumer: String,
    pub(crate) provider: String,
    pub(crate) consumer_version: String,
    /// The branch the version was put on last.
    pub(crate) branch: Option<String>,
    pub(crate) content_id: String,
    pub(crate) created_at: i64,
    /// Of the last result for the content, whichever provider version it is from.
    pub(crate) success: Option<bool>,
    pub(crate) provider_version: Option<String>,
    pub(crate) verified_at: Option<i64>,
    /// Whether any version ever verified it successfully.
    pub(crate) ever: bool,
    /// The provider accepted the content.
    pub(crate) accepted: bool,
    /// How many pairs there are in all.
    pub(crate) pairs: i64,
}

/// Of the newest publication of every pair the `limit` newest.
pub(crate) async fn standings(conn: &mut Conn, limit: i64) -> Result<Vec<PairStanding>, BrokerError> {
    // Cross joins keep SQLite in the order in which each step is one look-up.
    let sql = format!(
        "WITH RECURSIVE {}, found (provider_id, version_id) AS MATERIALIZED (SELECT k.provider_id, (SELECT max(h.version_id) FROM pacts h \
         WHERE h.provider_id = k.provider_id AND h.consumer_id = k.consumer_id) FROM pairs k WHERE k.consumer_id IS NOT NULL), \
         shown (provider_id, version_id, pairs) AS (SELECT provider_id, version_id, count(*) OVER () FROM found \
         ORDER BY version_id DESC, provider_id LIMIT $2), \
         standing AS MATERIALIZED (SELECT c.name AS consumer, pr.name AS provider, v.number AS consumer_version, \
         (SELECT b.name FROM branch_versions bv JOIN branches b ON b.id = bv.branch_id WHERE bv.version_id = p.version_id \
         ORDER BY bv.id DESC LIMIT 1) AS branch, k.content_id AS content_id, p.created_at AS created_at, \
         (SELECT max(x.id) FROM verifications x WHERE x.content_row = p.content_row) AS last, \
         EXISTS (SELECT 1 FROM verifications x WHERE x.content_row = p.content_row AND x.success) AS ever, \
         EXISTS (SELECT 1 FROM proposals q WHERE q.content_row = p.content_row AND q.state IN ('accepted', 'enforced')) \
         AS accepted, s.pairs AS pairs, p.version_id AS version_id, p.provider_id AS provider_id \
         FROM shown s CROSS JOIN pacts p CROSS JOIN versions v CROSS JOIN pacticipants c CROSS JOIN pacticipants pr \
         CROSS JOIN contents k WHERE p.version_id = s.version_id AND p.provider_id = s.provider_id AND v.id = p.version_id AND \
         c.id = p.consumer_id AND pr.id = p.provider_id AND k.id = p.content_row) \
         SELECT t.consumer AS consumer, t.provider AS provider, t.consumer_version AS consumer_version, t.branch AS branch, \
         t.content_id AS content_id, t.created_at AS created_at, r.success AS success, pv.number AS provider_version, \
         r.created_at AS verified_at, t.ever AS ever, t.accepted AS accepted, t.pairs AS pairs FROM standing t \
         LEFT JOIN verifications r ON r.id = t.last LEFT JOIN versions pv ON pv.id = r.provider_version_id \
         ORDER BY t.version_id DESC, t.provider_id",
        pairs(false)
    );
    Ok(sql::query_as(sqlx::AssertSqlSafe(sql)).bind(None::<i64>).bind(limit).fetch_all(conn).await?)
}
