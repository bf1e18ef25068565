//! The side file of records that no decoder could read: JSON lines, redacted, bounded in bytes and age, for its owner only.
//!
//! Two files take turns: `kafka-poison.jsonl` is written, `kafka-poison.1.jsonl` is the one before it. So half of what
//! is kept goes at once, and nothing is ever rewritten.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracepact_base::{SharedClock, time_format};
use tracepact_model::Redaction;

use super::PoisonConfig;

/// A record that is skipped.
#[derive(Debug)]
pub(super) struct Poison {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) reason: String,
    pub(super) payload: Bytes,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    #[serde(with = "time_format::rfc3339")]
    at: u64,
    topic: String,
    partition: i32,
    offset: i64,
    reason: String,
    /// Length of the whole record.
    bytes: usize,
    /// Its beginning, redacted; what is no text is shown as `\xNN`.
    text: String,
}

/// The file. Cheap to clone.
#[derive(Clone)]
pub(super) struct PoisonFile {
    inner: Arc<Inner>,
}

struct Inner {
    config: PoisonConfig,
    clock: SharedClock,
    redaction: Redaction,
    files: Mutex<Files>,
}

struct Files {
    current: Written,
    file: File,
    /// The file before the current one, when there is one.
    previous: Option<Written>,
}

/// What a file holds.
#[derive(Debug, Default)]
struct Written {
    bytes: u64,
    /// When its first and its last record came; `None` while it is empty.
    times: Option<(u64, u64)>,
}

impl PoisonFile {
    pub(super) fn open(
        config: &PoisonConfig,
        clock: SharedClock,
        redaction: Redaction,
    ) -> std::io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.dir)?;
        let file = append_to(&path(&config.dir))?;
        let previous = previous(&config.dir);
        let files = Files {
            current: Written::read(&path(&config.dir))?,
            file,
            previous: previous.exists().then(|| Written::read(&previous)).transpose()?,
        };
        let inner = Inner { config: config.clone(), clock, redaction, files: Mutex::new(files) };
        let opened = Self { inner: Arc::new(inner) };
        opened.expire()?;
        Ok(opened)
    }

    /// Keeps one record.
    pub(super) fn keep(&self, poison: &Poison) -> std::io::Result<()> {
        let inner = &self.inner;
        let at = inner.clock.now_ns();
        let mut line = serde_json::to_string(&inner.line(at, poison))?;
        line.push('\n');
        let bytes = line.len() as u64;
        let half = inner.config.bytes_max / 2;
        if bytes > half {
            return Ok(());
        }
        let mut files = inner.files.lock();
        if files.current.bytes + bytes > half || files.current.begun_before(inner.half_age_ago(at)) {
            inner.take_turns(&mut files)?;
        }
        files.file.write_all(line.as_bytes())?;
        files.current.bytes += bytes;
        let first = files.current.times.map_or(at, |(first, _)| first);
        files.current.times = Some((first, at));
        Ok(())
    }

    /// Lets go what is too old. To be called now and then: no record may come for a long time.
    pub(super) fn expire(&self) -> std::io::Result<()> {
        let inner = &self.inner;
        let limit = inner.half_age_ago(inner.clock.now_ns());
        let mut files = inner.files.lock();
        if files.current.begun_before(limit) {
            inner.take_turns(&mut files)?;
        }
        if files.previous.as_ref().is_some_and(|previous| previous.ended_before(limit)) {
            std::fs::remove_file(previous(&inner.config.dir))?;
            files.previous = None;
        }
        Ok(())
    }
}

impl Inner {
    /// Each file spans at most half the age, and goes when its last record is that old.
    fn half_age_ago(&self, now_ns: u64) -> u64 {
        let half = u64::try_from(self.config.age_max.as_nanos() / 2).unwrap_or(u64::MAX);
        now_ns.saturating_sub(half)
    }

    /// The current file becomes the one before.
    fn take_turns(&self, files: &mut Files) -> std::io::Result<()> {
        std::fs::rename(path(&self.config.dir), previous(&self.config.dir))?;
        files.file = append_to(&path(&self.config.dir))?;
        files.previous = Some(std::mem::take(&mut files.current));
        Ok(())
    }

    fn line(&self, at: u64, poison: &Poison) -> Line {
        // A secret that the cut would halve must still be recognised: redact more than is kept, then cut.
        let most = self.config.record_bytes_max;
        let looked_at = poison.payload.len().min(most.saturating_mul(2));
        let (redacted, _) = self.redaction.bytes(&poison.payload[..looked_at]);
        let kept = redacted.len().min(most);
        let mut text = String::with_capacity(kept);
        for chunk in redacted[..kept].utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
        }
        Line {
            at,
            topic: poison.topic.clone(),
            partition: poison.partition,
            offset: poison.offset,
            reason: self.redaction.text(&poison.reason).into_owned(),
            bytes: poison.payload.len(),
            text,
        }
    }
}

