//! The trait in front of span storage. A second engine must be able to stand behind it.

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tracepact_analysis::{DependencyLink, RedCounts};
use tracepact_base::TraceId;
use tracepact_model::{Span, SpanBatch};

use crate::{Completeness, ReadCtx, StoreError};

/// Proof that a batch is durable: power loss included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durable {
    /// Log sequence number of the batch's record.
    pub lsn: u64,
}

/// All rows of one trace in order of arrival, exact duplicates collapsed.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceRows {
    /// The id that was asked for; with lenient ids rows may carry other high halves.
    pub trace_id: TraceId,
    /// The rows.
    pub rows: Vec<Span>,
    /// How the read of this trace ended.
    pub completeness: Completeness,
}

/// One item of a scan.
#[derive(Debug, Clone, PartialEq)]
pub enum Scanned {
    /// A trace of the window.
    Trace(TraceRows),
    /// The last item: how the list of traces itself ended. Traces that only damaged parts know are on no list.
    End(Completeness),
}

/// One trace found by a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceHit {
    /// The trace.
    pub trace_id: TraceId,
    /// Its timestamp by Zipkin's rule: the root's start, else the earliest start.
    pub timestamp_ns: u64,
}

/// What a search answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchAnswer {
    /// The traces found, those nearest to the end of the window first.
    pub hits: Vec<TraceHit>,
    /// How the search ended.
    pub completeness: Completeness,
}

/// Which spans of a trace may satisfy the predicates of a [`SpanQuery`]. Dialects differ only in this data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Zipkin: every predicate must be met by spans of the queried service, possibly by different ones.
    #[default]
    ServiceSpans,
    /// Jaeger: one single span must satisfy all.
    SameSpan,
    /// Any spans of the trace, possibly different ones.
    Trace,
}

/// One condition on spans. Names compare in lower case, tags and annotations as they are.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Local service name.
    Service(String),
    /// Remote service name.
    RemoteService(String),
    /// Operation name.
    Name(String),
    /// An attribute (span level, then resource level) whose text form equals the value.
    Tag(String, String),
    /// An annotation of this value, or any attribute with this key.
    AnnotationOrKey(String),
    /// Duration between the bounds, both inclusive, in nanoseconds.
    Duration {
        /// Lower bound.
        min_ns: u64,
        /// Upper bound.
        max_ns: Option<u64>,
    },
    /// The span failed.
    Error,
}

/// A search for traces. A trace matches when its timestamp lies in the window and its spans meet all predicates.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanQuery {
    /// Start of the window (inclusive), nanoseconds since 1970.
    pub start_ns: u64,
    /// End of the window (inclusive).
    pub end_ns: u64,
    /// All must hold.
    pub predicates: Vec<Predicate>,
    /// Over which spans they must hold together.
    pub scope: Scope,
    /// Most traces in the answer; those nearest to `end_ns` are kept.
    pub limit: usize,
}

/// Which names are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameKind {
    /// Local service names, original case.
    Services,
    /// Operation names of a service.
    Spans {
        /// The service, any case.
        service: String,
    },
    /// Remote service names seen by a service.
    RemoteServices {
        /// The service, any case.
        service: String,
    },
    /// Attribute keys.
    TagKeys,
    /// Values of one attribute key.
    TagValues {
        /// The key.
        key: String,
    },
}

/// A question for names within a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamesQuery {
    /// Which.
    pub kind: NameKind,
    /// Seen at or after, nanoseconds since 1970.
    pub start_ns: u64,
    /// Seen at or before.
    pub end_ns: u64,
    /// Most names in the answer.
    pub limit: usize,
}

/// Which service called which, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinksAnswer {
    /// The links.
    pub links: Vec<DependencyLink>,
    /// How the read ended.
    pub completeness: Completeness,
}

/// Sorted, distinct names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// The names.
    pub values: Vec<String>,
    /// How the read ended.
    pub completeness: Completeness,
}

/// Durable storage of span rows.
pub trait SpanStore: Send + Sync {
    /// Keeps a batch. Resolves after the sync, when every query already sees the rows; a batch is kept whole or
    /// not at all. Refuses with `Exhausted` or `Unavailable` and a retry time when it cannot.
    fn append(&self, batch: SpanBatch) -> BoxFuture<'_, Result<Durable, StoreError>>;

    /// Like [`Self::append`], with the counts of the request's spans as they came: before sampling and limits took some
    /// away. A batch whose rows are all rejected is only counted. An engine that keeps no counts passes them over.
    fn append_counted(
        &self,
        batch: SpanBatch,
        _counts: RedCounts,
    ) -> BoxFuture<'_, Result<Durable, StoreError>> {
        if batch.spans.is_empty() && !batch.admission.rejected.is_empty() {
            return Box::pin(async { Ok(Durable { lsn: 0 }) });
        }
        self.append(batch)
    }

    /// The rows of each id that is known, in the order asked; unknown ids are left out.
    fn traces(&self, ids: Vec<TraceId>, ctx: ReadCtx) -> BoxStream<'_, Result<TraceRows, StoreError>>;

    /// Traces that match, decided on rows (indexes only narrow the candidates).
    fn search(&self, query: SpanQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<SearchAnswer, StoreError>>;

    /// All traces whose timestamp lies in the window, streamed, for analysis of everything. Ends with
    /// [`Scanned::End`], or with an error.
    fn scan(&self, start_ns: u64, end_ns: u64, ctx: ReadCtx) -> BoxStream<'_, Result<Scanned, StoreError>>;

    /// Dependency links of all traces whose timestamp lies in the window, added up. Traces are told apart by the low
    /// half of their ids, whatever `ctx` says.
    fn links(
        &self,
        start_ns: u64,
        end_ns: u64,
        ctx: ReadCtx,
    ) -> BoxFuture<'_, Result<LinksAnswer, StoreError>>;

    /// Names seen.
    fn values(&self, query: NamesQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<Names, StoreError>>;
}
