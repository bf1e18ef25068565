//! The payments service: one result for each order, and the offset committed only after the result is on Kafka.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use parking_lot::Mutex;
use tracepact_kit::kafka::{Failure, Record};
use tracepact_listener::Routes;

use crate::args::{KafkaArgs, ServiceArgs};
use crate::bus::{Bus, BusError};
use crate::domain::message::{
    DELIVERY_CANCELLED, DeliveryCancelled, ORDER_PLACED, OrderPlaced, PAYMENT_REFUNDED, PAYMENT_RESULT,
};
use crate::domain::payment::Ledger;
use crate::runtime::Runtime;

/// Most orders remembered.
const ORDERS_MAX: usize = 100_000;

/// `tracepact-shop payments`.
#[derive(Debug, Clone, Args)]
pub struct PaymentsArgs {
    /// HTTP, telemetry and faults.
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Kafka.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// How long taking one payment lasts.
    #[arg(long, default_value_t = 5, value_name = "MS")]
    pub work_ms: u64,
    /// Payments above this amount are refused.
    #[arg(long, default_value_t = 1_000_000, value_name = "CENTS")]
    pub refuse_above_cents: u64,
}

#[derive(Debug)]
struct Payments {
    ledger: Mutex<Ledger>,
    bus: Bus,
    work: Duration,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(args: PaymentsArgs) -> anyhow::Result<()> {
    let mut runtime = Runtime::start("payments", &args.service, Default::default()).await?;
    let bus = runtime.bus(&args.kafka).await?;
    let payments = Arc::new(Payments {
        ledger: Mutex::new(Ledger::new(ORDERS_MAX, args.refuse_above_cents)),
        bus,
        work: Duration::from_millis(args.work_ms),
    });
    runtime
        .consume(&args.kafka, &[ORDER_PLACED, DELIVERY_CANCELLED], move |record| {
            let payments = payments.clone();
            async move { payments.handle(&record).await }
        })
        .await?;
    runtime.serve(Routes::new("payments")).await
}

impl Payments {
    /// Returns once the consequence is on Kafka: what comes back commits the record.
    async fn handle(&self, record: &Record) -> Result<(), Failure> {
        let sent = if record.topic == ORDER_PLACED {
            let placed: OrderPlaced = record.json()?;
            tokio::time::sleep(self.work).await;
            let result = self.ledger.lock().on_order_placed(&placed);
            self.bus.send(PAYMENT_RESULT, &result.line.order_id, &result).await
        } else {
            let cancelled: DeliveryCancelled = record.json()?;
            let refunded = self.ledger.lock().on_delivery_cancelled(&cancelled);
            self.bus.send(PAYMENT_REFUNDED, &refunded.line.order_id, &refunded).await
        };
        sent.map_err(|error: BusError| Failure::Retry(error.to_string()))
    }
}
