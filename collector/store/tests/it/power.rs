//! Files that lose their power. A run is recorded as the calls it made; any prefix of it can then be replayed onto empty
//! files and the power taken away: what was not synced is gone, directory entries and halves of writes included.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tracepact_store::fs::{AppendFile, DirLock, Fs, ReadFile};

/// One call that changed something, or a mark of the test.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    CreateDir(PathBuf),
    Create(PathBuf, u64),
    Append(u64, Vec<u8>),
    SyncData(u64),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDir(PathBuf),
    /// The test noted something at this point.
    Mark(u64),
}

impl Op {
    pub(crate) fn is_sync(&self) -> bool {
        matches!(self, Self::SyncData(_) | Self::SyncDir(_))
    }
}

/// What is left of unsynced bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nothing.
    All,
    /// The first half.
    Half,
    /// The first half, then rubbish: blocks of the disk that were allocated and never written.
    Rubbish,
    /// All but the newest change of a directory: entries may reach the disk in any order.
    LateEntry,
    /// Everything, as after the death of the process alone; directory entries too.
    Nothing,
}

impl Loss {
    pub(crate) const EACH: [Self; 5] = [Self::All, Self::Half, Self::Rubbish, Self::LateEntry, Self::Nothing];
}

#[derive(Debug, Clone, Default)]
struct Node {
    bytes: Vec<u8>,
    durable: usize,
    is_dir: bool,
}

/// An entry that survives. It does so in its directory: one that was removed and made again is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Durable {
    node: u64,
    parent: Option<u64>,
}

#[derive(Debug, Default)]
struct Disk {
    nodes: BTreeMap<u64, Node>,
    entries: BTreeMap<PathBuf, u64>,
    durable_entries: BTreeMap<PathBuf, Durable>,
    next: u64,
    /// The newest change of an entry.
    newest_entry: Option<PathBuf>,
    ops: Vec<Op>,
    /// Calls that fail: those with this number and all behind it.
    fail_from: Option<(usize, io::ErrorKind)>,
    bytes_read: u64,
}

/// The files. Clones are the same files.
#[derive(Debug, Clone, Default)]
pub(crate) struct PowerFs(Arc<Mutex<Disk>>);

impl Disk {
    fn apply(&mut self, op: &Op) -> io::Result<()> {
        if let Op::CreateDir(path) | Op::Create(path, _) | Op::Rename(_, path) | Op::Remove(path) = op {
            self.newest_entry = Some(path.clone());
        }
        match op {
            Op::CreateDir(path) => {
                if !self.entries.contains_key(path) {
                    let node = self.next;
                    self.next += 1;
                    self.nodes.insert(node, Node { is_dir: true, ..Node::default() });
                    self.entries.insert(path.clone(), node);
                }
            }
            Op::Create(path, node) => {
                self.next = self.next.max(node + 1);
                self.nodes.entry(*node).or_default().bytes.clear();
                self.nodes.entry(*node).or_default().durable = 0;
                self.entries.insert(path.clone(), *node);
            }
            Op::Append(node, bytes) => self.nodes.entry(*node).or_default().bytes.extend_from_slice(bytes),
            Op::SyncData(node) => {
                let node = self.nodes.entry(*node).or_default();
                node.durable = node.bytes.len();
            }
            Op::Rename(from, to) => {
                let node = self.entries.remove(from).ok_or(io::ErrorKind::NotFound)?;
                self.entries.insert(to.clone(), node);
            }
            Op::Remove(path) => {
                self.entries.remove(path).ok_or(io::ErrorKind::NotFound)?;
            }
            Op::SyncDir(dir) => {
                let inside = |path: &PathBuf| path.parent() == Some(dir);
                self.durable_entries.retain(|path, _| !inside(path));
                let parent = self.entries.get(dir).copied();
                let now: Vec<_> = self
                    .entries
                    .iter()
                    .filter(|(path, _)| inside(path))
                    .map(|(path, node)| (path.clone(), Durable { node: *node, parent }))
                    .collect();
                self.durable_entries.extend(now);
            }
            Op::Mark(_) => {}
        }
        Ok(())
    }

    fn record(&mut self, op: Op) -> io::Result<()> {
        if let Some((at, kind)) = self.fail_from
            && self.ops.len() >= at
        {
            return Err(kind.into());
        }
        self.apply(&op)?;
        self.ops.push(op);
        Ok(())
    }

    fn crash(&mut self, loss: Loss) {
        if loss == Loss::Nothing {
            return;
        }
        if let (Loss::LateEntry, Some(path)) = (loss, self.newest_entry.take()) {
            match self.entries.get(&path) {
                Some(node) => {
                    let parent = path.parent().and_then(|dir| self.entries.get(dir)).copied();
                    let entry = Durable { node: *node, parent };
                    self.durable_entries.insert(path, entry)
                }
                None => self.durable_entries.remove(&path),
            };
        }
        let known = self.durable_entries.clone();
        let reachable = |path: &Path| {
            let mut at = path;
            while let (Some(entry), Some(dir)) = (known.get(at), at.parent()) {
                if dir == Path::new("/") || dir == root() {
                    return true;
                }
                if entry.parent != known.get(dir).map(|dir| dir.node) {
                    return false;
                }
                at = dir;
            }
            false
        };
        self.entries = known
            .iter()
            .filter(|(path, _)| reachable(path))
            .map(|(path, entry)| (path.clone(), entry.node))
            .collect();
        for node in self.nodes.values_mut() {
            let unsynced = node.bytes.len() - node.durable;
            match loss {
                Loss::All | Loss::LateEntry => node.bytes.truncate(node.durable),
                Loss::Half => node.bytes.truncate(node.durable + unsynced / 2),
                Loss::Rubbish => {
                    let from = node.durable + unsynced / 2;
                    node.bytes[from..].fill(0xA5);
                }
                Loss::Nothing => {}
            }
        }
        let entries = &self.entries;
        let parent = |path: &Path| path.parent().and_then(|dir| entries.get(dir)).copied();
        self.durable_entries = entries
            .iter()
            .map(|(path, node)| (path.clone(), Durable { node: *node, parent: parent(path) }))
            .collect();
        for node in self.nodes.values_mut() {
            node.durable = node.bytes.len();
        }
    }
}

