//! Work that runs beside the requests, and how it ends.

use std::future::Future;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tasks that end when told to, and last steps for after them.
pub(crate) struct Background {
    drain: CancellationToken,
    stop: CancellationToken,
    tasks: TaskTracker,
    last: Vec<BoxFuture<'static, ()>>,
}

impl Background {
    pub(crate) fn new() -> Self {
        Self {
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            last: Vec::new(),
        }
    }

    /// Cancelled once the last request is answered; tasks end then.
    pub(crate) fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Cancelled when the drain begins: requests that wait for something answer with what is known.
    pub(crate) fn drain_token(&self) -> CancellationToken {
        self.drain.clone()
    }

    /// The drain begins.
    pub(crate) fn drain(&self) {
        self.drain.cancel();
    }

    /// Runs `task` until it ends by itself or by [`Background::stop_token`].
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Runs `step` after all tasks ended; steps run in the order they were added.
    pub(crate) fn finally(&mut self, step: impl Future<Output = ()> + Send + 'static) {
        self.last.push(Box::pin(step));
    }

    /// Ends everything.
    pub(crate) async fn end(self) {
        self.drain.cancel();
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        for step in self.last {
            step.await;
        }
    }
}
