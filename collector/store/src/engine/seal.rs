//! Sealing: rows in memory become blocks, then their log segments go. Runs on a thread of its own.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use time::OffsetDateTime;
use tracepact_base::TraceId;

use super::blocks::{EVENTS_FILE, open_block};
use super::state::Shared;
use super::{compact, purge, retention, tombstones};
use crate::StoreError;
use crate::block::Table;
use crate::block::sorted::Sorted;
use crate::block::write::{NewBlock, publish, span_block};
use crate::fs::join;
use crate::hot::Generation;
use crate::log::{Log, segment};
use crate::{links, red, series_block};

/// How often the sealer looks at the age of rows and at retention when nobody wakes it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What runs on the sealing thread.
type Work = Box<dyn FnOnce(&Shared, &Log) + Send>;

enum Command {
    /// Rows in memory reached their bound.
    Full,
    /// Someone waits for everything in memory to be sealed.
    Now(Sender<Result<(), StoreError>>),
    /// Something else that must not run beside sealing, compaction and retention.
    Run(Work),
    Close,
}

/// The way to the sealing thread.
#[derive(Debug)]
pub(crate) struct Sealer {
    commands: Sender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Sealer {
    pub(crate) fn start(shared: Arc<Shared>, log: Arc<Log>) -> io::Result<Self> {
        let (commands, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("tp-seal".to_owned())
            .spawn(move || run(&shared, &log, &waiting))?;
        Ok(Self { commands, thread: Mutex::new(Some(thread)) })
    }

    /// Says that the rows in memory reached their bound.
    pub(crate) fn full(&self) {
        let _ = self.commands.send(Command::Full);
    }

    /// Seals everything in memory and waits for it.
    pub(crate) fn now(&self) -> Result<(), StoreError> {
        let closed = || StoreError::new(tracepact_base::ErrorKind::Unavailable, "the store is closed");
        let (answer, sealed) = channel();
        self.commands.send(Command::Now(answer)).map_err(|_| closed())?;
        sealed.recv().map_err(|_| closed())?
    }

    /// Runs `work` on the sealing thread, where no block and no segment is made or removed meanwhile, and waits for it.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &Log) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::new(tracepact_base::ErrorKind::Unavailable, "the store is closed");
        let (answer, done) = channel();
        let work = move |shared: &Shared, log: &Log| {
            let _ = answer.send(work(shared, log));
        };
        self.commands.send(Command::Run(Box::new(work))).map_err(|_| closed())?;
        done.recv().map_err(|_| closed())
    }

    pub(crate) fn close(&self) {
        let _ = self.commands.send(Command::Close);
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(shared: &Shared, log: &Log, waiting: &Receiver<Command>) {
    let interval_ns = shared.config.maintenance_interval.as_nanos() as u64;
    let mut looked_ns = shared.clock.monotonic_ns();
    // The blocks of a start, and those that come, are made ready for questions.
    let mut changed = !shared.state.read().blocks.spans.is_empty();
    loop {
        let command = waiting.recv_timeout(LOOK_EVERY);
        match command {
            Ok(Command::Close) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(Command::Now(answer)) => {
                let sealed = seal(shared, log);
                tidy(shared, log);
                let _ = answer.send(sealed);
            }
            Ok(Command::Run(work)) => work(shared, log),
            Ok(Command::Full) | Err(RecvTimeoutError::Timeout) => {
                if is_due(shared) && log.broken().is_none() {
                    let _ = seal(shared, log);
                    tidy(shared, log);
                    changed = true;
                }
                if std::mem::take(&mut changed) {
                    links::prepare(shared);
                }
            }
        }
        let now_ns = shared.clock.monotonic_ns();
        if now_ns.saturating_sub(looked_ns) >= interval_ns {
            looked_ns = now_ns;
            retention::expire(shared);
            if let Err(error) = purge::purge(shared) {
                tracing::warn!(%error, "deleted rows are still on disk and hidden; this is tried again");
            }
            let blocks = shared.state.read().blocks.clone();
            blocks.spans.iter().for_each(|block| block.forget_traces());
        }
    }
}

/// Puts small blocks together. Files that could not be written make the store read-only, as in sealing.
fn tidy(shared: &Shared, log: &Log) {
    if log.broken().is_some() {
        return;
    }
    if let Err(error) = compact::compact(shared).and_then(|()| super::red::compact(shared)) {
        tracing::error!(%error, "small blocks could not be put together");
        log.break_with(format!("small blocks could not be put together: {error}"));
    }
}

fn is_due(shared: &Shared) -> bool {
    let held = shared.state.read().active.held();
    let age_ns = held.since_ns.map_or(0, |since| shared.clock.monotonic_ns().saturating_sub(since));
    held.bytes >= shared.config.seal_bytes || u128::from(age_ns) >= shared.config.seal_age.as_nanos()
}

/// Seals everything in memory. A failure makes the store read-only: the rows stay in memory and in the log.
pub(super) fn seal(shared: &Shared, log: &Log) -> Result<(), StoreError> {
    log.rotate()?;
    loop {
        let Some(oldest) = shared.state.read().sealing.first().cloned() else { return Ok(()) };
        if let Err(error) = seal_generation(shared, &oldest) {
            let reason = format!("rows could not be sealed into a block: {error}");
            tracing::error!(%error, "rows could not be sealed");
            log.break_with(reason.clone());
            return Err(crate::log::writer::read_only(&reason));
        }
    }
}

fn seal_generation(shared: &Shared, generation: &Arc<Generation>) -> io::Result<()> {
    let Some(lsns) = generation.held().lsns else {
        shared.state.write().sealing.retain(|other| !Arc::ptr_eq(other, generation));
        return Ok(());
    };
    let mut published = Vec::new();
    for new in blocks_of(shared, generation, lsns)? {
        let id = ulid::Ulid::new().to_string();
        published.push(publish(&*shared.fs, &shared.dir, &shared.config.tenant, id, new)?);
    }
    {
        // One step: a query sees the rows in memory or in the blocks, never twice and never not at all.
        let mut state = shared.state.write();
        for (dir, meta) in published {
            open_block(shared, &mut state, &dir, meta).map_err(io::Error::other)?;
        }
        state.sealing.retain(|other| !Arc::ptr_eq(other, generation));
    }
    shared.room.notify_waiters();
    remove_segments(shared, lsns.1)
}

fn blocks_of(shared: &Shared, generation: &Generation, lsns: (u64, u64)) -> io::Result<Vec<NewBlock>> {
    let mut new = Vec::new();
    let hidden = shared.state.read().tombstones.clone();
    let inner = generation.read();
    let chunk = inner.chunk();
    // Nearly always one.
    let mut days: BTreeMap<u64, Vec<bool>> = BTreeMap::new();
    for row in 0..chunk.len() {
        if inner.is_hidden(row, &hidden) {
            shared.counters.deleted_rows.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let request = inner.request_of(row as u32);
        let day = day_number(chunk.start_ns(row), request.received_at_ns);
        let kept = days.entry(day).or_insert_with(|| vec![false; chunk.len()]);
        kept[row] = true;
    }
    for (day, kept) in days {
        let sorted = Sorted::of(&inner, |row| kept.get(row as usize).copied().unwrap_or(false));
        let day = day_of(day.saturating_mul(DAY_NS));
        new.push(span_block(day, lsns, &sorted).map_err(io::Error::other)?);
    }
    drop(inner);
    let base = |table, window: (u64, u64), rows, files| NewBlock {
        table,
        day: day_of(shared.clock.now_ns()),
        first_lsn: lsns.0,
        last_lsn: lsns.1,
        rows,
        traces: 0,
        min_ns: window.0,
        max_ns: window.1,
        index: None,
        files,
        replaces: Vec::new(),
    };
    let points = generation.all_points();
    if !points.is_empty() {
        let state = shared.state.read();
        let named =
            points.into_iter().filter_map(|(number, points)| Some((state.series.key(number)?, points)));
        let named = named.collect();
        drop(state);
        let (bytes, rows, window) = series_block::write(named)?;
        if rows > 0 {
            new.push(base(Table::Series, window, rows, vec![(series_block::FILE, bytes)]));
        }
    }
    let mut events = generation.events();
    // Those that were derived from a trace deleted meanwhile are known no more.
    let state = shared.state.read();
    events.retain(|event| state.events.knows(&event.id));
    drop(state);
    if let (Some(first), Some(last)) =
        (events.iter().map(|event| event.at_ns).min(), events.iter().map(|event| event.at_ns).max())
    {
        let json = serde_json::to_vec(&events).map_err(io::Error::other)?;
        let bytes = zstd::bulk::compress(&json, 3)?;
        new.push(base(Table::Events, (first, last), events.len() as u64, vec![(EVENTS_FILE, bytes)]));
    }
    let mut minutes = generation.read().red().clone();
    for counts in minutes.values_mut() {
        counts.forget(|exemplar| {
            TraceId::new(exemplar.trace_id).is_none_or(|id| hidden.hides(id, exemplar.lsn))
        });
    }
    if !minutes.is_empty() {
        let bytes = red::encode(&minutes)?;
        new.push(base(Table::Red, red::window_ns(&minutes), red::rows(&minutes), vec![(red::FILE, bytes)]));
    }
    let marks = generation.tombstones();
    let asked = marks.iter().map(|mark| mark.at_ns);
    if let (Some(first), Some(last)) = (asked.clone().min(), asked.max()) {
        let file = (tombstones::FILE, tombstones::write_marks(&marks));
        new.push(base(Table::Tombstones, (first, last), marks.len() as u64, vec![file]));
    }
    Ok(new)
}

/// Days from receipt within which a start decides the block. Others go by receipt, so that broken clocks cannot scatter
/// rows over thousands of directories.
const START_COUNTS_NS: u64 = 30 * 24 * 3600 * 1_000_000_000;

const DAY_NS: u64 = 24 * 3600 * 1_000_000_000;

/// The UTC day under which a row is kept, counted from 1970.
fn day_number(start_ns: Option<u64>, received_at_ns: u64) -> u64 {
    let counts = |start: &u64| start.abs_diff(received_at_ns) <= START_COUNTS_NS;
    start_ns.filter(counts).unwrap_or(received_at_ns) / DAY_NS
}

/// The UTC day under which a row is kept.
pub(super) fn day_of_row(start_ns: Option<u64>, received_at_ns: u64) -> String {
    day_of(day_number(start_ns, received_at_ns).saturating_mul(DAY_NS))
}

/// A UTC day as `2026-11-21`.
pub(super) fn day_of(at_ns: u64) -> String {
    let date =
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ns)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// Removes segments all of whose records are at or below `sealed_lsn`: the next segment says where one ends.
fn remove_segments(shared: &Shared, sealed_lsn: u64) -> io::Result<()> {
    let dir = join(&shared.dir, &["log", &shared.config.tenant]);
    let segments = segment::list(&*shared.fs, &dir)?;
    for pair in segments.windows(2) {
        if let [(_, path), (next_lsn, _)] = pair
            && *next_lsn <= sealed_lsn + 1
        {
            shared.fs.remove(path)?;
        }
    }
    // Without a sync: a segment that comes back after a power loss holds only what blocks hold.
    Ok(())
}
