//! `tracepact-shop load`: orders through the gateway at a rate, each remembered with its answer, trace and outcome.

mod settle;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracepact_base::Secret;

use crate::outcomes::Outcome;
use crate::token::TokenArgs;

/// Most orders on their way at once; beyond it the generator waits, as a bounded client would.
const IN_FLIGHT_MAX: usize = 256;
/// Most orders of one run.
const ORDERS_MAX: u64 = 1_000_000;

/// `tracepact-shop load`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Example:\n  tracepact-shop load --gateway http://127.0.0.1:8080 --jwt-key-file jwt.key --rate 20 --for-ms 10000 --json orders.json"
)]
pub struct LoadArgs {
    /// Base address of the gateway.
    #[arg(long, value_name = "URL")]
    pub gateway: String,
    /// File with a consumer's token.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "jwt_key_file",
        conflicts_with = "jwt_key_file"
    )]
    pub token_file: Option<PathBuf>,
    /// The gateway's key, to make a token for the consumer `load`.
    #[arg(long, value_name = "FILE")]
    pub jwt_key_file: Option<PathBuf>,
    /// Orders a second.
    #[arg(long, default_value_t = 10.0, value_name = "ORDERS")]
    pub rate: f64,
    /// How long orders are sent.
    #[arg(long, default_value_t = 10_000, value_name = "MS")]
    pub for_ms: u64,
    /// Stop after so many orders.
    #[arg(long, value_name = "ORDERS")]
    pub orders: Option<u64>,
    /// Chooses products and what is cancelled; with it the order ids are `s<SEED>-<NUMBER>`, else the shop chooses.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Share of orders whose payment is refused (an expensive product).
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub refuse_percent: u32,
    /// Share of orders for something that is sold out.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub soldout_percent: u32,
    /// Share of paid orders that are cancelled afterwards.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub cancel_percent: u32,
    /// How long to wait, after the last order, for payments that follow later.
    #[arg(long, default_value_t = 5_000, value_name = "MS")]
    pub settle_ms: u64,
    /// Base address of payments, to ask its fault switches which orders were dropped, dead-lettered or duplicated.
    #[arg(long, value_name = "URL", requires = "faults_token_file")]
    pub payments: Option<String>,
    /// Token for the fault switches.
    #[arg(long, value_name = "FILE")]
    pub faults_token_file: Option<PathBuf>,
    /// Write the result to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// One order as its caller saw it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SentOrder {
    /// The order; absent when the answer named none.
    pub order_id: Option<String>,
    /// The trace of `POST /orders`, from `traceresponse`.
    pub trace_id: Option<String>,
    /// Status of the answer; absent when none came.
    pub status: Option<u16>,
    /// The order's last known state.
    pub state: Option<String>,
    /// What became of it; absent while that is not known, and for calls that were refused at the gateway.
    pub outcome: Option<Outcome>,
    /// The trace of `DELETE /orders/{id}`, when it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_trace_id: Option<String>,
    /// How long the answer took, in milliseconds.
    pub latency_ms: f64,
    #[serde(default)]
    served_by_fallback: bool,
}

/// What a run prints.
#[derive(Debug, Serialize, Deserialize)]
pub struct LoadResult {
    /// Orders sent.
    pub sent: usize,
    /// Answers by status; `none` for orders without one.
    pub by_status: std::collections::BTreeMap<String, usize>,
    /// Orders by outcome; `unknown` for those without one.
    pub by_outcome: std::collections::BTreeMap<String, usize>,
    /// The time that half, 95 and 99 of a hundred answers took at most, in milliseconds.
    pub latency_ms: [f64; 3],
    /// Every order.
    pub orders: Vec<SentOrder>,
}

struct Sender {
    http: reqwest::Client,
    gateway: String,
    token: Secret,
    sent: Mutex<Vec<SentOrder>>,
}

/// What to order.
struct Wish {
    order_id: Option<String>,
    product_id: String,
}

/// Sends the orders and prints what became of them.
///
/// # Errors
/// When the token cannot be read or the gateway never answered.
pub async fn run(args: LoadArgs) -> anyhow::Result<()> {
    if !(args.rate.is_finite() && args.rate > 0.0 && args.rate <= 10_000.0) {
        bail!("--rate is above 0 and at most 10000");
    }
    let sender = Arc::new(Sender {
        http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?,
        gateway: args.gateway.trim_end_matches('/').to_owned(),
        token: token(&args)?,
        sent: Mutex::default(),
    });
    let mut choose = StdRng::seed_from_u64(args.seed.unwrap_or_default());
    let started = Instant::now();
    let end = started + Duration::from_millis(args.for_ms);
    let most = args.orders.unwrap_or(ORDERS_MAX).min(ORDERS_MAX);
    let mut running = JoinSet::new();
    let mut next = started;
    for number in 0..most {
        tokio::time::sleep_until(next).await;
        if Instant::now() >= end {
            break;
        }
        next += Duration::from_secs_f64(1.0 / args.rate);
        while running.try_join_next().is_some() {}
        while running.len() >= IN_FLIGHT_MAX {
            running.join_next().await;
            next = Instant::now();
        }
        let sender = sender.clone();
        let wish = wish(&args, number, &mut choose);
        running.spawn(async move { sender.place(wish).await });
    }
    while running.join_next().await.is_some() {}

    let mut orders = std::mem::take(&mut *sender.sent.lock());
    if !orders.is_empty() && orders.iter().all(|order| order.status.is_none()) {
        bail!("the gateway at {} never answered", args.gateway);
    }
    sender.settle(&args, &mut orders, &mut choose).await?;
    let result = serde_json::to_string_pretty(&summary(orders))?;
    match &args.json {
        Some(file) => tokio::fs::write(file, result)
            .await
            .with_context(|| format!("cannot write {}", file.display()))?,
        None => writeln!(std::io::stdout(), "{result}")?,
    }
    Ok(())
}

