//! The durable queue: what is due is taken under a lease, sent, and written down; what failed is tried again with the
//! documented pauses; what asked for a verification is fired again until that exists.
//!
//! At least once: between sending and writing down lies a moment in which a crash makes it be sent again, under the same
//! delivery id.

use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;

use super::definition::Target;
use super::send::{Delivery, send};
use super::template::Variables;
use crate::store::webhooks::{self, Progress, Triggered};
use crate::{Broker, BrokerError, Database};

/// Deliveries taken at once, and sent at the same time.
const BATCH: i64 = 32;
const AT_ONCE: usize = 8;
/// How long who took a delivery has for it: longer than an attempt can take.
const LEASE: Duration = Duration::from_secs(90);
/// Looks for deliveries at least this often: another process may have written some.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// When webhooks are tried and fired again.
#[derive(Debug, Clone)]
pub struct WebhookSchedule {
    /// Pauses after failed attempts; when all have passed it failed. The Pact Broker's default: 10, 60, 120, 300, 600
    /// and 1200 seconds.
    pub retry: Vec<Duration>,
    /// Pauses after which a webhook that asked for a verification is fired again, as long as that does not exist.
    pub fire_again: Vec<Duration>,
}

impl Default for WebhookSchedule {
    fn default() -> Self {
        Self {
            retry: [10, 60, 120, 300, 600, 1_200].map(Duration::from_secs).to_vec(),
            fire_again: [1_800, 7_200, 21_600, 86_400].map(Duration::from_secs).to_vec(),
        }
    }
}

fn later(now: i64, pause: Duration) -> i64 {
    now.saturating_add(i64::try_from(pause.as_nanos()).unwrap_or(i64::MAX))
}

fn pause_at(pauses: &[Duration], index: i64) -> Option<Duration> {
    usize::try_from(index).ok().and_then(|index| pauses.get(index)).copied()
}

impl WebhookSchedule {
    /// How a delivery goes on after an attempt.
    fn after(&self, delivery: &Triggered, success: bool, now: i64) -> Progress {
        let (attempts, attempts_of_round) = (delivery.attempts + 1, delivery.attempts_of_round + 1);
        let retry = pause_at(&self.retry, attempts_of_round - 1).filter(|_| !success);
        let again = pause_at(&self.fire_again, delivery.rounds).filter(|_| delivery.wanted_content.is_some());
        let status = match (success, retry) {
            (true, _) => "success",
            (false, Some(_)) => "retrying",
            (false, None) => "failure",
        };
        Progress {
            status,
            attempts,
            attempts_of_round,
            rounds: delivery.rounds,
            next_at: retry.or(again).map(|pause| later(now, pause)),
        }
    }
}

impl Broker {
    /// Delivers webhooks until `stop` is cancelled.
    pub async fn run_webhooks(&self, stop: CancellationToken) {
        // A file has one process; whatever that one had taken when it ended is nobody's now.
        if matches!(self.config().database, Database::File(_))
            && let Err(error) = self.end_leases().await
        {
            tracing::warn!(%error, "webhooks that were being sent when the last process ended wait for their lease to end");
        }
        let mut pause = Duration::from_millis(500);
        loop {
            let delivered = tokio::select! {
                () = stop.cancelled() => return,
                delivered = self.deliver_due() => delivered,
            };
            let wait = match delivered {
                Ok(0) => {
                    pause = Duration::from_millis(500);
                    self.until_next_due().await
                }
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(%error, pause_ms = pause.as_millis() as u64, "webhooks wait to be delivered");
                    let now = pause;
                    pause = (pause * 2).min(PAUSE_MAX);
                    now
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                () = self.webhooks_changed().notified() => {}
            }
        }
    }

    async fn end_leases(&self) -> Result<(), BrokerError> {
        let mut write = self.store().write().await?;
        webhooks::end_leases(write.conn()).await?;
        write.commit().await
    }

    async fn until_next_due(&self) -> Duration {
        let due = async { webhooks::next_due(&mut self.store().read().await?).await };
        match due.await {
            Ok(Some(at)) => Duration::from_nanos(u64::try_from(at - self.now()).unwrap_or(0)).min(LOOK_EVERY),
            _ => LOOK_EVERY,
        }
    }

    /// Sends what is due; how many there were.
    async fn deliver_due(&self) -> Result<usize, BrokerError> {
        // Looking first costs nothing while nothing is due; taking needs the writer.
        let now = self.now();
        if webhooks::next_due(&mut self.store().read().await?).await?.is_none_or(|at| at > now) {
            return Ok(0);
        }
        let mut write = self.store().write().await?;
        let due = webhooks::take_due(write.conn(), now, later(now, LEASE), BATCH).await?;
        write.commit().await?;
        let count = due.len();
        let done: Vec<Result<(), BrokerError>> = stream::iter(due)
            .map(|delivery| self.deliver(delivery))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        done.into_iter().collect::<Result<(), _>>()?;
        Ok(count)
    }

