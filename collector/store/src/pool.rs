//! Threads for work that computes: compression, searching, reading blocks. Never tokio's workers.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tracepact_base::ErrorKind;

use crate::StoreError;

type Task = Box<dyn FnOnce() + Send>;

/// A fixed number of threads behind a bounded queue. They end when the pool is dropped and the queue is empty.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    tasks: SyncSender<Task>,
}

impl Pool {
    pub(crate) fn start(name: &str, threads: usize, waiting_max: usize) -> io::Result<Self> {
        let (tasks, waiting) = sync_channel::<Task>(waiting_max);
        let waiting = Arc::new(Mutex::new(waiting));
        for i in 0..threads.max(1) {
            let waiting = waiting.clone();
            std::thread::Builder::new().name(format!("tp-{name}-{i}")).spawn(move || work(&waiting))?;
        }
        Ok(Self { tasks })
    }

    /// Runs `task` on a thread of the pool. Refuses with `Exhausted` when too many wait. A task that panics answers
    /// `Internal`.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, result) = oneshot::channel();
        let task: Task = Box::new(move || {
            // Nobody waits any more when the reader was dropped.
            if !done.is_closed() {
                let _ = done.send(task());
            }
        });
        self.tasks.try_send(task).map_err(|error| match error {
            TrySendError::Full(_) => {
                StoreError::new(ErrorKind::Exhausted, "too many requests wait for the store")
            }
            TrySendError::Disconnected(_) => StoreError::new(ErrorKind::Unavailable, "the store is closed"),
        })?;
        result.await.map_err(|_| StoreError::new(ErrorKind::Internal, "a task of the store ended early"))
    }
}

fn work(waiting: &Mutex<Receiver<Task>>) {
    loop {
        let next = waiting.lock().recv();
        let Ok(task) = next else { return };
        // A panic is a bug of one request: the thread and its store live on, the request answers `Internal`.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_run_and_a_panic_harms_only_its_own() {
        let pool = Pool::start("test", 1, 8).unwrap();
        assert_eq!(pool.run(|| 1).await.unwrap(), 1);
        let error = pool.run(|| std::panic::resume_unwind(Box::new("x"))).await.map(|()| 0).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert_eq!(pool.run(|| 2).await.unwrap(), 2);
    }
}
