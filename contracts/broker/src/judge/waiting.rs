//! Questions that wait for their answer: the server looks again when something changed, so that nobody has to poll.

use std::time::Duration;

use tokio::sync::{SemaphorePermit, TryAcquireError, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{DeployQuestion, Judgement};
use crate::{Broker, BrokerError};

/// Longest wait of one request; clients ask again for longer ones.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);
/// Shortest pause between two looks, however much changes.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// Looks at least this often, in case another process wrote to the same database.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A request that waits for something to change.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    broker: &'a Broker,
    changes: watch::Receiver<u64>,
    /// Absent when there is nothing to wait for.
    place: Option<SemaphorePermit<'a>>,
    end: Instant,
}

impl Broker {
    /// Begins to wait, at most for `wait` and [`WAIT_MAX`]. Look once before the first [`Waiting::again`].
    ///
    /// # Errors
    /// [`BrokerError::Busy`] when too many wait already.
    pub(crate) fn wait(&self, wait: Duration) -> Result<Waiting<'_>, BrokerError> {
        let place = match self.waiting().try_acquire() {
            _ if wait.is_zero() => None,
            Ok(place) => Some(place),
            // The server is stopping: what is known now is the answer.
            Err(TryAcquireError::Closed) => None,
            Err(TryAcquireError::NoPermits) => return Err(BrokerError::Busy),
        };
        Ok(Waiting { broker: self, changes: self.changes(), place, end: Instant::now() + wait.min(WAIT_MAX) })
    }

    /// The answer to `asked` once it is known, or after `wait` as it is then. Only the answer that is given is kept
    /// and counted.
    pub(crate) async fn judge_waiting(
        &self,
        asked: &DeployQuestion,
        wait: Duration,
    ) -> Result<Judgement, BrokerError> {
        if !wait.is_zero() {
            let mut waiting = self.wait(wait)?;
            while !self.known(asked).await? && waiting.again().await {}
        }
        self.judge(asked).await
    }
}

impl Waiting<'_> {
    /// Waits until it is worth looking again; false when the time is up.
    pub(crate) async fn again(&mut self) -> bool {
        if self.place.is_none() || Instant::now() >= self.end || self.broker.waiting().is_closed() {
            return false;
        }
        let began = Instant::now();
        let _ = timeout_at(self.end.min(began + LOOK_EVERY), self.changes.changed()).await;
        if !self.broker.waiting().is_closed() {
            sleep_until(self.end.min(began + PAUSE_MIN)).await;
        }
        self.changes.mark_unchanged();
        // One last look at the end: what came with the last change counts.
        true
    }
}
