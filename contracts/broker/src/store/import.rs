//! Writing what another broker had, with its own instants. Each call says whether it was new, so that everything can be
//! sent again.

use super::{Conn, environments, sql, uuid};
use crate::BrokerError;

/// A version as it was created elsewhere; its row, and whether it is new.
pub(crate) async fn version(
    conn: &mut Conn,
    pacticipant: i64,
    number: &str,
    build_url: Option<&str>,
    created_at: i64,
) -> Result<(i64, bool), BrokerError> {
    let new = sql::query(
        "INSERT INTO versions (pacticipant_id, number, build_url, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) \
         ON CONFLICT DO NOTHING",
    )
    .bind(pacticipant)
    .bind(number)
    .bind(build_url)
    .bind(created_at)
    .execute(&mut *conn)
    .await?
    .rows_affected()
        > 0;
    let id = sql::query_scalar("SELECT id FROM versions WHERE pacticipant_id = $1 AND number = $2")
        .bind(pacticipant)
        .bind(number)
        .fetch_one(conn)
        .await?;
    Ok((id, new))
}

/// A tag, without what a tag of a client from before branches brings with it.
pub(crate) async fn tag(
    conn: &mut Conn,
    version: i64,
    name: &str,
    created_at: i64,
) -> Result<bool, BrokerError> {
    let done = sql::query(
        "INSERT INTO tags (version_id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(version)
    .bind(name)
    .bind(created_at)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether a provider version has this very result: the same content, outcome and instant.
pub(crate) async fn has_result(
    conn: &mut Conn,
    content_row: i64,
    provider_version: i64,
    success: bool,
    created_at: i64,
) -> Result<bool, BrokerError> {
    Ok(sql::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM verifications WHERE content_row = $1 AND provider_version_id = $2 AND success = $3 \
         AND created_at = $4)",
    )
    .bind(content_row)
    .bind(provider_version)
    .bind(success)
    .bind(created_at)
    .fetch_one(conn)
    .await?)
}

/// An environment; its row, and whether it is new. One of that name that is there stays as it is.
pub(crate) async fn environment(
    conn: &mut Conn,
    name: &str,
    display_name: Option<&str>,
    production: bool,
    contacts: Option<String>,
    created_at: i64,
) -> Result<bool, BrokerError> {
    if environments::find_by_name(conn, name).await?.is_some() {
        return Ok(false);
    }
    let environment = environments::Environment {
        id: 0,
        uuid: uuid(),
        name: name.to_owned(),
        display_name: display_name.map(str::to_owned),
        production,
        contacts,
        created_at,
        updated_at: created_at,
    };
    environments::insert(conn, &environment).await?;
    Ok(true)
}
