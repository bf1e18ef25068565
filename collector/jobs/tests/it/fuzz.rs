//! What Kafka sends, mutated: nothing panics.

use proptest::prelude::*;
use tracepact_jobs::fuzzing::fuzz_kafka;

fn corpus() -> Vec<Vec<u8>> {
    let at = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let seeds: Vec<_> =
        std::fs::read_dir(at).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(!seeds.is_empty(), "the corpus is missing");
    seeds
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_makes_the_client_panic(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 0..6),
    ) {
        let corpus = corpus();
        let mut data = which.get(&corpus).clone();
        for (at, byte, how) in edits {
            let at = at.index(data.len());
            match how {
                0 => data[at] = byte,
                1 => data.insert(at, byte),
                2 => data[at] = 0xff,
                _ => data.truncate(at.max(1)),
            }
        }
        fuzz_kafka(&data);
    }
}
