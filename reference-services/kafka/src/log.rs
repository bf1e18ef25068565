//! One partition: record batches exactly as producers sent them, in arrival order.

mod batch;
mod decompress;

use std::collections::{HashMap, VecDeque};

use bytes::{Bytes, BytesMut};

pub(crate) use batch::{Header, parse_batch};

use crate::error_code;

/// Producers remembered per partition for recognising retries; the longest silent one is forgotten first.
const PRODUCERS_MAX: usize = 1_000;
/// Batches remembered per producer: Kafka lets five be in flight.
const RETRY_WINDOW: usize = 5;

/// What a topic keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    pub(crate) bytes: u64,
    pub(crate) age_ms: u64,
}

#[derive(Debug)]
struct StoredBatch {
    last_offset: i64,
    max_timestamp: i64,
    arrived_ms: u64,
    /// Position in the arrival order of the whole broker, for the global memory cap.
    arrival: u64,
    raw: Bytes,
}

#[derive(Debug)]
struct SeenProducer {
    epoch: i16,
    /// (first sequence, last sequence, base offset) of its newest batches.
    recent: VecDeque<(i32, i32, i64)>,
    last_arrival: u64,
}

/// A partition's log.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    batches: VecDeque<StoredBatch>,
    start: i64,
    end: i64,
    bytes: u64,
    producers: HashMap<i64, SeenProducer>,
}

/// When and in which order a batch arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) at_ms: u64,
    pub(crate) order: u64,
}

impl Partition {
    /// First offset that can be read.
    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    /// Offset of the next record: the high watermark and, without transactions, the last stable offset.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// Bytes of the batches held.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Arrival order of the oldest batch.
    pub(crate) fn oldest_arrival(&self) -> Option<u64> {
        self.batches.front().map(|batch| batch.arrival)
    }

    /// Appends checked batches and returns the base offset of the first. Nothing is stored when one of them is refused.
    /// Base offset and leader epoch lie outside the checksum, so they are rewritten and nothing is decompressed.
    pub(crate) fn append(&mut self, records: Bytes, arrival: Arrival) -> Result<i64, i16> {
        let batches = batch::split(records)?;
        if batches.is_empty() {
            return Err(error_code::INVALID_RECORD);
        }
        let mut base = None;
        for (header, raw) in batches {
            let offset = match self.retried(&header)? {
                Some(stored_at) => stored_at,
                None => self.push(&header, &raw, arrival),
            };
            base.get_or_insert(offset);
        }
        base.ok_or(error_code::INVALID_RECORD)
    }

    /// Checks and acknowledges batches like [`Self::append`] without keeping them. An idempotent producer's sequence
    /// moves on, so that it goes on producing as after a success.
    pub(crate) fn swallow(&mut self, records: Bytes, arrival: Arrival) -> Result<i64, i16> {
        for (header, _) in batch::split(records)? {
            if self.retried(&header)?.is_none() {
                self.remember_producer(&header, self.end, arrival.order);
            }
        }
        Ok(self.end)
    }

    /// `Some(base offset)` when an idempotent producer sends a batch again; an error when its order is broken.
    fn retried(&mut self, header: &Header) -> Result<Option<i64>, i16> {
        if header.producer_id < 0 {
            return Ok(None);
        }
        let Some(seen) = self.producers.get(&header.producer_id) else { return Ok(None) };
        if header.producer_epoch < seen.epoch {
            return Err(error_code::INVALID_PRODUCER_EPOCH);
        }
        if header.producer_epoch > seen.epoch {
            return Ok(None);
        }
        let (first, last) = (header.base_sequence, header.last_sequence());
        if let Some(known) = seen.recent.iter().find(|known| known.0 == first && known.1 == last) {
            return Ok(Some(known.2));
        }
        match seen.recent.back() {
            Some(newest) if first != newest.1.wrapping_add(1) & i32::MAX => {
                Err(error_code::OUT_OF_ORDER_SEQUENCE_NUMBER)
            }
            _ => Ok(None),
        }
    }

