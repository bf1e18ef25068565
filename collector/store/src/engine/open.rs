//! Opening: claim the directory, read the log, go on in a new segment.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::{Mutex, RwLock};
use std::hash::BuildHasher;
use tokio::sync::{Notify, Semaphore, watch};
use tracepact_analysis::RedCounts;
use tracepact_base::{ErrorKind, Event, SharedClock};
use tracepact_model::{Admission, Codec, decode_chunk};

use super::clock_watch::ClockWatch;
use super::seal::{Sealer, day_of_row};
use super::state::{Counters, Shared, State};
use super::tombstones::read_marks;
use super::{Engine, EngineConfig};
use super::{blocks, layout};
use crate::StoreError;
use crate::block::Table as BlockTable;
use crate::fs::{Fs, join};
use crate::hot::HotRows;
use crate::links::Remembered;
use crate::log::{Applied, Log, Record, Table, replay};
use crate::pool::Pool;
use crate::red::Counted;
use crate::series_wire::read_points;

/// Log records decoded at once when the store opens.
const AT_ONCE: usize = 64;
/// Reads and writes that may wait for a thread.
const WAITING_MAX: usize = 1024;

/// The error of a directory that cannot be opened.
pub(crate) fn failed(dir: &Path, error: &io::Error) -> StoreError {
    let kind = match error.kind() {
        io::ErrorKind::InvalidData => ErrorKind::Corrupt,
        _ => ErrorKind::Unavailable,
    };
    StoreError::new(kind, format!("the store in {} cannot be opened: {error}", dir.display()))
}

pub(crate) fn open(
    fs: Arc<dyn Fs>,
    dir: &Path,
    config: EngineConfig,
    clock: SharedClock,
) -> Result<Engine, StoreError> {
    open_io(fs, dir, config, clock).map_err(|error| failed(dir, &error))
}

fn open_io(fs: Arc<dyn Fs>, dir: &Path, config: EngineConfig, clock: SharedClock) -> io::Result<Engine> {
    let lock = fs.lock(dir)?;
    layout::prepare(&*fs, dir, &config.tenant)?;
    let log_dir = join(dir, &["log", &config.tenant]);
    let shared = Arc::new(Shared {
        fs: fs.clone(),
        dir: dir.to_owned(),
        state: RwLock::new(State::default()),
        events_version: watch::Sender::new(0),
        damage: Mutex::new(Vec::new()),
        counters: Counters::default(),
        shared_traces: Arc::default(),
        room: Notify::new(),
        leaving: Mutex::new(Vec::new()),
        links: Remembered::default(),
        bodies: foldhash::quality::RandomState::default(),
        clock_watch: Mutex::new(ClockWatch::new(clock.now_ns(), clock.monotonic_ns())),
        clock,
        config,
    });
    blocks::load(&shared)?;
    let block_lsn = shared.state.read().blocks.last_lsn();
    let next_lsn = read_log(&shared, &log_dir, block_lsn)?;
    let threads = shared.config.threads;
    let log = Arc::new(Log::start(fs, &log_dir, &shared.config.tenant, next_lsn, shared.clone())?);
    let sealer = Sealer::start(shared.clone(), log.clone())?;
    Ok(Engine {
        log,
        sealer,
        snapshots: Mutex::new(()),
        writes: Pool::start("write", threads, WAITING_MAX)?,
        reads: Pool::start("read", threads, WAITING_MAX)?,
        // Permits are kibibytes: a permit for each byte would not fit the semaphore's counter on every machine.
        in_flight: Arc::new(Semaphore::new((shared.config.in_flight_bytes_max / 1024).max(1))),
        shared,
        _lock: lock,
    })
}

/// Applies the log and answers the LSN to go on with.
fn read_log(shared: &Shared, log_dir: &Path, block_lsn: u64) -> io::Result<u64> {
    let mut waiting = Vec::with_capacity(AT_ONCE);
    let replayed = replay(&*shared.fs, log_dir, block_lsn, |record| {
        waiting.push(record);
        if waiting.len() >= AT_ONCE {
            apply_all(shared, std::mem::take(&mut waiting));
        }
        Ok(())
    })?;
    apply_all(shared, waiting);
    // What was read may so far be in the page cache only; from here on it is taken for stored.
    if let Some((_, last)) = replayed.segments.last() {
        shared.fs.open_append(last)?.sync_data()?;
        shared.fs.sync_dir(log_dir)?;
    }
    for damage in &replayed.damage {
        let (segment, first, last) = (damage.segment.display(), damage.first_lsn, damage.last_lsn);
        let what = format!("log records {first} to {last} in {segment} cannot be read");
        tracing::error!(%segment, first, last, "acknowledged log records cannot be read");
        shared.damage.lock().push(what);
        shared.lose_records(first, last);
    }
    shared.counters.replayed_records.store(replayed.records, Ordering::Relaxed);
    shared.counters.cut_bytes.store(replayed.cut_bytes, Ordering::Relaxed);
    Ok(replayed.next_lsn)
}

