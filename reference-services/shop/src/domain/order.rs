//! An order's life, as the orders instance that holds it knows it.

use serde::{Deserialize, Serialize};

use super::message::{
    DeliveryStarted, OrderCancelled, OrderLine, OrderPaid, OrderRefused, PaymentRefunded, PaymentResult,
    PaymentStatus,
};

/// Most items in one order.
pub const QUANTITY_MAX: u32 = 1_000;
/// Longest order and product id in bytes.
pub const ID_BYTES_MAX: usize = 64;

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OrderState {
    /// Taken; the payment is not decided yet.
    Placed,
    /// Paid; the delivery has not begun.
    Paid {
        /// The payment's own number.
        payment_id: String,
    },
    /// The payment was refused. Final.
    Refused {
        /// Why.
        reason: String,
    },
    /// Paid and on its way.
    Delivering {
        /// The payment's own number.
        payment_id: String,
        /// The delivery's own number.
        delivery_id: String,
    },
    /// The customer cancelled; delivery, payment and stock are being taken back.
    Cancelling,
    /// Everything is taken back. Final.
    Cancelled {
        /// The payment that was given back; absent when nothing had been taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refunded_payment_id: Option<String>,
    },
}

impl OrderState {
    /// Whether the payment is decided (or no longer matters).
    pub const fn is_decided(&self) -> bool {
        !matches!(self, Self::Placed)
    }
}

/// Something the order's holder learns: the body of `POST /orders/{id}/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum OrderEvent {
    /// From `payment-result`.
    PaymentResult(PaymentResult),
    /// From `delivery-started`.
    DeliveryStarted(DeliveryStarted),
    /// From `payment-refunded`, the last step of a cancellation that orders hears of.
    PaymentRefunded(PaymentRefunded),
}

impl OrderEvent {
    /// The order it is about.
    pub fn line(&self) -> &OrderLine {
        match self {
            Self::PaymentResult(result) => &result.line,
            Self::DeliveryStarted(started) => &started.line,
            Self::PaymentRefunded(refunded) => &refunded.line,
        }
    }
}

/// What has to be on Kafka before the new state is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announcement {
    /// To `order-paid`.
    Paid(OrderPaid),
    /// To `order-refused`.
    Refused(OrderRefused),
    /// To `order-cancelled`.
    Cancelled(OrderCancelled),
}

/// The next state and what must be announced to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The state after the announcement is acknowledged.
    pub next: OrderState,
    /// What to announce first.
    pub announce: Option<Announcement>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    /// What was ordered.
    #[serde(flatten)]
    pub line: OrderLine,
    /// Where it stands.
    #[serde(flatten)]
    pub state: OrderState,
}

impl Order {
    /// A new order.
    pub fn placed(line: OrderLine) -> Self {
        Self { line, state: OrderState::Placed }
    }

    /// What `event` leads to; `None` when it changes nothing: it was seen before, or came too late to matter.
    pub fn on_event(&self, event: &OrderEvent) -> Option<Transition> {
        match (&self.state, event) {
            (OrderState::Placed, OrderEvent::PaymentResult(result)) => Some(match &result.status {
                PaymentStatus::Paid { payment_id } => Transition {
                    next: OrderState::Paid { payment_id: payment_id.clone() },
                    announce: Some(Announcement::Paid(OrderPaid {
                        line: self.line.clone(),
                        payment_id: payment_id.clone(),
                    })),
                },
                PaymentStatus::Refused { reason } => Transition {
                    next: OrderState::Refused { reason: reason.clone() },
                    announce: Some(Announcement::Refused(OrderRefused {
                        line: self.line.clone(),
                        reason: reason.clone(),
                    })),
                },
            }),
            (OrderState::Paid { payment_id }, OrderEvent::DeliveryStarted(started)) => Some(Transition {
                next: OrderState::Delivering {
                    payment_id: payment_id.clone(),
                    delivery_id: started.delivery_id.clone(),
                },
                announce: None,
            }),
            (OrderState::Cancelling, OrderEvent::PaymentRefunded(refunded)) => Some(Transition {
                next: OrderState::Cancelled { refunded_payment_id: refunded.payment_id.clone() },
                announce: None,
            }),
            _ => None,
        }
    }

    /// What a customer's cancellation leads to: `Ok(None)` when it is under way or done, `Err` with the reason when
    /// there is nothing left to cancel.
    pub fn on_cancel(&self) -> Result<Option<Transition>, &'static str> {
        match self.state {
            OrderState::Placed | OrderState::Paid { .. } | OrderState::Delivering { .. } => {
                Ok(Some(Transition {
                    next: OrderState::Cancelling,
                    announce: Some(Announcement::Cancelled(OrderCancelled { line: self.line.clone() })),
                }))
            }
            OrderState::Cancelling | OrderState::Cancelled { .. } => Ok(None),
            OrderState::Refused { .. } => Err("the payment was refused, there is nothing to cancel"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::line;
    use super::*;

    fn paid() -> OrderEvent {
        let status = PaymentStatus::Paid { payment_id: "pay-o-1".into() };
        OrderEvent::PaymentResult(PaymentResult { line: line("o-1"), status })
    }

    fn started() -> OrderEvent {
        OrderEvent::DeliveryStarted(DeliveryStarted { line: line("o-1"), delivery_id: "del-o-1".into() })
    }

    fn refunded() -> OrderEvent {
        OrderEvent::PaymentRefunded(PaymentRefunded { line: line("o-1"), payment_id: Some("pay-o-1".into()) })
    }

    fn step(order: &mut Order, transition: Option<Transition>) -> Option<Announcement> {
        let transition = transition?;
        order.state = transition.next;
        transition.announce
    }

    #[test]
    fn a_paid_order_is_announced_once_however_often_the_result_comes() {
        let mut order = Order::placed(line("o-1"));
        let first = order.on_event(&paid());
        assert!(matches!(step(&mut order, first), Some(Announcement::Paid(_))));
        for _ in 0..2 {
            assert_eq!(order.on_event(&paid()), None);
        }
        let delivery = order.on_event(&started());
        assert_eq!(step(&mut order, delivery), None);
        assert!(matches!(order.state, OrderState::Delivering { .. }));
        assert_eq!(order.on_event(&paid()), None);
        assert_eq!(order.on_event(&started()), None);
    }

    #[test]
    fn a_result_after_the_cancellation_never_announces_a_paid_order() {
        let mut order = Order::placed(line("o-1"));
        let cancel = order.on_cancel().unwrap();
        assert!(matches!(step(&mut order, cancel), Some(Announcement::Cancelled(_))));
        assert_eq!(order.on_event(&paid()), None);
        assert_eq!(order.on_cancel(), Ok(None));
        let done = order.on_event(&refunded());
        assert_eq!(step(&mut order, done), None);
        assert!(matches!(order.state, OrderState::Cancelled { refunded_payment_id: Some(_) }));
        assert_eq!(order.on_event(&paid()), None);
        assert_eq!(order.on_event(&refunded()), None);
    }

    #[test]
    fn a_refused_order_frees_its_stock_and_cannot_be_cancelled() {
        let mut order = Order::placed(line("o-1"));
        let status = PaymentStatus::Refused { reason: "no".into() };
        let refused = order.on_event(&OrderEvent::PaymentResult(PaymentResult { line: line("o-1"), status }));
        assert!(matches!(step(&mut order, refused), Some(Announcement::Refused(_))));
        assert!(order.on_cancel().is_err());
        assert_eq!(order.on_event(&started()), None);
    }
}
