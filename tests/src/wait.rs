//! Waiting on something that can be seen, with a deadline, never for a fixed time.

use std::time::Duration;

use anyhow::bail;

const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// In the beginning, so that what is quick is not waited for.
const FIRST_POLL_INTERVAL: Duration = Duration::from_millis(4);
/// How long the beginning takes.
const BEGINNING: Duration = Duration::from_millis(200);

/// Asks `condition` until it answers with a value. An error ends the wait at once; the deadline names `what`.
pub async fn until<T>(
    timeout: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let begun = tokio::time::Instant::now();
    let deadline = begun + timeout;
    loop {
        if let Some(value) = condition().await? {
            return Ok(value);
        }
        if tokio::time::Instant::now() >= deadline {
            bail!("waited {:.0} s in vain for {what}", timeout.as_secs_f64());
        }
        let interval = if begun.elapsed() < BEGINNING { FIRST_POLL_INTERVAL } else { POLL_INTERVAL };
        tokio::time::sleep(interval).await;
    }
}

/// Like [`until`], but a failing question counts as "not yet"; the last failure is named at the deadline.
pub async fn until_ok<T>(
    timeout: Duration,
    what: &str,
    mut question: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let mut last = String::new();
    let answer = until(timeout, what, async || match question().await {
        Ok(value) => Ok(value),
        Err(error) => {
            last = format!("{error:#}");
            Ok(None)
        }
    })
    .await;
    answer.map_err(|error| if last.is_empty() { error } else { error.context(last) })
}
