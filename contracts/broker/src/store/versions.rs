//! Versions, their branches and tags.

use super::pacticipants::{self, Pacticipant};
use super::{Conn, environments, outbox, sql};
use crate::BrokerError;
use crate::broker::about;
use tracepact_base::{Event, EventKind};
use tracepact_contract_model::check_name;

/// Branches that are taken as the main branch when none is set (upstream's list).
pub(crate) const MAIN_BRANCH_CANDIDATES: [&str; 3] = ["develop", "main", "master"];
/// A first tag within this time of a version's creation also becomes its branch: an aid for clients from before branches.
const TAG_AS_BRANCH_NS: i64 = 10_000_000_000;

#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Version {
    pub(crate) id: i64,
    pub(crate) number: String,
    pub(crate) build_url: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// A branch a version is on.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct BranchOfVersion {
    pub(crate) name: String,
    pub(crate) latest: bool,
    pub(crate) created_at: i64,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) latest: bool,
    pub(crate) created_at: i64,
}

pub(crate) async fn find(
    conn: &mut Conn,
    pacticipant: i64,
    number: &str,
) -> Result<Option<Version>, BrokerError> {
    Ok(sql::query_as(
        "SELECT id, number, build_url, created_at, updated_at FROM versions WHERE pacticipant_id = $1 AND number = $2",
    )
    .bind(pacticipant)
    .bind(number)
    .fetch_optional(conn)
    .await?)
}

/// The pacticipant and its version, or 404.
pub(crate) async fn get(
    conn: &mut Conn,
    pacticipant: &str,
    number: &str,
) -> Result<(Pacticipant, Version), BrokerError> {
    let owner = pacticipants::get(conn, pacticipant).await?;
    let version = find(conn, owner.id, number)
        .await?
        .ok_or_else(|| BrokerError::NotFound(format!("No version {number} of {pacticipant} found")))?;
    Ok((owner, version))
}

/// The version, and whether it is new.
pub(crate) async fn get_or_create(
    conn: &mut Conn,
    pacticipant: i64,
    number: &str,
    now: i64,
) -> Result<(Version, bool), BrokerError> {
    if let Some(found) = find(conn, pacticipant, number).await? {
        return Ok((found, false));
    }
    let number = check_name("version number", number)?;
    let id: i64 = sql::query_scalar(
        "INSERT INTO versions (pacticipant_id, number, created_at, updated_at) VALUES ($1, $2, $3, $3) RETURNING id",
    )
    .bind(pacticipant)
    .bind(number)
    .bind(now)
    .fetch_one(conn)
    .await?;
    Ok((Version { id, number: number.to_owned(), build_url: None, created_at: now, updated_at: now }, true))
}

pub(crate) async fn set_build_url(
    conn: &mut Conn,
    version: i64,
    url: Option<&str>,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query("UPDATE versions SET build_url = $2, updated_at = $3 WHERE id = $1")
        .bind(version)
        .bind(url)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut Conn, version: i64) -> Result<(), BrokerError> {
    sql::query("DELETE FROM versions WHERE id = $1").bind(version).execute(conn).await?;
    Ok(())
}

