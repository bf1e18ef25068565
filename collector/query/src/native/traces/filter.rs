//! The conditions of a question about traces: those that the store decides on spans, and those on the trace as a whole.

use tracepact_analysis::Header;
use tracepact_listener::Problem;
use tracepact_store::{Predicate, Scope, SpanQuery};

use crate::params::{Params, window};

/// The window when the question names none: the last hour.
const WINDOW_DEFAULT_NS: u64 = 3_600_000_000_000;
/// Most `tag` parameters of one question.
const TAGS_MAX: usize = 50;

/// Which traces are meant.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// What the store decides; its limit is set by who asks.
    pub(crate) search: SpanQuery,
    /// Bounds of the trace's length in nanoseconds, inclusive.
    pub(crate) trace_duration_ns: (u64, Option<u64>),
}

impl Filter {
    /// Takes the conditions out of `params`.
    pub(crate) fn of(params: &mut Params, now_ns: u64) -> Result<Self, Problem> {
        let mut predicates = Vec::new();
        let lower = |name: Option<String>| name.map(|name| name.to_lowercase());
        predicates.extend(lower(params.text("service")?).map(Predicate::Service));
        predicates.extend(lower(params.text("remote_service")?).map(Predicate::RemoteService));
        predicates.extend(lower(params.text("name")?).map(Predicate::Name));
        let tags = params.many("tag");
        if tags.len() > TAGS_MAX {
            return Err(Problem::invalid(format!("a question has at most {TAGS_MAX} tags")));
        }
        for tag in tags {
            predicates.push(match tag.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => {
                    Predicate::Tag(key.trim().to_owned(), value.to_owned())
                }
                Some(_) => return Err(Problem::invalid(format!("tag is key=value, not {tag:?}"))),
                None => Predicate::AnnotationOrKey(tag.trim().to_owned()),
            });
        }
        if params.flag("errors")? == Some(true) {
            predicates.push(Predicate::Error);
        }
        if let Some((min_ns, max_ns)) = between(params, "min_duration_us", "max_duration_us")? {
            predicates.push(Predicate::Duration { min_ns, max_ns });
        }
        let trace_duration_ns =
            between(params, "min_trace_duration_us", "max_trace_duration_us")?.unwrap_or((0, None));
        let scope = match params.text("scope")?.as_deref() {
            None | Some("service") => Scope::ServiceSpans,
            Some("span") => Scope::SameSpan,
            Some("trace") => Scope::Trace,
            Some(other) => {
                return Err(Problem::invalid(format!("scope is service, span or trace, not {other:?}")));
            }
        };
        let (start_ns, end_ns) = window(params, WINDOW_DEFAULT_NS, now_ns)?;
        Ok(Self { search: SpanQuery { start_ns, end_ns, predicates, scope, limit: 0 }, trace_duration_ns })
    }

    /// Whether the trace as a whole meets the conditions that are about it.
    pub(crate) fn takes(&self, header: &Header) -> bool {
        let (min_ns, max_ns) = self.trace_duration_ns;
        if min_ns == 0 && max_ns.is_none() {
            return true;
        }
        // A trace that does not say how long it took is neither short nor long.
        header
            .duration_ns
            .is_some_and(|duration| duration >= min_ns && max_ns.is_none_or(|max_ns| duration <= max_ns))
    }
}

/// Two bounds in microseconds, as nanoseconds.
fn between(
    params: &mut Params,
    min: &'static str,
    max: &'static str,
) -> Result<Option<(u64, Option<u64>)>, Problem> {
    let (from, to) = (params.microseconds(min)?, params.microseconds(max)?);
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        return Err(Problem::invalid(format!("{max} is less than {min}")));
    }
    Ok((from.is_some() || to.is_some()).then_some((from.unwrap_or(0), to)))
}
