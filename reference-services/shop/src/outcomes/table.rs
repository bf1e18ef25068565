//! The table itself.

use serde::Serialize;

use super::{Kind, Outcome};

/// A span that must be there, with everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// The service.
    pub service: &'static str,
    /// The span's name.
    pub name: String,
    /// The span's kind.
    pub kind: Kind,
    /// What must be below it, in no order, and nothing else.
    pub children: Vec<Expected>,
}

/// One tree an outcome may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Form {
    /// What is special about it, for people.
    pub label: &'static str,
    /// Statuses the root span may carry, when it carries one.
    pub root_status: &'static [u16],
    /// The tree.
    pub root: Expected,
}

fn span(service: &'static str, name: impl Into<String>, kind: Kind, children: Vec<Expected>) -> Expected {
    Expected { service, name: name.into(), kind, children }
}

/// A request on its way: named by its method alone, as the caller does not know the callee's routes.
fn ask(caller: &'static str, operation: &str, below: Vec<Expected>) -> Expected {
    let method = operation.split(' ').next().unwrap_or(operation);
    span(caller, method, Kind::Client, below)
}

/// `caller` asks `callee`: a client span with the server span, named by method and route, below it.
fn call(caller: &'static str, callee: &'static str, operation: &str, below: Vec<Expected>) -> Expected {
    ask(caller, operation, vec![span(callee, operation, Kind::Server, below)])
}

/// `service` sends a record, each consumer handles it.
fn send(service: &'static str, topic: &str, consumers: Vec<Expected>) -> Expected {
    span(service, format!("send {topic}"), Kind::Producer, consumers)
}

fn process(service: &'static str, topic: &str, below: Vec<Expected>) -> Expected {
    span(service, format!("process {topic}"), Kind::Consumer, below)
}

/// Whichever orders instance consumed the record hands it on to the one that holds the order.
fn orders_learns(topic: &str, below: Vec<Expected>) -> Expected {
    process("orders", topic, vec![call("orders", "orders", "POST /orders/{id}/events", below)])
}

fn gateway(operation: &str, below: Vec<Expected>) -> Expected {
    span("gateway", operation, Kind::Server, vec![call("gateway", "orders", operation, below)])
}

fn order(below: Vec<Expected>) -> Expected {
    gateway("POST /orders", below)
}

fn product_read() -> Expected {
    call("orders", "products", "GET /product/{id}", vec![])
}

fn stock_reserved() -> Expected {
    call("orders", "products", "POST /reservations", vec![])
}

/// From `order-placed` on; `results` are the trees below each `send payment-result` of payments.
fn placed(results: Vec<Expected>) -> Expected {
    send("orders", "order-placed", vec![process("payments", "order-placed", results)])
}

fn result(consequence: Vec<Expected>) -> Expected {
    send(
        "payments",
        "payment-result",
        vec![
            orders_learns("payment-result", consequence),
            process("notifications", "payment-result", vec![]),
        ],
    )
}

fn paid() -> Expected {
    let delivery = send(
        "deliveries",
        "delivery-started",
        vec![orders_learns("delivery-started", vec![]), process("notifications", "delivery-started", vec![])],
    );
    send(
        "orders",
        "order-paid",
        vec![process("products", "order-paid", vec![]), process("deliveries", "order-paid", vec![delivery])],
    )
}

fn refused() -> Expected {
    send("orders", "order-refused", vec![process("products", "order-refused", vec![])])
}

fn cancelled() -> Expected {
    let refund = send(
        "payments",
        "payment-refunded",
        vec![
            process("products", "payment-refunded", vec![]),
            orders_learns("payment-refunded", vec![]),
            process("notifications", "payment-refunded", vec![]),
        ],
    );
    let delivery = send(
        "deliveries",
        "delivery-cancelled",
        vec![process("payments", "delivery-cancelled", vec![refund])],
    );
    send("orders", "order-cancelled", vec![process("deliveries", "order-cancelled", vec![delivery])])
}

fn form(label: &'static str, root_status: &'static [u16], root: Expected) -> Form {
    Form { label, root_status, root }
}

/// The forms an order may have when products did not answer: nothing was asked (the circuit is open), or a call was
/// made that never arrived, or one that arrived and was not answered in time.
fn without_products(after: impl Fn() -> Option<Expected>, statuses: &'static [u16]) -> Vec<Form> {
    let unheard = |operation: &str| ask("orders", operation, vec![]);
    let get = "GET /product/{id}";
    let reserve = "POST /reservations";
    let tree = |before: Vec<Expected>| {
        let fallback = span("orders", "fallback products", Kind::Internal, vec![]);
        order(before.into_iter().chain([fallback]).chain(after()).collect())
    };
    vec![
        form("circuit open", statuses, tree(vec![])),
        form("product read never arrived", statuses, tree(vec![unheard(get)])),
        form("product read not answered in time", statuses, tree(vec![product_read()])),
        form("reservation never arrived", statuses, tree(vec![product_read(), unheard(reserve)])),
        form("reservation not answered in time", statuses, tree(vec![product_read(), stock_reserved()])),
    ]
}

/// The trees `outcome` may have. Most have exactly one.
pub fn forms(outcome: Outcome) -> Vec<Form> {
    let whole = |status, results| {
        vec![form(
            "product read, stock reserved",
            status,
            order(vec![product_read(), stock_reserved(), placed(results)]),
        )]
    };
    match outcome {
        Outcome::PaidAtOnce => whole(&[201], vec![result(vec![paid()])]),
        Outcome::PaidLater => whole(&[202], vec![result(vec![paid()])]),
        Outcome::Refused => whole(&[402, 202], vec![result(vec![refused()])]),
        Outcome::DroppedAtPayments => whole(&[202], vec![]),
        Outcome::DeadLettered => whole(&[202], vec![send("payments", "order-placed.DLT", vec![])]),
        Outcome::Duplicated => whole(&[201, 202], vec![result(vec![paid()]), result(vec![])]),
        Outcome::ServedByFallback => {
            without_products(|| Some(placed(vec![result(vec![paid()])])), &[201, 202])
        }
        Outcome::Rejected => vec![
            form("no such product", &[422], order(vec![product_read()])),
            form("out of stock", &[409], order(vec![product_read(), stock_reserved()])),
        ],
        Outcome::Failed => {
            let unrouted = call("orders", "products", "GET", vec![]);
            vec![
                form("no such route at products", &[502], order(vec![unrouted])),
                form("product read answered wrongly", &[502], order(vec![product_read()])),
                form("reservation answered wrongly", &[502], order(vec![product_read(), stock_reserved()])),
            ]
        }
        Outcome::TurnedAway => {
            let at_gateway =
                form("at the gateway", &[503], span("gateway", "POST /orders", Kind::Server, vec![]));
            std::iter::once(at_gateway).chain(without_products(|| None, &[503])).collect()
        }
        Outcome::Cancelled => {
            vec![form("cancelled", &[202], gateway("DELETE /orders/{id}", vec![cancelled()]))]
        }
    }
}
