//! `/tracepact/v1/snapshots`: online backups.

use std::path::PathBuf;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use tracepact_store::Manifest;
use utoipa::ToSchema;

use super::Operator;
use crate::native::answer::{fresh, problem};

/// A snapshot.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SnapshotAnswer {
    /// Its name.
    pub name: String,
    /// Its directory on the server's machine. Its files share their disk space with the store: copy it elsewhere.
    pub path: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub made_at: String,
    /// Number of the newest log record in it: everything acknowledged until then is there.
    pub last_lsn: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Its files.
    pub file_count: usize,
    /// Files that were damaged in the store already, and what is wrong with them; empty for a sound snapshot.
    pub damage: Vec<String>,
}

impl SnapshotAnswer {
    fn of((path, manifest): (PathBuf, Manifest)) -> Self {
        Self {
            name: manifest.name,
            path: std::path::absolute(&path).unwrap_or(path).display().to_string(),
            made_at: to_rfc3339(manifest.made_at_ns),
            last_lsn: manifest.last_lsn,
            bytes: manifest.bytes,
            file_count: manifest.files.len(),
            damage: manifest.damage,
        }
    }
}

/// The snapshots that are kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SnapshotsAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Oldest first.
    pub snapshots: Vec<SnapshotAnswer>,
}

/// Makes a snapshot of spans, series and events as they are now, in the data directory's `snapshots/`, checks it and says
/// what it holds. Ingest goes on meanwhile. It holds no contracts and no tokens.
#[utoipa::path(
    post,
    path = "/tracepact/v1/snapshots",
    tag = "operator",
    responses(
        (status = 201, description = "The snapshot", body = SnapshotAnswer),
        (status = 401, description = "Needs a token with the admin scope", content_type = "application/problem+json"),
        (status = 409, description = "There are as many as are kept: remove one first", content_type = "application/problem+json"),
        (status = 503, description = "The store is read-only or the disk is full", content_type = "application/problem+json"),
    )
)]
pub(super) async fn post_snapshot(State(operator): State<Operator>) -> Result<Response, Problem> {
    let made = operator.blocking(|store| store.snapshot()).await?.map_err(problem)?;
    Ok((StatusCode::CREATED, fresh(&SnapshotAnswer::of(made))?).into_response())
}

/// The snapshots that are kept.
#[utoipa::path(
    get,
    path = "/tracepact/v1/snapshots",
    tag = "operator",
    responses((status = 200, description = "The snapshots, oldest first", body = SnapshotsAnswer))
)]
pub(super) async fn get_snapshots(State(operator): State<Operator>) -> Result<Response, Problem> {
    let found = operator.blocking(|store| store.snapshots()).await?.map_err(problem)?;
    fresh(&SnapshotsAnswer {
        as_of: to_rfc3339(operator.query.now_ns()),
        snapshots: found.into_iter().map(SnapshotAnswer::of).collect(),
    })
}

/// Removes a snapshot and gives back the disk space of what the store itself no longer holds.
#[utoipa::path(
    delete,
    path = "/tracepact/v1/snapshots/{name}",
    tag = "operator",
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such snapshot", content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete_snapshot(
    State(operator): State<Operator>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    operator.blocking(move |store| store.remove_snapshot(&name)).await?.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}
