//! The request parser over its corpus and some seconds of seeded mutation.

use std::time::Duration;

use kafka_protocol::messages::{self as m, ApiKey};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tracepact_kafka::fuzzing::fuzz_request;

use crate::requests as r;
use crate::wire::{batch, frame};

fn seeds() -> Vec<Vec<u8>> {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let files = std::fs::read_dir(corpus).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let mut seeds: Vec<Vec<u8>> = files.collect();
    assert!(!seeds.is_empty(), "the corpus is missing");
    let mut add = |bytes: bytes::Bytes| seeds.push(bytes.to_vec());
    for v in [3, 9] {
        add(frame(ApiKey::Produce, v, &r::produce("t", batch(2))));
    }
    for v in [4, 12] {
        add(frame(ApiKey::Fetch, v, &r::fetch("t", 0, 0)));
    }
    for v in [1, 7] {
        add(frame(ApiKey::ListOffsets, v, &r::list_offsets("t", -1)));
        add(frame(ApiKey::OffsetFetch, v + 1, &r::offset_fetch("g", "t", v + 1)));
        add(frame(ApiKey::JoinGroup, v, &r::join("g", "")));
        add(frame(ApiKey::Metadata, v + 3, &r::metadata("t")));
    }
    add(frame(ApiKey::OffsetCommit, 8, &r::commit("g", "t", 1)));
    add(frame(ApiKey::CreateTopics, 7, &r::create_topics("t")));
    add(frame(ApiKey::ApiVersions, 4, &m::ApiVersionsRequest::default()));
    add(batch(3));
    seeds
}

#[test]
fn no_frame_makes_the_parser_panic() {
    let seeds = seeds();
    seeds.iter().for_each(|seed| fuzz_request(seed));
    let mut random = StdRng::seed_from_u64(0x7ace);
    let deadline = std::time::Duration::from_secs(3);
    let clock = tracepact_base::SystemClock::shared();
    let start = clock.monotonic_ns();
    let mut rounds = 0u64;
    while Duration::from_nanos(clock.monotonic_ns() - start) < deadline {
        let mut data = seeds[random.random_range(0..seeds.len())].clone();
        for _ in 0..random.random_range(1..6) {
            let at = random.random_range(0..data.len());
            match random.random_range(0..4) {
                0 => data[at] = random.random(),
                1 => data.truncate(at.max(1)),
                2 => data.insert(at, random.random()),
                _ => data[at] = [0, 0x7f, 0x80, 0xff][random.random_range(0..4)],
            }
        }
        fuzz_request(&data);
        rounds += 1;
    }
    assert!(rounds > 1_000, "only {rounds} rounds");
}
