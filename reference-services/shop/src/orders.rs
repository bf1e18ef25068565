//! The orders service: takes orders, asks products, lets payments pay, and keeps the order's state.

pub mod book;
pub mod events;
pub mod place;
pub mod products;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use clap::Args;
use http::StatusCode;
use prometheus::{IntCounter, IntCounterVec, Opts};
use tracepact_base::SharedClock;
use tracepact_kit::bulkhead::{Bulkhead, BulkheadSettings};
use tracepact_kit::http::Client;
use tracepact_listener::extract::{Json, Path};
use tracepact_listener::{Problem, Routes, Scope};

use crate::args::{BreakerArgs, KafkaArgs, ServiceArgs};
use crate::bus::Bus;
use crate::domain::order::Order;
use crate::runtime::Runtime;
use crate::upstream::{Retry, Upstream};
use book::{CancelError, OrderBook};
use products::Products;

/// `tracepact-shop orders`.
#[derive(Debug, Clone, Args)]
pub struct OrdersArgs {
    /// HTTP, telemetry and faults.
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Kafka.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// The circuit to products.
    #[command(flatten)]
    pub breaker: BreakerArgs,
    /// Base address of products; once for each instance.
    #[arg(long = "products", required = true, value_name = "URL")]
    pub products: Vec<String>,
    /// Longest wait for one answer of products.
    #[arg(long, default_value_t = 1_000, value_name = "MS")]
    pub products_timeout_ms: u64,
    /// How long a caller waits for the payment before it gets 202.
    #[arg(long, default_value_t = 2_000, value_name = "MS")]
    pub reply_wait_ms: u64,
    /// Payments' limit: with this many undecided orders of waiting callers, further callers get 202 at once.
    #[arg(long, default_value_t = 32, value_name = "ORDERS")]
    pub waiting_limit: usize,
    /// After this time an undecided order no longer counts towards the limit.
    #[arg(long, default_value_t = 300_000, value_name = "MS")]
    pub payment_window_ms: u64,
}

#[derive(Debug)]
struct Counters {
    placed: IntCounter,
    answered: IntCounterVec,
}

/// What the handlers of one instance share.
#[derive(Debug)]
pub struct Orders {
    book: OrderBook,
    products: Products,
    payment_places: Bulkhead,
    bus: Bus,
    client: Client,
    advertised: String,
    reply_wait: Duration,
    payment_window: Duration,
    clock: SharedClock,
    counters: Counters,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(args: OrdersArgs) -> anyhow::Result<()> {
    let mut runtime = Runtime::start("orders", &args.service, Default::default()).await?;
    let bus = runtime.bus(&args.kafka).await?;
    let registry = runtime.telemetry().registry().clone();
    let client = runtime.client()?;
    let timeout = Duration::from_millis(args.products_timeout_ms);
    // Both calls to products are idempotent, so a broken connection is no reason to give up.
    let upstream = Upstream::new(&client, "products", &args.products, timeout, Retry::OnBrokenConnection);
    let breaker = registry.breaker("products", "products", args.breaker.settings(timeout));
    let limit = BulkheadSettings { limit: args.waiting_limit, waiting_max: 0, ..BulkheadSettings::default() };
    let counters = Counters {
        placed: IntCounter::new("shop_orders_placed_total", "Orders sent to payments.")?,
        answered: IntCounterVec::new(
            Opts::new(
                "shop_orders_answered_total",
                "Answers to placed orders: decided, later_at_once (payments' limit), later_after_wait.",
            ),
            &["answer"],
        )?,
    };
    runtime.register(Box::new(counters.placed.clone()))?;
    runtime.register(Box::new(counters.answered.clone()))?;
    let orders = Arc::new(Orders {
        book: OrderBook::new(bus.clone()),
        products: Products::new(upstream, breaker, runtime.telemetry().tracing().clone()),
        payment_places: registry.bulkhead("payment", limit),
        bus,
        client: client.for_service("orders"),
        advertised: runtime.advertised(),
        reply_wait: Duration::from_millis(args.reply_wait_ms),
        payment_window: Duration::from_millis(args.payment_window_ms),
        clock: runtime.clock().clone(),
        counters,
    });
    let consuming = orders.clone();
    runtime
        .consume(&args.kafka, &events::TOPICS, move |record| {
            let orders = consuming.clone();
            async move { events::handle(&orders, &record).await }
        })
        .await?;
    runtime.serve(routes(orders)).await
}

fn routes(orders: Arc<Orders>) -> Routes {
    Routes::new("orders")
        .post("/orders", Scope::Public, place::place)
        .get("/orders/{id}", Scope::Public, get)
        .delete("/orders/{id}", Scope::Public, cancel)
        .post("/orders/{id}/events", Scope::Public, events::take)
        .with_state(orders)
}

fn not_held(order_id: &str) -> Problem {
    Problem::not_found(format!("this instance holds no order {order_id}")).with("error", "order_not_found")
}

async fn get(State(orders): State<Arc<Orders>>, Path(id): Path<String>) -> Result<Json<Order>, Problem> {
    orders.book.get(&id).await.map(Json).ok_or_else(|| not_held(&id))
}

async fn cancel(
    State(orders): State<Arc<Orders>>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Order>), Problem> {
    tracepact_kit::spans::set_attribute("shop.order_id", id.clone());
    match orders.book.cancel(&id).await {
        Ok(order) => Ok((StatusCode::ACCEPTED, Json(order))),
        Err(CancelError::NotHeld) => Err(not_held(&id)),
        Err(CancelError::Refused(why)) => {
            Err(Problem::new(tracepact_base::ErrorKind::Conflict, why).with("error", "not_cancellable"))
        }
        Err(CancelError::Bus(error)) => Err(place::unavailable("kafka", &error.to_string())),
    }
}
