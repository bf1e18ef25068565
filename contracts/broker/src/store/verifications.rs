//! Verification results.

use std::collections::HashSet;

use super::{Conn, sql};
use crate::BrokerError;

#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Verification {
    pub(crate) id: i64,
    pub(crate) content_row: i64,
    pub(crate) provider_version: String,
    pub(crate) provider_version_id: i64,
    pub(crate) success: bool,
    pub(crate) build_url: Option<String>,
    pub(crate) test_results: Option<String>,
    pub(crate) verified_by: Option<String>,
    /// The user who posted it.
    pub(crate) posted_by: Option<String>,
    pub(crate) created_at: i64,
}

/// A result to be stored.
#[derive(Debug)]
pub(crate) struct NewVerification {
    pub(crate) content_row: i64,
    pub(crate) provider_version_id: i64,
    pub(crate) success: bool,
    pub(crate) pending: bool,
    pub(crate) wip: bool,
    pub(crate) build_url: Option<String>,
    pub(crate) test_results: Option<String>,
    pub(crate) verified_by: Option<String>,
    pub(crate) posted_by: Option<String>,
}

const COLUMNS: &str = "SELECT r.id AS id, r.content_row AS content_row, v.number AS provider_version, v.id AS provider_version_id, \
     r.success AS success, r.build_url AS build_url, r.test_results AS test_results, r.verified_by AS verified_by, r.posted_by AS posted_by, \
     r.created_at AS created_at FROM verifications r JOIN versions v ON v.id = r.provider_version_id";

pub(crate) async fn insert(conn: &mut Conn, new: &NewVerification, now: i64) -> Result<i64, BrokerError> {
    Ok(sql::query_scalar(
        "INSERT INTO verifications (content_row, provider_version_id, success, pending, wip, build_url, test_results, \
         verified_by, created_at, posted_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
    )
    .bind(new.content_row)
    .bind(new.provider_version_id)
    .bind(new.success)
    .bind(new.pending)
    .bind(new.wip)
    .bind(&new.build_url)
    .bind(&new.test_results)
    .bind(&new.verified_by)
    .bind(now)
    .bind(&new.posted_by)
    .fetch_one(conn)
    .await?)
}

/// Forgets one result of a content; true when it was there.
pub(crate) async fn delete(conn: &mut Conn, content_row: i64, number: i64) -> Result<bool, BrokerError> {
    let done = sql::query("DELETE FROM verifications WHERE id = $1 AND content_row = $2")
        .bind(number)
        .bind(content_row)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub(crate) async fn get(conn: &mut Conn, number: i64) -> Result<Option<Verification>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE r.id = $1"));
    Ok(sql::query_as(sql).bind(number).fetch_optional(conn).await?)
}

pub(crate) async fn latest(conn: &mut Conn, content_row: i64) -> Result<Option<Verification>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE r.id = (SELECT max(x.id) FROM verifications x WHERE x.content_row = $1)"
    ));
    Ok(sql::query_as(sql).bind(content_row).fetch_optional(conn).await?)
}

/// The result that counts for each provider version that verified one of `contents`.
pub(crate) async fn counting(conn: &mut Conn, contents: &[i64]) -> Result<Vec<Verification>, BrokerError> {
    let mut found = Vec::new();
    for chunk in contents.chunks(sql::LIST_MAX) {
        let sql = format!(
            "WITH wanted (content_row) AS (VALUES {}), \
             newest (id) AS MATERIALIZED (SELECT max(x.id) FROM wanted w CROSS JOIN verifications x \
             WHERE x.content_row = w.content_row GROUP BY x.content_row, x.provider_version_id) \
             {COLUMNS} JOIN newest n ON n.id = r.id",
            sql::list(1, chunk.len(), 1)
        );
        let rows: Vec<Verification> =
            sql::query_as(sqlx::AssertSqlSafe(sql)).bind_list(chunk).fetch_all(&mut *conn).await?;
        found.extend(rows);
    }
    Ok(found)
}

