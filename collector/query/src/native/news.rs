//! `GET /tracepact/v1/events/stream`: server-sent events that say only *that* something changed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{Stream, StreamExt, unfold};
use http::header;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tracepact_base::ErrorKind;
use tracepact_listener::Problem;

use crate::Query;
use crate::params::Params;

/// Shortest time between two messages: many changes at once are one piece of news.
const PAUSE: Duration = Duration::from_millis(250);
/// A comment is sent when nothing happened for so long, so that proxies keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Says that the feed has changed: `event: changed` with `{"version":n}`, at once and at every change.
#[utoipa::path(
    get,
    path = "/tracepact/v1/events/stream",
    tag = "events",
    responses(
        (status = 200, description = "`event: changed`, `data: {\"version\":n}`", content_type = "text/event-stream"),
        (status = 503, description = "Too many clients listen already", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_stream(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    Params::of(raw.as_deref())?.finish()?;
    let permit = query.inner.listeners.clone().try_acquire_owned().map_err(|_| {
        let most = query.config().listeners_max;
        Problem::new(ErrorKind::Exhausted, format!("{most} clients listen already"))
            .with_retry_after(Duration::from_secs(10))
    })?;
    let news = news(query.inner.events.events_version(), permit);
    let sse = Sse::new(news).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([(header::CACHE_CONTROL, "no-store")], sse).into_response())
}

fn news(
    mut versions: watch::Receiver<u64>,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    versions.mark_changed();
    unfold((versions, permit, true), |(mut versions, permit, first)| async move {
        if !first {
            tokio::time::sleep(PAUSE).await;
        }
        versions.changed().await.ok()?;
        let version = *versions.borrow_and_update();
        Some((version, (versions, permit, false)))
    })
    .map(|version| Ok(Event::default().event("changed").data(format!("{{\"version\":{version}}}"))))
}
