//! The records on Kafka: JSON, keyed by the order id (`product-changed`: by the product id).

use serde::{Deserialize, Serialize};

/// An order waits for its payment.
pub const ORDER_PLACED: &str = "order-placed";
/// A payment succeeded or was refused.
pub const PAYMENT_RESULT: &str = "payment-result";
/// Orders that payments could not handle at all.
pub const ORDER_PLACED_DLT: &str = "order-placed.DLT";
/// An order is paid: the only record that starts a delivery and takes stock.
pub const ORDER_PAID: &str = "order-paid";
/// An order's payment was refused: its reserved stock is free again.
pub const ORDER_REFUSED: &str = "order-refused";
/// A delivery is on its way.
pub const DELIVERY_STARTED: &str = "delivery-started";
/// A customer cancelled; compensation begins with the last step, the delivery.
pub const ORDER_CANCELLED: &str = "order-cancelled";
/// The delivery is stopped; the payment is next.
pub const DELIVERY_CANCELLED: &str = "delivery-cancelled";
/// The payment is given back; the stock is next, and the cancellation is complete.
pub const PAYMENT_REFUNDED: &str = "payment-refunded";
/// A product got another name or price.
pub const PRODUCT_CHANGED: &str = "product-changed";

/// Every topic of the shop.
pub const TOPICS: [&str; 10] = [
    ORDER_PLACED,
    PAYMENT_RESULT,
    ORDER_PLACED_DLT,
    ORDER_PAID,
    ORDER_REFUSED,
    DELIVERY_STARTED,
    ORDER_CANCELLED,
    DELIVERY_CANCELLED,
    PAYMENT_REFUNDED,
    PRODUCT_CHANGED,
];

/// What every record about an order says about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The order.
    pub order_id: String,
    /// What is bought.
    pub product_id: String,
    /// How many, 1 to [`crate::domain::order::QUANTITY_MAX`].
    pub quantity: u32,
    /// Price of the whole order in cents.
    pub amount_cents: u64,
    /// Where the orders instance that holds this order takes its events: an absolute URL. Whoever consumes a record
    /// for `orders` hands it on to this address, so the very instance that keeps a caller waiting learns of it.
    pub callback: String,
    /// The order was accepted although products did not answer: nothing is reserved for it.
    pub served_by_fallback: bool,
}

/// `order-placed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order.
    #[serde(flatten)]
    pub line: OrderLine,
}

/// How a payment ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The money was taken.
    Paid {
        /// The payment's own number.
        payment_id: String,
    },
    /// It was not.
    Refused {
        /// Why, for the customer.
        reason: String,
    },
}

/// `payment-result`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentResult {
    /// The order.
    #[serde(flatten)]
    pub line: OrderLine,
    /// How its payment ended.
    #[serde(flatten)]
    pub status: PaymentStatus,
}

/// `order-paid`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPaid {
    /// The order.
    #[serde(flatten)]
    pub line: OrderLine,
    /// The payment's own number.
    pub payment_id: String,
}

/// `order-refused`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRefused {
    /// The order.
    #[serde(flatten)]
    pub line: OrderLine,
    /// Why.
    pub reason: String,
}

/// `delivery-started`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryStarted {
    /// The order.
    #[serde(flatten)]
    pub line: OrderLine,
    /// The delivery's own number.
    pub delivery_id: String,
}

/// `order-cancelled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// The order.
    #[serde(flatten)]
    pub line: OrderLine,
}

/// `delivery-cancelled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryCancelled {
    /// The order.
    #[serde(flatten)]
    pub line: OrderLine,
    /// The delivery that was stopped; absent when none had begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_id: Option<String>,
}

/// `payment-refunded`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    /// The order.
    #[serde(flatten)]
    pub line: OrderLine,
    /// The payment that was given back; absent when nothing had been taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
}

/// `product-changed`. Its consumers (orders) rely on all three fields: that is a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductChanged {
    /// The product.
    pub product_id: String,
    /// Its name. A build of products started with `--omit-product-name` leaves it out, which breaks the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_name: Option<String>,
    /// Price of one in cents.
    pub price: u64,
}

#[cfg(test)]
pub(crate) fn line(order_id: &str) -> OrderLine {
    OrderLine {
        order_id: order_id.into(),
        product_id: "p-1".into(),
        quantity: 2,
        amount_cents: 3980,
        callback: format!("http://127.0.0.1:1/orders/{order_id}/events"),
        served_by_fallback: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_flat_json() {
        let record = PaymentResult {
            line: line("o-1"),
            status: PaymentStatus::Refused { reason: "over the limit".into() },
        };
        let json = serde_json::to_value(&record).unwrap();
        assert_eq!(json["order_id"], "o-1");
        assert_eq!(json["status"], "refused");
        assert_eq!(json["reason"], "over the limit");
        assert_eq!(serde_json::from_value::<PaymentResult>(json).unwrap(), record);
        let changed = ProductChanged { product_id: "p-1".into(), product_name: Some("Tea".into()), price: 5 };
        assert_eq!(
            serde_json::to_string(&changed).unwrap(),
            r#"{"productId":"p-1","productName":"Tea","price":5}"#
        );
    }
}
