//! Users, their tokens and rights, and who changed what.

use super::{Conn, sql};
use crate::BrokerError;
use crate::auth::rights::{Grant, Rights};

/// A user as they are listed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// Without a password there are only tokens.
    pub(crate) has_password: bool,
    pub(crate) created_at: i64,
}

/// What a presented credential is compared with.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Credential {
    pub(crate) user_id: i64,
    pub(crate) name: String,
    pub(crate) hash: String,
}

/// A token as it is listed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Token {
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
}

const USER: &str = "SELECT id, name, password_hash IS NOT NULL AS has_password, created_at FROM users";

pub(crate) async fn any(conn: &mut Conn) -> Result<bool, BrokerError> {
    Ok(sql::query_scalar("SELECT EXISTS (SELECT 1 FROM users)").fetch_one(conn).await?)
}

pub(crate) async fn find(conn: &mut Conn, name: &str) -> Result<Option<User>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{USER} WHERE name = $1"));
    Ok(sql::query_as(sql).bind(name).fetch_optional(conn).await?)
}

pub(crate) async fn get(conn: &mut Conn, name: &str) -> Result<User, BrokerError> {
    find(conn, name).await?.ok_or_else(|| BrokerError::NotFound(format!("there is no user {name}")))
}

/// By name, at most `limit`.
pub(crate) async fn list(conn: &mut Conn, limit: i64) -> Result<Vec<User>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{USER} ORDER BY name LIMIT $1"));
    Ok(sql::query_as(sql).bind(limit).fetch_all(conn).await?)
}

/// Makes a user or changes their password; `None` leaves it. Returns their id.
pub(crate) async fn put(
    conn: &mut Conn,
    name: &str,
    password_hash: Option<&str>,
    now: i64,
) -> Result<i64, BrokerError> {
    Ok(sql::query_scalar(
        "INSERT INTO users (name, password_hash, created_at, updated_at) VALUES ($1, $2, $3, $3) \
         ON CONFLICT (name) DO UPDATE SET password_hash = coalesce(excluded.password_hash, users.password_hash), \
         updated_at = excluded.updated_at RETURNING id",
    )
    .bind(name)
    .bind(password_hash)
    .bind(now)
    .fetch_one(conn)
    .await?)
}

/// Replaces what a user may do.
pub(crate) async fn set_rights(conn: &mut Conn, user: i64, grants: &[Grant]) -> Result<(), BrokerError> {
    sql::query("DELETE FROM user_grants WHERE user_id = $1").bind(user).execute(&mut *conn).await?;
    for grant in grants {
        let (role, object) = grant.columns();
        sql::query(
            "INSERT INTO user_grants (user_id, role, object) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(user)
        .bind(role)
        .bind(object)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

pub(crate) async fn rights(conn: &mut Conn, user: i64) -> Result<Rights, BrokerError> {
    let rows: Vec<(String, String)> =
        sql::query_as("SELECT role, object FROM user_grants WHERE user_id = $1 ORDER BY role, object")
            .bind(user)
            .fetch_all(conn)
            .await?;
    // What a newer version wrote and this one does not know is no right here.
    let grants = rows.iter().filter_map(|(role, object)| Grant::new(role, object).ok()).collect();
    Ok(Rights { grants, pact_writer: false })
}

pub(crate) async fn delete(conn: &mut Conn, user: i64) -> Result<(), BrokerError> {
    sql::query("DELETE FROM users WHERE id = $1").bind(user).execute(conn).await?;
    Ok(())
}

/// The password of a user, if they have one.
pub(crate) async fn by_name(conn: &mut Conn, name: &str) -> Result<Option<Credential>, BrokerError> {
    Ok(sql::query_as(
        "SELECT id AS user_id, name, password_hash AS hash FROM users WHERE name = $1 AND password_hash IS NOT NULL",
    )
    .bind(name)
    .fetch_optional(conn)
    .await?)
}

/// The token found by `lookup`, unless it expired.
pub(crate) async fn by_token(
    conn: &mut Conn,
    lookup: &str,
    now: i64,
) -> Result<Option<Credential>, BrokerError> {
    Ok(sql::query_as(
        "SELECT u.id AS user_id, u.name AS name, t.hash AS hash FROM user_tokens t JOIN users u ON u.id = t.user_id \
         WHERE t.lookup = $1 AND (t.expires_at IS NULL OR t.expires_at > $2)",
    )
    .bind(lookup)
    .bind(now)
    .fetch_optional(conn)
    .await?)
}

/// A token to be stored.
#[derive(Debug)]
pub(crate) struct NewToken<'a> {
    pub(crate) user: i64,
    pub(crate) name: &'a str,
    pub(crate) lookup: &'a str,
    pub(crate) hash: &'a str,
    pub(crate) expires_at: Option<i64>,
}

/// Stores a token; its uuid.
pub(crate) async fn add_token(conn: &mut Conn, new: &NewToken<'_>, now: i64) -> Result<String, BrokerError> {
    let uuid = super::uuid();
    sql::query(
        "INSERT INTO user_tokens (uuid, user_id, name, lookup, hash, expires_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&uuid)
    .bind(new.user)
    .bind(new.name)
    .bind(new.lookup)
    .bind(new.hash)
    .bind(new.expires_at)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(uuid)
}

/// The tokens of a user, newest first.
pub(crate) async fn tokens(conn: &mut Conn, user: i64) -> Result<Vec<Token>, BrokerError> {
    Ok(sql::query_as(
        "SELECT uuid, name, created_at, expires_at FROM user_tokens WHERE user_id = $1 ORDER BY id DESC",
    )
    .bind(user)
    .fetch_all(conn)
    .await?)
}

/// Revokes a token; whether there was one.
pub(crate) async fn delete_token(conn: &mut Conn, uuid: &str) -> Result<bool, BrokerError> {
    let done = sql::query("DELETE FROM user_tokens WHERE uuid = $1").bind(uuid).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}
