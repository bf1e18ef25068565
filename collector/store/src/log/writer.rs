//! The thread that writes the log: takes what waits, writes it, syncs once, makes it visible, acknowledges.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tracepact_base::ErrorKind;

use super::record::Draft;
use super::segment;
use crate::fs::{AppendFile, Fs};
use crate::{StoreError, hot::HotRows};

/// Most bytes written before one sync.
const GROUP_BYTES_MAX: usize = 8 << 20;

/// What becomes visible once its record is durable.
pub(crate) type Payload = HotRows;

/// Called on the log's thread, in LSN order, after the sync and before the acknowledgement.
pub(crate) trait Applied: Send + Sync {
    /// Makes a durable record visible.
    fn apply(&self, lsn: u64, payload: Payload);
    /// The log goes on in a new segment: everything applied from now on belongs to it.
    fn rotated(&self, last_lsn: u64);
}

/// One record to write.
pub(crate) struct Job {
    pub(crate) draft: Draft,
    pub(crate) payload: Payload,
    pub(crate) done: oneshot::Sender<Result<u64, StoreError>>,
}

enum Command {
    Append(Box<Job>),
    /// Starts a new segment; answers the last LSN of the old one.
    Rotate(Sender<Result<u64, StoreError>>),
    Close,
}

/// The way to the log's thread.
#[derive(Debug)]
pub(crate) struct Log {
    commands: Sender<Command>,
    broken: Arc<OnceLock<String>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Writer {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    tenant: String,
    file: Box<dyn AppendFile>,
    next_lsn: u64,
    durable_lsn: u64,
    /// Whether the newest record says that all before it is durable.
    marked: bool,
    /// Records in the open segment.
    records: u64,
    broken: Arc<OnceLock<String>>,
    applied: Arc<dyn Applied>,
}

impl Log {
    /// Starts a new segment at `next_lsn` and the thread that fills it.
    pub(crate) fn start(
        fs: Arc<dyn Fs>,
        dir: &Path,
        tenant: &str,
        next_lsn: u64,
        applied: Arc<dyn Applied>,
    ) -> io::Result<Self> {
        let file = segment::create(&*fs, dir, tenant, next_lsn)?;
        let broken = Arc::new(OnceLock::new());
        let writer = Writer {
            fs,
            dir: dir.to_owned(),
            tenant: tenant.to_owned(),
            file,
            next_lsn,
            durable_lsn: next_lsn - 1,
            marked: true,
            records: 0,
            broken: broken.clone(),
            applied,
        };
        let (commands, waiting) = channel();
        let thread =
            std::thread::Builder::new().name("tp-log".to_owned()).spawn(move || writer.run(&waiting))?;
        Ok(Self { commands, broken, thread: Mutex::new(Some(thread)) })
    }

    /// Why nothing is written any more.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    /// Stops writing for good, for example because a block could not be synced.
    pub(crate) fn break_with(&self, reason: String) {
        let _ = self.broken.set(reason);
    }

    /// Hands a record over; the answer comes through the job.
    pub(crate) fn append(&self, job: Job) -> Result<(), StoreError> {
        self.commands.send(Command::Append(Box::new(job))).map_err(|_| closed())
    }

    /// Starts a new segment and answers the last LSN of the old one. Waits for the log's thread.
    pub(crate) fn rotate(&self) -> Result<u64, StoreError> {
        let (answer, rotated) = channel();
        self.commands.send(Command::Rotate(answer)).map_err(|_| closed())?;
        rotated.recv().map_err(|_| closed())?
    }

