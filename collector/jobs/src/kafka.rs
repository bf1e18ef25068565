//! A Kafka client of the few requests that reading lag and auditing flows need: plain TCP, one connection a broker.

mod assignment;
mod cluster;
mod connection;
mod decompress;
mod guard;
mod records;
mod requests;

pub(crate) use assignment::owned_partitions;
pub(crate) use cluster::Cluster;
pub(crate) use connection::{Limits, WireError};
pub(crate) use records::{WireRecord, read_records};
pub(crate) use requests::{DescribedGroup, ListedGroup};

/// A partition of a topic.
pub(crate) type Place = (String, i32);

/// Parses bytes as the answers and records that this client reads; for fuzzing.
pub(crate) fn fuzz(data: &[u8]) {
    guard::fuzz(data);
    drop(read_records(&bytes::Bytes::copy_from_slice(data), 1 << 20));
    drop(owned_partitions(data));
}
