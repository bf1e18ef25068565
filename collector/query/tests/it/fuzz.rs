use tracepact_query::fuzzing::{fuzz_native_query, fuzz_zipkin_query};

/// A small generator with a fixed seed: the same inputs in every run.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }
}

fn mutate(seed: &[u8], random: &mut Seeded) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(data.len() + 1);
        match random.below(5) {
            0 => data.insert(at, random.next() as u8),
            1 if at < data.len() => data[at] ^= 1 << random.below(8),
            2 if at < data.len() => drop(data.remove(at)),
            3 => data.truncate(at),
            _ => {
                let end = (at + random.below(12)).min(data.len());
                let piece = data[at..end].to_vec();
                data.extend(piece);
            }
        }
    }
    data
}

#[test]
fn parsers_survive_the_corpus_and_its_mutations() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let seeds: Vec<Vec<u8>> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(seeds.len() >= 5);
    let mut random = Seeded(0x9e37_79b9_7f4a_7c15);
    for _ in 0..4_000 {
        for seed in &seeds {
            let data = mutate(seed, &mut random);
            fuzz_zipkin_query(&data);
            fuzz_native_query(&data);
        }
    }
    for seed in &seeds {
        fuzz_zipkin_query(seed);
        fuzz_native_query(seed);
    }
}
