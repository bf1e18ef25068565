//! What deliveries remembers of each order.

use super::message::{DeliveryCancelled, DeliveryStarted, OrderCancelled, OrderPaid};
use crate::bounded::BoundedMap;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Started(String),
    /// Cancelled; with the delivery that was stopped, if one had begun.
    Cancelled(Option<String>),
}

/// Deliveries by order: one per paid order, none for an order that was cancelled first.
#[derive(Debug)]
pub struct Deliveries {
    entries: BoundedMap<String, Entry>,
}

impl Deliveries {
    /// No deliveries; remembers `capacity` orders.
    pub fn new(capacity: usize) -> Self {
        Self { entries: BoundedMap::new(capacity) }
    }

    /// Starts the delivery; `None` when it has started already or the order was cancelled.
    pub fn on_order_paid(&mut self, paid: &OrderPaid) -> Option<DeliveryStarted> {
        if self.entries.get(&paid.line.order_id).is_some() {
            return None;
        }
        let delivery_id = format!("del-{}", paid.line.order_id);
        self.entries.insert(paid.line.order_id.clone(), Entry::Started(delivery_id.clone()));
        Some(DeliveryStarted { line: paid.line.clone(), delivery_id })
    }

    /// Forgets that the delivery started, when the record that says so could not be written: the next try starts it.
    pub fn undo_start(&mut self, order_id: &str, started: &DeliveryStarted) {
        if self.entries.get(order_id) == Some(&Entry::Started(started.delivery_id.clone())) {
            self.entries.remove(order_id);
        }
    }

    /// Stops the delivery, or makes sure that none starts later. The same answer however often it is asked.
    pub fn on_order_cancelled(&mut self, cancelled: &OrderCancelled) -> DeliveryCancelled {
        let delivery_id = match self.entries.get(&cancelled.line.order_id) {
            Some(Entry::Started(delivery_id)) => Some(delivery_id.clone()),
            Some(Entry::Cancelled(delivery_id)) => delivery_id.clone(),
            None => None,
        };
        self.entries.insert(cancelled.line.order_id.clone(), Entry::Cancelled(delivery_id.clone()));
        DeliveryCancelled { line: cancelled.line.clone(), delivery_id }
    }

    /// The delivery of an order and whether it is stopped.
    pub fn get(&self, order_id: &str) -> Option<(Option<&str>, bool)> {
        self.entries.get(order_id).map(|entry| match entry {
            Entry::Started(delivery_id) => (Some(delivery_id.as_str()), false),
            Entry::Cancelled(delivery_id) => (delivery_id.as_deref(), true),
        })
    }

    /// Number of orders remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::line;
    use super::*;

    fn paid(id: &str) -> OrderPaid {
        OrderPaid { line: line(id), payment_id: format!("pay-{id}") }
    }

    #[test]
    fn a_paid_order_starts_one_delivery() {
        let mut deliveries = Deliveries::new(10);
        let started = deliveries.on_order_paid(&paid("o-1")).unwrap();
        assert_eq!(deliveries.on_order_paid(&paid("o-1")), None);
        deliveries.undo_start("o-1", &started);
        assert_eq!(deliveries.on_order_paid(&paid("o-1")), Some(started));
        let stopped = deliveries.on_order_cancelled(&OrderCancelled { line: line("o-1") });
        assert_eq!(stopped.delivery_id.as_deref(), Some("del-o-1"));
        assert_eq!(deliveries.get("o-1"), Some((Some("del-o-1"), true)));
    }

    #[test]
    fn a_cancellation_that_overtakes_the_payment_stops_the_delivery_before_it_starts() {
        let mut deliveries = Deliveries::new(10);
        let cancelled = OrderCancelled { line: line("o-1") };
        assert_eq!(deliveries.on_order_cancelled(&cancelled).delivery_id, None);
        assert_eq!(deliveries.on_order_paid(&paid("o-1")), None);
        assert_eq!(deliveries.on_order_cancelled(&cancelled).delivery_id, None);
    }
}
