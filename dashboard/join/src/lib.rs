//! What belongs together: the service catalogue, and the overview of what is wrong.
//!
//! A span's service, a consumer group and a pacticipant of the broker are often the same thing under three names.
//! [`Aliases`] joins them, [`catalogue`] lists what is known about each service, and [`overview`] turns typed
//! summaries of breakers, lag, messages and gate answers into one ranked list of problems with links between them.
//!
//! Place on the map: `dashboard/join` sees only `base`; `dashboard/server` serves its answers; the binary feeds it by
//! implementing [`SightingSource`] and [`SummarySource`] over the collector and the broker, which never see each other.
//!
//! ```
//! use tracepact_join::{Aliases, ServiceEntry};
//! let orders = ServiceEntry { consumer_groups: vec!["order-workers".into()], ..ServiceEntry::named("orders").unwrap() };
//! let aliases = Aliases::new(vec![orders]).unwrap();
//! assert_eq!(aliases.service_of_group("order-workers").unwrap().as_str(), "orders");
//! ```
//!
//! What it deliberately does not do: any input or output, reading time, and deciding whether a breaker is open, a
//! group lags or a message is lost. Those verdicts arrive here ready made.

pub mod alias;
pub mod catalogue;
mod link;
pub mod overview;
pub mod problem;
pub mod sighting;
pub mod source;
pub mod summary;

pub use alias::{AliasError, Aliases, ServiceEntry};
pub use catalogue::{Instance, Service, ServicesAnswer, Version, catalogue};
pub use overview::overview;
pub use problem::{Counts, OverviewAnswer, Problem, ProblemEdge, ProblemKind, Severity};
pub use sighting::{GroupSeen, PacticipantSeen, ServiceSeen, Sightings};
pub use source::{Gathered, SightingSource, SourceError, SummarySource};
pub use summary::{
    BreakerState, BreakerSummary, CollectorSummary, ErrorSummary, GateSummary, LagSummary, LagVerdict,
    LostSummary, Summary,
};
