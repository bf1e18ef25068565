//! A copy of the store at one moment, complete in itself: a directory that can be started from.
//!
//! A running store seals what is in memory and hands out its blocks, which never change, as hard links (as copies where
//! the disk has none); a closed one is copied as it is, log included. `snapshot.json` is written last: a directory without
//! it is no snapshot. Every file is read once more and compared with the checksum its block was written with.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracepact_base::{ErrorKind, SharedClock};

use super::seal::{day_of, seal};
use super::walk::{self, BlockDir};
use super::{Engine, open};
use crate::StoreError;
use crate::block::BlockMeta;
use crate::block::meta::FileMeta;
use crate::fs::{Fs, StdFs, create_dirs, join, read_all};
use crate::log::segment;

/// Most snapshots kept beside a running store: each holds the disk space of blocks that retention has dropped since.
pub const SNAPSHOTS_MAX: usize = 16;
/// The file that makes a directory a snapshot.
pub const MANIFEST_FILE: &str = "snapshot.json";
const MANIFEST_BYTES_MAX: u64 = 256 << 20;
const VERSION: u32 = 1;

/// What a snapshot holds: the contents of `snapshot.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file.
    pub version: u32,
    /// The directory's name.
    pub name: String,
    /// Whose data it is.
    pub tenant: String,
    /// When it was made, nanoseconds since 1970.
    pub made_at_ns: u64,
    /// Number of the newest log record in it: everything acknowledged until then is there.
    pub last_lsn: u64,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Length and CRC32C of each file, by its path within the snapshot.
    pub files: BTreeMap<String, FileSum>,
    /// Files that were damaged in the store already, and what is wrong with them.
    pub damage: Vec<String>,
}

/// Length and checksum of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Bytes.
    pub bytes: u64,
    /// CRC32C of them all.
    pub crc32c: u32,
}

impl Manifest {
    /// Reads `snapshot.json` of a directory; `None` when it has none.
    pub(crate) fn read(fs: &dyn Fs, dir: &Path) -> io::Result<Option<Self>> {
        if !fs.list(dir)?.iter().any(|name| name == MANIFEST_FILE) {
            return Ok(None);
        }
        let bytes = read_all(fs, &dir.join(MANIFEST_FILE), MANIFEST_BYTES_MAX)?;
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{MANIFEST_FILE}: {error}"))
        })?;
        Ok(Some(manifest))
    }
}

impl Engine {
    /// Makes a snapshot in `snapshots/` of the store's directory and answers what it holds and where it is. What was
    /// acknowledged before is in it. Appends go on meanwhile. Blocks the thread: not for tokio's workers.
    pub fn snapshot(&self) -> Result<(PathBuf, Manifest), StoreError> {
        let _one_at_a_time = self.snapshots.lock();
        let shared = self.shared.clone();
        let fs = shared.fs.clone();
        let all = shared.dir.join("snapshots");
        self.remove_unfinished(&all).map_err(failed)?;
        if fs.list(&all).map_err(failed)?.len() >= SNAPSHOTS_MAX {
            return Err(StoreError::new(
                ErrorKind::Conflict,
                format!("there are {SNAPSHOTS_MAX} snapshots in {}: remove one first", all.display()),
            ));
        }
        let made_at_ns = shared.clock.now_ns();
        let name = format!("{}-{}", day_of(made_at_ns), ulid::Ulid::new());
        let into = create_dirs(&*fs, &shared.dir, &["snapshots", &name]).map_err(failed)?;
        let target = into.clone();
        let (last_lsn, files) = self.sealer.run(move |shared, log| {
            seal(shared, log)?;
            let tenant = &shared.config.tenant;
            let last_lsn = shared.state.read().blocks.last_lsn();
            let blocks = walk::blocks(&*shared.fs, &shared.dir, tenant).map_err(failed)?;
            let files = copy_blocks(&*shared.fs, &blocks, tenant, &target, true).map_err(failed)?;
            Ok::<_, StoreError>((last_lsn, files))
        })??;
        let tenant = shared.config.tenant.clone();
        let made = Manifest {
            version: VERSION,
            name,
            tenant,
            made_at_ns,
            last_lsn,
            bytes: 0,
            files: BTreeMap::new(),
            damage: Vec::new(),
        };
        finish(&*fs, &into, files, made).map(|manifest| (into, manifest)).map_err(failed)
    }

