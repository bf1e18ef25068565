//! Records for orders, and the way to the instance that holds the order.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use tracepact_kit::http::Client;
use tracepact_kit::kafka::{Failure, Record};
use tracepact_listener::Problem;
use tracepact_listener::extract::{Json, Path};

use super::Orders;
use super::book::Learned;
use super::place::unavailable;
use super::products::Products;
use crate::domain::message::{
    DELIVERY_STARTED, PAYMENT_REFUNDED, PAYMENT_RESULT, PRODUCT_CHANGED, ProductChanged,
};
use crate::domain::order::OrderEvent;

/// Topics the group `orders` reads.
pub const TOPICS: [&str; 4] = [PAYMENT_RESULT, DELIVERY_STARTED, PAYMENT_REFUNDED, PRODUCT_CHANGED];

/// Handles one record of [`TOPICS`].
pub async fn handle(orders: &Orders, record: &Record) -> Result<(), Failure> {
    let event = match record.topic.as_str() {
        PAYMENT_RESULT => OrderEvent::PaymentResult(record.json()?),
        DELIVERY_STARTED => OrderEvent::DeliveryStarted(record.json()?),
        PAYMENT_REFUNDED => OrderEvent::PaymentRefunded(record.json()?),
        _ => return note_change(&orders.products, record),
    };
    match forward(&orders.client, &event).await {
        Forwarded::Taken => return Ok(()),
        Forwarded::Later(why) => return Err(Failure::Retry(why)),
        Forwarded::Nobody(why) => {
            let callback = &event.line().callback;
            tracing::warn!(callback, why, "nobody holds this order any more, this instance takes it over");
        }
    }
    // The holder is gone, and with it the caller: what remains is to bring the order to its end.
    orders.book.hold(event.line().clone());
    orders.book.learn(&event).await.map(drop).map_err(|error| Failure::Retry(error.to_string()))
}

/// What orders makes of `product-changed`: the price to fall back on. It relies on the product's name, too.
///
/// # Errors
/// [`Failure::DeadLetter`] for a record that is not as agreed.
pub fn note_change(products: &Products, record: &Record) -> Result<(), Failure> {
    let changed: ProductChanged = record.json()?;
    let name = changed
        .product_name
        .ok_or_else(|| Failure::DeadLetter("product-changed without productName".into()))?;
    tracing::info!(product_id = changed.product_id, name, price = changed.price, "a product changed");
    products.note_price(&changed.product_id, changed.price);
    Ok(())
}

enum Forwarded {
    Taken,
    Later(String),
    Nobody(String),
}

/// Hands the event to the callback address, which may be this very instance: one way for all.
async fn forward(client: &Client, event: &OrderEvent) -> Forwarded {
    let line = event.line();
    let request = client.post(line.callback.clone()).json(event).timeout(std::time::Duration::from_secs(5));
    match request.send().await {
        Ok(response) if response.status().is_success() => Forwarded::Taken,
        Ok(response) if response.status() == StatusCode::NOT_FOUND => {
            Forwarded::Nobody("it does not hold the order".into())
        }
        Ok(response) => Forwarded::Later(format!("the callback answered {}", response.status())),
        Err(error) if error.is_connect() || error.is_builder() => Forwarded::Nobody(error.to_string()),
        Err(error) => Forwarded::Later(error.to_string()),
    }
}

/// `POST /orders/{id}/events`: from the instance that consumed a record about an order held here.
pub async fn take(
    State(orders): State<Arc<Orders>>,
    Path(order_id): Path<String>,
    Json(event): Json<OrderEvent>,
) -> Result<StatusCode, Problem> {
    if event.line().order_id != order_id {
        return Err(Problem::invalid(format!("the event is about order {}", event.line().order_id)));
    }
    match orders.book.learn(&event).await {
        Ok(Learned::Held) => Ok(StatusCode::NO_CONTENT),
        Ok(Learned::NotHeld) => Err(super::not_held(&order_id)),
        Err(error) => Err(unavailable("kafka", &error.to_string())),
    }
}
