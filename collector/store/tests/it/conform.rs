//! The conformance cases over the embedded engine: rows in memory, in blocks, in both, and after a restart.

use tracepact_base::ManualClock;
use tracepact_store::conformance::{CASES, Subject};
use tracepact_store::{Engine, EngineConfig};

use crate::helpers::DAY_NS;

async fn run(settle: impl Fn(&Engine) + Send + Sync) {
    for case in CASES {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::open(dir.path(), EngineConfig::default(), ManualClock::at(DAY_NS)).unwrap();
        let subject = Subject { store: &*engine, settle: &|| settle(&engine) };
        if let Err(wrong) = (case.run)(subject).await {
            panic!("{}: {wrong}", case.name);
        }
        assert!(engine.health().is_ok(), "{}: {:?}", case.name, engine.health());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory() {
    run(|_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_after_every_append() {
    run(|engine| {
        engine.seal().unwrap();
        let stats = engine.stats();
        assert!(stats.hot_rows == 0 && stats.block_rows > 0, "{stats:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sealed() {
    let count = std::sync::atomic::AtomicU64::new(0);
    run(|engine| {
        if count.fetch_add(1, std::sync::atomic::Ordering::Relaxed).is_multiple_of(2) {
            engine.seal().unwrap();
        }
    })
    .await;
}
