//! `POST /orders`: a price, stock, `order-placed`, and then either the payment's result or "later".

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use tracepact_base::ErrorKind;
use tracepact_listener::Problem;
use tracepact_listener::extract::Json;

use super::Orders;
use super::products::QuoteError;
use crate::domain::message::{ORDER_PLACED, OrderLine, OrderPlaced};
use crate::domain::order::{ID_BYTES_MAX, Order, OrderState, QUANTITY_MAX};

/// What a customer sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// The customer's own number for it; made when absent. Sending the same order again places it once.
    pub order_id: Option<String>,
    /// What is bought.
    pub product_id: String,
    /// How many; one when absent.
    #[serde(default = "one")]
    pub quantity: u32,
}

const fn one() -> u32 {
    1
}

/// Letters, digits, `-` and `_`, at most [`ID_BYTES_MAX`]: safe in a path, a key and a log line.
pub fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

impl NewOrder {
    fn checked(self) -> Result<(String, String, u32), Problem> {
        let id_rule = format!("1 to {ID_BYTES_MAX} letters, digits, - and _");
        let order_id = self.order_id.unwrap_or_else(|| ulid::Ulid::new().to_string());
        if !is_id(&order_id) {
            return Err(Problem::invalid(format!("order_id has {id_rule}")));
        }
        if !is_id(&self.product_id) {
            return Err(Problem::invalid(format!("product_id has {id_rule}")));
        }
        if !(1..=QUANTITY_MAX).contains(&self.quantity) {
            return Err(Problem::invalid(format!("quantity is from 1 to {QUANTITY_MAX}")));
        }
        Ok((order_id, self.product_id, self.quantity))
    }
}

/// Places an order.
pub async fn place(
    State(orders): State<Arc<Orders>>,
    Json(body): Json<NewOrder>,
) -> Result<Response, Problem> {
    let (order_id, product_id, quantity) = body.checked()?;
    tracepact_kit::spans::set_attribute("shop.order_id", order_id.clone());
    if let Some(known) = orders.book.get(&order_id).await {
        if known.line.product_id != product_id || known.line.quantity != quantity {
            let detail = format!("order {order_id} was placed before with another content");
            return Err(Problem::new(ErrorKind::Conflict, detail).with("error", "order_exists"));
        }
        return Ok(answer(&known));
    }

    let quote = orders.products.quote(&order_id, &product_id, quantity).await.map_err(refuse)?;
    let line = OrderLine {
        callback: format!("{}/orders/{order_id}/events", orders.advertised),
        order_id: order_id.clone(),
        product_id,
        quantity,
        amount_cents: quote.price.saturating_mul(u64::from(quantity)),
        served_by_fallback: quote.served_by_fallback,
    };

    let now = orders.clock.now_ns();
    orders.book.free_overdue(now);
    orders.book.hold(line.clone());
    // Beyond payments' limit there is no place, and nobody waits: the answer is 202 at once.
    let decided = match orders.payment_places.enter().await {
        Ok(place) => {
            let until_ns = now.saturating_add(orders.payment_window.as_nanos() as u64);
            Some(orders.book.wait_for(&order_id, place, until_ns))
        }
        Err(_full) => None,
    };
    if let Err(error) = orders.bus.send(ORDER_PLACED, &order_id, &OrderPlaced { line: line.clone() }).await {
        orders.book.forget(&order_id);
        return Err(unavailable("kafka", &error.to_string()));
    }
    orders.counters.placed.inc();
    let Some(decided) = decided else {
        orders.counters.answered.with_label_values(&["later_at_once"]).inc();
        return Ok(answer(&Order::placed(line)));
    };
    match tokio::time::timeout(orders.reply_wait, decided).await {
        Ok(Ok(order)) => {
            orders.counters.answered.with_label_values(&["decided"]).inc();
            Ok(answer(&order))
        }
        _ => {
            orders.book.stop_waiting(&order_id);
            orders.counters.answered.with_label_values(&["later_after_wait"]).inc();
            Ok(answer(&Order::placed(line)))
        }
    }
}

/// 201 paid (or on its way), 202 not decided yet, 402 refused.
fn answer(order: &Order) -> Response {
    let status = match order.state {
        OrderState::Paid { .. } | OrderState::Delivering { .. } => StatusCode::CREATED,
        OrderState::Placed | OrderState::Cancelling | OrderState::Cancelled { .. } => StatusCode::ACCEPTED,
        OrderState::Refused { .. } => StatusCode::PAYMENT_REQUIRED,
    };
    let mut response = (status, Json(order)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/orders/{}", order.line.order_id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn refuse(error: QuoteError) -> Problem {
    let detail = error.to_string();
    match error {
        QuoteError::NoSuchProduct(_) => Problem::invalid(detail)
            .with_status(StatusCode::UNPROCESSABLE_ENTITY)
            .with("error", "product_not_found"),
        QuoteError::OutOfStock(_) => Problem::new(ErrorKind::Conflict, detail).with("error", "out_of_stock"),
        QuoteError::Wrong(_) => Problem::new(ErrorKind::Unavailable, detail)
            .with_status(StatusCode::BAD_GATEWAY)
            .with("error", "dependency_failed")
            .with("dependency", "products"),
        QuoteError::NoPrice(_) => unavailable("products", &detail),
    }
}

/// 503 that names what is missing: whoever is in front knows that orders itself works.
pub(super) fn unavailable(dependency: &str, detail: &str) -> Problem {
    Problem::new(ErrorKind::Unavailable, detail)
        .with_retry_after(Duration::from_secs(1))
        .with("error", "dependency_failed")
        .with("dependency", dependency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_safe_everywhere() {
        assert!(is_id("01J8-a_Z"));
        for bad in ["", "a/b", "a b", "../x", "ä", &"x".repeat(65)] {
            assert!(!is_id(bad), "{bad}");
        }
    }

    #[test]
    fn quantities_are_bounded() {
        let order = |quantity| NewOrder { order_id: None, product_id: "p-1".into(), quantity };
        assert!(order(1).checked().is_ok() && order(1_000).checked().is_ok());
        assert!(order(0).checked().is_err() && order(1_001).checked().is_err());
    }
}
