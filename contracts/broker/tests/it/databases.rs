//! Which database a test runs on: a SQLite file, or, where `TRACEPACT_TEST_POSTGRES` names a server, a database made there.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tracepact_broker::Database;

/// The address of the PostgreSQL server to test on, if any.
fn server() -> Option<String> {
    std::env::var("TRACEPACT_TEST_POSTGRES").ok()
}

/// Whether tests run on files.
pub(crate) fn is_file() -> bool {
    server().is_none()
}

/// A database with nothing in it. It is gone with the folder, or with the server.
pub(crate) async fn fresh() -> (Database, tempfile::TempDir) {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = server() else { return (folder.path().join("contracts.db").into(), folder) };
    let name = format!("test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::connect(&server).await.unwrap();
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    admin.close().await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    (Database::parse(&format!("{base}/{name}")).unwrap(), folder)
}
