//! The physical floor of durability: compress each request and sync it to disk before the next, on one thread. Beside
//! it, what the plainest decoder takes.

use std::io::Write;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::process;

/// What the floor costs.
pub(crate) struct Floor {
    pub(crate) cpu_s: f64,
    pub(crate) wall_s: f64,
    pub(crate) bytes: u64,
    /// Decoding with prost into owned structs, which the floor leaves out.
    pub(crate) decode_cpu_s: f64,
}

/// The floor of `sent` bodies, and what decoding the same requests as OTLP takes.
pub(crate) fn measure(sent: &[Vec<u8>], otlp: &[Vec<u8>]) -> anyhow::Result<Floor> {
    let folder = tempfile::tempdir()?;
    let mut file = std::fs::File::create(folder.path().join("floor"))?;
    let (cpu, wall) = (process::cpu_s(std::process::id())?, std::time::Instant::now());
    let mut bytes = 0;
    for body in sent {
        let packed = zstd::bulk::compress(body, 1)?;
        file.write_all(&packed)?;
        file.sync_data()?;
        bytes += packed.len() as u64;
    }
    let (synced, wall_s) = (process::cpu_s(std::process::id())?, wall.elapsed().as_secs_f64());
    for body in otlp {
        std::hint::black_box(ExportTraceServiceRequest::decode(body.as_slice())?);
    }
    let decode_cpu_s = process::cpu_s(std::process::id())? - synced;
    Ok(Floor { cpu_s: synced - cpu, wall_s, bytes, decode_cpu_s })
}
