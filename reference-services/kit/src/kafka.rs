//! Kafka: a producer and a consumer that keep the trace, and what a careful consumer needs around it.
//!
//! Delivery is at least once: a record's offset is committed only after its handler succeeded (or the record went
//! to the dead-letter topic) and so did every earlier one of its partition.

pub mod consumer;
pub mod dead_letter;
pub mod group;
pub mod offsets;
pub mod producer;
pub mod record;

pub use consumer::{Consumer, ConsumerControl, ConsumerError, ConsumerSettings};
pub use dead_letter::{DLT_SUFFIX, dead_letter_headers};
pub use producer::{Delivered, Outgoing, Producer};
pub use record::{Failure, Record};
