use bytes::Bytes;
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType};

use super::*;

fn records(count: i64, first_time: i64, producer: Option<(i64, i32)>) -> Bytes {
    encoded(count, first_time, producer, Compression::None)
}

fn encoded(count: i64, first_time: i64, producer: Option<(i64, i32)>, compression: Compression) -> Bytes {
    let (producer_id, sequence) = producer.unwrap_or((-1, -1));
    let list: Vec<Record> = (0..count)
        .map(|offset| Record {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: -1,
            producer_id,
            producer_epoch: if producer.is_some() { 0 } else { -1 },
            timestamp_type: TimestampType::Creation,
            offset,
            sequence: sequence + offset as i32,
            timestamp: first_time + offset,
            key: None,
            value: Some(Bytes::from(vec![7; 20])),
            headers: Default::default(),
        })
        .collect();
    let mut out = bytes::BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression };
    let pack = |plain: &mut bytes::BytesMut, out: &mut bytes::BytesMut, codec: Compression| {
        match codec {
            Compression::Zstd => out.extend_from_slice(&zstd::encode_all(&plain[..], 3)?),
            _ => out.extend_from_slice(plain),
        }
        Ok(())
    };
    RecordBatchEncoder::encode_with_custom_compression(&mut out, &list, &options, Some(pack)).unwrap();
    out.freeze()
}

fn at(at_ms: u64, order: u64) -> Arrival {
    Arrival { at_ms, order }
}

#[test]
fn offsets_go_on_and_times_are_found_exactly() {
    let mut log = Partition::default();
    assert_eq!(log.append(records(3, 100, None), at(1, 1)), Ok(0));
    assert_eq!(log.append(records(2, 200, None), at(1, 2)), Ok(3));
    assert_eq!((log.start(), log.end()), (0, 5));
    assert_eq!(log.offset_for_time(0), Some((0, 100)));
    assert_eq!(log.offset_for_time(102), Some((2, 102)));
    assert_eq!(log.offset_for_time(103), Some((3, 200)));
    assert_eq!(log.offset_for_time(202), None);
    assert_eq!(log.newest_time(), Some((4, 201)));
    log.delete_before(4);
    assert_eq!(log.offset_for_time(0), Some((4, 201)), "nothing before the log start is offered");
}

#[test]
fn a_read_gives_whole_batches_and_at_least_one() {
    let mut log = Partition::default();
    let one = records(3, 100, None).len();
    for order in 0..4 {
        log.append(records(3, 100, None), at(1, order)).unwrap();
    }
    assert_eq!(log.read(4, 1).len(), one, "the batch that holds the offset, although it is too long");
    assert_eq!(log.read(0, 2 * one).len(), 2 * one);
    assert_eq!(log.read(12, 100).len(), 0);
}

#[test]
fn retention_by_size_and_by_age_keeps_the_newest_batch() {
    let mut log = Partition::default();
    for order in 0..5 {
        log.append(records(1, 0, None), at(order * 1_000, order)).unwrap();
    }
    log.trim(Retention { bytes: u64::MAX, age_ms: 1_500 }, 4_000);
    assert_eq!(log.start(), 3);
    log.trim(Retention { bytes: 1, age_ms: u64::MAX }, 4_000);
    assert_eq!((log.start(), log.end()), (4, 5));
    log.trim(Retention { bytes: 0, age_ms: 0 }, u64::MAX);
    assert_eq!((log.start(), log.end()), (4, 5));
}

#[test]
fn a_retry_of_an_idempotent_producer_is_stored_once_and_a_gap_is_refused() {
    let mut log = Partition::default();
    assert_eq!(log.append(records(3, 0, Some((9, 0))), at(1, 1)), Ok(0));
    assert_eq!(log.append(records(3, 0, Some((9, 0))), at(1, 2)), Ok(0));
    assert_eq!(log.end(), 3);
    assert_eq!(
        log.append(records(1, 0, Some((9, 7))), at(1, 3)),
        Err(error_code::OUT_OF_ORDER_SEQUENCE_NUMBER)
    );
    assert_eq!(log.append(records(1, 0, Some((9, 3))), at(1, 4)), Ok(3));
}

#[test]
fn a_swallowed_batch_leaves_no_record_and_the_producer_goes_on() {
    let mut log = Partition::default();
    log.append(records(1, 0, Some((9, 0))), at(1, 1)).unwrap();
    assert_eq!(log.swallow(records(1, 0, Some((9, 1))), at(1, 2)), Ok(1));
    assert_eq!(log.append(records(1, 0, Some((9, 2))), at(1, 3)), Ok(1));
    assert_eq!(log.end(), 2);
}

#[test]
fn damage_is_refused_and_nothing_of_the_request_is_stored() {
    let mut log = Partition::default();
    let good = records(1, 0, None);
    let mut bad = good.to_vec();
    *bad.last_mut().unwrap() ^= 1;
    let both = Bytes::from([good.to_vec(), bad].concat());
    assert_eq!(log.append(both, at(1, 1)), Err(error_code::CORRUPT_MESSAGE));
    assert_eq!(log.end(), 0);
    assert_eq!(log.append(good.slice(..40), at(1, 1)), Err(error_code::CORRUPT_MESSAGE));
    assert_eq!(log.append(Bytes::new(), at(1, 1)), Err(error_code::INVALID_RECORD));
}

#[test]
fn times_inside_a_zstd_batch_are_found_and_a_bomb_is_not_unpacked() {
    let mut log = Partition::default();
    log.append(encoded(50, 1_000, None, Compression::Zstd), at(1, 1)).unwrap();
    assert_eq!(log.offset_for_time(1_037), Some((37, 1_037)));
    let bomb = zstd::encode_all(&vec![0u8; 1 << 20][..], 3).unwrap();
    assert_eq!(decompress::bounded(4, &bomb, 1 << 16), None);
    assert_eq!(decompress::bounded(4, &bomb, 1 << 20).map(|plain| plain.len()), Some(1 << 20));
}
