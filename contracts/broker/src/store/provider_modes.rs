//! Where providers accept contracts.

use super::{Conn, sql};
use crate::BrokerError;

/// A provider's mode and team, when they were set.
pub(crate) async fn get(
    conn: &mut Conn,
    provider: i64,
) -> Result<Option<(String, Option<String>)>, BrokerError> {
    Ok(sql::query_as("SELECT mode, team FROM provider_modes WHERE provider_id = $1")
        .bind(provider)
        .fetch_optional(conn)
        .await?)
}

pub(crate) async fn set(
    conn: &mut Conn,
    provider: i64,
    mode: &str,
    team: Option<&str>,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query(
        "INSERT INTO provider_modes (provider_id, mode, team, updated_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (provider_id) DO UPDATE SET mode = excluded.mode, team = excluded.team, \
         updated_at = excluded.updated_at",
    )
    .bind(provider)
    .bind(mode)
    .bind(team)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}