    async fn deliver(&self, mut delivery: Triggered) -> Result<(), BrokerError> {
        // A round that ended and is due again: only as long as its verification is wanted.
        if matches!(delivery.status.as_str(), "success" | "failure") {
            let still = match (delivery.wanted_content, delivery.wanted_version) {
                (Some(content), Some(version)) => {
                    !webhooks::wanted_no_more(&mut self.store().read().await?, content, version).await?
                }
                _ => false,
            };
            if !still {
                let status = if delivery.status == "success" { "success" } else { "failure" };
                return self.set_aside(&delivery, status, None).await;
            }
            delivery.rounds += 1;
            delivery.attempts_of_round = 0;
        }
        let hook = webhooks::find(&mut self.store().read().await?, &delivery.webhook_uuid).await?;
        let Some(hook) = hook.filter(|hook| hook.enabled) else {
            return self
                .set_aside(&delivery, "not_run", Some("the webhook was disabled or deleted since"))
                .await;
        };
        let read = serde_json::from_str::<Target>(&hook.target)
            .and_then(|target| Ok((target, serde_json::from_str::<Variables>(&delivery.variables)?)));
        let (target, variables) = match read {
            Ok(both) => both,
            Err(error) => {
                let reason = format!("what was stored cannot be read: {error}");
                return self.set_aside(&delivery, "failure", Some(&reason)).await;
            }
        };
        let what =
            Delivery { target: &target, variables: &variables, id: &delivery.uuid, event: &delivery.event };
        let attempt = send(&self.config().webhooks, self.clock(), &what).await;
        let now = self.now();
        let progress = self.config().webhook_schedule.after(&delivery, attempt.success, now);
        if progress.status == "failure" {
            tracing::warn!(webhook = %hook.uuid, event = %delivery.event, attempts = progress.attempts,
                "a webhook could not be delivered; its log says why");
        }
        let mut write = self.store().write().await?;
        webhooks::log(write.conn(), delivery.id, attempt.success, &attempt.log, now).await?;
        webhooks::set_progress(write.conn(), delivery.id, &progress, now).await?;
        write.commit().await
    }

    async fn set_aside(
        &self,
        delivery: &Triggered,
        status: &'static str,
        reason: Option<&str>,
    ) -> Result<(), BrokerError> {
        let now = self.now();
        let progress = Progress {
            status,
            attempts: delivery.attempts,
            attempts_of_round: delivery.attempts_of_round,
            rounds: delivery.rounds,
            next_at: None,
        };
        let mut write = self.store().write().await?;
        if let Some(reason) = reason {
            webhooks::log(write.conn(), delivery.id, false, &format!("{reason}\n"), now).await?;
        }
        webhooks::set_progress(write.conn(), delivery.id, &progress, now).await?;
        write.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(wanted: bool) -> Triggered {
        Triggered {
            id: 1,
            uuid: "d".into(),
            webhook_uuid: "w".into(),
            event: "e".into(),
            variables: "{}".into(),
            status: "not_run".into(),
            attempts: 0,
            attempts_of_round: 0,
            rounds: 0,
            wanted_content: wanted.then_some(1),
            wanted_version: wanted.then_some(1),
            created_at: 0,
        }
    }

    fn seconds(
        schedule: &WebhookSchedule,
        mut delivery: Triggered,
        outcomes: &[bool],
    ) -> Vec<(String, Option<i64>)> {
        let mut seen = Vec::new();
        for success in outcomes {
            let progress = schedule.after(&delivery, *success, 0);
            seen.push((progress.status.to_owned(), progress.next_at.map(|at| at / 1_000_000_000)));
            delivery.attempts = progress.attempts;
            delivery.attempts_of_round = progress.attempts_of_round;
        }
        seen
    }

    #[test]
    fn failures_are_tried_again_with_the_documented_pauses_and_then_no_more() {
        let schedule = WebhookSchedule::default();
        let seen = seconds(&schedule, delivery(false), &[false; 7]);
        let pauses: Vec<Option<i64>> = seen.iter().map(|(_, at)| *at).collect();
        assert_eq!(pauses, [Some(10), Some(60), Some(120), Some(300), Some(600), Some(1_200), None]);
        assert_eq!(seen[0].0, "retrying");
        assert_eq!(seen[6].0, "failure");
        assert_eq!(seconds(&schedule, delivery(false), &[true]), [("success".to_owned(), None)]);
    }

    #[test]
    fn a_wanted_verification_is_asked_for_again_whether_or_not_it_was_delivered() {
        let schedule = WebhookSchedule::default();
        assert_eq!(seconds(&schedule, delivery(true), &[true]), [("success".to_owned(), Some(1_800))]);
        let last = seconds(&schedule, delivery(true), &[false; 7]).pop().unwrap();
        assert_eq!(last, ("failure".to_owned(), Some(1_800)));
        let worn_out = Triggered { rounds: 4, ..delivery(true) };
        assert_eq!(seconds(&schedule, worn_out, &[true]), [("success".to_owned(), None)]);
    }
}
