//! Values of a range of rows, from the pages that hold them and no others.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use super::encode::Physical;
use super::file::CheckedFile;
use super::hybrid;
use super::parquet_file::{ColumnPlace, PagePlace};
use crate::budget::Budget;
use crate::wire::Malformed;

const BAD: Malformed = Malformed("a page does not hold what its header says");
/// Longest page: a sealed column of long texts stays far below.
const PAGE_BYTES_MAX: usize = 1 << 30;

/// Why values could not be read.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

thread_local! {
    /// Creating one takes longer than most pages.
    static ZSTD: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

fn decompress(bytes: &[u8], raw_len: usize) -> std::io::Result<Vec<u8>> {
    ZSTD.with_borrow_mut(|zstd| {
        let zstd = match zstd {
            Some(zstd) => zstd,
            None => zstd.insert(zstd::bulk::Decompressor::new()?),
        };
        zstd.decompress(bytes, raw_len)
    })
}

/// The values of a column that its codes stand for.
#[derive(Debug)]
enum Dictionary {
    Texts(Vec<Arc<str>>),
    Numbers(Vec<u64>),
    Ids(Vec<u128>),
}

/// One column of an open block.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) place: ColumnPlace,
    dictionary: OnceLock<Dictionary>,
}

/// The part of a page that is asked for.
struct Part {
    present: Vec<bool>,
    /// Values before the part.
    before: usize,
    /// Values in it.
    count: usize,
    bytes: Vec<u8>,
    values_at: usize,
}

impl Column {
    pub(crate) fn new(place: ColumnPlace) -> Self {
        Self { place, dictionary: OnceLock::new() }
    }

    /// Texts of `rows` rows from `first` on; `None` for null.
    pub(crate) fn texts(
        &self,
        file: &CheckedFile,
        first: u32,
        rows: u32,
        budget: &Budget,
    ) -> Result<Vec<Option<Arc<str>>>, Failure> {
        if self.place.physical != Physical::Text {
            return Err(BAD.into());
        }
        let mut out = Vec::with_capacity(rows as usize);
        if let Some(all) = self.same(file, budget)? {
            let Dictionary::Texts(texts) = all else { return Err(BAD.into()) };
            out.resize(rows as usize, texts.first().cloned());
            return Ok(out);
        }
        let mut codes = Vec::new();
        self.parts(file, first, rows, budget, |column, part| {
            let values = part.bytes.get(part.values_at..).ok_or(BAD)?;
            let mut texts: Vec<Arc<str>> = Vec::with_capacity(part.count);
            if column.place.dictionary.is_some() {
                let Dictionary::Texts(known) = column.dictionary(file, budget)? else {
                    return Err(BAD.into());
                };
                read_codes(values, &part, &mut codes)?;
                for code in &codes {
                    texts.push(known.get(*code as usize).ok_or(BAD)?.clone());
                }
            } else {
                let mut rest = values;
                for i in 0..part.before + part.count {
                    let text = take_text(&mut rest)?;
                    if i >= part.before {
                        texts.push(std::str::from_utf8(text).map_err(|_| BAD)?.into());
                    }
                }
            }
            place(&part.present, texts, &mut out)
        })?;
        Ok(out)
    }

    /// Numbers of `rows` rows from `first` on; `None` for null.
    pub(crate) fn numbers(
        &self,
        file: &CheckedFile,
        first: u32,
        rows: u32,
        budget: &Budget,
    ) -> Result<Vec<Option<u64>>, Failure> {
        let width = match self.place.physical {
            Physical::U64 => 8,
            Physical::U32 => 4,
            Physical::Id16 | Physical::Text => return Err(BAD.into()),
        };
        let mut out = Vec::with_capacity(rows as usize);
        if let Some(all) = self.same(file, budget)? {
            let Dictionary::Numbers(numbers) = all else { return Err(BAD.into()) };
            out.resize(rows as usize, numbers.first().copied());
            return Ok(out);
        }
        let mut codes = Vec::new();
        self.parts(file, first, rows, budget, |column, part| {
            let values = part.bytes.get(part.values_at..).ok_or(BAD)?;
            let mut numbers: Vec<u64> = Vec::with_capacity(part.count);
            if column.place.dictionary.is_some() {
                let Dictionary::Numbers(known) = column.dictionary(file, budget)? else {
                    return Err(BAD.into());
                };
                read_codes(values, &part, &mut codes)?;
                for code in &codes {
                    numbers.push(*known.get(*code as usize).ok_or(BAD)?);
                }
            } else {
                let values =
                    values.get(part.before * width..(part.before + part.count) * width).ok_or(BAD)?;
                numbers.extend(values.chunks_exact(width).map(number));
            }
            place(&part.present, numbers, &mut out)
        })?;
        Ok(out)
    }

