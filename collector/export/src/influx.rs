//! The InfluxDB v2 writer: every stored point also goes to a bucket. Off unless configured.
//!
//! What the server does decides the rules here (InfluxDB 2.7): one line that does not parse refuses the whole batch, so
//! points are checked before they are sent; a field keeps its first type for ever, so the one field is always a
//! float; 400, 401, 404 and 422 do not get better by repeating, so they are never retried; 429 and 5xx are, after the
//! time the server names.

mod config;
mod forward;
mod line;
mod metrics;
mod transport;
mod writer;

pub use config::{InfluxConfig, InfluxConfigError};
pub use forward::{ForwardingStore, InfluxSink};
pub use line::{LineError, line};
pub use writer::{InfluxWriter, pipeline};
