//! What an operator does to the store over HTTP: delete traces, make snapshots, see what is kept and what is pending.

mod delete;
mod snapshots;
mod stats;

use std::sync::Arc;

use tracepact_base::ErrorKind;
use tracepact_listener::{Problem, Routes, Scope};
use tracepact_store::StoreAdmin;
use utoipa::OpenApi;

use crate::Query;

pub use delete::DeletedAnswer;
pub use snapshots::{SnapshotAnswer, SnapshotsAnswer};
pub use stats::{BlocksAnswer, StoreAnswer};

/// What the routes share: questions find what is to be deleted, the store does it.
#[derive(Clone)]
pub(crate) struct Operator {
    pub(crate) query: Query,
    pub(crate) store: Arc<dyn StoreAdmin>,
}

impl Operator {
    /// Runs work that blocks on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn StoreAdmin) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || work(&*store)).await.map_err(|error| {
            tracing::error!(%error, "work on the store ended early");
            Problem::new(ErrorKind::Internal, "the work on the store ended early")
        })
    }
}

/// The routes of an operator. All but the counts need the admin scope.
pub fn operator_routes(query: Query, store: Arc<dyn StoreAdmin>) -> Routes {
    Routes::new("native")
        .delete("/tracepact/v1/traces/{trace_id}", Scope::Admin, delete::delete_trace)
        .post("/tracepact/v1/traces/delete", Scope::Admin, delete::delete_matching)
        .get("/tracepact/v1/store", Scope::Read, stats::get_store)
        .get("/tracepact/v1/snapshots", Scope::Admin, snapshots::get_snapshots)
        .post("/tracepact/v1/snapshots", Scope::Admin, snapshots::post_snapshot)
        .delete("/tracepact/v1/snapshots/{name}", Scope::Admin, snapshots::delete_snapshot)
        .with_state(Operator { query, store })
}

#[derive(OpenApi)]
#[openapi(paths(
    delete::delete_trace,
    delete::delete_matching,
    stats::get_store,
    snapshots::get_snapshots,
    snapshots::post_snapshot,
    snapshots::delete_snapshot,
))]
pub(crate) struct Document;
