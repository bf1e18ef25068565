//! Pacticipants.

use super::{Conn, sql};
use crate::BrokerError;
use tracepact_contract_model::check_name;

const COLUMNS: &str = "id, name, display_name, main_branch, repository_url, repository_name, repository_namespace, \
                       created_at, updated_at";

/// One application that is a consumer, a provider or both.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Pacticipant {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) display_name: Option<String>,
    pub(crate) main_branch: Option<String>,
    pub(crate) repository_url: Option<String>,
    pub(crate) repository_name: Option<String>,
    pub(crate) repository_namespace: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

pub(crate) async fn find(conn: &mut Conn, name: &str) -> Result<Option<Pacticipant>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM pacticipants WHERE name = $1"));
    Ok(sql::query_as(sql).bind(name).fetch_optional(conn).await?)
}

/// The pacticipant, or a 404 in upstream's words.
pub(crate) async fn get(conn: &mut Conn, name: &str) -> Result<Pacticipant, BrokerError> {
    find(conn, name)
        .await?
        .ok_or_else(|| BrokerError::NotFound(format!("No pacticipant with name '{name}' found")))
}

pub(crate) async fn get_or_create(conn: &mut Conn, name: &str, now: i64) -> Result<Pacticipant, BrokerError> {
    if let Some(found) = find(conn, name).await? {
        return Ok(found);
    }
    let name = check_name("pacticipant name", name)?;
    sql::query("INSERT INTO pacticipants (name, created_at, updated_at) VALUES ($1, $2, $2)")
        .bind(name)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    get(conn, name).await
}

/// Writes every column of `pacticipant` but its id, name and creation.
pub(crate) async fn update(conn: &mut Conn, pacticipant: &Pacticipant, now: i64) -> Result<(), BrokerError> {
    sql::query(
        "UPDATE pacticipants SET display_name = $2, main_branch = $3, repository_url = $4, repository_name = $5, \
         repository_namespace = $6, updated_at = $7 WHERE id = $1",
    )
    .bind(pacticipant.id)
    .bind(&pacticipant.display_name)
    .bind(&pacticipant.main_branch)
    .bind(&pacticipant.repository_url)
    .bind(&pacticipant.repository_name)
    .bind(&pacticipant.repository_namespace)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The names of a pacticipant's labels, sorted.
pub(crate) async fn label_names(conn: &mut Conn, id: i64) -> Result<Vec<String>, BrokerError> {
    Ok(sql::query_scalar("SELECT name FROM labels WHERE pacticipant_id = $1 ORDER BY name")
        .bind(id)
        .fetch_all(conn)
        .await?)
}

pub(crate) async fn delete(conn: &mut Conn, id: i64) -> Result<(), BrokerError> {
    // Contents are referenced by pacts and proposals, so those go first.
    for sql in [
        "DELETE FROM proposals WHERE consumer_id = $1 OR provider_id = $1",
        "DELETE FROM pacts WHERE consumer_id = $1 OR provider_id = $1",
        "DELETE FROM contents WHERE consumer_id = $1 OR provider_id = $1",
        "DELETE FROM pacticipants WHERE id = $1",
    ] {
        sql::query(sql).bind(id).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Every name.
pub(crate) async fn names(conn: &mut Conn) -> Result<Vec<String>, BrokerError> {
    Ok(sql::query_scalar("SELECT name FROM pacticipants ORDER BY name").fetch_all(conn).await?)
}

/// A page in name order whose names contain `filter`, and how many there are in all.
pub(crate) async fn page(
    conn: &mut Conn,
    filter: &str,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Pacticipant>, i64), BrokerError> {
    let pattern = format!("%{}%", filter.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM pacticipants WHERE lower(name) LIKE lower($1) ESCAPE '\\' ORDER BY name LIMIT $2 OFFSET $3"
    ));
    let rows = sql::query_as(sql).bind(&pattern).bind(limit).bind(offset).fetch_all(&mut *conn).await?;
    let total: i64 =
        sql::query_scalar("SELECT count(*) FROM pacticipants WHERE lower(name) LIKE lower($1) ESCAPE '\\'")
            .bind(&pattern)
            .fetch_one(conn)
            .await?;
    Ok((rows, total))
}
