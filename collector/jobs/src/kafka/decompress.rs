//! The four codecs of Kafka record batches, each with a bound on what comes out.

use std::io::Read;

/// Start of snappy-java's framing; what lacks it is one raw snappy block.
const XERIAL_MAGIC: &[u8] = b"\x82SNAPPY\x00";
/// Magic, version and compatible version of that framing.
const XERIAL_HEADER_BYTES: usize = 16;

/// `compressed` unpacked by Kafka's codec number; `None` when it is damaged or longer than `bytes_max`.
pub(super) fn bounded(codec: i16, compressed: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    match codec {
        0 => Some(compressed.to_vec()),
        1 => read_bounded(flate2::read::MultiGzDecoder::new(compressed), bytes_max),
        2 => snappy(compressed, bytes_max),
        3 => read_bounded(lz4_flex::frame::FrameDecoder::new(compressed), bytes_max),
        4 => read_bounded(zstd::stream::read::Decoder::new(compressed).ok()?, bytes_max),
        _ => None,
    }
}

fn read_bounded(reader: impl Read, bytes_max: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(bytes_max as u64 + 1).read_to_end(&mut out).ok()?;
    (out.len() <= bytes_max).then_some(out)
}

fn snappy(compressed: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    if !compressed.starts_with(XERIAL_MAGIC) {
        return snappy_block(compressed, bytes_max);
    }
    let mut rest = compressed.get(XERIAL_HEADER_BYTES..)?;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let block = after.get(..length)?;
        rest = &after[length..];
        out.extend(snappy_block(block, bytes_max.checked_sub(out.len())?)?);
    }
    Some(out)
}

fn snappy_block(block: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    if snap::raw::decompress_len(block).ok()? > bytes_max {
        return None;
    }
    snap::raw::Decoder::new().decompress_vec(block).ok()
}
