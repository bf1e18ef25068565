//! Contents, and which consumer versions carry them.

use super::heads::heads;
use super::{Conn, sql};
use crate::BrokerError;
use tracepact_contract_model::Pact;

/// A content and the pair it is between.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Content {
    pub(crate) id: i64,
    pub(crate) content_id: String,
    pub(crate) body: String,
    pub(crate) created_at: i64,
}

/// A publication: a consumer's version and its content with a provider.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Published {
    pub(crate) consumer: String,
    pub(crate) consumer_id: i64,
    pub(crate) version: String,
    pub(crate) version_id: i64,
    pub(crate) provider: String,
    pub(crate) provider_id: i64,
    pub(crate) content_row: i64,
    pub(crate) content_id: String,
    pub(crate) created_at: i64,
    /// The consumer's main branch.
    pub(crate) main_branch: Option<String>,
    /// When the content was first stored.
    pub(crate) content_since: i64,
}

const PUBLISHED: &str = "SELECT c.name AS consumer, c.id AS consumer_id, v.number AS version, v.id AS version_id, \
     pr.name AS provider, pr.id AS provider_id, k.id AS content_row, k.content_id AS content_id, p.created_at AS created_at, \
     c.main_branch AS main_branch, k.created_at AS content_since FROM pacts p JOIN versions v ON v.id = p.version_id \
     JOIN pacticipants c ON c.id = p.consumer_id JOIN pacticipants pr ON pr.id = p.provider_id \
     JOIN contents k ON k.id = p.content_row";

pub(crate) async fn content(
    conn: &mut Conn,
    consumer: i64,
    provider: i64,
    content_id: &str,
) -> Result<Option<Content>, BrokerError> {
    Ok(sql::query_as(
        "SELECT id, content_id, body, created_at FROM contents WHERE consumer_id = $1 AND provider_id = $2 AND \
         content_id = $3",
    )
    .bind(consumer)
    .bind(provider)
    .bind(content_id)
    .fetch_optional(conn)
    .await?)
}

pub(crate) async fn content_by_row(conn: &mut Conn, row: i64) -> Result<Content, BrokerError> {
    Ok(sql::query_as("SELECT id, content_id, body, created_at FROM contents WHERE id = $1")
        .bind(row)
        .fetch_one(conn)
        .await?)
}

/// The content's row, and whether it is new.
pub(crate) async fn content_get_or_create(
    conn: &mut Conn,
    consumer: i64,
    provider: i64,
    pact: &Pact,
    now: i64,
) -> Result<(i64, bool), BrokerError> {
    if let Some(found) = content(conn, consumer, provider, pact.content_id.as_str()).await? {
        return Ok((found.id, false));
    }
    let id = sql::query_scalar(
        "INSERT INTO contents (consumer_id, provider_id, content_id, specification, body, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
    )
    .bind(consumer)
    .bind(provider)
    .bind(pact.content_id.as_str())
    .bind(&pact.specification)
    .bind(pact.text())
    .bind(now)
    .fetch_one(conn)
    .await?;
    Ok((id, true))
}

/// The content a consumer's version has with a provider.
pub(crate) async fn of_version(
    conn: &mut Conn,
    version: i64,
    provider: i64,
) -> Result<Option<Content>, BrokerError> {
    Ok(sql::query_as(
        "SELECT k.id, k.content_id, k.body, p.created_at FROM pacts p JOIN contents k ON k.id = p.content_row \
         WHERE p.version_id = $1 AND p.provider_id = $2",
    )
    .bind(version)
    .bind(provider)
    .fetch_optional(conn)
    .await?)
}

