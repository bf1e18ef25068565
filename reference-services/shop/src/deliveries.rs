//! The deliveries service: a delivery for each paid order, and none for any other.

use std::sync::Arc;

use axum::extract::State;
use clap::Args;
use parking_lot::Mutex;
use serde::Serialize;
use tracepact_kit::kafka::{Failure, Record};
use tracepact_listener::extract::{Json, Path};
use tracepact_listener::{Problem, Routes, Scope};

use crate::args::{KafkaArgs, ServiceArgs};
use crate::bus::Bus;
use crate::domain::delivery::Deliveries;
use crate::domain::message::{
    DELIVERY_CANCELLED, DELIVERY_STARTED, ORDER_CANCELLED, ORDER_PAID, OrderCancelled, OrderPaid,
};
use crate::runtime::Runtime;

/// Most orders remembered.
const ORDERS_MAX: usize = 100_000;

/// `tracepact-shop deliveries`.
#[derive(Debug, Clone, Args)]
pub struct DeliveriesArgs {
    /// HTTP, telemetry and faults.
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Kafka.
    #[command(flatten)]
    pub kafka: KafkaArgs,
}

#[derive(Debug)]
struct Service {
    deliveries: Mutex<Deliveries>,
    bus: Bus,
}

/// What `GET /deliveries/{order_id}` answers.
#[derive(Debug, Serialize)]
struct DeliveryView {
    order_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<String>,
    /// `started` or `cancelled`.
    state: &'static str,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(args: DeliveriesArgs) -> anyhow::Result<()> {
    let mut runtime = Runtime::start("deliveries", &args.service, Default::default()).await?;
    let bus = runtime.bus(&args.kafka).await?;
    let service = Arc::new(Service { deliveries: Mutex::new(Deliveries::new(ORDERS_MAX)), bus });
    let consuming = service.clone();
    runtime
        .consume(&args.kafka, &[ORDER_PAID, ORDER_CANCELLED], move |record| {
            let service = consuming.clone();
            async move { service.handle(&record).await }
        })
        .await?;
    let routes =
        Routes::new("deliveries").get("/deliveries/{order_id}", Scope::Public, get).with_state(service);
    runtime.serve(routes).await
}

impl Service {
    async fn handle(&self, record: &Record) -> Result<(), Failure> {
        if record.topic == ORDER_PAID {
            let paid: OrderPaid = record.json()?;
            let id = &paid.line.order_id;
            let started = self.deliveries.lock().on_order_paid(&paid);
            let Some(started) = started else { return Ok(()) };
            let sent = self.bus.send(DELIVERY_STARTED, id, &started).await;
            return sent.map_err(|error| {
                self.deliveries.lock().undo_start(id, &started);
                Failure::Retry(error.to_string())
            });
        }
        let cancelled: OrderCancelled = record.json()?;
        let stopped = self.deliveries.lock().on_order_cancelled(&cancelled);
        let sent = self.bus.send(DELIVERY_CANCELLED, &stopped.line.order_id, &stopped).await;
        sent.map_err(|error| Failure::Retry(error.to_string()))
    }
}

async fn get(
    State(service): State<Arc<Service>>,
    Path(order_id): Path<String>,
) -> Result<Json<DeliveryView>, Problem> {
    let deliveries = service.deliveries.lock();
    let (delivery_id, cancelled) = deliveries
        .get(&order_id)
        .ok_or_else(|| Problem::not_found(format!("there is no delivery for order {order_id}")))?;
    let state = if cancelled { "cancelled" } else { "started" };
    Ok(Json(DeliveryView { delivery_id: delivery_id.map(str::to_owned), state, order_id }))
}
