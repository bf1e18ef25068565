//! `dependencies`: links computed from the rows of the window; there is no batch job to wait for.

use axum::extract::{RawQuery, State};
use futures::StreamExt;
use serde::Serialize;
use tracepact_analysis::{DependencyLink, dependency_links, sum_links};
use tracepact_store::{Completeness, ReadCtx, StoreError};

use super::refusal::Refusal;
use super::request::{Parameters, window};
use super::{Answer, json};
use crate::Query;
use crate::service::worse;

/// Links of this many traces are added up at once, and others get a turn in between.
const BATCH: usize = 500;

pub(super) async fn dependencies(State(query): State<Query>, RawQuery(raw): RawQuery) -> Answer {
    let parameters = Parameters::of(raw.as_deref());
    parameters.required("endTs")?;
    let (start_ns, end_ns) =
        window(parameters.number("endTs")?, parameters.number("lookback")?, query.config(), query.now_ns())?;
    let (links, completeness) = query.bounded(links(&query, start_ns, end_ns)).await?;
    let links: Vec<Link> = links.into_iter().map(Link::from).collect();
    let body = serde_json::to_vec(&links).map_err(|error| Refusal::failed(&error))?;
    Ok(json(body, &completeness))
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

/// Adds up the links of all traces of the window. Ids are compared by their low half whatever the setting is, or a
/// trace that travelled with both lengths would count twice.
async fn links(
    query: &Query,
    start_ns: u64,
    end_ns: u64,
) -> Result<(Vec<DependencyLink>, Completeness), StoreError> {
    let ctx = ReadCtx { strict_trace_id: false, ..query.config().ctx() };
    let mut scan = query.inner.spans.scan(start_ns, end_ns, ctx);
    let mut sum: Vec<DependencyLink> = Vec::new();
    let mut batch: Vec<Vec<DependencyLink>> = Vec::new();
    let mut completeness = Completeness::Complete;
    while let Some(trace) = scan.next().await {
        let trace = trace?;
        completeness = worse(completeness, trace.completeness);
        batch.push(dependency_links(&trace.rows));
        if batch.len() >= BATCH {
            batch.push(sum);
            sum = sum_links(std::mem::take(&mut batch));
            tokio::task::yield_now().await;
        }
    }
    batch.push(sum);
    Ok((sum_links(batch), completeness))
}