/// Decodes records on all threads and applies them in their order.
fn apply_all(shared: &Shared, records: Vec<Record>) {
    let limits = shared.config.decode_limits.for_replay();
    let share = records.len().div_ceil(shared.config.threads.max(1)).max(1);
    let (mut records, mut decoded) = (records, Vec::new());
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        while !records.is_empty() {
            let rest = records.split_off(share.min(records.len()));
            let part = std::mem::replace(&mut records, rest);
            let lsns = part.first().zip(part.last()).map_or((0, 0), |(first, last)| (first.lsn, last.lsn));
            let limits = &limits;
            let read = move || {
                part.into_iter()
                    .map(|record| (record.lsn, rows_of(shared, record, limits)))
                    .collect::<Vec<_>>()
            };
            threads.push((lsns, scope.spawn(read)));
        }
        for ((first, last), thread) in threads {
            match thread.join() {
                Ok(part) => decoded.extend(part),
                // A bug of a decoder: what is lost to it is said, like other damage.
                Err(_) => {
                    let what = format!("a decoder failed on one of the log records {first} to {last}");
                    shared.damage.lock().push(what);
                    shared.lose_records(first, last);
                }
            }
        }
    });
    for (lsn, rows) in decoded {
        match rows.map(|rows| without_sealed(shared, lsn, rows)) {
            Ok(Some(rows)) => shared.apply(lsn, rows),
            Ok(None) => {}
            Err(reason) => {
                shared.damage.lock().push(format!("log record {lsn} does not decode any more: {reason}"));
                shared.lose_records(lsn, lsn);
            }
        }
    }
}

/// Leaves out what a block holds already: after a crash between the publishing of blocks and the end of the segments.
fn without_sealed(shared: &Shared, lsn: u64, rows: HotRows) -> Option<HotRows> {
    let published = shared.state.read().blocks.clone();
    match rows {
        HotRows::Spans(mut rows, at, mut counted) => {
            let known = rows.len();
            let keep: Vec<bool> = (0..known)
                .map(|row| !published.hold(BlockTable::Spans, lsn, Some(&day_of_row(rows.start_ns(row), at))))
                .collect();
            rows.retain(|row| keep.get(row as usize).copied().unwrap_or(true));
            if published.hold(BlockTable::Red, lsn, None) {
                counted.counts = RedCounts::default();
            }
            (known == 0 || !rows.is_empty() || !counted.counts.is_empty())
                .then_some(HotRows::Spans(rows, at, counted))
        }
        HotRows::Counts(counted, at) => {
            (!published.hold(BlockTable::Red, lsn, None)).then_some(HotRows::Counts(counted, at))
        }
        HotRows::Points(points) => {
            (!published.hold(BlockTable::Series, lsn, None)).then_some(HotRows::Points(points))
        }
        HotRows::Events(events) => {
            (!published.hold(BlockTable::Events, lsn, None)).then_some(HotRows::Events(events))
        }
        HotRows::Tombstones(marks) => {
            (!published.hold(BlockTable::Tombstones, lsn, None)).then_some(HotRows::Tombstones(marks))
        }
    }
}

fn rows_of(
    shared: &Shared,
    record: Record,
    limits: &tracepact_model::DecodeLimits,
) -> Result<HotRows, String> {
    match record.table {
        Table::Spans => {
            let codec = Codec::from_number(record.codec).ok_or("its codec is of a newer version")?;
            let rows = decode_chunk(codec, &record.body, limits).map_err(|error| error.reason)?.chunk;
            let counted = Counted {
                body: Some(shared.bodies.hash_one(&record.body[..])),
                counts: RedCounts::of(&rows, &record.rejected),
            };
            let admission = Admission { rejected: record.rejected };
            let rows = Box::new(admission.admit_chunk(rows));
            Ok(HotRows::Spans(rows, record.received_at_ns, Box::new(counted)))
        }
        Table::Points => {
            let (keys, points) = read_points(&record.body).map_err(|error| error.to_string())?;
            let mut state = shared.state.write();
            let numbers: Vec<u32> =
                keys.iter().filter_map(|key| state.series.number(key, usize::MAX)).collect();
            let number =
                |(index, at, value): (u32, u64, f64)| Some((*numbers.get(index as usize)?, at, value));
            Ok(HotRows::Points(points.into_iter().filter_map(number).collect()))
        }
        Table::Events => {
            let events: Vec<Event> =
                serde_json::from_slice(&record.body).map_err(|error| error.to_string())?;
            Ok(HotRows::Events(events))
        }
        Table::Tombstones => {
            read_marks(&record.body).map(HotRows::Tombstones).map_err(|error| error.to_string())
        }
        Table::Counts => {
            let minutes = crate::red::decode(&record.body).map_err(|error| error.to_string())?;
            let mut counts = RedCounts::default();
            minutes.values().for_each(|minute| counts.merge(minute));
            Ok(HotRows::Counts(Box::new(Counted { body: None, counts }), record.received_at_ns))
        }
        Table::Mark => Err("a mark holds no rows".to_owned()),
    }
}