impl Written {
    fn read(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let lines = serde_json::Deserializer::from_reader(std::io::BufReader::new(file)).into_iter::<Line>();
        // A line that a crash halved ends the reading: what is behind it is as old as the file at least.
        let times = lines.map_while(Result::ok).map(|line| line.at).fold(None, |times, at| {
            let first = times.map_or(at, |(first, _)| first);
            Some((first, at))
        });
        Ok(Self { bytes, times })
    }

    fn begun_before(&self, limit_ns: u64) -> bool {
        self.times.is_some_and(|(first, _)| first < limit_ns)
    }

    fn ended_before(&self, limit_ns: u64) -> bool {
        self.times.is_none_or(|(_, last)| last < limit_ns)
    }
}

fn append_to(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn path(dir: &Path) -> PathBuf {
    dir.join("kafka-poison.jsonl")
}

fn previous(dir: &Path) -> PathBuf {
    dir.join("kafka-poison.1.jsonl")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use tracepact_base::ManualClock;

    use super::*;

    const NOW_NS: u64 = 1_795_219_200_000_000_000;

    fn poison(offset: i64, payload: &[u8]) -> Poison {
        Poison {
            topic: "zipkin".into(),
            partition: 0,
            offset,
            reason: "it is no list of spans".into(),
            payload: Bytes::copy_from_slice(payload),
        }
    }

    fn kept(dir: &Path) -> Vec<Line> {
        [previous(dir), path(dir)]
            .iter()
            .filter_map(|path| std::fs::read_to_string(path).ok())
            .flat_map(|text| text.lines().map(|l| serde_json::from_str(l).unwrap()).collect::<Vec<Line>>())
            .collect()
    }

    #[test]
    fn what_is_kept_is_redacted_and_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let config = PoisonConfig::new(dir.path().join("poison"));
        let clock = ManualClock::at(NOW_NS);
        let file = PoisonFile::open(&config, clock, Redaction::default()).unwrap();
        file.keep(&poison(3, b"{\"tags\":{\"password\":\"hunter2\",\"order\":\"17\"}\xff")).unwrap();
        let lines = kept(&config.dir);
        assert_eq!((lines.len(), lines[0].offset, lines[0].at), (1, 3, NOW_NS));
        assert!(!lines[0].text.contains("hunter2") && lines[0].text.contains("17"), "{}", lines[0].text);
        assert!(lines[0].text.ends_with("\\xff"));
        let mode = std::fs::metadata(path(&config.dir)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn it_is_bounded_in_bytes_and_the_newest_stay() {
        let dir = tempfile::tempdir().unwrap();
        let config = PoisonConfig { bytes_max: 8 << 10, ..PoisonConfig::new(dir.path()) };
        let clock = ManualClock::at(NOW_NS);
        let file = PoisonFile::open(&config, clock.clone(), Redaction::default()).unwrap();
        for offset in 0..100 {
            file.keep(&poison(offset, &[b'x'; 300])).unwrap();
        }
        drop(file);
        let file = PoisonFile::open(&config, clock, Redaction::default()).unwrap();
        file.keep(&poison(100, b"x")).unwrap();
        let offsets: Vec<i64> = kept(dir.path()).iter().map(|line| line.offset).collect();
        assert!(offsets.len() > 5 && offsets.is_sorted() && offsets.last() == Some(&100), "{offsets:?}");
        let bytes: u64 =
            std::fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes <= config.bytes_max);
    }

    #[test]
    fn nothing_outlives_its_age() {
        let dir = tempfile::tempdir().unwrap();
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        let config = PoisonConfig { age_max: hours(10), ..PoisonConfig::new(dir.path()) };
        let clock = ManualClock::at(NOW_NS);
        let file = PoisonFile::open(&config, clock.clone(), Redaction::default()).unwrap();
        for hour in 0..40_i64 {
            file.keep(&poison(hour, b"x")).unwrap();
            file.expire().unwrap();
            let oldest = kept(dir.path()).first().map(|line| line.offset);
            assert!(oldest.is_some_and(|oldest| hour - oldest <= 10), "at {hour}: {oldest:?}");
            clock.advance_ns(3_600_000_000_000);
        }
        clock.advance_ns(6 * 3_600_000_000_000);
        file.expire().unwrap();
        clock.advance_ns(6 * 3_600_000_000_000);
        file.expire().unwrap();
        assert!(kept(dir.path()).is_empty());
    }
}