/// The newest result of each of `contents` that has one.
pub(crate) async fn newest(conn: &mut Conn, contents: &[i64]) -> Result<Vec<Verification>, BrokerError> {
    let mut found = Vec::new();
    for chunk in contents.chunks(sql::LIST_MAX) {
        let sql = format!(
            "WITH wanted (content_row) AS (VALUES {}), newest (id) AS MATERIALIZED (SELECT (SELECT max(x.id) FROM \
             verifications x WHERE x.content_row = w.content_row) FROM wanted w) {COLUMNS} JOIN newest n ON n.id = r.id",
            sql::list(1, chunk.len(), 1)
        );
        let rows: Vec<Verification> =
            sql::query_as(sqlx::AssertSqlSafe(sql)).bind_list(chunk).fetch_all(&mut *conn).await?;
        found.extend(rows);
    }
    Ok(found)
}

/// The result that counts for one content and provider version.
pub(crate) async fn of_pair(
    conn: &mut Conn,
    content_row: i64,
    provider: i64,
    provider_version: &str,
) -> Result<Option<Verification>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE r.content_row = $1 AND v.pacticipant_id = $2 AND v.number = $3 ORDER BY r.id DESC LIMIT 1"
    ));
    Ok(sql::query_as(sql)
        .bind(content_row)
        .bind(provider)
        .bind(provider_version)
        .fetch_optional(conn)
        .await?)
}

/// Which contents (rows) a provider version has results for, with their consumers: for questions without a target.
pub(crate) async fn contents_of(conn: &mut Conn, provider_version: i64) -> Result<Vec<i64>, BrokerError> {
    Ok(sql::query_scalar("SELECT DISTINCT content_row FROM verifications WHERE provider_version_id = $1")
        .bind(provider_version)
        .fetch_all(conn)
        .await?)
}

/// A success of some content, as pending and work-in-progress rules look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SuccessBy<'a> {
    /// Any version.
    Anyone,
    /// A version on this branch.
    Branch(&'a str),
    /// A version on another branch, before an instant.
    OtherBranchBefore(&'a str, i64),
    /// A version with this tag.
    Tag(&'a str),
}

/// Which of `contents` were verified successfully by such a version; results taken as work in progress count only when
/// `wip_counts`.
pub(crate) async fn succeeded_among(
    conn: &mut Conn,
    contents: &[i64],
    by: SuccessBy<'_>,
    wip_counts: bool,
) -> Result<HashSet<i64>, BrokerError> {
    const ON_BRANCH: &str = "EXISTS (SELECT 1 FROM branch_versions bv JOIN branches b ON b.id = bv.branch_id WHERE \
                             bv.version_id = r.provider_version_id AND b.name";
    let (condition, name, before) = match by {
        SuccessBy::Anyone => ("1 = 1".to_owned(), None, None),
        SuccessBy::Branch(name) => (format!("{ON_BRANCH} = $2)"), Some(name), None),
        SuccessBy::OtherBranchBefore(name, before) => {
            (format!("r.created_at < $3 AND {ON_BRANCH} <> $2)"), Some(name), Some(before))
        }
        SuccessBy::Tag(name) => {
            let tagged =
                "EXISTS (SELECT 1 FROM tags t WHERE t.version_id = r.provider_version_id AND t.name = $2)";
            (tagged.to_owned(), Some(name), None)
        }
    };
    let mut found = HashSet::new();
    for chunk in contents.chunks(sql::LIST_MAX) {
        // Unused parameters are named in a condition that always holds, so that every form has the same.
        let sql = format!(
            "WITH wanted (content_row) AS (VALUES {}) SELECT w.content_row FROM wanted w WHERE \
             (CAST($2 AS TEXT) IS NULL OR 1 = 1) AND (CAST($3 AS BIGINT) IS NULL OR 1 = 1) AND \
             EXISTS (SELECT 1 FROM verifications r WHERE r.content_row = w.content_row AND r.success AND \
             ($1 OR NOT r.wip) AND {condition})",
            sql::list(4, chunk.len(), 1)
        );
        let query = sql::query_scalar(sqlx::AssertSqlSafe(sql)).bind(wip_counts).bind(name).bind(before);
        let query = query.bind_list(chunk);
        let rows: Vec<i64> = query.fetch_all(&mut *conn).await?;
        found.extend(rows);
    }
    Ok(found)
}
