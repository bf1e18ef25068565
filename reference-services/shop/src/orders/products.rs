//! Asking products for a price and for stock, behind a circuit breaker, with the last known price to fall back on.
//!
//! Two kinds of failure are told apart. *No answer* (circuit open, nobody there, too slow): the order is accepted at
//! the last known price, stock is taken when it is paid. *A wrong answer* (an error, or a 404 that is not products'
//! own): the order fails, because nothing may be assumed about a callee that says strange things; the breaker counts
//! it, and once it is open the fallback serves.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracepact_kit::Tracing;
use tracepact_kit::breaker::Breaker;
use tracepact_kit::classify::Outcome;
use tracepact_kit::http::{Client, RequestBuilder};

use crate::bounded::BoundedMap;
use crate::upstream::{Upstream, UpstreamError};

/// Most products whose last price is remembered.
const PRICES_MAX: usize = 10_000;

/// What orders reads of a product.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct ProductView {
    /// The product.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Price of one in cents.
    pub price: u64,
}

/// What an order costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// Price of one in cents.
    pub price: u64,
    /// Whether it is the last known one, and nothing is reserved.
    pub served_by_fallback: bool,
}

/// Why there is no quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// Products says there is no such product.
    #[error("there is no product {0}")]
    NoSuchProduct(String),
    /// Products says there is not enough of it.
    #[error("{0}")]
    OutOfStock(String),
    /// Products said something that is not its answer.
    #[error("products answered wrongly: {0}")]
    Wrong(String),
    /// Products did not answer, and no price is known.
    #[error("products did not answer ({0}) and no earlier price of the product is known")]
    NoPrice(String),
}

/// One call's result.
#[derive(Debug)]
enum Step {
    Answered(Value),
    Refused(u16, Value),
    Wrong(String),
    Silent(String),
}

/// The products service as orders sees it.
#[derive(Debug)]
pub struct Products {
    upstream: Upstream,
    breaker: Breaker,
    prices: Mutex<BoundedMap<String, u64>>,
    tracing: Tracing,
}

impl Products {
    /// Calls go to `upstream` through `breaker`.
    pub fn new(upstream: Upstream, breaker: Breaker, tracing: Tracing) -> Self {
        Self { upstream, breaker, prices: Mutex::new(BoundedMap::new(PRICES_MAX)), tracing }
    }

    /// Remembers a price, from an answer or from `product-changed`.
    pub fn note_price(&self, product_id: &str, price: u64) {
        self.prices.lock().insert(product_id.to_owned(), price);
    }

    /// The last price known, if any.
    pub fn last_price(&self, product_id: &str) -> Option<u64> {
        self.prices.lock().get(product_id).copied()
    }

    /// Reads the price and reserves the items for the order.
    ///
    /// # Errors
    /// See [`QuoteError`].
    pub async fn quote(&self, order_id: &str, product_id: &str, quantity: u32) -> Result<Quote, QuoteError> {
        let read = self.read(product_id).await;
        let view = match read {
            Ok(view) => view,
            Err(Step::Silent(why)) => return self.fall_back(product_id, &why).await,
            Err(step) => return Err(refusal(step, product_id)),
        };
        self.note_price(product_id, view.price);
        let body = serde_json::json!({"order_id": order_id, "product_id": product_id, "quantity": quantity});
        match self.call(|client, base| client.post(format!("{base}/reservations")).json(&body)).await {
            Step::Answered(_) => Ok(Quote { price: view.price, served_by_fallback: false }),
            Step::Silent(why) => self.fall_back(product_id, &why).await,
            step => Err(refusal(step, product_id)),
        }
    }

    /// `GET /product/{id}`: what the contract between orders and products is about.
    async fn read(&self, product_id: &str) -> Result<ProductView, Step> {
        match self.call(|client, base| client.get(format!("{base}/product/{product_id}"))).await {
            Step::Answered(body) => serde_json::from_value(body)
                .map_err(|error| Step::Wrong(format!("the product cannot be read: {error}"))),
            step => Err(step),
        }
    }

    async fn fall_back(&self, product_id: &str, why: &str) -> Result<Quote, QuoteError> {
        let price = self
            .tracing
            .in_span("fallback products", async {
                let price = self.last_price(product_id);
                tracing::warn!(
                    product_id,
                    why,
                    ?price,
                    "products did not answer, the last known price serves"
                );
                price
            })
            .await;
        self.breaker.record_fallback(Some(price.is_some()));
        price
            .map(|price| Quote { price, served_by_fallback: true })
            .ok_or_else(|| QuoteError::NoPrice(why.to_owned()))
    }

    async fn call(&self, build: impl Fn(&Client, &str) -> RequestBuilder) -> Step {
        let admitted = match self.breaker.try_call() {
            Ok(admitted) => admitted,
            Err(open) => return Step::Silent(open.to_string()),
        };
        let (step, outcome) = match self.upstream.send(build).await {
            Err(error @ UpstreamError::Timeout { .. }) => (Step::Silent(error.to_string()), Outcome::Timeout),
            Err(error) => (Step::Silent(error.to_string()), Outcome::Failure),
            Ok(answered) => judge(answered.response).await,
        };
        admitted.finish(outcome);
        step
    }
}

async fn judge(response: reqwest::Response) -> (Step, Outcome) {
    let status = response.status().as_u16();
    let body = match response.bytes().await {
        Ok(body) => body,
        Err(error) => return (Step::Silent(error.to_string()), Outcome::Failure),
    };
    let body = serde_json::from_slice::<Value>(&body).ok();
    match (status, body) {
        (200 | 201, Some(body)) => (Step::Answered(body), Outcome::Success),
        // Only products' own refusals say something about the request: `error` names them. A 404 without it comes
        // from a route that is not there, and that is products' fault, not the caller's.
        (404 | 409, Some(body)) if matches!(error_of(&body), Some("product_not_found" | "out_of_stock")) => {
            (Step::Refused(status, body), Outcome::BadRequest)
        }
        (status, _) => (Step::Wrong(format!("status {status}")), Outcome::Failure),
    }
}

fn error_of(body: &Value) -> Option<&str> {
    body.get("error").and_then(Value::as_str)
}

fn refusal(step: Step, product_id: &str) -> QuoteError {
    match step {
        Step::Refused(404, _) => QuoteError::NoSuchProduct(product_id.to_owned()),
        Step::Refused(_, body) => {
            let detail = body.get("detail").and_then(Value::as_str).unwrap_or("out of stock");
            QuoteError::OutOfStock(detail.to_owned())
        }
        Step::Wrong(why) | Step::Silent(why) => QuoteError::Wrong(why),
        Step::Answered(_) => QuoteError::Wrong("an answer where a refusal was expected".into()),
    }
}
