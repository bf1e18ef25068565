//! The deploy gate's judgement: history in, verdict with reasons out. A pure function.
//!
//! Place on the map: `contract-model` below; `broker` above gathers the history and carries the answer to pipelines.
//!
//! ```
//! use tracepact_gate::{decide, Counterpart, History, PactFact, Question, Subject, Target};
//! let question =
//!     Question::new(vec![Subject::version("orders", "1")], Target::Environment("production".into()));
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
//! A *waiver* takes rows that do not hold out of the decision, like an ignored version does, but has a name, a reason and
//! an end and is listed in the verdict.
//!
//! What it deliberately does not do: look anything up, page, format HAL, or know how versions came to be live.

mod clears;
mod decide;
mod explain;
mod facts;
mod verdict;

pub use clears::Clears;
pub use decide::decide;
pub use explain::{Explanation, ExplanationKind};
pub use facts::{
    AcceptedFact, Counterpart, History, Ignore, JobFact, Mismatch, PactFact, Question, ResultFact, Subject,
    Target, Waiver,
};
pub use verdict::{Notice, NoticeKind, Outcome, Row, RowKind, Verdict};