    /// Writes what waits, syncs and ends the thread.
    pub(crate) fn close(&self) {
        let _ = self.commands.send(Command::Close);
        if let Some(thread) = self.thread.lock().take() {
            // The thread that holds the last handle may be the log's own; it cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

fn closed() -> StoreError {
    StoreError::new(ErrorKind::Unavailable, "the store is closed")
}

/// The refusal of a store that must not write any more.
pub(crate) fn read_only(reason: &str) -> StoreError {
    StoreError::new(ErrorKind::Unavailable, format!("the store is read-only: {reason}"))
}

impl Writer {
    fn run(mut self, waiting: &Receiver<Command>) {
        while let Ok(first) = waiting.recv() {
            let mut group = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            let mut then = None;
            while let Some(command) = next.take() {
                match command {
                    Command::Append(job) => {
                        bytes += job.draft.bytes();
                        group.push(*job);
                    }
                    other => {
                        then = Some(other);
                        break;
                    }
                }
                if bytes < GROUP_BYTES_MAX {
                    match waiting.try_recv() {
                        Ok(command) => next = Some(command),
                        Err(TryRecvError::Empty) => self.commit_and_mark(&mut group),
                        Err(TryRecvError::Disconnected) => {}
                    }
                }
            }
            self.commit(group);
            match then {
                Some(Command::Rotate(answer)) => {
                    let _ = answer.send(self.rotate());
                }
                Some(Command::Close) => {
                    self.mark();
                    if self.broken.get().is_none() {
                        let _ = self.file.sync_data();
                    }
                    return;
                }
                Some(Command::Append(_)) | None => {}
            }
        }
    }

    /// The queue ran dry: commits, and leaves word of what is durable for a log that may end here.
    fn commit_and_mark(&mut self, group: &mut Vec<Job>) {
        self.commit(std::mem::take(group));
        self.mark();
    }

    fn commit(&mut self, group: Vec<Job>) {
        if group.is_empty() {
            return;
        }
        let result = match self.broken.get() {
            Some(reason) => Err(reason.clone()),
            None => self.write(&group).map_err(|error| {
                let reason = format!("the log could not be written: {error}");
                let _ = self.broken.set(reason.clone());
                reason
            }),
        };
        let first_lsn = self.next_lsn;
        if result.is_ok() {
            self.next_lsn += group.len() as u64;
            self.durable_lsn = self.next_lsn - 1;
            self.records += group.len() as u64;
            self.marked = false;
        }
        for (i, job) in group.into_iter().enumerate() {
            let answer = match &result {
                Ok(()) => {
                    let lsn = first_lsn + i as u64;
                    self.applied.apply(lsn, job.payload);
                    Ok(lsn)
                }
                Err(reason) => Err(read_only(reason)),
            };
            let _ = job.done.send(answer);
        }
    }

    fn write(&mut self, group: &[Job]) -> io::Result<()> {
        let mut out = Vec::with_capacity(group.iter().map(|job| job.draft.bytes()).sum());
        for (lsn, job) in (self.next_lsn..).zip(group) {
            job.draft.write(lsn, self.durable_lsn, &mut out);
        }
        self.file.append(&out)?;
        self.file.sync_data()
    }

    /// Appends, without a sync, that everything so far is durable. Losing it loses nothing.
    fn mark(&mut self) {
        if self.marked || self.broken.get().is_some() {
            return;
        }
        let mut out = Vec::new();
        Draft::mark().write(self.durable_lsn, self.durable_lsn, &mut out);
        if let Err(error) = self.file.append(&out) {
            let _ = self.broken.set(format!("the log could not be written: {error}"));
        }
        self.marked = true;
    }

    fn rotate(&mut self) -> Result<u64, StoreError> {
        if let Some(reason) = self.broken.get() {
            return Err(read_only(reason));
        }
        if self.records > 0 {
            self.mark();
            self.file =
                segment::create(&*self.fs, &self.dir, &self.tenant, self.next_lsn).map_err(|error| {
                    let reason = format!("a new log segment could not be created: {error}");
                    let _ = self.broken.set(reason.clone());
                    read_only(&reason)
                })?;
            self.records = 0;
        }
        self.applied.rotated(self.durable_lsn);
        Ok(self.durable_lsn)
    }
}
