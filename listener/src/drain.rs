//! Answers without an end (server-sent events) end when draining begins, so that they do not hold it up.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header;
use http_body::{Body as HttpBody, Frame};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

pub(crate) fn end_on_drain(response: Response, drain: CancellationToken) -> Response {
    let endless = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    if !endless {
        return response;
    }
    response.map(|inner| Body::new(UntilDrain { inner, drain: Box::pin(drain.cancelled_owned()) }))
}

struct UntilDrain {
    inner: Body,
    drain: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl HttpBody for UntilDrain {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.drain.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.inner).poll_frame(cx)
    }
}
