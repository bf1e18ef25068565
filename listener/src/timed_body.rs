//! A request body that must keep coming: a sender that stalls or trickles is cut off.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// The request body did not arrive in time.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the request body did not arrive within its time")]
pub struct BodyTimeout;

pub(crate) struct TimedBody {
    inner: Body,
    idle: Duration,
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
}

impl TimedBody {
    pub(crate) fn new(inner: Body, idle: Duration, total: Duration) -> Self {
        let now = Instant::now();
        Self {
            inner,
            idle,
            deadline: now + total,
            timer: Box::pin(tokio::time::sleep_until(now + idle)),
            waiting: false,
        }
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                self.waiting = false;
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                if !self.waiting {
                    self.waiting = true;
                    let until = (Instant::now() + self.idle).min(self.deadline);
                    self.timer.as_mut().reset(until);
                }
                self.timer.as_mut().poll(cx).map(|()| Some(Err(BodyTimeout.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use futures::StreamExt;
    use http::StatusCode;

    use super::TimedBody;
    use crate::{Limits, body};

    async fn status_of(pauses_ms: u64, idle_ms: u64, total_ms: u64) -> Result<usize, StatusCode> {
        let pieces = futures::stream::iter(0..5).then(move |_| async move {
            tokio::time::sleep(Duration::from_millis(pauses_ms)).await;
            Ok::<_, std::io::Error>("x")
        });
        let timed = TimedBody::new(
            Body::from_stream(pieces),
            Duration::from_millis(idle_ms),
            Duration::from_millis(total_ms),
        );
        let read = body::read_parts(&http::HeaderMap::new(), Body::new(timed), Limits::DEFAULT).await;
        read.map(|bytes| bytes.len()).map_err(|problem| problem.status())
    }

    #[tokio::test]
    async fn senders_that_stall_or_trickle_are_cut_off_and_others_are_not() {
        assert_eq!(status_of(1, 5_000, 5_000).await, Ok(5));
        assert_eq!(status_of(5_000, 20, 5_000).await, Err(StatusCode::REQUEST_TIMEOUT));
        assert_eq!(status_of(40, 5_000, 90).await, Err(StatusCode::REQUEST_TIMEOUT));
    }
}
