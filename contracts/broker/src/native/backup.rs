//! `GET /tracepact/v1/contracts/backup`: the database as a file, while everything goes on.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use tracepact_listener::Problem;

use super::ProblemBody;
use crate::Broker;

/// A consistent copy of the broker's database, as a SQLite file.
#[utoipa::path(get, path = "/tracepact/v1/contracts/backup", tag = "contracts",
    responses(
        (status = 200, description = "A SQLite database file", content_type = "application/vnd.sqlite3", body = Vec<u8>),
        (status = 401, body = ProblemBody),
        (status = 422, description = "The tables are in PostgreSQL", body = ProblemBody),
        (status = 429, description = "Another backup is running", body = ProblemBody)))]
pub(super) async fn backup(State(broker): State<Broker>) -> Result<Response, Problem> {
    let backup = broker.backup().await?;
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.sqlite3".to_owned()),
        (header::CONTENT_LENGTH, backup.bytes.to_string()),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"contracts.db\"".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, backup.into_body()).into_response())
}
