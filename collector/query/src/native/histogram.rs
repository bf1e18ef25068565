//! `GET /tracepact/v1/traces/histogram`: how long traces took, over time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_analysis::{Tree, header, merge};
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use utoipa::ToSchema;

use super::answer::{fresh, problem, us};
use super::traces::{Filter, search_allowed};
use crate::params::Params;
use crate::service::cut_text;
use crate::walk::Walk;
use crate::{Query, QueryConfig};

const STEPS_DEFAULT: usize = 60;
const STEPS_MAX: usize = 500;
/// Two classes of duration to an octave: OpenTelemetry's exponential histogram of scale 1.
const SCALE: u32 = 1;

/// Traces by their start and their length.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HistogramAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every trace that matches is counted.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// Start of the first step.
    #[schema(format = DateTime)]
    pub start: String,
    /// Length of a step in microseconds.
    pub step_us: f64,
    /// Number of steps.
    pub steps: usize,
    /// The classes of duration that occur and those between them.
    pub durations: Vec<DurationClass>,
    /// How many traces; cells without any are left out.
    pub cells: Vec<HistogramCell>,
    /// Traces counted.
    pub traces: u64,
    /// Traces of the window that do not say how long they took; they are in no cell.
    pub without_duration: u64,
}

/// A class of durations: above `from_us`, up to and with `to_us`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct DurationClass {
    /// Lower bound in microseconds, not part of the class; 0 for the first one, which has it.
    pub from_us: f64,
    /// Upper bound in microseconds, part of the class.
    pub to_us: f64,
}

/// Traces of one step and one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct HistogramCell {
    /// Which step, counted from 0.
    pub step: usize,
    /// Which of `durations`, counted from 0.
    pub duration: usize,
    /// How many.
    pub count: u64,
    /// How many of them have a span that failed.
    pub error_count: u64,
}

/// The class of a duration: `ceil(log2(ns) * 2)`, the index of OpenTelemetry's exponential histogram of scale 1, plus 1.
fn class_of(duration_ns: u64) -> u32 {
    if duration_ns <= 1 {
        return 0;
    }
    // Exact at the borders, where floating point is not: 2^(k/2) is whole for even k, irrational for odd ones.
    let octave = (duration_ns - 1).ilog2();
    let middle = 2f64.powf(f64::from(octave) + 0.5);
    (octave << SCALE) + 1 + u32::from(duration_ns as f64 > middle)
}

fn upper_ns(class: u32) -> f64 {
    2f64.powf(f64::from(class) / 2.0)
}

/// Reads the parameters: the conditions, and the number of steps.
pub(crate) fn asked(raw: Option<&str>, _: &QueryConfig, now_ns: u64) -> Result<(Filter, usize), Problem> {
    let mut params = Params::of(raw)?;
    let steps = params.limit("steps", STEPS_DEFAULT, STEPS_MAX)?;
    let filter = Filter::of(&mut params, now_ns)?;
    params.finish()?;
    Ok((filter, steps))
}

/// How long traces took, over time: a heat map's cells.
#[utoipa::path(
    get,
    path = "/tracepact/v1/traces/histogram",
    tag = "traces",
    params(
        ("service" = Option<String>, Query, description = "As in the search, like all conditions"),
        ("remote_service" = Option<String>, Query, description = "As in the search"),
        ("name" = Option<String>, Query, description = "As in the search"),
        ("tag" = Option<Vec<String>>, Query, description = "As in the search"),
        ("errors" = Option<bool>, Query, description = "As in the search"),
        ("scope" = Option<String>, Query, description = "As in the search"),
        ("min_duration_us" = Option<f64>, Query, description = "As in the search"),
        ("max_duration_us" = Option<f64>, Query, description = "As in the search"),
        ("min_trace_duration_us" = Option<f64>, Query, description = "As in the search"),
        ("max_trace_duration_us" = Option<f64>, Query, description = "As in the search"),
        ("start" = Option<String>, Query, description = "As in the search"),
        ("end" = Option<String>, Query, description = "As in the search"),
        ("steps" = Option<u32>, Query, description = "Steps the window is cut into, 1 to 500; 60 unless given"),
    ),
    responses(
        (status = 200, description = "Counts by step and class of duration", body = HistogramAnswer),
        (status = 400, description = "A parameter is unknown, malformed or out of bounds", content_type = "application/problem+json"),
        (status = 403, description = "Searching is off here", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_histogram(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    search_allowed(query.config())?;
    let now_ns = query.now_ns();
    let (filter, steps) = asked(raw.as_deref(), query.config(), now_ns)?;
    let (start_ns, end_ns) = (filter.search.start_ns, filter.search.end_ns);
    let step_ns = ((end_ns - start_ns) / steps as u64 + 1).max(1);
    let mut cells: BTreeMap<(u64, u32), (u64, u64)> = BTreeMap::new();
    let (mut traces, mut without_duration) = (0, 0);
    let mut walk = Walk::new(&query);
    let walked = walk.each(&filter.search, None, usize::MAX, |hit, trace| {
        let header = header(&Tree::build(merge(&trace.rows)));
        match header.duration_ns {
            None => without_duration += 1,
            Some(_) if !filter.takes(&header) => {}
            Some(duration_ns) => {
                traces += 1;
                let step = hit.timestamp_ns.saturating_sub(start_ns) / step_ns;
                let cell = cells.entry((step, class_of(duration_ns))).or_default();
                cell.0 += 1;
                cell.1 += u64::from(header.error_count > 0);
            }
        }
        ControlFlow::Continue(())
    });
    query.bounded(walked).await.map_err(problem)?;
    let lowest = cells.keys().map(|(_, class)| *class).min().unwrap_or(0);
    let highest = cells.keys().map(|(_, class)| *class).max();
    let class = |class: u32| DurationClass {
        from_us: if class == 0 { 0.0 } else { upper_ns(class - 1) / 1_000.0 },
        to_us: upper_ns(class) / 1_000.0,
    };
    let cell = |((step, class), (count, error_count)): ((u64, u32), (u64, u64))| HistogramCell {
        step: step as usize,
        duration: (class - lowest) as usize,
        count,
        error_count,
    };
    let cut = cut_text(&walk.completeness);
    fresh(&HistogramAnswer {
        as_of: to_rfc3339(now_ns),
        complete: cut.is_none(),
        cut,
        start: to_rfc3339(start_ns),
        step_us: us(step_ns),
        steps,
        durations: highest.map(|highest| (lowest..=highest).map(class).collect()).unwrap_or_default(),
        cells: cells.into_iter().map(cell).collect(),
        traces,
        without_duration,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_powers_of_two_close_their_class() {
        assert_eq!((class_of(0), class_of(1), class_of(2)), (0, 0, 2));
        for octave in 1..63 {
            let border = 1u64 << octave;
            assert_eq!(class_of(border), octave * 2, "2^{octave}");
            // 3 lies above the middle of 2 and 4 already.
            assert_eq!(class_of(border + 1), octave * 2 + if octave == 1 { 2 } else { 1 }, "2^{octave} + 1");
        }
    }

    proptest! {
        #[test]
        fn a_duration_lies_in_its_class(duration_ns in 1u64..1 << 52) {
            let class = class_of(duration_ns);
            prop_assert!(duration_ns as f64 <= upper_ns(class) * 1.000_000_001);
            if class > 0 {
                prop_assert!(duration_ns as f64 >= upper_ns(class - 1) * 0.999_999_999);
            }
        }
    }
}
