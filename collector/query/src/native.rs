//! The native API under `/tracepact/v1`: what the pages and scripts ask.

pub(crate) mod answer;
mod boards;
pub(crate) mod breakers;
mod compare;
mod events;
mod histogram;
mod names;
mod news;
mod red;
mod series;
mod trace;
pub(crate) mod traces;

use tracepact_listener::{Routes, Scope};

use crate::Query;

pub use boards::{BulkheadsAnswer, LagAnswer, MessagesAnswer};
pub use breakers::BreakersAnswer;
pub use compare::{AttributeDifference, CompareAnswer};
pub use events::EventsAnswer;
pub use histogram::{DurationClass, HistogramAnswer, HistogramCell};
pub use names::NamesAnswer;
pub use red::{RedAnswer, RedHistogram, RedLine};
pub use series::{SeriesAnswer, SeriesPoints};
pub use trace::{
    CriticalSegment, RepeatedCalls, SkeletonAnswer, SkeletonColumns, SkeletonPath, SpansAnswer, TraceAnswer,
    TraceEvent, TraceHeader, TraceLink, TraceSpan,
};
pub use traces::{TraceSummary, TracesAnswer};

/// Every native route of this room.
pub fn native_routes(query: Query) -> Routes {
    let mut routes = Routes::new("native");
    if query.config().enabled {
        routes = routes
            .get("/tracepact/v1/traces", Scope::Read, traces::get_traces)
            .get("/tracepact/v1/traces/histogram", Scope::Read, histogram::get_histogram)
            .get("/tracepact/v1/traces/compare", Scope::Read, compare::get_compare)
            .get("/tracepact/v1/traces/{trace_id}", Scope::Read, trace::get_trace)
            .get("/tracepact/v1/traces/{trace_id}/skeleton", Scope::Read, trace::skeleton::get_skeleton)
            .get("/tracepact/v1/traces/{trace_id}/spans", Scope::Read, trace::details::get_spans)
            .get("/tracepact/v1/names/{kind}", Scope::Read, names::get_names);
    }
    routes
        .get("/tracepact/v1/red", Scope::Read, red::get_red)
        .get("/tracepact/v1/series", Scope::Read, series::get_series)
        .get("/tracepact/v1/events", Scope::Read, events::get_events)
        .get("/tracepact/v1/events/stream", Scope::Read, news::get_stream)
        .get("/tracepact/v1/breakers", Scope::Read, breakers::get_breakers)
        .get("/tracepact/v1/bulkheads", Scope::Read, boards::get_bulkheads)
        .get("/tracepact/v1/lag", Scope::Read, boards::get_lag)
        .get("/tracepact/v1/messages", Scope::Read, boards::get_messages)
        .with_state(query)
}

pub(crate) mod document {
    use utoipa::OpenApi;

    #[derive(OpenApi)]
    #[openapi(paths(
        super::traces::get_traces,
        super::histogram::get_histogram,
        super::compare::get_compare,
        super::trace::get_trace,
        super::trace::skeleton::get_skeleton,
        super::trace::details::get_spans,
        super::names::get_names,
        super::red::get_red,
        super::series::get_series,
        super::events::get_events,
        super::news::get_stream,
        super::breakers::get_breakers,
        super::boards::get_bulkheads,
        super::boards::get_lag,
        super::boards::get_messages,
    ))]
    pub(crate) struct Document;
}

/// The OpenAPI description of this room's native routes; the binary merges it with the other rooms'.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = <document::Document as utoipa::OpenApi>::openapi();
    document.merge(<crate::operator::Document as utoipa::OpenApi>::openapi());
    document
}

/// The parsers, for the fuzz targets.
pub(crate) mod fuzzing {
    use tracepact_listener::Problem;
    use tracepact_store::{EventQuery, SeriesQuery, SpanQuery};

    use crate::QueryConfig;

    pub(crate) fn traces(raw: &str, config: &QueryConfig, now_ns: u64) -> Result<SpanQuery, Problem> {
        super::traces::span_query(Some(raw), config, now_ns)
    }

    /// The other questions about traces: each within its bounds, or a problem.
    pub(crate) fn others(raw: &str, config: &QueryConfig, now_ns: u64) -> Vec<Problem> {
        let raw = Some(raw);
        let asked = [
            super::histogram::asked(raw, config, now_ns).map(drop),
            super::compare::asked(raw, config, now_ns).map(drop),
            super::trace::details::span_ids(raw).map(drop),
            super::red::asked(raw, now_ns).map(drop),
            super::names::asked("tag_values", raw, config.names_max).map(drop),
        ];
        asked.into_iter().filter_map(Result::err).collect()
    }

    pub(crate) fn series(raw: &str, now_ns: u64) -> Result<SeriesQuery, Problem> {
        super::series::series_query(Some(raw), now_ns)
    }

    pub(crate) fn messages(raw: &str) -> Result<usize, Problem> {
        super::boards::message_query(Some(raw)).map(|query| query.limit)
    }

    pub(crate) fn events(raw: &str) -> Result<EventQuery, Problem> {
        super::events::event_query(Some(raw))
    }
}
