//! What every engine behind [`SpanStore`] must do, as cases that run over any of them.
//!
//! ```no_run
//! # async fn example(engine: &tracepact_store::Engine) {
//! use tracepact_store::conformance::{CASES, Subject};
//! for case in CASES {
//!     // An empty store for each case; `settle` runs after every append, for example to seal.
//!     (case.run)(Subject { store: engine, settle: &|| {} }).await.unwrap();
//! }
//! # }
//! ```

mod fragments;
mod ids;
mod links;
mod lookups;
mod names;
mod rows;
mod searches;

use futures::StreamExt;
use futures::future::BoxFuture;
use tracepact_base::TraceId;
use tracepact_model::Span;

use crate::{Completeness, ReadCtx, SpanQuery, SpanStore};

/// The store under test.
#[derive(Clone, Copy)]
pub struct Subject<'s> {
    /// An empty store.
    pub store: &'s dyn SpanStore,
    /// Called after each append: whatever moves rows to where they stay.
    pub settle: &'s (dyn Fn() + Send + Sync),
}

/// What a case answers: nothing, or what was wrong.
pub type Outcome = Result<(), String>;

/// One case.
pub struct Case {
    /// What must hold.
    pub name: &'static str,
    /// Runs it on an empty store.
    pub run: for<'s> fn(Subject<'s>) -> BoxFuture<'s, Outcome>,
}

/// All cases.
pub const CASES: &[Case] = &[
    Case {
        name: "rows come back as they were, in order of arrival",
        run: |s| Box::pin(lookups::rows_in_order(s)),
    },
    Case { name: "exact duplicates collapse", run: |s| Box::pin(lookups::duplicates_collapse(s)) },
    Case { name: "strict and lenient ids", run: |s| Box::pin(lookups::strict_and_lenient(s)) },
    Case { name: "a 64-bit id and two over it are three traces", run: |s| Box::pin(ids::three_traces(s)) },
    Case {
        name: "a trace of mixed widths is one when ids are lenient",
        run: |s| Box::pin(ids::mixed_trace(s)),
    },
    Case { name: "both sides of an RPC under one id", run: |s| Box::pin(fragments::shared_spans(s)) },
    Case { name: "pieces of one span in any order", run: |s| Box::pin(fragments::pieces(s)) },
    Case { name: "which timestamp a trace has", run: |s| Box::pin(fragments::timestamps(s)) },
    Case {
        name: "durations are inclusive and the service's own",
        run: |s| Box::pin(fragments::durations(s)),
    },
    Case { name: "conditions by scope", run: |s| Box::pin(fragments::conjunctions(s)) },
    Case { name: "which service called which", run: |s| Box::pin(links::rules(s)) },
    Case { name: "late and repeated spans change links", run: |s| Box::pin(links::late(s)) },
    Case { name: "links are those of the window's traces", run: |s| Box::pin(links::window(s)) },
    Case { name: "names without case, tags with it", run: |s| Box::pin(names::case(s)) },
    Case { name: "keys and values are completed", run: |s| Box::pin(names::autocomplete(s)) },
    Case { name: "names have a window", run: |s| Box::pin(names::windows(s)) },
    Case { name: "a trace over midnight is one", run: |s| Box::pin(names::over_midnight(s)) },
    Case { name: "unknown ids are left out", run: |s| Box::pin(lookups::unknown_ids(s)) },
    Case { name: "names by service, any case", run: |s| Box::pin(lookups::names(s)) },
    Case { name: "the window is inclusive on the trace's timestamp", run: |s| Box::pin(searches::window(s)) },
    Case { name: "a root elsewhere decides the timestamp", run: |s| Box::pin(searches::late_root(s)) },
    Case { name: "conditions hold over the spans of the service", run: |s| Box::pin(searches::scopes(s)) },
    Case { name: "a rare match behind many others is found", run: |s| Box::pin(searches::rare(s)) },
    Case { name: "the newest traces are kept", run: |s| Box::pin(searches::newest(s)) },
    Case { name: "a duration that comes late counts", run: |s| Box::pin(searches::late_duration(s)) },
    Case { name: "errors of both dialects are errors", run: |s| Box::pin(searches::errors(s)) },
    Case { name: "a scan gives every trace of the window once", run: |s| Box::pin(searches::scan(s)) },
];

impl Subject<'_> {
    async fn append(&self, spans: &[Span]) -> Outcome {
        self.store.append(rows::batch(spans)).await.map_err(|error| format!("append: {error}"))?;
        (self.settle)();
        Ok(())
    }

    async fn trace(&self, id: TraceId, ctx: ReadCtx) -> Result<Vec<Span>, String> {
        let mut rows = Vec::new();
        let mut found = self.store.traces(vec![id], ctx);
        while let Some(trace) = found.next().await {
            let trace = trace.map_err(|error| format!("traces: {error}"))?;
            expect(trace.completeness == Completeness::Complete, "the trace is not complete")?;
            rows.extend(trace.rows);
        }
        Ok(rows)
    }

    /// The low halves of the traces found.
    async fn hits(&self, query: SpanQuery) -> Result<Vec<u64>, String> {
        Ok(self.search(query, ReadCtx::default()).await?.iter().map(|id| id.low()).collect())
    }

    /// The traces found.
    async fn search(&self, query: SpanQuery, ctx: ReadCtx) -> Result<Vec<TraceId>, String> {
        let answer = self.store.search(query, ctx).await.map_err(|e| format!("search: {e}"))?;
        expect(answer.completeness == Completeness::Complete, "the search is not complete")?;
        Ok(answer.hits.iter().map(|hit| hit.trace_id).collect())
    }
}

fn expect(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Outcome {
    if found == wanted { Ok(()) } else { Err(format!("{what}: found {found:?}, wanted {wanted:?}")) }
}
