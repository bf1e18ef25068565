//! After the last order: payments that follow, cancellations, and what the fault switches did.

use std::time::Duration;

use anyhow::Context;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::time::Instant;

use super::{LoadArgs, Sender, SentOrder, trace_id};
use crate::outcomes::Outcome;

/// Pause between two looks at orders whose payment is still to come.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl Sender {
    /// Finds the outcome of every order.
    pub(super) async fn settle(
        &self,
        args: &LoadArgs,
        orders: &mut [SentOrder],
        choose: &mut StdRng,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_millis(args.settle_ms);
        loop {
            for order in orders.iter_mut().filter(|order| order.is_open()) {
                self.look(order).await;
            }
            if !orders.iter().any(SentOrder::is_open) || Instant::now() >= deadline {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        for order in orders.iter_mut() {
            order.outcome = order.judged();
            let paid = matches!(order.outcome, Some(Outcome::PaidAtOnce | Outcome::PaidLater));
            if paid && choose.random_range(0..100) < args.cancel_percent {
                self.cancel(order).await;
            }
        }
        if let (Some(payments), Some(file)) = (&args.payments, &args.faults_token_file) {
            let token =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            self.injected(payments, token.trim(), orders).await?;
        }
        Ok(())
    }

    async fn look(&self, order: &mut SentOrder) {
        let Some(id) = &order.order_id else { return };
        let request = self.http.get(format!("{}/orders/{id}", self.gateway)).bearer_auth(self.token.expose());
        if let Ok(answer) = request.send().await
            && answer.status().is_success()
        {
            order.learn(&answer.json().await.unwrap_or_default());
        }
    }

    async fn cancel(&self, order: &mut SentOrder) {
        let Some(id) = &order.order_id else { return };
        let request =
            self.http.delete(format!("{}/orders/{id}", self.gateway)).bearer_auth(self.token.expose());
        if let Ok(answer) = request.send().await
            && answer.status().as_u16() == 202
        {
            order.cancel_trace_id = trace_id(&answer);
            order.state = Some("cancelling".into());
        }
    }

    /// Asks payments what its switches did, as they changed what became of those orders.
    async fn injected(&self, payments: &str, token: &str, orders: &mut [SentOrder]) -> anyhow::Result<()> {
        let url = format!("{}/faults", payments.trim_end_matches('/'));
        let answer = self.http.get(&url).bearer_auth(token).send().await?.error_for_status()?;
        let report: Value = answer.json().await?;
        let empty = Vec::new();
        for injection in report["injected"].as_array().unwrap_or(&empty) {
            let outcome = match injection["kind"].as_str() {
                Some("drop") => Outcome::DroppedAtPayments,
                Some("dead_letter") => Outcome::DeadLettered,
                Some("duplicate") => Outcome::Duplicated,
                _ => continue,
            };
            let key = injection["key"].as_str();
            for order in orders.iter_mut().filter(|order| order.order_id.as_deref() == key && key.is_some()) {
                order.outcome = Some(outcome);
            }
        }
        Ok(())
    }
}