    fn push(&mut self, header: &Header, raw: &Bytes, arrival: Arrival) -> i64 {
        let base = self.end;
        self.remember_producer(header, base, arrival.order);
        let mut fixed = BytesMut::from(&raw[..]);
        fixed[0..8].copy_from_slice(&base.to_be_bytes());
        fixed[12..16].copy_from_slice(&0i32.to_be_bytes());
        self.end = base + i64::from(header.last_offset_delta) + 1;
        self.bytes += fixed.len() as u64;
        self.batches.push_back(StoredBatch {
            last_offset: self.end - 1,
            max_timestamp: header.max_timestamp,
            arrived_ms: arrival.at_ms,
            arrival: arrival.order,
            raw: fixed.freeze(),
        });
        base
    }

    fn remember_producer(&mut self, header: &Header, base: i64, order: u64) {
        if header.producer_id < 0 {
            return;
        }
        if !self.producers.contains_key(&header.producer_id) && self.producers.len() >= PRODUCERS_MAX {
            let idle = self.producers.iter().min_by_key(|(_, seen)| seen.last_arrival).map(|(id, _)| *id);
            idle.map(|id| self.producers.remove(&id));
        }
        let seen = self.producers.entry(header.producer_id).or_insert_with(|| SeenProducer {
            epoch: header.producer_epoch,
            recent: VecDeque::new(),
            last_arrival: order,
        });
        if seen.epoch != header.producer_epoch {
            seen.epoch = header.producer_epoch;
            seen.recent.clear();
        }
        if seen.recent.len() == RETRY_WINDOW {
            seen.recent.pop_front();
        }
        seen.recent.push_back((header.base_sequence, header.last_sequence(), base));
        seen.last_arrival = order;
    }

    /// Drops what retention no longer keeps; the newest batch stays, as Kafka's active segment does.
    pub(crate) fn trim(&mut self, keep: Retention, now_ms: u64) {
        while self.batches.len() > 1 {
            let too_old = self
                .batches
                .front()
                .is_some_and(|oldest| now_ms.saturating_sub(oldest.arrived_ms) > keep.age_ms);
            if !too_old && self.bytes <= keep.bytes {
                break;
            }
            self.drop_oldest();
        }
    }

    /// Drops the oldest batch and moves the log start behind it.
    pub(crate) fn drop_oldest(&mut self) {
        if let Some(gone) = self.batches.pop_front() {
            self.bytes -= gone.raw.len() as u64;
            self.start = self.start.max(gone.last_offset + 1);
        }
    }

    /// Moves the log start up to `offset`. A batch that straddles it stays whole, as in Kafka.
    pub(crate) fn delete_before(&mut self, offset: i64) {
        self.start = self.start.max(offset.min(self.end));
        while self.batches.front().is_some_and(|batch| batch.last_offset < self.start) {
            self.drop_oldest();
        }
    }

    /// Whole batches from the one that holds `offset` on, at most about `bytes_max`, but at least one.
    pub(crate) fn read(&self, offset: i64, bytes_max: usize) -> Bytes {
        let from = self.batches.partition_point(|batch| batch.last_offset < offset);
        let mut size = 0;
        let picked: Vec<&Bytes> = self
            .batches
            .range(from..)
            .map(|batch| &batch.raw)
            .take_while(|raw| {
                let fits = size == 0 || size + raw.len() <= bytes_max;
                size += raw.len();
                fits
            })
            .collect();
        match picked[..] {
            [] => Bytes::new(),
            [one] => one.clone(),
            _ => Bytes::from(picked.iter().flat_map(|raw| raw.iter().copied()).collect::<Vec<u8>>()),
        }
    }

    /// The first readable record with a timestamp at or after `timestamp`: (offset, its timestamp).
    pub(crate) fn offset_for_time(&self, timestamp: i64) -> Option<(i64, i64)> {
        self.batches
            .iter()
            .filter(|stored| stored.max_timestamp >= timestamp)
            .find_map(|stored| batch::first_at_or_after(&stored.raw, timestamp, self.start))
    }

    /// The record with the newest timestamp: (offset, timestamp).
    pub(crate) fn newest_time(&self) -> Option<(i64, i64)> {
        let newest = self.batches.iter().map(|batch| batch.max_timestamp).max()?;
        self.offset_for_time(newest)
    }
}

#[cfg(test)]
mod tests;
