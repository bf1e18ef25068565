//! Which versions would meet: what is live, and the newest result of many pairs at once. The gate's questions cost as much
//! as their answers, however long the history is.

use super::verifications::Verification;
use super::{Conn, sql};
use crate::BrokerError;

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

/// The same for many pacticipants at once, by name.
pub(crate) async fn live_of(
    conn: &mut Conn,
    environment: i64,
    pacticipants: &[i64],
) -> Result<Vec<(i64, i64, String)>, BrokerError> {
    let mut found = Vec::new();
    for chunk in pacticipants.chunks(sql::LIST_MAX) {
        let sql = format!(
            "WITH wanted (id) AS (VALUES {}) \
             SELECT w.id, v.id, v.number FROM wanted w CROSS JOIN deployed_versions d CROSS JOIN versions v WHERE \
             d.environment_id = $1 AND d.pacticipant_id = w.id AND d.undeployed_at IS NULL AND v.id = d.version_id UNION \
             SELECT w.id, v.id, v.number FROM wanted w CROSS JOIN released_versions r CROSS JOIN versions v WHERE \
             r.environment_id = $1 AND r.pacticipant_id = w.id AND r.support_ended_at IS NULL AND v.id = r.version_id \
             ORDER BY 2",
            sql::list(2, chunk.len(), 1)
        );
        let query = sql::query_as(sqlx::AssertSqlSafe(sql)).bind(environment).bind_list(chunk);
        let rows: Vec<(i64, i64, String)> = query.fetch_all(&mut *conn).await?;
        found.extend(rows);
    }
    Ok(found)
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

/// The result that counts for each (content row, provider version) of `pairs` that has one.
pub(crate) async fn results(conn: &mut Conn, pairs: &[(i64, i64)]) -> Result<Vec<Verification>, BrokerError> {
    let mut found = Vec::new();
    for chunk in pairs.chunks(sql::LIST_MAX) {
        let sql = format!(
            "WITH wanted (content_row, version_id) AS (VALUES {}) \
             SELECT r.id AS id, r.content_row AS content_row, v.number AS provider_version, v.id AS provider_version_id, r.success AS success, \
             r.build_url AS build_url, r.test_results AS test_results, r.verified_by AS verified_by, \
             r.posted_by AS posted_by, r.created_at AS created_at FROM wanted w CROSS JOIN verifications r JOIN versions v ON \
             v.id = r.provider_version_id WHERE r.id = (SELECT max(x.id) FROM verifications x WHERE \
             x.content_row = w.content_row AND x.provider_version_id = w.version_id)",
            sql::list(1, chunk.len(), 2)
        );
        // Two columns are one list of twice the length.
        let numbers: Vec<i64> = chunk.iter().flat_map(|(content, version)| [*content, *version]).collect();
        let query = sql::query_as(sqlx::AssertSqlSafe(sql)).bind_list(&numbers);
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
