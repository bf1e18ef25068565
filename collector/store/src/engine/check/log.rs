//! The log: every record that was acknowledged reads and decodes.

use std::io;
use std::path::Path;

use tracepact_base::Event;
use tracepact_model::{Codec, DecodeLimits, decode_chunk};

use super::super::tombstones::read_marks;
use super::CheckReport;
use crate::fs::{Fs, join};
use crate::log::{Record, Table, replay};
use crate::series_wire::read_points;

/// Checks all segments. `block_lsn` is the highest LSN that blocks hold.
pub(super) fn check(
    fs: &dyn Fs,
    dir: &Path,
    tenant: &str,
    block_lsn: u64,
    limits: &DecodeLimits,
    report: &mut CheckReport,
) -> io::Result<()> {
    let limits = limits.for_replay();
    let mut undecoded = Vec::new();
    let mut deleted = 0;
    let replayed = replay(fs, &join(dir, &["log", tenant]), block_lsn, |record| {
        match decodes(&record, &limits) {
            Ok(marks) => deleted += marks,
            Err(what) => undecoded.push((record.lsn, what)),
        }
        Ok(())
    })?;
    let relative = |path: &Path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        format!("log/{tenant}/{name}")
    };
    for damage in &replayed.damage {
        let (first, last) = (damage.first_lsn, damage.last_lsn);
        let lost = format!("the acknowledged requests {first} to {last}");
        report.damaged(relative(&damage.segment), "records in it cannot be read", lost);
    }
    for (lsn, what) in undecoded {
        let segment = replayed.segments.iter().rev().find(|(first, _)| *first <= lsn);
        let file = segment.map_or_else(|| format!("log/{tenant}"), |(_, path)| relative(path));
        report.damaged(file, format!("record {lsn} does not decode: {what}"), format!("request {lsn}"));
    }
    if replayed.cut_bytes > 0 {
        report
            .notes
            .push(format!("{} bytes at the end of the log were never acknowledged", replayed.cut_bytes));
    }
    report.tombstones += deleted;
    report.log_records = replayed.records;
    report.log_segments = replayed.segments.len() as u64;
    for (_, path) in &replayed.segments {
        report.bytes += fs.open(path)?.len()?;
    }
    Ok(())
}

/// Whether a record gives what it gave when it was received; answers the number of deleted traces in it.
fn decodes(record: &Record, limits: &DecodeLimits) -> Result<u64, String> {
    match record.table {
        Table::Spans => {
            let codec = Codec::from_number(record.codec).ok_or("its codec is of a newer version")?;
            decode_chunk(codec, &record.body, limits).map(|_| 0).map_err(|error| error.reason)
        }
        Table::Points => read_points(&record.body).map(|_| 0).map_err(|error| error.to_string()),
        Table::Events => {
            serde_json::from_slice::<Vec<Event>>(&record.body).map(|_| 0).map_err(|error| error.to_string())
        }
        Table::Tombstones => {
            read_marks(&record.body).map(|marks| marks.len() as u64).map_err(|error| error.to_string())
        }
        Table::Counts => crate::red::decode(&record.body).map(|_| 0).map_err(|error| error.to_string()),
        Table::Mark => Ok(0),
    }
}