/// Says that `version` carries `content_row` with `provider`, replacing what it carried.
pub(crate) async fn set(
    conn: &mut Conn,
    version: i64,
    consumer: i64,
    provider: i64,
    content_row: i64,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query(
        "INSERT INTO pacts (version_id, consumer_id, provider_id, content_row, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (version_id, provider_id) \
         DO UPDATE SET content_row = excluded.content_row, updated_at = excluded.updated_at",
    )
    .bind(version)
    .bind(consumer)
    .bind(provider)
    .bind(content_row)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the pact of one version.
pub(crate) async fn delete(conn: &mut Conn, version: i64, provider: i64) -> Result<bool, BrokerError> {
    let done = sql::query("DELETE FROM pacts WHERE version_id = $1 AND provider_id = $2")
        .bind(version)
        .bind(provider)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Which publications of a provider's (or pair's) consumers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    /// Every one.
    All,
    /// The latest of each consumer.
    Latest,
    /// The latest of each consumer whose version has no tag.
    LatestUntagged,
    /// The latest of each consumer on its main branch.
    LatestOnMainBranch,
    /// Every one on the main branch.
    OnMainBranch,
    /// The latest of each consumer on a branch.
    LatestOnBranch(&'a str),
    /// Every one on a branch.
    OnBranch(&'a str),
    /// The latest of each consumer with a tag.
    LatestWithTag(&'a str),
    /// Every one with a tag.
    WithTag(&'a str),
    /// Of versions deployed now, to one environment or any.
    Deployed(Option<i64>),
    /// Of versions released and supported now.
    Released(Option<i64>),
    /// The heads of all branches and tags, for work in progress; only contents first seen after an instant.
    HeadsSince(i64),
}

/// Publications for `provider`, of one consumer or all, newest version first.
pub(crate) async fn published(
    conn: &mut Conn,
    provider: Option<i64>,
    consumer: Option<&str>,
    which: Which<'_>,
) -> Result<Vec<Published>, BrokerError> {
    if let Some(found) = heads(conn, provider, consumer, which).await? {
        return Ok(found);
    }
    const ON_BRANCH: &str =
        "JOIN branch_versions bv ON bv.version_id = v.id JOIN branches b ON b.id = bv.branch_id";
    const UNTAGGED: &str = "NOT EXISTS (SELECT 1 FROM tags t WHERE t.version_id = p.version_id) AND \
         NOT EXISTS (SELECT 1 FROM pacts lp WHERE lp.consumer_id = p.consumer_id AND \
         lp.provider_id = p.provider_id AND lp.version_id > p.version_id AND \
         NOT EXISTS (SELECT 1 FROM tags t WHERE t.version_id = lp.version_id))";
    let (join, condition): (&str, &str) = match which {
        Which::OnMainBranch => (ON_BRANCH, "b.name = c.main_branch"),
        Which::OnBranch(_) => (ON_BRANCH, "b.name = $3"),
        Which::WithTag(_) => ("JOIN tags t ON t.version_id = v.id", "t.name = $3"),
        Which::LatestUntagged => ("", UNTAGGED),
        // The others but `All` are answered above.
        _ => ("", "1 = 1"),
    };
    let name = match which {
        Which::OnBranch(name) | Which::WithTag(name) => Some(name),
        _ => None,
    };
    let of = if provider.is_some() { "p.provider_id = $1" } else { "CAST($1 AS BIGINT) IS NULL" };
    // Unused parameters are named in a condition that always holds, so that every form has the same three.
    let sql = format!(
        "{PUBLISHED} {join} WHERE {of} AND (CAST($2 AS TEXT) IS NULL OR c.name = $2) AND \
         (CAST($3 AS TEXT) IS NULL OR 1 = 1) AND {condition} ORDER BY v.id DESC, p.provider_id"
    );
    Ok(sql::query_as(sqlx::AssertSqlSafe(sql))
        .bind(provider)
        .bind(consumer)
        .bind(name)
        .fetch_all(conn)
        .await?)
}

/// The publications of one version as consumer.
pub(crate) async fn by_version(conn: &mut Conn, version: i64) -> Result<Vec<Published>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{PUBLISHED} WHERE p.version_id = $1 ORDER BY pr.name"));
    Ok(sql::query_as(sql).bind(version).fetch_all(conn).await?)
}

/// The publication of one content that came last, if any version carries it.
pub(crate) async fn last_with_content(conn: &mut Conn, row: i64) -> Result<Option<Published>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{PUBLISHED} WHERE p.content_row = $1 ORDER BY p.version_id DESC LIMIT 1"
    ));
    Ok(sql::query_as(sql).bind(row).fetch_optional(conn).await?)
}

