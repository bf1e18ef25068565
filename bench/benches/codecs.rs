//! What it costs to read bodies of each format, into columns and into owned spans.

#![allow(missing_docs, reason = "Criterion's macros make public items")]

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tracepact_bench::generate;
use tracepact_model::{Codec, DecodeLimits, Redaction, decode, decode_chunk, encode, prepare};

const SPANS: usize = 500;

fn codecs(criterion: &mut Criterion) {
    let (limits, redaction) = (DecodeLimits::default(), Redaction::default());
    let work = generate::requests(SPANS, SPANS, 7);
    let Some(otlp) = work.bodies.first() else { return };
    let Ok(spans) = decode(Codec::OtlpProto, otlp, &limits) else { return };
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(SPANS as u64));
    for codec in [Codec::OtlpProto, Codec::ZipkinJsonV2, Codec::ZipkinProto3] {
        let Some(body) = encode(codec, &spans) else { continue };
        group.bench_function(format!("{} into columns", codec.name()), |bench| {
            bench.iter(|| decode_chunk(codec, &body, &limits).map(|decoded| decoded.chunk.len()));
        });
        // With what the receivers do beside: looking for what has to be hidden.
        let received = Bytes::from(body.clone());
        group.bench_function(format!("{} into columns, looked through", codec.name()), |bench| {
            bench.iter(|| {
                prepare(codec, received.clone(), &limits, &redaction).map(|prepared| prepared.spans.len())
            });
        });
        group.bench_function(format!("{} into owned spans", codec.name()), |bench| {
            bench.iter(|| decode(codec, &body, &limits).map(|spans| spans.len()));
        });
    }
    group.finish();
}

criterion_group!(benches, codecs);
criterion_main!(benches);
