//! Waivers, and the rules that an environment has for them.

use super::{Conn, sql, uuid};
use crate::BrokerError;

/// One waiver.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct WaiverRow {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) environment: String,
    pub(crate) environment_id: i64,
    pub(crate) name: String,
    pub(crate) reason: String,
    pub(crate) consumer: Option<String>,
    pub(crate) consumer_version: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) provider_version: Option<String>,
    pub(crate) created_by: String,
    pub(crate) created_at: i64,
    pub(crate) approved_by: Option<String>,
    pub(crate) approved_at: Option<i64>,
    pub(crate) expires_at: i64,
    pub(crate) revoked_by: Option<String>,
    pub(crate) revoked_at: Option<i64>,
}

/// Who did what with a waiver.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct WaiverStep {
    pub(crate) action: String,
    pub(crate) who: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) at: i64,
}

/// A waiver to be stored.
#[derive(Debug)]
pub(crate) struct NewWaiver<'a> {
    pub(crate) environment: i64,
    pub(crate) name: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) consumer: Option<&'a str>,
    pub(crate) consumer_version: Option<&'a str>,
    pub(crate) provider: Option<&'a str>,
    pub(crate) provider_version: Option<&'a str>,
    pub(crate) by: &'a str,
    pub(crate) expires_at: i64,
}

const COLUMNS: &str = "SELECT w.id AS id, w.uuid AS uuid, e.name AS environment, w.environment_id AS environment_id, \
     w.name AS name, w.reason AS reason, w.consumer AS consumer, w.consumer_version AS consumer_version, \
     w.provider AS provider, w.provider_version AS provider_version, w.created_by AS created_by, \
     w.created_at AS created_at, w.approved_by AS approved_by, w.approved_at AS approved_at, w.expires_at AS expires_at, \
     w.revoked_by AS revoked_by, w.revoked_at AS revoked_at FROM waivers w JOIN environments e ON e.id = w.environment_id";

pub(crate) async fn insert(conn: &mut Conn, new: &NewWaiver<'_>, now: i64) -> Result<String, BrokerError> {
    let uuid = uuid();
    let id: i64 = sql::query_scalar(
        "INSERT INTO waivers (uuid, environment_id, name, reason, consumer, consumer_version, provider, provider_version, \
         created_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
    )
    .bind(&uuid)
    .bind(new.environment)
    .bind(new.name)
    .bind(new.reason)
    .bind(new.consumer)
    .bind(new.consumer_version)
    .bind(new.provider)
    .bind(new.provider_version)
    .bind(new.by)
    .bind(now)
    .bind(new.expires_at)
    .fetch_one(&mut *conn)
    .await?;
    note(conn, id, "created", Some(new.by), Some(new.reason), now).await?;
    Ok(uuid)
}

pub(crate) async fn get(conn: &mut Conn, uuid: &str) -> Result<WaiverRow, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE w.uuid = $1"));
    sql::query_as(sql)
        .bind(uuid)
        .fetch_optional(conn)
        .await?
        .ok_or_else(|| BrokerError::NotFound(format!("there is no waiver {uuid}")))
}

/// Those of an environment that count at `now` or would, once they are approved.
pub(crate) async fn standing(
    conn: &mut Conn,
    environment: i64,
    now: i64,
) -> Result<Vec<WaiverRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE w.environment_id = $1 AND w.expires_at > $2 AND w.revoked_at IS NULL ORDER BY w.id"
    ));
    Ok(sql::query_as(sql).bind(environment).bind(now).fetch_all(conn).await?)
}

/// Newest first, of one environment or all.
pub(crate) async fn list(
    conn: &mut Conn,
    environment: Option<&str>,
    limit: i64,
) -> Result<Vec<WaiverRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE CAST($1 AS TEXT) IS NULL OR e.name = $1 ORDER BY w.id DESC LIMIT $2"
    ));
    Ok(sql::query_as(sql).bind(environment).bind(limit).fetch_all(conn).await?)
}

pub(crate) async fn approve(conn: &mut Conn, id: i64, who: &str, now: i64) -> Result<(), BrokerError> {
    sql::query("UPDATE waivers SET approved_by = $2, approved_at = $3 WHERE id = $1")
        .bind(id)
        .bind(who)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    note(conn, id, "approved", Some(who), None, now).await
}

pub(crate) async fn revoke(
    conn: &mut Conn,
    id: i64,
    who: &str,
    reason: Option<&str>,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query("UPDATE waivers SET revoked_by = $2, revoked_at = $3 WHERE id = $1")
        .bind(id)
        .bind(who)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    note(conn, id, "revoked", Some(who), reason, now).await
}

/// Adds a line to a waiver's history.
pub(crate) async fn note(
    conn: &mut Conn,
    id: i64,
    action: &str,
    who: Option<&str>,
    detail: Option<&str>,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query("INSERT INTO waiver_history (waiver_id, action, who, detail, at) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(action)
        .bind(who)
        .bind(detail)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// The newest lines of a waiver's history, oldest first.
pub(crate) async fn history(conn: &mut Conn, id: i64, limit: i64) -> Result<Vec<WaiverStep>, BrokerError> {
    let mut rows: Vec<WaiverStep> = sql::query_as(
        "SELECT action, who, detail, at FROM waiver_history WHERE waiver_id = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(id)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.reverse();
    Ok(rows)
}

/// What an environment demands of exceptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Rules {
    /// `ignore` has no effect.
    pub(crate) forbid_ignore: bool,
    /// A waiver counts only once somebody else approved it.
    pub(crate) second_person: bool,
}

pub(crate) async fn rules(conn: &mut Conn, environment: i64) -> Result<Rules, BrokerError> {
    let found: Option<Rules> =
        sql::query_as("SELECT forbid_ignore, second_person FROM environment_rules WHERE environment_id = $1")
            .bind(environment)
            .fetch_optional(conn)
            .await?;
    Ok(found.unwrap_or_default())
}

pub(crate) async fn set_rules(
    conn: &mut Conn,
    environment: i64,
    rules: Rules,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query(
        "INSERT INTO environment_rules (environment_id, forbid_ignore, second_person, updated_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (environment_id) DO UPDATE SET forbid_ignore = excluded.forbid_ignore, \
         second_person = excluded.second_person, updated_at = excluded.updated_at",
    )
    .bind(environment)
    .bind(rules.forbid_ignore)
    .bind(rules.second_person)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}
