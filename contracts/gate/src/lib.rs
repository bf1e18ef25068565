//! The deploy gate's judgement: history in, verdict with reasons out. A pure function.
//!
//! Place on the map: `contract-model` below; `broker` above gathers the history and carries the answer to pipelines.
//!
//! ```
//! use tracepact_gate::{decide, Counterpart, History, PactFact, Question, Subject, Target};
//! let question = Question {
//!     subjects: vec![Subject::version("orders", "1")],
//!     target: Target::Environment("production".into()),
//!     ignore: vec![],
//! };
//! let history = History {
//!     pacts: vec![PactFact::new("orders", "1", "products", "c0ffee")],
//!     counterparts: [("products".to_owned(), Counterpart::versions(["7"]))].into(),
//!     ..History::default()
//! };
//! let verdict = decide(&question, &history);
//! assert_eq!(verdict.deployable, None); // 7 is live and has no result for this contract: unknown, so no
//! ```
//!
//! Two rules differ from the Ruby Pact Broker, on purpose: every live provider version counts (there, one verified of
//! two live versions is a yes), and the verdict is always taken over all rows (there a page limit changes it). One rule is
//! added: a provider also needs a success for every contract it *accepted*, whether or not that consumer is live.
//!
//! What it deliberately does not do: look anything up, page, format HAL, or know how versions came to be live.

mod decide;
mod explain;
mod facts;
mod verdict;

pub use decide::decide;
pub use explain::Clears;
pub use facts::{
    AcceptedFact, Counterpart, History, Ignore, Mismatch, PactFact, Question, ResultFact, Subject, Target,
};
pub use verdict::{Notice, NoticeKind, Outcome, Row, RowKind, Verdict};
