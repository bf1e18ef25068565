//! The notifications service: tells customers what became of their orders. Here it keeps what it told.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::State;
use clap::Args;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracepact_base::SharedClock;
use tracepact_kit::kafka::{Failure, Record};
use tracepact_listener::extract::{Json, Query};
use tracepact_listener::{Routes, Scope};

use crate::args::{KafkaArgs, ServiceArgs};
use crate::domain::message::{
    DELIVERY_STARTED, DeliveryStarted, PAYMENT_REFUNDED, PAYMENT_RESULT, PaymentRefunded, PaymentResult,
    PaymentStatus,
};
use crate::runtime::Runtime;

/// Most notifications kept; older ones are forgotten first.
const NOTES_MAX: usize = 50_000;

/// `tracepact-shop notifications`.
#[derive(Debug, Clone, Args)]
pub struct NotificationsArgs {
    /// HTTP, telemetry and faults.
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Kafka.
    #[command(flatten)]
    pub kafka: KafkaArgs,
}

/// What a customer was told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
enum What {
    PaymentSucceeded,
    PaymentRefused { reason: String },
    DeliveryStarted { delivery_id: String },
    OrderCancelled { refunded: bool },
}

#[derive(Debug, Clone, Serialize)]
struct Note {
    order_id: String,
    told: What,
    at_ms: u64,
}

#[derive(Debug, Default)]
struct Notes {
    notes: VecDeque<Note>,
    told: HashSet<(String, What)>,
}

#[derive(Debug)]
struct Service {
    notes: Mutex<Notes>,
    clock: SharedClock,
}

#[derive(Debug, Deserialize)]
struct Which {
    order_id: Option<String>,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Answer {
    /// Newest first.
    notifications: Vec<Note>,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(args: NotificationsArgs) -> anyhow::Result<()> {
    let mut runtime = Runtime::start("notifications", &args.service, Default::default()).await?;
    // Nothing is sent from here; the topics must exist all the same.
    let _bus = runtime.bus(&args.kafka).await?;
    let service = Arc::new(Service { notes: Mutex::default(), clock: runtime.clock().clone() });
    let consuming = service.clone();
    runtime
        .consume(&args.kafka, &[PAYMENT_RESULT, DELIVERY_STARTED, PAYMENT_REFUNDED], move |record| {
            let result = consuming.handle(&record);
            async move { result }
        })
        .await?;
    let routes = Routes::new("notifications").get("/notifications", Scope::Public, list).with_state(service);
    runtime.serve(routes).await
}

impl Service {
    fn handle(&self, record: &Record) -> Result<(), Failure> {
        let (order_id, told) = match record.topic.as_str() {
            PAYMENT_RESULT => {
                let result: PaymentResult = record.json()?;
                let told = match result.status {
                    PaymentStatus::Paid { .. } => What::PaymentSucceeded,
                    PaymentStatus::Refused { reason } => What::PaymentRefused { reason },
                };
                (result.line.order_id, told)
            }
            DELIVERY_STARTED => {
                let started: DeliveryStarted = record.json()?;
                (started.line.order_id, What::DeliveryStarted { delivery_id: started.delivery_id })
            }
            _ => {
                let refunded: PaymentRefunded = record.json()?;
                (refunded.line.order_id, What::OrderCancelled { refunded: refunded.payment_id.is_some() })
            }
        };
        self.tell(order_id, told);
        Ok(())
    }

    /// Tells a customer something once.
    fn tell(&self, order_id: String, told: What) {
        let mut notes = self.notes.lock();
        if !notes.told.insert((order_id.clone(), told.clone())) {
            return;
        }
        tracing::info!(order_id, ?told, "a customer was told");
        if notes.notes.len() >= NOTES_MAX
            && let Some(oldest) = notes.notes.pop_front()
        {
            notes.told.remove(&(oldest.order_id, oldest.told));
        }
        notes.notes.push_back(Note { order_id, told, at_ms: self.clock.now_ns() / 1_000_000 });
    }
}

async fn list(State(service): State<Arc<Service>>, Query(which): Query<Which>) -> Json<Answer> {
    let notes = service.notes.lock();
    let notifications = notes
        .notes
        .iter()
        .rev()
        .filter(|note| which.order_id.as_ref().is_none_or(|id| *id == note.order_id))
        .take(which.limit.unwrap_or(100).min(1_000))
        .cloned()
        .collect();
    Json(Answer { notifications })
}