fn token(args: &LoadArgs) -> anyhow::Result<Secret> {
    if let Some(file) = &args.jwt_key_file {
        let token = TokenArgs { jwt_key_file: file.clone(), consumer: "load".into(), ttl_s: 86_400 };
        return token.mint();
    }
    let file = args.token_file.as_deref().context("a token is needed: --token-file or --jwt-key-file")?;
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Secret::new(text.trim()))
}

fn wish(args: &LoadArgs, number: u64, choose: &mut StdRng) -> Wish {
    let draw = choose.random_range(0..100);
    let product_id = if draw < args.refuse_percent {
        "p-luxury".to_owned()
    } else if draw < args.refuse_percent + args.soldout_percent {
        "p-soldout".to_owned()
    } else {
        format!("p-{}", choose.random_range(1..=5))
    };
    Wish { order_id: args.seed.map(|seed| format!("s{seed}-{number:06}")), product_id }
}

impl Sender {
    async fn place(&self, wish: Wish) {
        let mut body = serde_json::json!({"product_id": wish.product_id, "quantity": 1});
        if let Some(id) = &wish.order_id {
            body["order_id"] = id.as_str().into();
        }
        let started = Instant::now();
        let request = self.http.post(format!("{}/orders", self.gateway)).json(&body);
        let answer = request.bearer_auth(self.token.expose()).send().await;
        let mut order = SentOrder { order_id: wish.order_id, ..SentOrder::default() };
        if let Ok(answer) = answer {
            order.status = Some(answer.status().as_u16());
            order.trace_id = trace_id(&answer);
            let body: Value = answer.json().await.unwrap_or_default();
            order.learn(&body);
        }
        order.latency_ms = started.elapsed().as_secs_f64() * 1_000.0;
        self.sent.lock().push(order);
    }
}

impl SentOrder {
    fn learn(&mut self, body: &Value) {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        self.order_id = text("order_id").or_else(|| self.order_id.take());
        self.state = text("state").or_else(|| self.state.take());
        if let Some(fallback) = body.get("served_by_fallback").and_then(Value::as_bool) {
            self.served_by_fallback = fallback;
        }
    }

    /// Whether its payment is still to come.
    fn is_open(&self) -> bool {
        self.status == Some(202) && self.state.as_deref() == Some("placed")
    }

    /// The outcome that status and state speak of.
    fn judged(&self) -> Option<Outcome> {
        let paid = matches!(self.state.as_deref(), Some("paid" | "delivering"));
        match self.status? {
            201 | 202 if paid && self.served_by_fallback => Some(Outcome::ServedByFallback),
            201 if paid => Some(Outcome::PaidAtOnce),
            202 if paid => Some(Outcome::PaidLater),
            402 => Some(Outcome::Refused),
            202 if self.state.as_deref() == Some("refused") => Some(Outcome::Refused),
            409 | 422 => Some(Outcome::Rejected),
            502 => Some(Outcome::Failed),
            503 => Some(Outcome::TurnedAway),
            _ => None,
        }
    }
}

fn trace_id(answer: &reqwest::Response) -> Option<String> {
    let value = answer.headers().get("traceresponse")?.to_str().ok()?;
    value.split('-').nth(1).map(str::to_owned)
}

fn summary(orders: Vec<SentOrder>) -> LoadResult {
    let mut by_status = std::collections::BTreeMap::new();
    let mut by_outcome = std::collections::BTreeMap::new();
    for order in &orders {
        let status = order.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        *by_status.entry(status).or_insert(0) += 1;
        let outcome = order
            .outcome
            .and_then(|outcome| serde_json::to_value(outcome).ok()?.as_str().map(str::to_owned))
            .unwrap_or_else(|| "unknown".to_owned());
        *by_outcome.entry(outcome).or_insert(0) += 1;
    }
    let mut times: Vec<f64> = orders.iter().map(|order| order.latency_ms).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let rank = (times.len() as f64 * share).ceil() as usize;
        times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    };
    LoadResult {
        sent: orders.len(),
        by_status,
        by_outcome,
        latency_ms: [at(0.5), at(0.95), at(0.99)],
        orders,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(status: u16, state: &str, served_by_fallback: bool) -> SentOrder {
        SentOrder {
            status: Some(status),
            state: Some(state.into()),
            served_by_fallback,
            ..SentOrder::default()
        }
    }

    #[test]
    fn outcomes_follow_from_what_the_caller_saw() {
        assert_eq!(order(201, "paid", false).judged(), Some(Outcome::PaidAtOnce));
        assert_eq!(order(201, "delivering", true).judged(), Some(Outcome::ServedByFallback));
        assert_eq!(order(202, "delivering", false).judged(), Some(Outcome::PaidLater));
        assert_eq!(order(202, "placed", false).judged(), None);
        assert_eq!(order(402, "refused", false).judged(), Some(Outcome::Refused));
        assert_eq!(order(502, "", false).judged(), Some(Outcome::Failed));
        assert_eq!(order(429, "", false).judged(), None);
    }
}
