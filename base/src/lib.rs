//! The words every room of tracepact shares: service, topic and edge names, trace and span ids, events, the clock,
//! error kinds and secret strings.
//!
//! Place on the map: everything depends on `base`; `base` depends on nothing of ours.
//!
//! ```
//! use tracepact_base::{Edge, ServiceName};
//! let edge = Edge::new(ServiceName::new("Orders").unwrap(), ServiceName::new("products").unwrap());
//! assert_eq!(edge.caller, ServiceName::new("orders").unwrap()); // names keep their case and compare without it
//! ```
//!
//! What it deliberately does not do: any input or output. The only impure thing here is [`clock::SystemClock`],
//! so that every other crate can take time as a parameter.

pub mod clock;
pub mod error;
pub mod event;
pub mod id;
pub mod name;
pub mod secret;
pub mod time_format;

pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use error::ErrorKind;
pub use event::{Event, EventKind, EventSink, Link};
pub use id::{IdError, SpanId, TraceId};
pub use name::{Edge, NameError, ServiceName, Topic};
pub use secret::Secret;
