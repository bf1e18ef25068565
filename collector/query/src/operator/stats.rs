//! `GET /tracepact/v1/store`: what is kept, by kind and by day, and what is pending.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use tracepact_store::TableCensus;
use utoipa::ToSchema;

use super::Operator;
use crate::native::answer::{fresh, problem};

/// What the store holds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StoreAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Sealed blocks by kind: `spans`, `series`, `events`, `tombstones`.
    pub tables: BTreeMap<String, BlocksAnswer>,
    /// Sealed blocks of spans by UTC day.
    pub days: BTreeMap<String, BlocksAnswer>,
    /// Files of the log.
    pub log_segments: u64,
    /// Bytes of the log.
    pub log_bytes: u64,
    /// Span rows in memory and in the log, not in a block yet.
    pub unsealed_rows: u64,
    /// Deleted traces whose rows are hidden and not off the disk yet.
    pub pending_traces: u64,
    /// When the oldest of them was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub pending_since: Option<String>,
    /// Bytes of blocks that may hold rows of them.
    pub pending_bytes: u64,
    /// What cannot be read: what, and where.
    pub damage: Vec<String>,
}

/// Some blocks.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BlocksAnswer {
    /// How many.
    pub blocks: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Earliest time in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub from: Option<String>,
    /// Latest time in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub to: Option<String>,
}

impl From<TableCensus> for BlocksAnswer {
    fn from(census: TableCensus) -> Self {
        let time = |ns: u64| (ns > 0).then(|| to_rfc3339(ns));
        Self {
            blocks: census.blocks,
            rows: census.rows,
            bytes: census.bytes,
            from: time(census.from_ns),
            to: time(census.to_ns),
        }
    }
}

/// What the store holds and what is pending.
#[utoipa::path(
    get,
    path = "/tracepact/v1/store",
    tag = "operator",
    responses((status = 200, description = "Counts of the store", body = StoreAnswer))
)]
pub(super) async fn get_store(State(operator): State<Operator>) -> Result<Response, Problem> {
    let census = operator.blocking(|store| store.census()).await?.map_err(problem)?;
    let blocks = |tables: BTreeMap<String, TableCensus>| {
        tables.into_iter().map(|(name, census)| (name, census.into())).collect()
    };
    fresh(&StoreAnswer {
        as_of: to_rfc3339(operator.query.now_ns()),
        tables: blocks(census.tables),
        days: blocks(census.days),
        log_segments: census.log_segments,
        log_bytes: census.log_bytes,
        unsealed_rows: census.unsealed,
        pending_traces: census.pending.traces,
        pending_since: census.pending.oldest_ns.map(to_rfc3339),
        pending_bytes: census.pending_bytes,
        damage: census.damage,
    })
}
