//! The broker's tables in SQLite: WAL, many readers, one writer.
//!
//! All writes go through one connection, taken in the order they asked for it. So "check, then write" is atomic for
//! every rule above (two publishers of one version cannot both pass the check) and SQLite never answers "locked" to
//! a publisher; those beyond the queue's bound are told to come back.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::BrokerError;

pub(crate) mod decisions;
pub(crate) mod environments;
pub(crate) mod outbox;
pub(crate) mod pacticipants;
pub(crate) mod pacts;
pub(crate) mod proposals;
pub(crate) mod verifications;
pub(crate) mod versions;

/// A connection, in or out of a transaction.
pub(crate) type Conn = SqliteConnection;

/// Most writes that wait for the writer.
const WRITERS_WAITING_MAX: usize = 2_000;
/// Longest wait for a connection.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The database.
#[derive(Debug)]
pub(crate) struct Store {
    readers: SqlitePool,
    writer: SqlitePool,
    queue: Semaphore,
}

/// A write in progress; dropped without `commit`, nothing of it stays.
pub(crate) struct Write<'a> {
    transaction: Transaction<'static, Sqlite>,
    _place: SemaphorePermit<'a>,
}

impl Write<'_> {
    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.transaction
    }

    pub(crate) async fn commit(self) -> Result<(), BrokerError> {
        Ok(self.transaction.commit().await?)
    }
}

impl Store {
    /// Opens or creates the database file and brings its tables up to date.
    pub(crate) async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::from_str("sqlite://")?
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT_MAX)
            .pragma("cache_size", "-2048");
        let pool = |connections| {
            SqlitePoolOptions::new().max_connections(connections).acquire_timeout(WAIT_MAX).idle_timeout(None)
        };
        let writer = pool(1).max_lifetime(None).connect_with(options.clone()).await?;
        sqlx::migrate!("./migrations/sqlite")
            .run(&writer)
            .await
            .map_err(|e| sqlx::Error::Migrate(Box::new(e)))?;
        let readers = pool(4).connect_with(options).await?;
        Ok(Self { readers, writer, queue: Semaphore::new(WRITERS_WAITING_MAX) })
    }

    /// A consistent view to read from.
    pub(crate) async fn read(&self) -> Result<Transaction<'static, Sqlite>, BrokerError> {
        Ok(self.readers.begin().await?)
    }

    /// The writer, once it is our turn.
    pub(crate) async fn write(&self) -> Result<Write<'_>, BrokerError> {
        let place = self.queue.try_acquire().map_err(|_| BrokerError::Busy)?;
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { transaction, _place: place })
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), BrokerError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A fresh identifier in the form of a UUID.
pub(crate) fn uuid() -> String {
    let hex = format!("{:032x}", u128::from(ulid::Ulid::new()));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
