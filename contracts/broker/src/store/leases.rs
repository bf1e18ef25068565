//! Leases: one deploy at a time and environment, for as long as it shows that it lives.

use super::{Conn, sql, uuid};
use crate::BrokerError;

/// Who deploys to an environment.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct LeaseRow {
    pub(crate) environment_id: i64,
    pub(crate) uuid: String,
    /// Grows by one with every holder.
    pub(crate) fence: i64,
    pub(crate) holder: String,
    pub(crate) pacticipant: String,
    pub(crate) version: String,
    pub(crate) acquired_at: i64,
    pub(crate) expires_at: i64,
}

const COLUMNS: &str = "environment_id, uuid, fence, holder, pacticipant, version, acquired_at, expires_at";

/// What is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'a> {
    pub(crate) environment: i64,
    pub(crate) holder: &'a str,
    pub(crate) pacticipant: &'a str,
    pub(crate) version: &'a str,
    pub(crate) expires_at: i64,
}

/// Takes the environment when nobody holds it; `None` when somebody does.
pub(crate) async fn acquire(
    conn: &mut Conn,
    wanted: &Wanted<'_>,
    now: i64,
) -> Result<Option<LeaseRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "INSERT INTO leases ({COLUMNS}) VALUES ($1, $2, 1, $3, $4, $5, $6, $7) ON CONFLICT (environment_id) DO UPDATE SET \
         uuid = excluded.uuid, fence = leases.fence + 1, holder = excluded.holder, pacticipant = excluded.pacticipant, \
         version = excluded.version, acquired_at = excluded.acquired_at, expires_at = excluded.expires_at \
         WHERE leases.expires_at <= excluded.acquired_at RETURNING {COLUMNS}"
    ));
    Ok(sql::query_as(sql)
        .bind(wanted.environment)
        .bind(uuid())
        .bind(wanted.holder)
        .bind(wanted.pacticipant)
        .bind(wanted.version)
        .bind(now)
        .bind(wanted.expires_at)
        .fetch_optional(conn)
        .await?)
}

/// The last holder of an environment, whether or not the lease still runs.
pub(crate) async fn of_environment(
    conn: &mut Conn,
    environment: i64,
) -> Result<Option<LeaseRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM leases WHERE environment_id = $1"));
    Ok(sql::query_as(sql).bind(environment).fetch_optional(conn).await?)
}

/// The lease, while nobody else took the environment.
pub(crate) async fn get(conn: &mut Conn, uuid: &str) -> Result<Option<LeaseRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM leases WHERE uuid = $1"));
    Ok(sql::query_as(sql).bind(uuid).fetch_optional(conn).await?)
}

/// Makes a lease that runs end at another time.
pub(crate) async fn set_end(conn: &mut Conn, uuid: &str, expires_at: i64) -> Result<(), BrokerError> {
    sql::query("UPDATE leases SET expires_at = $2 WHERE uuid = $1")
        .bind(uuid)
        .bind(expires_at)
        .execute(conn)
        .await?;
    Ok(())
}
