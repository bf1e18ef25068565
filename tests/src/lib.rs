//! The harness of everything that runs the built binaries: the end-to-end tests beside it and `cargo xtask demo`.
//!
//! It starts processes with `--addr-file`, keeps their logs and data, ends them by id, waits on conditions with a
//! deadline, and starts the real servers that tests compare with (Apache Kafka, Prometheus).
//!
//! What it deliberately does not do: know anything of tracepact's insides. It sees binaries and HTTP.

pub mod api;
pub mod binaries;
pub mod kafka;
pub mod processes;
pub mod prometheus;
pub mod wait;

pub use api::Api;
pub use processes::{Process, Processes};
pub use wait::{until, until_ok};
