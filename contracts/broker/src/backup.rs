//! A consistent copy of a SQLite database while it is in use.

use std::path::{Path, PathBuf};

use axum::body::Body;
use futures::stream;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{Broker, BrokerError};

/// One backup at a time: each takes as much disk as the database.
static BACKUPS: Semaphore = Semaphore::const_new(1);
/// Bytes read from the copy at once.
const PIECE_BYTES: usize = 256 << 10;

/// A copy that is complete and synced; its file has no name any more and goes with this value.
pub(crate) struct Backup {
    file: File,
    pub(crate) bytes: u64,
    _one_at_a_time: SemaphorePermit<'static>,
}

impl Broker {
    /// Copies the database: one snapshot, made beside it on the same disk; publishers are not held up.
    pub(crate) async fn backup(&self) -> Result<Backup, BrokerError> {
        let Some(database) = self.database_file() else {
            return Err(BrokerError::State(
                "the broker's tables are in PostgreSQL: back them up with its own tool, pg_dump --format=custom, and restore \
                 them with pg_restore"
                    .into(),
            ));
        };
        let permit = BACKUPS.try_acquire().map_err(|_| BrokerError::Busy)?;
        let copy = beside(database);
        remove(&copy).await?;
        let copied = self.store().copy_to(&copy).await;
        let opened = match copied {
            Ok(()) => open(&copy).await,
            Err(error) => Err(error),
        };
        // Its contents stay readable through the open file; a crash leaves nothing behind but what the next one removes.
        remove(&copy).await?;
        let (file, bytes) = opened?;
        Ok(Backup { file, bytes, _one_at_a_time: permit })
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(".backup");
    database.with_file_name(name)
}

async fn remove(path: &Path) -> Result<(), BrokerError> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(sqlx::Error::Io(error).into()),
        _ => Ok(()),
    }
}

async fn open(path: &Path) -> Result<(File, u64), BrokerError> {
    let file = File::open(path).await.map_err(sqlx::Error::Io)?;
    let bytes = file.metadata().await.map_err(sqlx::Error::Io)?.len();
    Ok((file, bytes))
}

impl Backup {
    /// The bytes, piece by piece.
    pub(crate) fn into_body(self) -> Body {
        Body::from_stream(stream::try_unfold(self, |mut backup| async move {
            let mut piece = vec![0; PIECE_BYTES];
            let read = backup.file.read(&mut piece).await?;
            piece.truncate(read);
            Ok::<_, std::io::Error>((read > 0).then_some((piece, backup)))
        }))
    }
}
