//! The fuzz targets over their corpus and over seeded mutations of it.
#![allow(clippy::unwrap_used, reason = "a failed unwrap in a test is a failed test")]

use std::time::Duration;

use tracepact_contract_model::fuzzing::{fuzz_contract_file, fuzz_pact, fuzz_query, fuzz_results};

/// Runs `target` over every file of the corpus, then over mutations of them for two seconds.
fn drive(folder: &str, target: fn(&[u8])) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let seeds: Vec<Vec<u8>> =
        std::fs::read_dir(path).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(seeds.len() >= 4);
    seeds.iter().for_each(|seed| target(seed));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let clock = tracepact_base::SystemClock::new();
    let end = tracepact_base::Clock::monotonic_ns(&clock) + Duration::from_secs(2).as_nanos() as u64;
    while tracepact_base::Clock::monotonic_ns(&clock) < end {
        let mut data = seeds[next(seeds.len())].clone();
        for _ in 0..1 + next(8) {
            let at = next(data.len());
            match next(6) {
                0 if !data.is_empty() => data[at] = next(256) as u8,
                1 if !data.is_empty() => drop(data.remove(at)),
                2 => data.insert(at, b"[]{}\",:\\%&=.-0e"[next(15)]),
                3 => data.truncate(at),
                4 => {
                    // A piece from elsewhere, as nesting and repetition need.
                    let piece: Vec<u8> = data[at..(at + next(40)).min(data.len())].to_vec();
                    let to = next(data.len() + 1);
                    data.splice(to..to, piece);
                }
                _ => {
                    let other = &seeds[next(seeds.len())];
                    let from = next(other.len());
                    data.extend_from_slice(&other[from..]);
                }
            }
        }
        target(&data);
    }
}

#[test]
fn any_bytes_as_a_pact() {
    drive("pact", fuzz_pact);
}

#[test]
fn any_bytes_as_a_query() {
    drive("query", fuzz_query);
}

#[test]
fn any_bytes_as_a_contract_file() {
    drive("contract_file", fuzz_contract_file);
}

#[test]
fn any_bytes_as_results() {
    drive("results", fuzz_results);
}
