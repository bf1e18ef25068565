//! The orders an instance holds: their state, who waits for them, and what must be announced before a state is true.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tracepact_kit::bulkhead::Place;

use crate::bounded::BoundedMap;
use crate::bus::{Bus, BusError};
use crate::domain::message::{ORDER_CANCELLED, ORDER_PAID, ORDER_REFUSED, OrderLine};
use crate::domain::order::{Announcement, Order, OrderEvent, Transition};

/// Most orders an instance remembers.
pub const ORDERS_MAX: usize = 50_000;

type Shared = Arc<tokio::sync::Mutex<Order>>;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// This instance holds the order, and the event is dealt with.
    Held,
    /// It does not.
    NotHeld,
}

/// What became of a cancellation.
#[derive(Debug)]
pub enum CancelError {
    /// This instance does not hold the order.
    NotHeld,
    /// There is nothing left to cancel.
    Refused(&'static str),
    /// It could not be announced.
    Bus(BusError),
}

#[derive(Debug)]
struct Admitted {
    /// Frees its place among the orders that wait for payments when dropped.
    _place: Place,
    until_ns: u64,
}

/// The orders of one instance.
#[derive(Debug)]
pub struct OrderBook {
    orders: Mutex<BoundedMap<String, Shared>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Order>>>,
    admitted: Mutex<HashMap<String, Admitted>>,
    bus: Bus,
}

impl OrderBook {
    /// An empty book that announces on `bus`.
    pub fn new(bus: Bus) -> Self {
        Self {
            orders: Mutex::new(BoundedMap::new(ORDERS_MAX)),
            waiting: Mutex::default(),
            admitted: Mutex::default(),
            bus,
        }
    }

    /// The order as it stands.
    pub async fn get(&self, order_id: &str) -> Option<Order> {
        let order = self.orders.lock().get(order_id).cloned()?;
        let order = order.lock().await;
        Some(order.clone())
    }

    /// Takes a new order in; an order held already stays as it is.
    pub fn hold(&self, line: OrderLine) {
        self.orders.lock().get_or_insert_with(line.order_id.clone(), || {
            Arc::new(tokio::sync::Mutex::new(Order::placed(line)))
        });
    }

    /// Forgets an order that could not be placed.
    pub fn forget(&self, order_id: &str) {
        self.orders.lock().remove(order_id);
        self.waiting.lock().remove(order_id);
        self.admitted.lock().remove(order_id);
    }

    /// Resolves once the order's payment is decided. The order keeps `place` until then, at longest until `until_ns`.
    pub fn wait_for(&self, order_id: &str, place: Place, until_ns: u64) -> oneshot::Receiver<Order> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().insert(order_id.to_owned(), sender);
        self.admitted.lock().insert(order_id.to_owned(), Admitted { _place: place, until_ns });
        receiver
    }

    /// Nobody waits for the order any more.
    pub fn stop_waiting(&self, order_id: &str) {
        self.waiting.lock().remove(order_id);
    }

    /// Frees the places of orders whose payment is overdue: a lost result must not take a place for ever.
    pub fn free_overdue(&self, now_ns: u64) {
        self.admitted.lock().retain(|_, admitted| admitted.until_ns > now_ns);
    }

    /// Orders whose payment is not decided and that a caller waited or waits for.
    pub fn undecided(&self) -> usize {
        self.admitted.lock().len()
    }

    /// Deals with something that happened to an order.
    ///
    /// # Errors
    /// When what follows could not be announced; the order then stands where it stood, and the event may come again.
    pub async fn learn(&self, event: &OrderEvent) -> Result<Learned, BusError> {
        let id = &event.line().order_id;
        let Some(shared) = self.orders.lock().get(id).cloned() else { return Ok(Learned::NotHeld) };
        // The lock is held while announcing, so that two copies of one event cannot both announce.
        let mut order = shared.lock().await;
        if let Some(transition) = order.on_event(event) {
            self.go(&mut order, transition).await?;
        }
        if order.state.is_decided() {
            self.admitted.lock().remove(id);
            if let Some(waiting) = self.waiting.lock().remove(id) {
                // The caller may have gone in the meantime.
                let _gone = waiting.send(order.clone());
            }
        }
        Ok(Learned::Held)
    }

    /// Cancels an order; asking again is answered with the state it has by then.
    ///
    /// # Errors
    /// See [`CancelError`].
    pub async fn cancel(&self, order_id: &str) -> Result<Order, CancelError> {
        let shared = self.orders.lock().get(order_id).cloned().ok_or(CancelError::NotHeld)?;
        let mut order = shared.lock().await;
        if let Some(transition) = order.on_cancel().map_err(CancelError::Refused)? {
            self.go(&mut order, transition).await.map_err(CancelError::Bus)?;
        }
        Ok(order.clone())
    }

    async fn go(&self, order: &mut Order, transition: Transition) -> Result<(), BusError> {
        let key = &order.line.order_id;
        match &transition.announce {
            Some(Announcement::Paid(paid)) => self.bus.send(ORDER_PAID, key, paid).await?,
            Some(Announcement::Refused(refused)) => self.bus.send(ORDER_REFUSED, key, refused).await?,
            Some(Announcement::Cancelled(cancelled)) => {
                self.bus.send(ORDER_CANCELLED, key, cancelled).await?
            }
            None => {}
        }
        order.state = transition.next;
        Ok(())
    }
}
