//! What payments remembers of each order.

use super::message::{
    DeliveryCancelled, OrderLine, OrderPlaced, PaymentRefunded, PaymentResult, PaymentStatus,
};
use crate::bounded::BoundedMap;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Decided(PaymentStatus),
    /// Cancelled; with the payment that was given back, if one had been taken.
    Cancelled(Option<String>),
}

/// Payments by order: each order is charged at most once and refunded at most once.
#[derive(Debug)]
pub struct Ledger {
    entries: BoundedMap<String, Entry>,
    refuse_above_cents: u64,
}

impl Ledger {
    /// An empty ledger that remembers `capacity` orders and refuses amounts above `refuse_above_cents`.
    pub fn new(capacity: usize, refuse_above_cents: u64) -> Self {
        Self { entries: BoundedMap::new(capacity), refuse_above_cents }
    }

    /// Charges the order, or repeats what was decided when it was seen before.
    pub fn on_order_placed(&mut self, placed: &OrderPlaced) -> PaymentResult {
        let line = placed.line.clone();
        let limit = self.refuse_above_cents;
        let entry =
            self.entries.get_or_insert_with(line.order_id.clone(), || Entry::Decided(decide(&line, limit)));
        let status = match entry {
            Entry::Decided(status) => status.clone(),
            Entry::Cancelled(_) => PaymentStatus::Refused { reason: "the order was cancelled".into() },
        };
        PaymentResult { line, status }
    }

    /// Gives the payment back, or makes sure that none is taken later.
    pub fn on_delivery_cancelled(&mut self, cancelled: &DeliveryCancelled) -> PaymentRefunded {
        let line = cancelled.line.clone();
        let payment_id = match self.entries.get(&line.order_id) {
            Some(Entry::Decided(PaymentStatus::Paid { payment_id })) => Some(payment_id.clone()),
            Some(Entry::Cancelled(payment_id)) => payment_id.clone(),
            Some(Entry::Decided(PaymentStatus::Refused { .. })) | None => None,
        };
        self.entries.insert(line.order_id.clone(), Entry::Cancelled(payment_id.clone()));
        PaymentRefunded { line, payment_id }
    }
}

fn decide(line: &OrderLine, refuse_above_cents: u64) -> PaymentStatus {
    if line.amount_cents > refuse_above_cents {
        let reason = format!("{} cents are above the limit of {refuse_above_cents}", line.amount_cents);
        return PaymentStatus::Refused { reason };
    }
    PaymentStatus::Paid { payment_id: format!("pay-{}", line.order_id) }
}

#[cfg(test)]
mod tests {
    use super::super::message::line;
    use super::*;

    fn placed(id: &str) -> OrderPlaced {
        OrderPlaced { line: line(id) }
    }

    #[test]
    fn the_same_order_gets_the_same_answer() {
        let mut ledger = Ledger::new(10, 10_000);
        let first = ledger.on_order_placed(&placed("o-1"));
        assert!(matches!(first.status, PaymentStatus::Paid { .. }));
        let mut dearer = placed("o-1");
        dearer.line.amount_cents = 20_000;
        assert_eq!(ledger.on_order_placed(&dearer).status, first.status);
        let mut dear = placed("o-2");
        dear.line.amount_cents = 10_001;
        assert!(matches!(ledger.on_order_placed(&dear).status, PaymentStatus::Refused { .. }));
    }

    #[test]
    fn a_cancelled_order_is_refunded_once_and_never_charged_again() {
        let mut ledger = Ledger::new(10, 10_000);
        ledger.on_order_placed(&placed("o-1"));
        let cancelled = DeliveryCancelled { line: line("o-1"), delivery_id: None };
        let refund = ledger.on_delivery_cancelled(&cancelled);
        assert_eq!(refund.payment_id.as_deref(), Some("pay-o-1"));
        assert_eq!(ledger.on_delivery_cancelled(&cancelled), refund);
        assert!(matches!(ledger.on_order_placed(&placed("o-1")).status, PaymentStatus::Refused { .. }));

        let early = DeliveryCancelled { line: line("o-2"), delivery_id: None };
        assert_eq!(ledger.on_delivery_cancelled(&early).payment_id, None);
        assert!(matches!(ledger.on_order_placed(&placed("o-2")).status, PaymentStatus::Refused { .. }));
    }
}