    /// The snapshots beside the store, oldest first.
    pub fn snapshots(&self) -> Result<Vec<(PathBuf, Manifest)>, StoreError> {
        let all = self.shared.dir.join("snapshots");
        let mut found = Vec::new();
        for name in self.shared.fs.list(&all).map_err(failed)? {
            let dir = all.join(name);
            if let Some(manifest) = Manifest::read(&*self.shared.fs, &dir).map_err(failed)? {
                found.push((dir, manifest));
            }
        }
        Ok(found)
    }

    /// Removes a snapshot and gives back its disk space.
    pub fn remove_snapshot(&self, name: &str) -> Result<(), StoreError> {
        let _one_at_a_time = self.snapshots.lock();
        let all = self.shared.dir.join("snapshots");
        // Only a name that is there: never a path.
        if !self.shared.fs.list(&all).map_err(failed)?.iter().any(|known| known == name) {
            return Err(StoreError::new(ErrorKind::NotFound, format!("there is no snapshot {name:?}")));
        }
        remove(&*self.shared.fs, &all.join(name), &self.shared.config.tenant).map_err(failed)
    }

    fn remove_unfinished(&self, all: &Path) -> io::Result<()> {
        let fs = &*self.shared.fs;
        for name in fs.list(all)? {
            let dir = all.join(name);
            if !fs.list(&dir)?.iter().any(|name| name == MANIFEST_FILE) {
                remove(fs, &dir, &self.shared.config.tenant)?;
            }
        }
        Ok(())
    }
}

/// Copies a closed store, log included, to `into`, which does not exist yet or is empty.
pub fn snapshot_closed(
    dir: &Path,
    tenant: &str,
    into: &Path,
    clock: &SharedClock,
) -> Result<Manifest, StoreError> {
    let fs: Arc<dyn Fs> = Arc::new(StdFs);
    std::fs::create_dir_all(into).map_err(failed)?;
    snapshot_closed_on(&*fs, dir, tenant, into, clock.now_ns())
}

/// The same on other files; `into` exists.
pub fn snapshot_closed_on(
    fs: &dyn Fs,
    dir: &Path,
    tenant: &str,
    into: &Path,
    made_at_ns: u64,
) -> Result<Manifest, StoreError> {
    let _lock = walk::claim(fs, dir).map_err(|error| open::failed(dir, &error))?;
    if !fs.list(into).map_err(failed)?.is_empty() {
        let reason = format!("{} is not empty: a snapshot needs a directory of its own", into.display());
        return Err(StoreError::new(ErrorKind::Conflict, reason));
    }
    copy_closed(fs, dir, tenant, into, made_at_ns).map_err(failed)
}

fn copy_closed(fs: &dyn Fs, dir: &Path, tenant: &str, into: &Path, made_at_ns: u64) -> io::Result<Manifest> {
    let blocks = walk::blocks(fs, dir, tenant)?;
    let segments = segment::list(fs, &join(dir, &["log", tenant]))?;
    if blocks.is_empty() && segments.is_empty() {
        let reason = format!("{} holds no store of {tenant:?}", dir.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, reason));
    }
    let mut files = copy_blocks(fs, &blocks, tenant, into, false)?;
    let log_dir = create_dirs(fs, into, &["log", tenant])?;
    for (_, segment) in &segments {
        let Some(name) = segment.file_name().and_then(|name| name.to_str()) else { continue };
        place(fs, segment, &log_dir.join(name), false)?;
        files.push(format!("log/{tenant}/{name}"));
    }
    fs.sync_dir(&log_dir)?;
    let last_lsn = super::check::last_lsn(fs, dir, tenant)?;
    let name = into.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (files_none, damage) = (BTreeMap::new(), Vec::new());
    let tenant = tenant.to_owned();
    let made = Manifest {
        version: VERSION,
        name,
        tenant,
        made_at_ns,
        last_lsn,
        bytes: 0,
        files: files_none,
        damage,
    };
    finish(fs, into, files, made)
}