/// The directory that exists from the beginning.
pub(crate) fn root() -> &'static Path {
    Path::new("/store")
}

impl PowerFs {
    /// The calls so far.
    pub(crate) fn ops(&self) -> Vec<Op> {
        self.0.lock().ops.clone()
    }

    /// Notes `number` at this point of the run.
    pub(crate) fn mark(&self, number: u64) {
        self.0.lock().ops.push(Op::Mark(number));
    }

    /// All calls that change something fail from now on.
    pub(crate) fn fail(&self, kind: io::ErrorKind) {
        let mut disk = self.0.lock();
        disk.fail_from = Some((disk.ops.len(), kind));
    }

    /// All calls that change something fail once there were `at` of them.
    pub(crate) fn fail_from(&self, at: usize, kind: io::ErrorKind) {
        self.0.lock().fail_from = Some((at, kind));
    }

    /// Bytes read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.0.lock().bytes_read
    }

    /// Flips one bit of a file.
    pub(crate) fn flip(&self, path: &Path, at: usize) {
        let mut disk = self.0.lock();
        let node = disk.entries[path];
        disk.nodes.get_mut(&node).unwrap().bytes[at] ^= 0x10;
    }

    /// All files with their lengths.
    pub(crate) fn files(&self) -> Vec<(PathBuf, usize)> {
        let disk = self.0.lock();
        let file = |(path, node): (&PathBuf, &u64)| {
            let node = &disk.nodes[node];
            (!node.is_dir).then(|| (path.clone(), node.bytes.len()))
        };
        disk.entries.iter().filter_map(file).collect()
    }

    /// A copy of these files after a power loss.
    pub(crate) fn power_off(&self, loss: Loss) -> Self {
        let disk = self.0.lock();
        let mut copy = Disk {
            nodes: disk.nodes.clone(),
            entries: disk.entries.clone(),
            durable_entries: disk.durable_entries.clone(),
            next: disk.next,
            newest_entry: disk.newest_entry.clone(),
            ..Disk::default()
        };
        copy.crash(loss);
        Self(Arc::new(Mutex::new(copy)))
    }

    /// The files after the first `count` calls, without those at `skipped`, and a power loss.
    pub(crate) fn after(ops: &[Op], count: usize, skipped: Option<usize>, loss: Loss) -> Self {
        let mut disk = Disk::default();
        for (i, op) in ops[..count].iter().enumerate() {
            if Some(i) != skipped {
                disk.apply(op).unwrap();
            }
        }
        disk.crash(loss);
        Self(Arc::new(Mutex::new(disk)))
    }
}

#[derive(Debug)]
struct File(PowerFs, u64);

impl AppendFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.0.lock().record(Op::Append(self.1, bytes.to_vec()))
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.0.0.lock().record(Op::SyncData(self.1))
    }
}

impl ReadFile for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut disk = self.0.0.lock();
        disk.bytes_read += buffer.len() as u64;
        let bytes = &disk.nodes[&self.1].bytes;
        let from = offset as usize;
        let part = bytes.get(from..from + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(part);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.0.lock().nodes[&self.1].bytes.len() as u64)
    }
}

#[derive(Debug)]
struct NoLock;

impl DirLock for NoLock {}

impl PowerFs {
    fn node(&self, path: &Path) -> io::Result<u64> {
        self.0.lock().entries.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Fs for PowerFs {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.lock().record(Op::CreateDir(path.to_owned()))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut disk = self.0.lock();
        let node = disk.entries.get(path).copied().unwrap_or(disk.next);
        disk.record(Op::Create(path.to_owned(), node))?;
        Ok(Box::new(File(self.clone(), node)))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(File(self.clone(), self.node(path)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        Ok(Arc::new(File(self.clone(), self.node(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.lock().record(Op::Rename(from.to_owned(), to.to_owned()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.lock().record(Op::Remove(path.to_owned()))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.0.lock().record(Op::Remove(path.to_owned()))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.lock().record(Op::SyncDir(path.to_owned()))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let disk = self.0.lock();
        let names: BTreeSet<String> = disk
            .entries
            .keys()
            .filter(|entry| entry.parent() == Some(path))
            .filter_map(|entry| Some(entry.file_name()?.to_str()?.to_owned()))
            .collect();
        Ok(names.into_iter().collect())
    }

    fn lock(&self, _path: &Path) -> io::Result<Box<dyn DirLock>> {
        Ok(Box::new(NoLock))
    }
}
