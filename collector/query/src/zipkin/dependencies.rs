//! `dependencies`: links of the traces of the window, as the store has them; there is no batch job to wait for.

use axum::extract::{RawQuery, State};
use serde::Serialize;
use tracepact_analysis::DependencyLink;

use super::refusal::Refusal;
use super::request::{Parameters, window};
use super::{Answer, json};
use crate::Query;

pub(super) async fn dependencies(State(query): State<Query>, RawQuery(raw): RawQuery) -> Answer {
    let parameters = Parameters::of(raw.as_deref());
    parameters.required("endTs")?;
    let (start_ns, end_ns) =
        window(parameters.number("endTs")?, parameters.number("lookback")?, query.config(), query.now_ns())?;
    let answer = query.bounded(query.inner.spans.links(start_ns, end_ns, query.config().ctx())).await?;
    let links: Vec<Link> = answer.links.into_iter().map(Link::from).collect();
    let body = serde_json::to_vec(&links).map_err(|error| Refusal::failed(&error))?;
    Ok(json(body, &answer.completeness))
}

/// A link in the order of members that Zipkin writes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    parent: String,
    child: String,
    call_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_count: Option<u64>,
}

impl From<DependencyLink> for Link {
    fn from(link: DependencyLink) -> Self {
        let error_count = Some(link.error_count).filter(|count| *count > 0);
        Self { parent: link.parent, child: link.child, call_count: link.call_count, error_count }
    }
}