/// Copies or links every finished block; answers the paths of the files within the snapshot.
fn copy_blocks(
    fs: &dyn Fs,
    blocks: &[BlockDir],
    tenant: &str,
    into: &Path,
    link: bool,
) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    let mut dirs = BTreeSet::from([into.to_path_buf()]);
    for block in blocks.iter().filter(|block| block.is_finished()) {
        let mut to = into.to_path_buf();
        for part in ["data", tenant, block.table.dir(), &block.day, &block.id] {
            to = to.join(part);
            if dirs.insert(to.clone()) {
                fs.create_dir(&to)?;
            }
        }
        for name in &block.files {
            place(fs, &block.dir.join(name), &to.join(name), link)?;
            files.push(format!("{}/{name}", block.relative(tenant)));
        }
    }
    // Each once, when everything is in it.
    dirs.iter().try_for_each(|dir| fs.sync_dir(dir))?;
    Ok(files)
}

fn place(fs: &dyn Fs, from: &Path, to: &Path, link: bool) -> io::Result<()> {
    // A disk without links, or another disk: the bytes are copied.
    if link && fs.link(from, to).is_ok() {
        return Ok(());
    }
    let mut file = fs.create(to)?;
    walk::read_pieces(fs, from, |piece| file.append(piece))?;
    file.sync_data()
}

/// Reads every file again, notes its checksum and what is damaged, and writes the manifest.
fn finish(fs: &dyn Fs, into: &Path, files: Vec<String>, mut manifest: Manifest) -> io::Result<Manifest> {
    for path in files {
        let FileMeta { bytes, crc32c } = walk::read_pieces(fs, &into.join(&path), |_| Ok(()))?;
        manifest.bytes += bytes;
        manifest.files.insert(path, FileSum { bytes, crc32c });
    }
    manifest.damage = damage(fs, into, &manifest)?;
    let json = serde_json::to_vec_pretty(&manifest).map_err(io::Error::other)?;
    let unfinished = into.join("snapshot.json.new");
    let mut file = fs.create(&unfinished)?;
    file.append(&json)?;
    file.sync_data()?;
    fs.rename(&unfinished, &into.join(MANIFEST_FILE))?;
    fs.sync_dir(into)?;
    Ok(manifest)
}

/// Files that differ from what their block's `meta.json` says of them.
fn damage(fs: &dyn Fs, into: &Path, manifest: &Manifest) -> io::Result<Vec<String>> {
    let mut damage = Vec::new();
    for block in walk::blocks(fs, into, &manifest.tenant)? {
        let place = block.relative(&manifest.tenant);
        let bytes = read_all(fs, &block.dir.join("meta.json"), MANIFEST_BYTES_MAX)?;
        match BlockMeta::read(&bytes) {
            Err(error) => damage.push(format!("{place}/meta.json: {error}")),
            Ok(meta) => {
                for (name, wanted) in &meta.files {
                    let found = manifest.files.get(&format!("{place}/{name}"));
                    if found.map(|sum| (sum.bytes, sum.crc32c)) != Some((wanted.bytes, wanted.crc32c)) {
                        damage.push(format!("{place}/{name}: its checksum does not hold"));
                    }
                }
            }
        }
    }
    Ok(damage)
}

/// Removes a snapshot, finished or not: first what makes it one.
fn remove(fs: &dyn Fs, dir: &Path, tenant: &str) -> io::Result<()> {
    for name in [MANIFEST_FILE, "snapshot.json.new"] {
        if fs.list(dir)?.iter().any(|known| known == name) {
            fs.remove(&dir.join(name))?;
            fs.sync_dir(dir)?;
        }
    }
    for block in walk::blocks(fs, dir, tenant)? {
        block.files.iter().try_for_each(|name| fs.remove(&block.dir.join(name)))?;
        fs.remove_dir(&block.dir)?;
    }
    for table in crate::block::Table::ALL {
        let table_dir = join(dir, &["data", tenant, table.dir()]);
        for day in fs.list(&table_dir)? {
            fs.remove_dir(&table_dir.join(day))?;
        }
    }
    let tables: Vec<PathBuf> =
        crate::block::Table::ALL.iter().map(|table| join(dir, &["data", tenant, table.dir()])).collect();
    let parents =
        [join(dir, &["data", tenant]), join(dir, &["log", tenant]), dir.join("data"), dir.join("log")];
    for empty in tables.iter().chain(&parents).map(PathBuf::as_path).chain([dir]) {
        match fs.remove_dir(empty) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn failed(error: io::Error) -> StoreError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::InvalidData => ErrorKind::Corrupt,
        _ => ErrorKind::Unavailable,
    };
    StoreError::new(kind, format!("the snapshot failed: {error}"))
}