    /// Ids of 16 bytes of `rows` rows from `first` on.
    pub(crate) fn ids(
        &self,
        file: &CheckedFile,
        first: u32,
        rows: u32,
        budget: &Budget,
    ) -> Result<Vec<u128>, Failure> {
        let mut out = Vec::with_capacity(rows as usize);
        if let Some(all) = self.same(file, budget)? {
            let Dictionary::Ids(ids) = all else { return Err(BAD.into()) };
            out.resize(rows as usize, *ids.first().ok_or(BAD)?);
            return Ok(out);
        }
        let mut codes = Vec::new();
        self.parts(file, first, rows, budget, |column, part| {
            let Dictionary::Ids(known) = column.dictionary(file, budget)? else { return Err(BAD.into()) };
            read_codes(part.bytes.get(part.values_at..).ok_or(BAD)?, &part, &mut codes)?;
            for code in &codes {
                out.push(*known.get(*code as usize).ok_or(BAD)?);
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// The dictionary when it alone says what every row holds: nothing at all, or one value that no row lacks.
    fn same(&self, file: &CheckedFile, budget: &Budget) -> Result<Option<&Dictionary>, Failure> {
        match &self.place.dictionary {
            Some(place) if place.first_row == 0 || (place.first_row == 1 && !self.place.optional) => {
                self.dictionary(file, budget).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn dictionary(&self, file: &CheckedFile, budget: &Budget) -> Result<&Dictionary, Failure> {
        if let Some(known) = self.dictionary.get() {
            return Ok(known);
        }
        let place = self.place.dictionary.ok_or(BAD)?;
        let bytes = self.raw(file, place, budget)?;
        let count = place.first_row as usize;
        let read = match self.place.physical {
            Physical::Text => {
                let mut rest = bytes.as_slice();
                let mut texts = Vec::new();
                for _ in 0..count {
                    texts.push(std::str::from_utf8(take_text(&mut rest)?).map_err(|_| BAD)?.into());
                }
                Dictionary::Texts(texts)
            }
            Physical::U64 => Dictionary::Numbers(bytes.chunks_exact(8).map(number).collect()),
            Physical::U32 => Dictionary::Numbers(bytes.chunks_exact(4).map(number).collect()),
            Physical::Id16 => {
                Dictionary::Ids(bytes.as_chunks().0.iter().map(|id| u128::from_be_bytes(*id)).collect())
            }
        };
        Ok(self.dictionary.get_or_init(|| read))
    }

    fn raw(&self, file: &CheckedFile, place: PagePlace, budget: &Budget) -> Result<Vec<u8>, Failure> {
        if place.raw_len as usize > PAGE_BYTES_MAX {
            return Err(BAD.into());
        }
        let bytes = file.read(place.at, place.len as usize, budget)?;
        let raw = if self.place.compressed { decompress(&bytes, place.raw_len as usize)? } else { bytes };
        if raw.len() != place.raw_len as usize { Err(BAD.into()) } else { Ok(raw) }
    }

    /// Gives each page's part of the rows to `read`.
    fn parts(
        &self,
        file: &CheckedFile,
        first: u32,
        rows: u32,
        budget: &Budget,
        mut read: impl FnMut(&Self, Part) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let end = first.checked_add(rows).ok_or(BAD)?;
        let from = self.place.pages.partition_point(|page| page.first_row <= first).saturating_sub(1);
        let mut at = first;
        for (i, page) in self.place.pages.iter().enumerate().skip(from) {
            if at >= end {
                break;
            }
            let next = self.place.pages.get(i + 1).map_or(u32::MAX, |next| next.first_row);
            let to = end.min(next);
            let (a, b) =
                (at.checked_sub(page.first_row).ok_or(BAD)?, to.checked_sub(page.first_row).ok_or(BAD)?);
            let bytes = self.raw(file, *page, budget)?;
            read(self, self.part(bytes, a as usize, b as usize)?)?;
            at = to;
        }
        if at < end { Err(BAD.into()) } else { Ok(()) }
    }

    fn part(&self, bytes: Vec<u8>, a: usize, b: usize) -> Result<Part, Malformed> {
        if !self.place.optional {
            return Ok(Part { present: vec![true; b - a], before: a, count: b - a, bytes, values_at: 0 });
        }
        let (len, rest) = bytes.split_first_chunk().ok_or(BAD)?;
        let len = u32::from_le_bytes(*len) as usize;
        let levels = rest.get(..len).ok_or(BAD)?;
        let mut present = Vec::with_capacity(b - a);
        let before = hybrid::decode_levels(levels, a, b - a, &mut present)?;
        let count = present.iter().filter(|present| **present).count();
        Ok(Part { present, before, count, bytes, values_at: 4 + len })
    }
}

fn read_codes(values: &[u8], part: &Part, codes: &mut Vec<u32>) -> Result<(), Malformed> {
    let (width, values) = values.split_first().ok_or(BAD)?;
    codes.clear();
    if part.count > 0 {
        hybrid::decode(values, u32::from(*width), part.before, part.count, codes)?;
    }
    Ok(())
}

fn take_text<'b>(rest: &mut &'b [u8]) -> Result<&'b [u8], Malformed> {
    let (len, tail) = rest.split_first_chunk().ok_or(BAD)?;
    let (text, tail) = tail.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or(BAD)?;
    *rest = tail;
    Ok(text)
}

fn number(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// Puts the values where they are present.
fn place<T>(present: &[bool], values: Vec<T>, out: &mut Vec<Option<T>>) -> Result<(), Failure> {
    let mut values = values.into_iter();
    for present in present {
        out.push(if *present { Some(values.next().ok_or(BAD)?) } else { None });
    }
    Ok(())
}
