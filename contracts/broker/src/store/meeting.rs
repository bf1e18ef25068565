//! Which versions would meet: what is live, and the newest result of many pairs at once. The gate's questions cost as much
//! as their answers, however long the history is.

use super::pacts::Published;
use super::verifications::Verification;
use super::{Conn, sql};
use crate::BrokerError;

/// Pairs asked about in one query; two parameters each.
const PAIRS_AT_ONCE: usize = 400;

/// A version by id and number.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct VersionId {
    pub(crate) id: i64,
    pub(crate) number: String,
}

/// Versions of a pacticipant that are deployed to, or released and supported in, an environment.
pub(crate) async fn live(
    conn: &mut Conn,
    environment: i64,
    pacticipant: i64,
) -> Result<Vec<VersionId>, BrokerError> {
    Ok(sql::query_as(
        "SELECT v.id AS id, v.number AS number FROM versions v WHERE v.id IN (\
         SELECT d.version_id FROM deployed_versions d WHERE d.environment_id = $1 AND d.pacticipant_id = $2 AND \
         d.undeployed_at IS NULL UNION SELECT r.version_id FROM released_versions r WHERE r.environment_id = $1 AND \
         r.pacticipant_id = $2 AND r.support_ended_at IS NULL) ORDER BY v.id",
    )
    .bind(environment)
    .bind(pacticipant)
    .fetch_all(conn)
    .await?)
}

/// Whether anything is live in an environment.
pub(crate) async fn anything_live(conn: &mut Conn, environment: i64) -> Result<bool, BrokerError> {
    Ok(sql::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM deployed_versions WHERE environment_id = $1 AND undeployed_at IS NULL) OR \
         EXISTS (SELECT 1 FROM released_versions WHERE environment_id = $1 AND support_ended_at IS NULL)",
    )
    .bind(environment)
    .fetch_one(conn)
    .await?)
}

/// The pacts that live versions of consumers have with `provider`.
pub(crate) async fn live_consumers(
    conn: &mut Conn,
    environment: i64,
    provider: i64,
) -> Result<Vec<Published>, BrokerError> {
    // The cross join keeps SQLite from starting at the provider's pacts, of which there is a whole history.
    Ok(sql::query_as(
        "WITH live (version_id) AS (SELECT version_id FROM deployed_versions WHERE environment_id = $1 AND \
         undeployed_at IS NULL UNION SELECT version_id FROM released_versions WHERE environment_id = $1 AND \
         support_ended_at IS NULL) \
         SELECT c.name AS consumer, c.id AS consumer_id, v.number AS version, v.id AS version_id, pr.name AS provider, \
         k.id AS content_row, k.content_id AS content_id, p.created_at AS created_at, c.main_branch AS main_branch, \
         k.created_at AS content_since FROM live l CROSS JOIN pacts p JOIN versions v ON v.id = p.version_id \
         JOIN pacticipants c ON c.id = p.consumer_id JOIN pacticipants pr ON pr.id = p.provider_id \
         JOIN contents k ON k.id = p.content_row WHERE p.version_id = l.version_id AND p.provider_id = $2 ORDER BY p.id",
    )
    .bind(environment)
    .bind(provider)
    .fetch_all(conn)
    .await?)
}

/// The result that counts for each (content row, provider version) of `pairs` that has one.
pub(crate) async fn results(conn: &mut Conn, pairs: &[(i64, i64)]) -> Result<Vec<Verification>, BrokerError> {
    let mut found = Vec::new();
    for chunk in pairs.chunks(PAIRS_AT_ONCE) {
        let values: Vec<String> = (0..chunk.len())
            .map(|i| format!("(CAST(${} AS BIGINT), CAST(${} AS BIGINT))", i * 2 + 1, i * 2 + 2))
            .collect();
        let sql = format!(
            "WITH wanted (content_row, version_id) AS (VALUES {}) \
             SELECT r.id AS id, r.content_row AS content_row, v.number AS provider_version, r.success AS success, \
             r.build_url AS build_url, r.test_results AS test_results, r.verified_by AS verified_by, \
             r.posted_by AS posted_by, r.created_at AS created_at FROM wanted w CROSS JOIN verifications r JOIN versions v ON \
             v.id = r.provider_version_id WHERE r.id = (SELECT max(x.id) FROM verifications x WHERE \
             x.content_row = w.content_row AND x.provider_version_id = w.version_id)",
            values.join(", ")
        );
        let mut query = sql::query_as(sqlx::AssertSqlSafe(sql));
        for (content, version) in chunk {
            query = query.bind(*content).bind(*version);
        }
        let rows: Vec<Verification> = query.fetch_all(&mut *conn).await?;
        found.extend(rows);
    }
    Ok(found)
}

/// When the newest result of a provider version arrived, whatever it verified.
pub(crate) async fn last_result_at(
    conn: &mut Conn,
    provider_version: i64,
) -> Result<Option<i64>, BrokerError> {
    Ok(sql::query_scalar(
        "SELECT created_at FROM verifications WHERE provider_version_id = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind(provider_version)
    .fetch_optional(conn)
    .await?)
}
