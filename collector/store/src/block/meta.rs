//! `meta.json`, written last: a directory without it is no block yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::index::Sections;
use super::schema::FORMAT_VERSION;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Table {
    Spans,
    Series,
    Events,
}

impl Table {
    pub(crate) const ALL: [Self; 3] = [Self::Spans, Self::Series, Self::Events];

    /// The directory of its blocks.
    pub(crate) const fn dir(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Series => "series",
            Self::Events => "events",
        }
    }
}

/// One file of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileMeta {
    pub(crate) bytes: u64,
    pub(crate) crc32c: u32,
}

impl FileMeta {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, crc32c: crc32c::crc32c(bytes) }
    }
}

/// The contents of `meta.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockMeta {
    pub(crate) format_version: u32,
    /// Version of tracepact that wrote it.
    pub(crate) writer: String,
    pub(crate) table: Table,
    /// The directory's name, a ULID.
    pub(crate) id: String,
    /// UTC day of the rows, `2026-11-21`.
    pub(crate) day: String,
    /// Log records that the rows come from.
    pub(crate) first_lsn: u64,
    pub(crate) last_lsn: u64,
    pub(crate) rows: u64,
    pub(crate) traces: u64,
    /// Earliest and latest time of the rows.
    pub(crate) min_ns: u64,
    pub(crate) max_ns: u64,
    pub(crate) files: BTreeMap<String, FileMeta>,
    /// Of `index.bin`; only for spans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<Sections>,
    /// Blocks that must not be read any more.
    #[serde(default)]
    pub(crate) replaces: Vec<String>,
}

#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl BlockMeta {
    /// Reads `meta.json`; a newer format is refused by name.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let version: Version =
            serde_json::from_slice(bytes).map_err(|error| format!("meta.json: {error}"))?;
        if version.format_version != FORMAT_VERSION {
            return Err(format!(
                "it has format {}, this version of tracepact reads {FORMAT_VERSION}",
                version.format_version
            ));
        }
        serde_json::from_slice(bytes).map_err(|error| format!("meta.json: {error}"))
    }

    /// Bytes of all its files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.values().map(|file| file.bytes).sum()
    }
}
