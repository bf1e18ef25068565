//! Ending: the first signal drains, the second ends at once.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::wiring::Background;

/// The longest time from the first signal to the end.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long health says DOWN before connections are refused, so that whoever asks can know why.
const ANNOUNCE: Duration = Duration::from_millis(300);
/// What of it background work gets after the last request, at least.
const BACKGROUND_MIN: Duration = Duration::from_secs(1);

/// SIGTERM and SIGINT, taken before anything is opened.
pub(super) struct Signals {
    term: Signal,
    interrupt: Signal,
    /// Cancelled by the first signal.
    pub(super) drain: CancellationToken,
}

impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            drain: CancellationToken::new(),
        })
    }

    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.term.recv() => 128 + 15,
            _ = self.interrupt.recv() => 128 + 2,
        }
    }

    /// Waits for the first signal; from then on a further one ends the process at once.
    pub(super) async fn first(self) -> Draining {
        let mut signals = self;
        signals.next().await;
        let drain = signals.drain.clone();
        tokio::spawn(async move { end_now(signals.next().await) });
        Draining { drain }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the second signal means now; what was acknowledged is synced already"
)]
fn end_now(code: i32) {
    std::process::exit(code)
}

/// The time between the first signal and the end.
pub(super) struct Draining {
    drain: CancellationToken,
}

impl Draining {
    /// Ends the servers, then what runs beside them. `false` when something did not end in time.
    pub(super) async fn end(self, mut servers: JoinSet<()>, background: Background) -> bool {
        let deadline = tokio::time::Instant::now() + DRAIN_MAX;
        tokio::time::sleep(ANNOUNCE).await;
        self.drain.cancel();
        let served = tokio::time::timeout_at(deadline - BACKGROUND_MIN, async {
            while servers.join_next().await.is_some() {}
        });
        let served = served.await.is_ok();
        let ended = tokio::time::timeout_at(deadline, background.end()).await.is_ok();
        served && ended
    }
}
