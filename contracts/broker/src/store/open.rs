//! Opening: connections, their settings, tables brought up to date.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Executor, PgConnection, PgPool, SqlitePool};
use tracepact_base::Secret;

use super::WAIT_MAX;
use crate::Database;

static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// Longest wait for a connection to PostgreSQL, reconnecting included; then the request is answered with 503.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Readers of one process. PostgreSQL has its readers' caches in common, SQLite's are per connection.
const SQLITE_READERS: u32 = 4;
const POSTGRES_READERS: u32 = 8;

/// What every connection to PostgreSQL is told. An unanswered question ends before its asker gives up; a transaction
/// whose process is gone does not hold the writers' lock; and what is acknowledged is on disk there, whatever the
/// server's default says.
///
/// The planner is kept to what SQLite always does: steps through an index, one after the other, by a plan made once for
/// each statement. All our questions are of that kind; with the statistics of a long history the planner otherwise joins
/// whole tables (one question for a provider's newest contracts took more than ten minutes instead of milliseconds).
const SESSION: &str = "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET jit = off; \
     SET plan_cache_mode = force_generic_plan; SET statement_timeout = '30s'; SET lock_timeout = '30s'; \
     SET idle_in_transaction_session_timeout = '60s'; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Many readers, one writer.
#[derive(Debug)]
pub(super) enum Pools {
    Sqlite { readers: SqlitePool, writer: SqlitePool },
    Postgres { readers: PgPool, writer: PgPool },
}

impl Pools {
    pub(super) async fn open(database: &Database) -> Result<Self, sqlx::Error> {
        match database {
            Database::File(path) => sqlite(path).await,
            Database::Postgres(url) => postgres(url).await,
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

fn migrated(result: Result<(), MigrateError>) -> Result<(), sqlx::Error> {
    result.map_err(|error| sqlx::Error::Migrate(Box::new(error)))
}

async fn sqlite(path: &Path) -> Result<Pools, sqlx::Error> {
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
    migrated(SQLITE.run(&writer).await)?;
    let readers = pool(SQLITE_READERS).connect_with(options).await?;
    Ok(Pools::Sqlite { readers, writer })
}

async fn postgres(url: &Secret) -> Result<Pools, sqlx::Error> {
    let options = PgConnectOptions::from_str(url.expose())?.application_name("tracepact");
    // Several instances may start at once: the migrator holds a lock, on a connection without time limits.
    let mut first = PgConnection::connect_with(&options).await?;
    migrated(POSTGRES.run(&mut first).await)?;
    first.close().await?;
    let pool = |connections| {
        PgPoolOptions::new().max_connections(connections).acquire_timeout(CONNECT_MAX).after_connect(
            |conn, _| {
                Box::pin(async move {
                    conn.execute(sqlx::raw_sql(SESSION)).await?;
                    Ok(())
                })
            },
        )
    };
    let writer = pool(1).connect_with(options.clone()).await?;
    let readers = pool(POSTGRES_READERS).connect_with(options).await?;
    Ok(Pools::Postgres { readers, writer })
}
