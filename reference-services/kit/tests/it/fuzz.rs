use std::panic::catch_unwind;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tracepact_kit::fuzzing::{fuzz_b3, fuzz_baggage, fuzz_headers, fuzz_traceparent, fuzz_tracestate};

const ALPHABET: &[u8] = b"0123456789abcdefABCDEF-=,;@ \t\n%dZ:\xff\x00\"_";

fn mutate(rng: &mut StdRng, data: &mut Vec<u8>) {
    for _ in 0..rng.random_range(1..6) {
        let byte = ALPHABET[rng.random_range(0..ALPHABET.len())];
        let at = rng.random_range(0..=data.len());
        match rng.random_range(0..5) {
            0 => data.insert(at, byte),
            1 if at < data.len() => data[at] = byte,
            2 if at < data.len() => drop(data.remove(at)),
            3 => {
                let from = rng.random_range(0..=at);
                let part = data[from..at].to_vec();
                data.splice(at..at, part);
            }
            _ => data.truncate(at.max(1)),
        }
    }
    data.truncate(20_000);
}

fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let corpus: Vec<Vec<u8>> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!corpus.is_empty());
    let mut rng = StdRng::seed_from_u64(7);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(2);
    let check = |data: &[u8]| {
        assert!(catch_unwind(|| target(data)).is_ok(), "{name}: {:?}", String::from_utf8_lossy(data));
    };
    corpus.iter().for_each(|data| check(data));
    while tokio::time::Instant::now() < deadline {
        let mut data = corpus[rng.random_range(0..corpus.len())].clone();
        for _ in 0..20 {
            mutate(&mut rng, &mut data);
            check(&data);
        }
    }
}

#[test]
fn traceparent() {
    run("traceparent", fuzz_traceparent);
}

#[test]
fn tracestate() {
    run("tracestate", fuzz_tracestate);
}

#[test]
fn b3() {
    run("b3", fuzz_b3);
}

#[test]
fn baggage() {
    run("baggage", fuzz_baggage);
}

#[test]
fn headers() {
    run("headers", fuzz_headers);
}
