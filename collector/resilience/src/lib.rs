//! The rules of resilience: what samples of breakers and bulkheads, offsets of consumers and records of a flow mean.
//!
//! Place on the map: `ingest` (pushed metrics) and `jobs` (streams, Kafka) bring numbers here and carry what comes back
//! to the store; `query` and `export` read the [`board`]s. Every source ends in one [`BreakerSample`], and transitions
//! are derived in one place, [`board::BreakerBoard::observe`].
//!
//! ```
//! use tracepact_base::ServiceName;
//! use tracepact_resilience::{BreakerKey, BreakerSample, BreakerState, Source, board::Boards};
//! let boards = Boards::new(0);
//! let key = BreakerKey {
//!     service: ServiceName::new("orders").unwrap(),
//!     instance: "orders-1".into(),
//!     name: "products".into(),
//! };
//! let mut sample = BreakerSample::new(key, Source::Otlp, 1_000);
//! sample.state = Some(BreakerState::Closed);
//! assert!(boards.breakers.observe(&sample).is_empty());
//! sample.state = Some(BreakerState::Open);
//! sample.at_ns = 2_000;
//! assert_eq!(boards.breakers.observe(&sample)[0].to, BreakerState::Open);
//! ```
//!
//! What it deliberately does not do: input and output, time keeping, waiting. Everything takes its instants as
//! parameters. It cannot see a message that was never produced: layers above Kafka are not its evidence.

pub mod board;
pub mod breaker;
pub mod bulkhead;
pub mod hystrix;
pub mod lag;
pub mod loss;
pub mod otlp;
pub mod series;

#[doc(hidden)]
pub mod fuzzing;

pub use breaker::{BreakerKey, BreakerSample, BreakerState, Source, Transition, TransitionCount};
pub use bulkhead::{BulkheadKey, BulkheadKind, BulkheadName, BulkheadSample, LimitChange};
pub use series::Measure;
