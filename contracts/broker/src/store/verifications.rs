//! Verification results.

use super::{Conn, sql};
use crate::BrokerError;

#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Verification {
    pub(crate) id: i64,
    pub(crate) content_row: i64,
    pub(crate) provider_version: String,
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

const COLUMNS: &str = "SELECT r.id AS id, r.content_row AS content_row, v.number AS provider_version, \
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

pub(crate) async fn get(conn: &mut Conn, number: i64) -> Result<Option<Verification>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE r.id = $1"));
    Ok(sql::query_as(sql).bind(number).fetch_optional(conn).await?)
}

pub(crate) async fn latest(conn: &mut Conn, content_row: i64) -> Result<Option<Verification>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE r.content_row = $1 ORDER BY r.id DESC LIMIT 1"));
    Ok(sql::query_as(sql).bind(content_row).fetch_optional(conn).await?)
}

/// The result that counts for each provider version that verified a content.
pub(crate) async fn counting(conn: &mut Conn, content_row: i64) -> Result<Vec<Verification>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE r.id IN (SELECT max(id) FROM verifications WHERE content_row = $1 GROUP BY provider_version_id)"
    ));
    Ok(sql::query_as(sql).bind(content_row).fetch_all(conn).await?)
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

/// Whether `content_row` was verified successfully by such a version; results taken as work in progress count only
/// when `wip_counts`.
pub(crate) async fn succeeded(
    conn: &mut Conn,
    content_row: i64,
    by: SuccessBy<'_>,
    wip_counts: bool,
) -> Result<bool, BrokerError> {
    let base = "SELECT EXISTS (SELECT 1 FROM verifications r WHERE r.content_row = $1 AND r.success AND ($2 OR NOT r.wip)";
    let on_branch = "EXISTS (SELECT 1 FROM branch_versions bv JOIN branches b ON b.id = bv.branch_id WHERE \
                     bv.version_id = r.provider_version_id AND b.name";
    let query = match by {
        SuccessBy::Anyone => sql::query_scalar(sqlx::AssertSqlSafe(format!("{base})"))).bind(content_row).bind(wip_counts),
        SuccessBy::Branch(name) => sql::query_scalar(sqlx::AssertSqlSafe(format!("{base} AND {on_branch} = $3))")))
            .bind(content_row)
            .bind(wip_counts)
            .bind(name),
        SuccessBy::OtherBranchBefore(name, before) => {
            sql::query_scalar(sqlx::AssertSqlSafe(format!("{base} AND r.created_at < $4 AND {on_branch} <> $3))")))
                .bind(content_row)
                .bind(wip_counts)
                .bind(name)
                .bind(before)
        }
        SuccessBy::Tag(name) => sql::query_scalar(sqlx::AssertSqlSafe(format!(
            "{base} AND EXISTS (SELECT 1 FROM tags t WHERE t.version_id = r.provider_version_id AND t.name = $3))"
        )))
        .bind(content_row)
        .bind(wip_counts)
        .bind(name),
    };
    Ok(query.fetch_one(conn).await?)
}
