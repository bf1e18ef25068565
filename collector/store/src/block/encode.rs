//! Columns to pages: dictionary codes or plain values, as Parquet defines both.

use tracepact_model::columnar::Texts;

use super::hybrid;

/// Stands for no value in a list of codes.
pub(crate) const NULL: u32 = u32::MAX;
/// Rows in a page: a trace is read by pages.
pub(crate) const PAGE_ROWS: usize = 1_024;
/// Dictionaries up to this size are kept in memory by readers; columns with more are written value by value.
pub(crate) const DICTIONARY_BYTES_MAX: usize = 64 << 10;

/// How values stand in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Physical {
    /// 8 bytes.
    U64 = 0,
    /// 4 bytes.
    U32 = 1,
    /// 16 bytes, big-endian.
    Id16 = 2,
    /// Length and UTF-8.
    Text = 3,
}

impl Physical {
    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::U64,
            1 => Self::U32,
            2 => Self::Id16,
            3 => Self::Text,
            _ => return None,
        })
    }
}

/// Rows of one column before compression.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) first_row: u32,
    pub(crate) rows: u32,
    pub(crate) bytes: Vec<u8>,
}

/// One column of a block.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    pub(crate) physical: Physical,
    pub(crate) optional: bool,
    /// Plain values and their number; without one the pages hold values.
    pub(crate) dictionary: Option<(Vec<u8>, u32)>,
    pub(crate) pages: Vec<Page>,
    /// Whether compressing pays.
    pub(crate) compress: bool,
}

/// Appends which rows have a value.
fn put_levels(present: &[bool], out: &mut Vec<u8>) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    match present.first() {
        Some(first) if present.iter().all(|p| p == first) => {
            hybrid::encode_run(u32::from(*first), present.len(), 1, out);
        }
        _ => {
            let bits: Vec<u32> = present.iter().map(|p| u32::from(*p)).collect();
            hybrid::encode(&bits, 1, out);
        }
    }
    let len = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&len.to_le_bytes());
}

/// A column of codes into `dictionary`, which holds `count` plain values.
pub(crate) fn coded(
    physical: Physical,
    optional: bool,
    codes: &[u32],
    dictionary: Vec<u8>,
    count: u32,
) -> Encoded {
    let width = hybrid::width_of(count as usize);
    let nulls = optional && codes.contains(&NULL);
    // One value throughout, or none: a run as long as the block.
    let rows = if count == 0 || (count == 1 && !nulls) { codes.len() } else { PAGE_ROWS };
    let mut pages = Vec::new();
    let mut values = Vec::with_capacity(PAGE_ROWS);
    for (first, part) in codes.chunks(rows.max(1)).enumerate() {
        let mut bytes = Vec::new();
        values.clear();
        if optional {
            let present: Vec<bool> = part.iter().map(|code| *code != NULL).collect();
            put_levels(&present, &mut bytes);
            values.extend(part.iter().copied().filter(|code| *code != NULL));
        } else {
            values.extend_from_slice(part);
        }
        bytes.push(width as u8);
        hybrid::encode(&values, width, &mut bytes);
        pages.push(Page { first_row: (first * rows) as u32, rows: part.len() as u32, bytes });
    }
    Encoded { physical, optional, dictionary: Some((dictionary, count)), pages, compress: true }
}

/// A column of values that `put` appends; rows for which it appends nothing are null.
pub(crate) fn plain(
    physical: Physical,
    optional: bool,
    rows: usize,
    mut put: impl FnMut(usize, &mut Vec<u8>),
) -> Encoded {
    let mut pages = Vec::new();
    let mut present = Vec::with_capacity(PAGE_ROWS);
    for first in (0..rows).step_by(PAGE_ROWS) {
        let mut values = Vec::with_capacity(PAGE_ROWS * 8);
        present.clear();
        let end = (first + PAGE_ROWS).min(rows);
        for row in first..end {
            let before = values.len();
            put(row, &mut values);
            present.push(values.len() > before);
        }
        let bytes = if optional {
            let mut bytes = Vec::with_capacity(values.len() + 160);
            put_levels(&present, &mut bytes);
            bytes.extend_from_slice(&values);
            bytes
        } else {
            values
        };
        pages.push(Page { first_row: first as u32, rows: (end - first) as u32, bytes });
    }
    Encoded { physical, optional, dictionary: None, pages, compress: true }
}