/// The same for many contents at once.
pub(crate) async fn last_with_contents(
    conn: &mut Conn,
    contents: &[i64],
) -> Result<Vec<Published>, BrokerError> {
    let mut found = Vec::new();
    for chunk in contents.chunks(sql::LIST_MAX) {
        let sql = format!(
            "WITH wanted (content_row) AS (VALUES {}), newest (content_row, version_id) AS MATERIALIZED (\
             SELECT w.content_row, (SELECT max(x.version_id) FROM pacts x WHERE x.content_row = w.content_row) FROM wanted w) \
             {PUBLISHED} JOIN newest n ON n.content_row = p.content_row AND n.version_id = p.version_id",
            sql::list(1, chunk.len(), 1)
        );
        let rows: Vec<Published> =
            sql::query_as(sqlx::AssertSqlSafe(sql)).bind_list(chunk).fetch_all(&mut *conn).await?;
        found.extend(rows);
    }
    Ok(found)
}

/// One publication by version id.
pub(crate) async fn by_version_and_provider(
    conn: &mut Conn,
    version: i64,
    provider: i64,
) -> Result<Option<Published>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{PUBLISHED} WHERE p.version_id = $1 AND p.provider_id = $2"));
    Ok(sql::query_as(sql).bind(version).bind(provider).fetch_optional(conn).await?)
}

/// The publication before that of `version` with the same pair and another content.
pub(crate) async fn previous_distinct(
    conn: &mut Conn,
    consumer: i64,
    provider: i64,
    version: i64,
    content_row: i64,
) -> Result<Option<Published>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{PUBLISHED} WHERE p.consumer_id = $1 AND p.provider_id = $2 AND p.version_id < $3 AND p.content_row <> $4 \
         ORDER BY p.version_id DESC LIMIT 1"
    ));
    Ok(sql::query_as(sql)
        .bind(consumer)
        .bind(provider)
        .bind(version)
        .bind(content_row)
        .fetch_optional(conn)
        .await?)
}

/// What stands before a version.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Line<'a> {
    Overall,
    Branch(&'a str),
    Tag(&'a str),
}

/// The content of the pair in the version before `version` on a line, if there is one.
pub(crate) async fn content_before(
    conn: &mut Conn,
    consumer: i64,
    provider: i64,
    version: i64,
    line: Line<'_>,
) -> Result<Option<i64>, BrokerError> {
    let (join, name) = match line {
        Line::Overall => ("AND (CAST($4 AS TEXT) IS NULL OR 1 = 1) ORDER BY p.version_id", None),
        Line::Branch(name) => ("AND b.name = $4 ORDER BY bv.id", Some(name)),
        Line::Tag(name) => ("AND t.name = $4 ORDER BY p.version_id", Some(name)),
    };
    let from = match line {
        Line::Overall => "",
        Line::Branch(_) => {
            "JOIN branch_versions bv ON bv.version_id = p.version_id JOIN branches b ON b.id = bv.branch_id"
        }
        Line::Tag(_) => "JOIN tags t ON t.version_id = p.version_id",
    };
    let sql = format!(
        "SELECT p.content_row FROM pacts p {from} WHERE p.consumer_id = $1 AND p.provider_id = $2 AND \
         p.version_id <> $3 {join} DESC LIMIT 1"
    );
    Ok(sql::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(consumer)
        .bind(provider)
        .bind(version)
        .bind(name)
        .fetch_optional(conn)
        .await?)
}

/// The newest publication, of one side or pair or of all.
pub(crate) async fn newest(
    conn: &mut Conn,
    consumer: Option<&str>,
    provider: Option<&str>,
) -> Result<Option<Published>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{PUBLISHED} WHERE (CAST($1 AS TEXT) IS NULL OR c.name = $1) AND (CAST($2 AS TEXT) IS NULL OR pr.name = $2) \
         ORDER BY p.id DESC LIMIT 1"
    ));
    Ok(sql::query_as(sql).bind(consumer).bind(provider).fetch_optional(conn).await?)
}

/// The names of everyone who ever had a contract with `provider`.
pub(crate) async fn consumers(conn: &mut Conn, provider: i64) -> Result<Vec<String>, BrokerError> {
    Ok(sql::query_scalar(
        "SELECT name FROM pacticipants WHERE id IN (SELECT consumer_id FROM contents WHERE provider_id = $1) ORDER BY id",
    )
    .bind(provider)
    .fetch_all(conn)
    .await?)
}
