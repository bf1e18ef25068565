//! The products service: what there is, what it costs, and how much of it is left.

use std::sync::Arc;

use axum::extract::State;
use clap::{Args, ValueEnum};
use http::StatusCode;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;
use tracepact_base::{ErrorKind, SharedClock};
use tracepact_kit::kafka::{Failure, Record};
use tracepact_listener::extract::{Json, Path};
use tracepact_listener::{Problem, Routes, Scope};

use crate::args::{KafkaArgs, ServiceArgs};
use crate::bus::Bus;
use crate::domain::message::{
    ORDER_PAID, ORDER_REFUSED, OrderPaid, OrderRefused, PAYMENT_REFUNDED, PRODUCT_CHANGED, PaymentRefunded,
    ProductChanged,
};
use crate::domain::order::QUANTITY_MAX;
use crate::domain::stock::{Product, ReserveError, Stock};
use crate::orders::place::is_id;
use crate::runtime::Runtime;

/// Most orders remembered.
const ORDERS_MAX: usize = 100_000;
/// Longest name of a product in bytes.
const NAME_BYTES_MAX: usize = 200;

/// Under which paths products are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Api {
    /// `/product/{id}`: version 1.
    Product,
    /// `/item/{id}` only: version 2, which breaks its consumers.
    Item,
    /// Both: version 3.
    Both,
}

/// `tracepact-shop products`.
#[derive(Debug, Clone, Args)]
pub struct ProductsArgs {
    /// HTTP, telemetry and faults.
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Kafka.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// Which path serves products.
    #[arg(long, value_enum, default_value = "product")]
    pub api: Api,
    /// Leave productName out of product-changed, which breaks its consumers.
    #[arg(long)]
    pub omit_product_name: bool,
    /// Items of each product at the start.
    #[arg(long, default_value_t = 1_000_000, value_name = "ITEMS")]
    pub stock: i64,
    /// After this time a reservation whose order was neither paid nor refused gives way when items run out.
    #[arg(long, default_value_t = 600_000, value_name = "MS")]
    pub reservation_ms: u64,
}

/// What the handlers share.
#[derive(Debug)]
pub struct Products {
    stock: Mutex<Stock>,
    bus: Option<Bus>,
    omit_product_name: bool,
    clock: SharedClock,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(args: ProductsArgs) -> anyhow::Result<()> {
    let mut runtime = Runtime::start("products", &args.service, Default::default()).await?;
    let bus = runtime.bus(&args.kafka).await?;
    let products = Arc::new(Products::new(
        Stock::new(ORDERS_MAX, args.stock, args.reservation_ms.saturating_mul(1_000_000)),
        Some(bus),
        args.omit_product_name,
        runtime.clock().clone(),
    ));
    let consuming = products.clone();
    runtime
        .consume(&args.kafka, &[ORDER_PAID, ORDER_REFUSED, PAYMENT_REFUNDED], move |record| {
            let result = consuming.handle(&record);
            async move { result }
        })
        .await?;
    runtime.serve(routes(products, args.api)).await
}

impl Products {
    /// Products with this stock. Without a bus nothing is announced: for verifying the HTTP side alone.
    pub fn new(stock: Stock, bus: Option<Bus>, omit_product_name: bool, clock: SharedClock) -> Self {
        Self { stock: Mutex::new(stock), bus, omit_product_name, clock }
    }

    fn handle(&self, record: &Record) -> Result<(), Failure> {
        match record.topic.as_str() {
            ORDER_PAID => {
                let paid: OrderPaid = record.json()?;
                self.stock.lock().on_paid(&paid.line);
            }
            ORDER_REFUSED => {
                let refused: OrderRefused = record.json()?;
                self.stock.lock().on_released(&refused.line.order_id);
            }
            _ => {
                let refunded: PaymentRefunded = record.json()?;
                self.stock.lock().on_released(&refunded.line.order_id);
            }
        }
        Ok(())
    }

