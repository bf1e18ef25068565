use prost::Message;
use tracepact_ingest::fuzzing::{fuzz_context, fuzz_otlp_metrics};

use crate::fake::gauges;

/// A small generator with a fixed seed: the same inputs in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        let body = gauges(&[
            ("tracepact.breaker.state", 1.0),
            ("tracepact.bulkhead.in_use", f64::NAN),
            ("other", 2.0),
        ]);
        std::fs::write(folder.join("otlp-gauges.bin"), body.encode_to_vec()).unwrap();
    }
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

#[test]
fn the_metrics_parser_survives_the_corpus_and_its_mutations() {
    let seeds = corpus();
    assert!(!seeds.is_empty());
    let mut random = Seeded(0x2545_f491_4f6c_dd1d);
    for seed in &seeds {
        fuzz_otlp_metrics(seed);
        fuzz_context(seed);
        for _ in 0..20_000 {
            let mut data = seed.clone();
            for _ in 0..=random.below(5) {
                let at = random.below(data.len() + 1);
                match random.below(4) {
                    0 => data.insert(at, random.below(256) as u8),
                    1 if at < data.len() => data[at] ^= 1 << random.below(8),
                    2 if at < data.len() => drop(data.remove(at)),
                    _ => data.truncate(at),
                }
            }
            fuzz_otlp_metrics(&data);
            fuzz_context(&data);
        }
    }
}