/// Values of 64 bits one by one; `null` stands for none.
pub(crate) fn numbers64(values: &[u64], null: Option<u64>) -> Encoded {
    if null.is_some_and(|null| values.iter().all(|value| *value == null)) {
        return coded(Physical::U64, true, &vec![NULL; values.len()], Vec::new(), 0);
    }
    plain(Physical::U64, null.is_some(), values.len(), |row, out| {
        if Some(values[row]) != null {
            out.extend_from_slice(&values[row].to_le_bytes());
        }
    })
}

/// Values of 32 bits one by one; `null` stands for none.
pub(crate) fn numbers32(values: &[u32], null: Option<u32>) -> Encoded {
    if null.is_some_and(|null| values.iter().all(|value| *value == null)) {
        return coded(Physical::U32, true, &vec![NULL; values.len()], Vec::new(), 0);
    }
    plain(Physical::U32, null.is_some(), values.len(), |row, out| {
        if Some(values[row]) != null {
            out.extend_from_slice(&values[row].to_le_bytes());
        }
    })
}

/// Few distinct numbers, as codes; `bytes` of each value are written.
fn few(physical: Physical, values: impl Iterator<Item = u64>, null: Option<u64>, bytes: usize) -> Encoded {
    let mut known: std::collections::HashMap<u64, u32, foldhash::fast::FixedState> = Default::default();
    let mut dictionary = Vec::new();
    let mut last = None;
    let codes: Vec<u32> = values
        .map(|value| {
            if Some(value) == null {
                return NULL;
            }
            if let Some((of, code)) = last
                && of == value
            {
                return code;
            }
            let next = known.len() as u32;
            let code = *known.entry(value).or_insert(next);
            if code == next {
                dictionary.extend_from_slice(&value.to_le_bytes()[..bytes]);
            }
            last = Some((value, code));
            code
        })
        .collect();
    coded(physical, null.is_some(), &codes, dictionary, known.len() as u32)
}

/// Values of 64 bits of which few are distinct.
pub(crate) fn few64(values: impl Iterator<Item = u64>) -> Encoded {
    few(Physical::U64, values, None, 8)
}

/// Values of 32 bits of which few are distinct; `null` stands for none.
pub(crate) fn few32(values: impl Iterator<Item = u32>, null: Option<u32>) -> Encoded {
    few(Physical::U32, values.map(u64::from), null.map(u64::from), 4)
}

/// Texts of a column under codes of its own.
#[derive(Debug, Default)]
pub(crate) struct TextCodes {
    /// Of each row, or [`NULL`].
    pub(crate) codes: Vec<u32>,
    /// The text's code in the chunk, of each code of the column.
    pub(crate) distinct: Vec<u32>,
    /// By code of the chunk: the column's code and one, or 0. All 0 between two columns.
    map: Vec<u32>,
}

impl TextCodes {
    /// Recodes a column; `None` is no value.
    pub(crate) fn fill(&mut self, texts: &Texts, rows: impl Iterator<Item = Option<u32>>) {
        for code in self.distinct.drain(..) {
            self.map[code as usize] = 0;
        }
        self.codes.clear();
        self.map.resize(texts.len(), 0);
        let Self { codes, distinct, map } = self;
        codes.extend(rows.map(|text| {
            let Some(text) = text else { return NULL };
            let slot = &mut map[text as usize];
            if *slot == 0 {
                distinct.push(text);
                *slot = distinct.len() as u32;
            }
            *slot - 1
        }));
    }

    /// The column in pages: by a dictionary while that is small, else text by text.
    pub(crate) fn encode(&self, texts: &Texts, optional: bool) -> Encoded {
        let bytes: usize = self.distinct.iter().map(|code| texts.get(*code).len() + 4).sum();
        // A few long texts are a dictionary too: every row of them would be longer.
        if bytes <= DICTIONARY_BYTES_MAX || self.distinct.len() <= 8 {
            let mut dictionary = Vec::with_capacity(bytes);
            for code in &self.distinct {
                put_text(texts.get(*code), &mut dictionary);
            }
            return coded(Physical::Text, optional, &self.codes, dictionary, self.distinct.len() as u32);
        }
        plain(Physical::Text, optional, self.codes.len(), |row, out| {
            if let Some(code) = self.distinct.get(self.codes[row] as usize) {
                put_text(texts.get(*code), out);
            }
        })
    }
}

pub(crate) fn put_text(text: &str, out: &mut Vec<u8>) {
    // Texts are bounded far below 4 GiB by the limits of decoding.
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}
