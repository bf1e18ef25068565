//! Parquet's hybrid of run lengths and bit packing, for dictionary codes and for presence.

use crate::wire::Malformed;

const BAD: Malformed = Malformed("a page's codes cannot be read");
/// Shortest run that is written as one.
const RUN_MIN: usize = 8;

/// Bits that the largest of `count` codes takes, at least 1.
pub(crate) fn width_of(count: usize) -> u32 {
    (usize::BITS - count.saturating_sub(1).leading_zeros()).max(1)
}

/// Appends `values`, each of at most `width` bits.
pub(crate) fn encode(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let (mut packed_from, mut at) = (0, 0);
    while let Some(value) = values.get(at) {
        let run = values[at..].iter().take_while(|other| *other == value).count();
        if run < RUN_MIN {
            at += run;
            continue;
        }
        // Packed values come in groups of eight.
        let missing = (8 - (at - packed_from) % 8) % 8;
        if missing > 0 {
            at += missing;
            continue;
        }
        pack(&values[packed_from..at], width, out);
        encode_run(*value, run, width, out);
        at += run;
        packed_from = at;
    }
    pack(&values[packed_from..], width, out);
}

/// Appends `count` times the same value.
pub(crate) fn encode_run(value: u32, count: usize, width: u32, out: &mut Vec<u8>) {
    put_varint((count as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

fn pack(values: &[u32], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    put_varint((groups as u64) << 1 | 1, out);
    let (mut buffer, mut bits) = (0u64, 0u32);
    let padding = std::iter::repeat_n(0, groups * 8 - values.len());
    for value in values.iter().copied().chain(padding) {
        buffer |= u64::from(value) << bits;
        bits += width;
        while bits >= 8 {
            out.push(buffer as u8);
            buffer >>= 8;
            bits -= 8;
        }
    }
}

pub(crate) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn take_varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0u64;
    for i in 0..10u32 {
        let (byte, rest) = bytes.split_first().ok_or(BAD)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(7 * i).ok_or(BAD)?;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(BAD)
}

/// Appends `take` values to `out` after leaving out `skip`.
pub(crate) fn decode(
    mut bytes: &[u8],
    width: u32,
    mut skip: usize,
    mut take: usize,
    out: &mut Vec<u32>,
) -> Result<(), Malformed> {
    if width == 0 || width > 32 {
        return Err(BAD);
    }
    let mask = if width == 32 { u32::MAX } else { (1 << width) - 1 };
    while take > 0 {
        let head = take_varint(&mut bytes)?;
        let count = usize::try_from(head >> 1).map_err(|_| BAD)?;
        let (length, packed) = if head & 1 == 1 {
            (count.checked_mul(width as usize).ok_or(BAD)?, true)
        } else {
            (width.div_ceil(8) as usize, false)
        };
        let (run, rest) = bytes.split_at_checked(length).ok_or(BAD)?;
        bytes = rest;
        let values = if packed { count * 8 } else { count };
        if values == 0 {
            return Err(BAD);
        }
        let from = skip.min(values);
        skip -= from;
        let taken = (values - from).min(take);
        take -= taken;
        if packed {
            out.extend((from..from + taken).map(|i| bits_at(run, i * width as usize, width) & mask));
        } else {
            let mut value = [0u8; 4];
            value[..length].copy_from_slice(run);
            out.extend(std::iter::repeat_n(u32::from_le_bytes(value), taken));
        }
    }
    Ok(())
}

/// Appends `take` presence levels (one bit each) to `out` after leaving out `skip`; gives how many of those left out
/// were set. What is left out is counted a byte at a time.
pub(crate) fn decode_levels(
    mut bytes: &[u8],
    mut skip: usize,
    mut take: usize,
    out: &mut Vec<bool>,
) -> Result<usize, Malformed> {
    let mut set_before = 0;
    while skip + take > 0 {
        let head = take_varint(&mut bytes)?;
        let count = usize::try_from(head >> 1).map_err(|_| BAD)?;
        if count == 0 {
            return Err(BAD);
        }
        if head & 1 == 0 {
            let (value, rest) = bytes.split_first().ok_or(BAD)?;
            bytes = rest;
            let left_out = skip.min(count);
            skip -= left_out;
            set_before += if *value & 1 == 1 { left_out } else { 0 };
            let taken = (count - left_out).min(take);
            take -= taken;
            out.extend(std::iter::repeat_n(*value & 1 == 1, taken));
            continue;
        }
        let (run, rest) = bytes.split_at_checked(count).ok_or(BAD)?;
        bytes = rest;
        let values = count.checked_mul(8).ok_or(BAD)?;
        let left_out = skip.min(values);
        skip -= left_out;
        set_before += ones(run, left_out);
        let taken = (values - left_out).min(take);
        take -= taken;
        out.extend((left_out..left_out + taken).map(|bit| run[bit / 8] >> (bit % 8) & 1 == 1));
    }
    Ok(set_before)
}

/// Set bits among the first `bits` of `bytes`, lowest bit first.
fn ones(bytes: &[u8], bits: usize) -> usize {
    let whole: u32 = bytes[..bits / 8].iter().map(|byte| byte.count_ones()).sum();
    let rest = bytes.get(bits / 8).map_or(0, |byte| (byte & ((1 << (bits % 8)) - 1)).count_ones());
    (whole + rest) as usize
}

fn bits_at(bytes: &[u8], bit: usize, width: u32) -> u32 {
    let first = bit / 8;
    let mut word = [0u8; 8];
    let end = bytes.len().min(first + 8);
    if let Some(part) = bytes.get(first..end) {
        word[..part.len()].copy_from_slice(part);
    }
    let shifted = u64::from_le_bytes(word) >> (bit % 8);
    // 32 bits behind at most 7 others fit a word of 64.
    let _ = width;
    shifted as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_part_comes_back(
            runs in proptest::collection::vec((0u32..5_000, 1usize..30), 0..20),
            skip in 0usize..50,
        ) {
            let values: Vec<u32> = runs.iter().flat_map(|(v, n)| std::iter::repeat_n(*v, *n)).collect();
            let width = width_of(5_000);
            let mut bytes = Vec::new();
            encode(&values, width, &mut bytes);
            let skip = skip.min(values.len());
            let mut read = Vec::new();
            decode(&bytes, width, skip, values.len() - skip, &mut read).unwrap();
            prop_assert_eq!(&read[..], &values[skip..]);
        }

        #[test]
        fn any_part_of_levels_comes_back(
            runs in proptest::collection::vec((any::<bool>(), 1usize..30), 0..20),
            skip in 0usize..50,
        ) {
            let values: Vec<bool> = runs.iter().flat_map(|(v, n)| std::iter::repeat_n(*v, *n)).collect();
            let mut bytes = Vec::new();
            encode(&values.iter().map(|v| u32::from(*v)).collect::<Vec<_>>(), 1, &mut bytes);
            let skip = skip.min(values.len());
            let mut read = Vec::new();
            let before = decode_levels(&bytes, skip, values.len() - skip, &mut read).unwrap();
            prop_assert_eq!(&read[..], &values[skip..]);
            prop_assert_eq!(before, values[..skip].iter().filter(|v| **v).count());
        }

        #[test]
        fn damage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40), width in 0u32..40) {
            let mut read = Vec::new();
            let _ = decode(&bytes, width, 3, 100, &mut read);
            prop_assert!(read.len() <= 100);
            let mut read = Vec::new();
            let _ = decode_levels(&bytes, 3, 100, &mut read);
            prop_assert!(read.len() <= 100);
        }
    }

    #[test]
    fn widths() {
        assert_eq!([0, 1, 2, 3, 256, 257].map(width_of), [1, 1, 1, 2, 8, 9]);
    }
}
