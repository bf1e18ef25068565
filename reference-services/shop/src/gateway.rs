//! The gateway: who calls, how often, and on to orders, with a circuit breaker and a bulkhead for each route.

pub mod auth;
pub mod proxy;
pub mod rate_limit;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use prometheus::{IntCounterVec, Opts};
use tracepact_kit::bulkhead::BulkheadSettings;
use tracepact_kit::propagation::TrustInbound;
use tracepact_listener::access::admin_token;
use tracepact_listener::{Routes, Scope};

use crate::args::{BreakerArgs, ServiceArgs};
use crate::bounded::BoundedMap;
use crate::runtime::Runtime;
use crate::upstream::{Retry, Upstream};
use auth::TokenCheck;
use proxy::Lane;
use rate_limit::RateLimit;

/// Most orders of which the gateway remembers the instance that took them.
const PLACES_MAX: usize = 50_000;

/// `tracepact-shop gateway`.
#[derive(Debug, Clone, Args)]
pub struct GatewayArgs {
    /// HTTP, telemetry and faults.
    #[command(flatten)]
    pub service: ServiceArgs,
    /// The circuits to orders.
    #[command(flatten)]
    pub breaker: BreakerArgs,
    /// Base address of orders; once for each instance.
    #[arg(long = "orders", required = true, value_name = "URL")]
    pub orders: Vec<String>,
    /// Longest wait for one answer of orders; more than its --reply-wait-ms and --products-timeout-ms together.
    #[arg(long, default_value_t = 10_000, value_name = "MS")]
    pub orders_timeout_ms: u64,
    /// Key with which consumers' tokens are signed (HS256); made when the file is not there.
    #[arg(long, value_name = "FILE")]
    pub jwt_key_file: PathBuf,
    /// Calls of one consumer a second, on average.
    #[arg(long, default_value_t = 100.0, value_name = "CALLS")]
    pub rate_limit: f64,
    /// Calls of one consumer at once.
    #[arg(long, default_value_t = 200, value_name = "CALLS")]
    pub rate_burst: u32,
    /// Calls on one route at once; further ones are refused.
    #[arg(long, default_value_t = 256, value_name = "CALLS")]
    pub bulkhead: usize,
}

/// What the handlers share.
#[derive(Debug)]
pub struct Gateway {
    tokens: TokenCheck,
    rate: RateLimit,
    orders: Upstream,
    /// Index of the orders instance that took an order.
    places: parking_lot::Mutex<BoundedMap<String, usize>>,
    place: Lane,
    read: Lane,
    cancel: Lane,
    answers: IntCounterVec,
}

/// Runs the gateway until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(args: GatewayArgs) -> anyhow::Result<()> {
    // The internet decides nothing about our traces: new ones, with a link to what the caller sent.
    let mut runtime = Runtime::start("gateway", &args.service, TrustInbound::None).await?;
    let (key, _) = admin_token::load_or_create(&args.jwt_key_file)
        .with_context(|| format!("the key file {}", args.jwt_key_file.display()))?;
    let registry = runtime.telemetry().registry().clone();
    let timeout = Duration::from_millis(args.orders_timeout_ms);
    let lane = |name: &str| {
        let bounds = BulkheadSettings { limit: args.bulkhead, waiting_max: 0, ..BulkheadSettings::default() };
        Lane {
            breaker: registry.breaker(name, "orders", args.breaker.settings(timeout)),
            bulkhead: registry.bulkhead(name, bounds),
        }
    };
    let answers = IntCounterVec::new(
        Opts::new("shop_gateway_answers_total", "Answers of the gateway by route and status."),
        &["route", "status"],
    )?;
    runtime.register(Box::new(answers.clone()))?;
    let gateway = Arc::new(Gateway {
        tokens: TokenCheck::new(&key, runtime.clock().clone())?,
        rate: RateLimit::new(args.rate_limit, args.rate_burst, runtime.clock().clone()),
        orders: Upstream::new(&runtime.client()?, "orders", &args.orders, timeout, Retry::OnConnectFailure),
        places: parking_lot::Mutex::new(BoundedMap::new(PLACES_MAX)),
        place: lane("orders.place"),
        read: lane("orders.read"),
        cancel: lane("orders.cancel"),
        answers,
    });
    runtime.answer_traceresponse();
    runtime.serve(routes(gateway)).await
}

fn routes(gateway: Arc<Gateway>) -> Routes {
    // Public to the listener: the token of a consumer is checked here.
    Routes::new("gateway")
        .post("/orders", Scope::Public, proxy::place)
        .get("/orders/{id}", Scope::Public, proxy::read)
        .delete("/orders/{id}", Scope::Public, proxy::cancel)
        .with_state(gateway)
}
