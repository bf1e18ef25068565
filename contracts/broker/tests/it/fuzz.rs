//! Every fuzz target over its committed corpus, then some seconds of seeded mutation.

use std::path::PathBuf;
use std::time::Duration;

use tracepact_base::{Clock, SystemClock};
use tracepact_broker::fuzzing;

const MUTATE_FOR: Duration = Duration::from_secs(3);

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let bodies: Vec<_> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!bodies.is_empty(), "the corpus of {name} is empty");
    bodies
}

/// xorshift64*: the same seed gives the same run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound.max(1)
    }
}

fn mutate(random: &mut Random, bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut body = bodies[random.below(bodies.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(body.len().max(1));
        match random.below(5) {
            0 if !body.is_empty() => body[at] = random.below(256) as u8,
            1 if !body.is_empty() => body[at] ^= 1 << random.below(8),
            2 => body.truncate(at),
            3 => body.insert(at.min(body.len()), random.below(256) as u8),
            _ => {
                let other = &bodies[random.below(bodies.len())];
                let from = random.below(other.len().max(1)).min(other.len());
                let to = (from + random.below(64)).min(other.len());
                body.splice(at.min(body.len())..at.min(body.len()), other[from..to].iter().copied());
            }
        }
    }
    body
}

fn run(name: &str, target: fn(&[u8])) {
    let bodies = corpus(name);
    for body in &bodies {
        target(body);
    }
    let clock = SystemClock::new();
    let mut random = Random(0x7ACE_9AC7);
    while clock.monotonic_ns() < MUTATE_FOR.as_nanos() as u64 {
        for _ in 0..100 {
            target(&mutate(&mut random, &bodies));
        }
    }
}

#[test]
fn webhook() {
    run("webhook", fuzzing::fuzz_webhook);
}