/// Puts a version on a branch; true when it was not there yet. The first of `develop`, `main`, `master` becomes the
/// pacticipant's main branch when it has none.
pub(crate) async fn add_to_branch(
    conn: &mut Conn,
    pacticipant: i64,
    version: i64,
    branch: &str,
    now: i64,
) -> Result<bool, BrokerError> {
    let branch = check_name("branch name", branch)?;
    sql::query(
        "INSERT INTO branches (pacticipant_id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(pacticipant)
    .bind(branch)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let added = sql::query(
        "INSERT INTO branch_versions (branch_id, version_id, created_at) \
         SELECT id, $3, $4 FROM branches WHERE pacticipant_id = $1 AND name = $2 ON CONFLICT DO NOTHING",
    )
    .bind(pacticipant)
    .bind(branch)
    .bind(version)
    .bind(now)
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if MAIN_BRANCH_CANDIDATES.contains(&branch) {
        sql::query(
            "UPDATE pacticipants SET main_branch = $2, updated_at = $3 WHERE id = $1 AND main_branch IS NULL",
        )
        .bind(pacticipant)
        .bind(branch)
        .bind(now)
        .execute(conn)
        .await?;
    }
    Ok(added > 0)
}

/// Tags a version; true when it did not have the tag yet. Two aids for clients from before branches and environments:
/// the first tag of a fresh version is its branch, and a tag named like an environment records a deployment.
pub(crate) async fn add_tag(
    conn: &mut Conn,
    pacticipant: i64,
    version: &Version,
    tag: &str,
    now: i64,
) -> Result<bool, BrokerError> {
    let tag = check_name("tag name", tag)?;
    let added = sql::query(
        "INSERT INTO tags (version_id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(version.id)
    .bind(tag)
    .bind(now)
    .execute(&mut *conn)
    .await?
    .rows_affected()
        > 0;
    if added && now - version.created_at <= TAG_AS_BRANCH_NS && branches(conn, version.id).await?.is_empty() {
        add_to_branch(conn, pacticipant, version.id, tag, now).await?;
    }
    if added && let Some(environment) = environments::find_by_name(conn, tag).await? {
        let (_, new) = environments::deploy(conn, environment.id, pacticipant, version.id, "", now).await?;
        if new {
            let name: String = sql::query_scalar("SELECT name FROM pacticipants WHERE id = $1")
                .bind(pacticipant)
                .fetch_one(&mut *conn)
                .await?;
            let title = format!("{name} {} was deployed to {}", version.number, environment.name);
            let event = Event::new(EventKind::Deploy, u64::try_from(now).unwrap_or(0), title)
                .because("it was tagged with the environment's name")
                .with("action", "deployed")
                .with("version", version.number.as_str())
                .with("environment", environment.name.as_str());
            outbox::add(conn, &about(event, &name)).await?;
        }
    }
    Ok(added)
}

pub(crate) async fn branches(conn: &mut Conn, version: i64) -> Result<Vec<BranchOfVersion>, BrokerError> {
    Ok(sql::query_as(
        "SELECT b.name AS name, bv.created_at AS created_at, \
         bv.id = (SELECT max(id) FROM branch_versions WHERE branch_id = b.id) AS latest \
         FROM branch_versions bv JOIN branches b ON b.id = bv.branch_id WHERE bv.version_id = $1 ORDER BY bv.id",
    )
    .bind(version)
    .fetch_all(conn)
    .await?)
}

pub(crate) async fn tags(conn: &mut Conn, version: i64) -> Result<Vec<Tag>, BrokerError> {
    Ok(sql::query_as(
        "SELECT t.name AS name, t.created_at AS created_at, NOT EXISTS (SELECT 1 FROM versions ov CROSS JOIN tags o WHERE \
         ov.pacticipant_id = v.pacticipant_id AND ov.id > v.id AND o.version_id = ov.id AND o.name = t.name) AS latest \
         FROM tags t JOIN versions v ON v.id = t.version_id WHERE t.version_id = $1 ORDER BY t.name",
    )
    .bind(version)
    .fetch_all(conn)
    .await?)
}

pub(crate) async fn delete_tag(conn: &mut Conn, version: i64, tag: &str) -> Result<bool, BrokerError> {
    let done = sql::query("DELETE FROM tags WHERE version_id = $1 AND name = $2")
        .bind(version)
        .bind(tag)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub(crate) async fn delete_branch(
    conn: &mut Conn,
    pacticipant: i64,
    branch: &str,
) -> Result<bool, BrokerError> {
    let done = sql::query("DELETE FROM branches WHERE pacticipant_id = $1 AND name = $2")
        .bind(pacticipant)
        .bind(branch)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Which of a pacticipant's versions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Latest<'a> {
    Overall,
    OnBranch(&'a str),
    WithTag(&'a str),
}

pub(crate) async fn latest(
    conn: &mut Conn,
    pacticipant: i64,
    of: Latest<'_>,
) -> Result<Option<Version>, BrokerError> {
    let query = match of {
        Latest::Overall => sql::query_as(
            "SELECT id, number, build_url, created_at, updated_at FROM versions WHERE pacticipant_id = $1 \
             ORDER BY id DESC LIMIT 1",
        )
        .bind(pacticipant),
        Latest::OnBranch(branch) => sql::query_as(
            "SELECT v.id, v.number, v.build_url, v.created_at, v.updated_at FROM versions v JOIN branch_versions bv ON \
             bv.version_id = v.id JOIN branches b ON b.id = bv.branch_id WHERE b.pacticipant_id = $1 AND b.name = $2 \
             ORDER BY bv.id DESC LIMIT 1",
        )
        .bind(pacticipant)
        .bind(branch),
        Latest::WithTag(tag) => sql::query_as(
            "SELECT v.id, v.number, v.build_url, v.created_at, v.updated_at FROM versions v JOIN tags t ON \
             t.version_id = v.id WHERE v.pacticipant_id = $1 AND t.name = $2 ORDER BY v.id DESC LIMIT 1",
        )
        .bind(pacticipant)
        .bind(tag),
    };
    Ok(query.fetch_optional(conn).await?)
}

/// Which versions a list shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Listed<'a> {
    All,
    OnBranch(&'a str),
    WithTag(&'a str),
    /// Deployed to, or released in, the environment of this id.
    InEnvironment(i64),
}

/// A part of the versions of a pacticipant, newest first, and how many there are in all.
pub(crate) async fn list(
    conn: &mut Conn,
    pacticipant: i64,
    which: Listed<'_>,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Version>, i64), BrokerError> {
    let condition = match which {
        Listed::All => "1 = 1",
        Listed::OnBranch(_) => {
            "id IN (SELECT bv.version_id FROM branch_versions bv JOIN branches b ON b.id = bv.branch_id \
             WHERE b.pacticipant_id = $1 AND b.name = $2)"
        }
        Listed::WithTag(_) => "id IN (SELECT version_id FROM tags WHERE name = $2)",
        Listed::InEnvironment(_) => {
            "id IN (SELECT version_id FROM deployed_versions WHERE environment_id = $3 AND undeployed_at IS NULL \
             UNION SELECT version_id FROM released_versions WHERE environment_id = $3 AND support_ended_at IS NULL)"
        }
    };
    let (name, environment) = match which {
        Listed::All => (None, None),
        Listed::OnBranch(name) | Listed::WithTag(name) => (Some(name), None),
        Listed::InEnvironment(id) => (None, Some(id)),
    };
    // Every form has the same parameters.
    let from = format!(
        "FROM versions WHERE pacticipant_id = $1 AND (CAST($2 AS TEXT) IS NULL OR 1 = 1) AND \
         (CAST($3 AS BIGINT) IS NULL OR 1 = 1) AND {condition}"
    );
    let rows = sql::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT id, number, build_url, created_at, updated_at {from} ORDER BY id DESC LIMIT $4 OFFSET $5"
    )))
    .bind(pacticipant)
    .bind(name)
    .bind(environment)
    .bind(limit)
    .bind(offset)
    .fetch_all(&mut *conn)
    .await?;
    let total: i64 = sql::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) {from}")))
        .bind(pacticipant)
        .bind(name)
        .bind(environment)
        .fetch_one(conn)
        .await?;
    Ok((rows, total))
}

/// A branch and when it was first seen.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Branch {
    pub(crate) name: String,
    pub(crate) created_at: i64,
}

pub(crate) async fn branch_list(conn: &mut Conn, pacticipant: i64) -> Result<Vec<Branch>, BrokerError> {
    Ok(sql::query_as("SELECT name, created_at FROM branches WHERE pacticipant_id = $1 ORDER BY id DESC")
        .bind(pacticipant)
        .fetch_all(conn)
        .await?)
}

/// One branch.
pub(crate) async fn find_branch(
    conn: &mut Conn,
    pacticipant: i64,
    branch: &str,
) -> Result<Option<Branch>, BrokerError> {
    Ok(sql::query_as("SELECT name, created_at FROM branches WHERE pacticipant_id = $1 AND name = $2")
        .bind(pacticipant)
        .bind(branch)
        .fetch_optional(conn)
        .await?)
}

/// Takes a version off a branch; true when it was on it.
pub(crate) async fn remove_from_branch(
    conn: &mut Conn,
    pacticipant: i64,
    version: i64,
    branch: &str,
) -> Result<bool, BrokerError> {
    let done = sql::query(
        "DELETE FROM branch_versions WHERE version_id = $2 AND branch_id IN \
         (SELECT id FROM branches WHERE pacticipant_id = $1 AND name = $3)",
    )
    .bind(pacticipant)
    .bind(version)
    .bind(branch)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// When a branch was first seen; `None` when it never was.
pub(crate) async fn branch_since(
    conn: &mut Conn,
    pacticipant: i64,
    branch: &str,
) -> Result<Option<i64>, BrokerError> {
    Ok(sql::query_scalar(
        "SELECT bv.created_at FROM branch_versions bv JOIN branches b ON b.id = bv.branch_id \
         WHERE b.pacticipant_id = $1 AND b.name = $2 ORDER BY bv.id LIMIT 1",
    )
    .bind(pacticipant)
    .bind(branch)
    .fetch_optional(conn)
    .await?)
}
