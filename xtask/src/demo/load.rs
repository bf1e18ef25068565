//! Steady traffic: orders through the gateway at a rate that scenes change, each remembered with its answer.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use tracepact_tests::Api;

/// Most orders on their way at once; beyond it the generator waits, as a bounded client would.
const IN_FLIGHT_MAX: usize = 256;

/// One order as its caller saw it.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// The order's id.
    pub(crate) id: String,
    /// The trace, from `traceresponse`.
    pub(crate) trace_id: Option<String>,
    /// HTTP status; `None` when the request itself failed.
    pub(crate) status: Option<u16>,
    /// When the answer came.
    pub(crate) at: tokio::time::Instant,
}

impl Placed {
    /// Whether the caller got what it asked for: the order paid, or accepted to be paid.
    pub(crate) fn served(&self) -> bool {
        matches!(self.status, Some(200..=202))
    }
}

/// The running generator.
pub(crate) struct Load {
    rate_per_s: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    placed: Arc<Mutex<Vec<Placed>>>,
    task: JoinHandle<()>,
}

impl Load {
    /// Starts sending `rate_per_s` orders a second to the gateway.
    pub(crate) fn start(gateway: Api, rate_per_s: u32, seed: u64) -> Self {
        let rate = Arc::new(AtomicU32::new(rate_per_s));
        let stop = Arc::new(AtomicBool::new(false));
        let placed = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(generate(gateway, seed, rate.clone(), stop.clone(), placed.clone()));
        Self { rate_per_s: rate, stop, placed, task }
    }

    /// Changes the rate.
    pub(crate) fn set_rate(&self, rate_per_s: u32) {
        self.rate_per_s.store(rate_per_s, Ordering::Relaxed);
    }

    /// Number of orders answered so far: a mark to look back to.
    pub(crate) fn mark(&self) -> usize {
        self.placed.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Orders answered since `mark`.
    pub(crate) fn since(&self, mark: usize) -> Vec<Placed> {
        let placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        placed.get(mark..).unwrap_or_default().to_vec()
    }

    /// Stops, waits for answers on their way, and returns every order.
    pub(crate) async fn finish(self) -> Vec<Placed> {
        self.stop.store(true, Ordering::Relaxed);
        let _ended = self.task.await;
        std::mem::take(&mut *self.placed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn generate(
    gateway: Api,
    seed: u64,
    rate: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    placed: Arc<Mutex<Vec<Placed>>>,
) {
    let mut running = tokio::task::JoinSet::new();
    let mut number = 0u64;
    let mut next = tokio::time::Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let rate = rate.load(Ordering::Relaxed);
        if rate == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            next = tokio::time::Instant::now();
            continue;
        }
        next += Duration::from_secs(1) / rate;
        tokio::time::sleep_until(next).await;
        while running.try_join_next().is_some() {}
        while running.len() >= IN_FLIGHT_MAX {
            running.join_next().await;
            next = tokio::time::Instant::now();
        }
        number += 1;
        let (gateway, placed) = (gateway.clone(), placed.clone());
        running.spawn(async move {
            let order = place(&gateway, &format!("order-{seed}-{number}"), number).await;
            placed.lock().unwrap_or_else(PoisonError::into_inner).push(order);
        });
    }
    while running.join_next().await.is_some() {}
}

/// Places one order under the caller's own number; `choice` picks the product.
pub(crate) async fn place(gateway: &Api, order_id: &str, choice: u64) -> Placed {
    let body = json!({ "order_id": order_id, "product_id": format!("p-{}", choice % 5 + 1), "quantity": 1 });
    let answer = gateway.send("POST", "/orders", Some(&body)).await;
    let at = tokio::time::Instant::now();
    let Ok(answer) = answer else {
        return Placed { id: order_id.to_owned(), trace_id: None, status: None, at };
    };
    let trace_id = answer.header("traceresponse").and_then(|v| v.split('-').nth(1)).map(str::to_owned);
    Placed { id: order_id.to_owned(), trace_id, status: Some(answer.status), at }
}
