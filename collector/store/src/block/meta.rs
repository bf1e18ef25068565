//! `meta.json`, written last: a directory without it is no block yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::index::Sections;
use super::schema::FORMAT_VERSION;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Table {
    /// Deleted traces; first in [`Table::ALL`], because what is opened after heeds them.
    Tombstones,
    Spans,
    Series,
    Events,
    /// Rate, errors and durations by minute.
    Red,
}

impl Table {
    pub(crate) const ALL: [Self; 5] = [Self::Tombstones, Self::Spans, Self::Series, Self::Events, Self::Red];

    /// The directory of its blocks.
    pub(crate) const fn dir(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Series => "series",
            Self::Events => "events",
            Self::Tombstones => "tombstones",
            Self::Red => "red",
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

/// Why `meta.json` is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MetaError {
    /// Another version of tracepact wrote it.
    #[error("it has format {0}, this version of tracepact reads {FORMAT_VERSION}")]
    Version(u32),
    /// Its bytes are not what was written.
    #[error("meta.json is damaged: {0}")]
    Damaged(String),
}

/// How the file begins: the checksum of everything, computed with zeros in its own place.
const SUM_PREFIX: &[u8] = b"{\n  \"crc32c\": \"";
const NO_SUM: &str = "00000000";

/// The fields of the file, the checksum in front.
#[derive(Serialize)]
struct Summed<'m> {
    crc32c: &'m str,
    #[serde(flatten)]
    meta: &'m BlockMeta,
}

/// Whether the checksum at the front holds; `None` when there is none.
fn sum_holds(bytes: &[u8]) -> Option<bool> {
    let said = bytes.strip_prefix(SUM_PREFIX)?.get(..NO_SUM.len())?;
    let mut zeroed = bytes.to_vec();
    zeroed[SUM_PREFIX.len()..SUM_PREFIX.len() + NO_SUM.len()].copy_from_slice(NO_SUM.as_bytes());
    Some(format!("{:08x}", crc32c::crc32c(&zeroed)).as_bytes() == said)
}

impl BlockMeta {
    /// The bytes of `meta.json`.
    pub(crate) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(&Summed { crc32c: NO_SUM, meta: self })?;
        let sum = format!("{:08x}", crc32c::crc32c(&bytes));
        bytes[SUM_PREFIX.len()..SUM_PREFIX.len() + NO_SUM.len()].copy_from_slice(sum.as_bytes());
        Ok(bytes)
    }

    /// Reads `meta.json`; damage is told from another format, which is refused by name.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, MetaError> {
        let damaged = |error: serde_json::Error| MetaError::Damaged(error.to_string());
        let sum_holds = sum_holds(bytes);
        if sum_holds == Some(false) {
            return Err(MetaError::Damaged("its checksum does not hold".to_owned()));
        }
        let version: Version = serde_json::from_slice(bytes).map_err(damaged)?;
        if version.format_version != FORMAT_VERSION {
            return Err(MetaError::Version(version.format_version));
        }
        if sum_holds.is_none() {
            return Err(MetaError::Damaged("it has no checksum".to_owned()));
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// Bytes of all its files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.values().map(|file| file.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta() -> BlockMeta {
        BlockMeta {
            format_version: FORMAT_VERSION,
            writer: "0.1.0".to_owned(),
            table: Table::Spans,
            id: "01H0000000000000000000000A".to_owned(),
            day: "2026-11-21".to_owned(),
            first_lsn: 1,
            last_lsn: 20,
            rows: 3,
            traces: 2,
            min_ns: 5,
            max_ns: 9,
            files: BTreeMap::from([("a.bin".to_owned(), FileMeta::of(b"abc"))]),
            index: None,
            replaces: Vec::new(),
        }
    }

    #[test]
    fn it_comes_back_and_every_flipped_bit_is_seen() {
        let bytes = meta().to_bytes().unwrap();
        assert_eq!(BlockMeta::read(&bytes), Ok(meta()));
        for at in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(BlockMeta::read(&flipped).is_err(), "bit {at}");
        }
    }

    #[test]
    fn another_format_is_no_damage() {
        let bytes = BlockMeta { format_version: 99, ..meta() }.to_bytes().unwrap();
        assert_eq!(BlockMeta::read(&bytes), Err(MetaError::Version(99)));
        assert!(BlockMeta::read(&bytes).unwrap_err().to_string().contains("format 99"));
        assert_eq!(BlockMeta::read(br#"{"format_version": 98, "other": 1}"#), Err(MetaError::Version(98)));
    }
}