    /// The record that says how a product is now: the one place that makes it, for Kafka and for its contract.
    fn changed(&self, product: &Product) -> ProductChanged {
        ProductChanged {
            product_id: product.id.clone(),
            product_name: (!self.omit_product_name).then(|| product.name.clone()),
            price: product.price,
        }
    }
}

/// The routes of products under `api`.
pub fn routes(products: Arc<Products>, api: Api) -> Routes {
    let mut routes = Routes::new("products")
        .get("/products", Scope::Public, list)
        .post("/reservations", Scope::Public, reserve)
        .post("/contract-messages", Scope::Public, contract_message);
    for (path, served) in [("/product/{id}", Api::Product), ("/item/{id}", Api::Item)] {
        if api == served || api == Api::Both {
            routes = routes.get(path, Scope::Public, get).put(path, Scope::Public, change);
        }
    }
    routes.with_state(products)
}

/// Products' own 404: orders knows by `error` that the product is missing, and not the route.
fn no_such_product(id: &str) -> Problem {
    Problem::not_found(format!("there is no product {id}")).with("error", "product_not_found")
}

async fn list(State(products): State<Arc<Products>>) -> Json<Vec<Product>> {
    Json(products.stock.lock().products().cloned().collect())
}

async fn get(
    State(products): State<Arc<Products>>,
    Path(id): Path<String>,
) -> Result<Json<Product>, Problem> {
    products.stock.lock().product(&id).cloned().map(Json).ok_or_else(|| no_such_product(&id))
}

/// What a product becomes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    price: Option<u64>,
}

async fn change(
    State(products): State<Arc<Products>>,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Result<Json<Product>, Problem> {
    if change.name.as_ref().is_some_and(|name| name.trim().is_empty() || name.len() > NAME_BYTES_MAX) {
        return Err(Problem::invalid(format!("name has 1 to {NAME_BYTES_MAX} bytes")));
    }
    let product = products.stock.lock().change(&id, change.name, change.price).cloned();
    let product = product.ok_or_else(|| no_such_product(&id))?;
    if let Some(bus) = &products.bus {
        bus.send(PRODUCT_CHANGED, &product.id, &products.changed(&product))
            .await
            .map_err(|error| Problem::new(ErrorKind::Unavailable, error.to_string()))?;
    }
    Ok(Json(product))
}

/// Items to keep for an order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reservation {
    order_id: String,
    product_id: String,
    quantity: u32,
}

async fn reserve(
    State(products): State<Arc<Products>>,
    Json(wanted): Json<Reservation>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if !is_id(&wanted.order_id) || !(1..=QUANTITY_MAX).contains(&wanted.quantity) {
        return Err(Problem::invalid(format!("order_id is an id, quantity is from 1 to {QUANTITY_MAX}")));
    }
    let reserved = {
        let now_ns = products.clock.monotonic_ns();
        products.stock.lock().reserve(&wanted.order_id, &wanted.product_id, wanted.quantity, now_ns)
    };
    match reserved {
        Ok(()) => Ok((StatusCode::CREATED, Json(serde_json::json!({"order_id": wanted.order_id})))),
        Err(ReserveError::NoSuchProduct(id)) => Err(no_such_product(&id)),
        Err(error) => Err(Problem::new(ErrorKind::Conflict, error.to_string()).with("error", "out_of_stock")),
    }
}

/// Which record a verifier wants to see; Pact's message verification asks like this.
#[derive(Debug, Deserialize)]
struct MessageRequest {
    description: String,
}

/// The record this version would send, made by the code that sends it, so that a verifier can hold it against what
/// consumers rely on.
async fn contract_message(
    State(products): State<Arc<Products>>,
    Json(request): Json<MessageRequest>,
) -> Result<Json<ProductChanged>, Problem> {
    if request.description != "product changed" {
        return Err(Problem::not_found(format!("products sends no message {:?}", request.description)));
    }
    let stock = products.stock.lock();
    let product = stock.product("p-1").ok_or_else(|| no_such_product("p-1"))?;
    Ok(Json(products.changed(product)))
}
