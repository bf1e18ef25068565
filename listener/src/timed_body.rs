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
