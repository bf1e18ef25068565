//! Products and their stock: reserved when ordered, taken when paid, back when refused or cancelled.

use std::collections::BTreeMap;

use serde::Serialize;

use super::message::OrderLine;
use crate::bounded::BoundedMap;

/// A product as products' HTTP API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Product {
    /// The product.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Price of one in cents.
    pub price: u64,
    /// Items that are neither sold nor reserved. Below zero when orders were accepted while products did not answer.
    pub available: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Reserved { product_id: String, quantity: u32, until_ns: u64 },
    Sold { product_id: String, quantity: u32 },
    Released,
}

/// Why nothing was reserved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    /// No such product.
    #[error("there is no product {0}")]
    NoSuchProduct(String),
    /// Not enough of it.
    #[error("{available} of {product_id} are available, {wanted} were wanted")]
    OutOfStock {
        /// The product.
        product_id: String,
        /// How many are left.
        available: i64,
        /// How many were asked for.
        wanted: u32,
    },
    /// The order's reservation was released before.
    #[error("the reservation of this order was released")]
    Released,
}

/// The stock of every product, and what became of each order's part of it.
#[derive(Debug)]
pub struct Stock {
    products: BTreeMap<String, Product>,
    orders: BoundedMap<String, Entry>,
    reserved_for_ns: u64,
}

impl Stock {
    /// The shop's assortment with `each` items of every product but the one that is always sold out; remembers
    /// `capacity` orders, and keeps a reservation for at least `reserved_for_ns`.
    pub fn new(capacity: usize, each: i64, reserved_for_ns: u64) -> Self {
        let rows: [(&str, &str, u64, i64); 7] = [
            ("p-1", "Green tea", 1_990, each),
            ("p-2", "Tea pot", 4_900, each),
            ("p-3", "Cup", 1_200, each),
            ("p-4", "Kettle", 7_900, each),
            ("p-5", "Tea strainer", 650, each),
            ("p-luxury", "Antique samovar", 2_500_000, each),
            ("p-soldout", "Last year's harvest", 2_400, 0),
        ];
        let products = rows
            .into_iter()
            .map(|(id, name, price, available)| {
                (id.to_owned(), Product { id: id.to_owned(), name: name.to_owned(), price, available })
            })
            .collect();
        Self { products, orders: BoundedMap::new(capacity), reserved_for_ns }
    }

    /// A product.
    pub fn product(&self, id: &str) -> Option<&Product> {
        self.products.get(id)
    }

    /// Every product, by id.
    pub fn products(&self) -> impl Iterator<Item = &Product> {
        self.products.values()
    }

    /// Gives a product another name, price or both; `None` when there is no such product.
    pub fn change(&mut self, id: &str, name: Option<String>, price: Option<u64>) -> Option<&Product> {
        let product = self.products.get_mut(id)?;
        if let Some(name) = name {
            product.name = name;
        }
        if let Some(price) = price {
            product.price = price;
        }
        Some(product)
    }

    /// Keeps items for an order. Asking again for the same order changes nothing. When there are too few, reservations
    /// that are overdue (their payment was lost) are given up first.
    ///
    /// # Errors
    /// When there are none to keep.
    pub fn reserve(
        &mut self,
        order_id: &str,
        product_id: &str,
        quantity: u32,
        now_ns: u64,
    ) -> Result<(), ReserveError> {
        match self.orders.get(order_id) {
            Some(Entry::Reserved { .. } | Entry::Sold { .. }) => return Ok(()),
            Some(Entry::Released) => return Err(ReserveError::Released),
            None => {}
        }
        if self.products.get(product_id).is_some_and(|product| product.available < i64::from(quantity)) {
            self.give_up_overdue(product_id, now_ns);
        }
        let product = self
            .products
            .get_mut(product_id)
            .ok_or_else(|| ReserveError::NoSuchProduct(product_id.to_owned()))?;
        if product.available < i64::from(quantity) {
            return Err(ReserveError::OutOfStock {
                product_id: product_id.to_owned(),
                available: product.available,
                wanted: quantity,
            });
        }
        product.available -= i64::from(quantity);
        self.orders.insert(
            order_id.to_owned(),
            Entry::Reserved {
                product_id: product_id.to_owned(),
                quantity,
                until_ns: now_ns.saturating_add(self.reserved_for_ns),
            },
        );
        Ok(())
    }

    /// The order is paid: what was reserved is sold; without a reservation (an order served by fallback) the items
    /// are taken now, below zero if need be.
    pub fn on_paid(&mut self, line: &OrderLine) {
        match self.orders.get(&line.order_id) {
            Some(Entry::Sold { .. } | Entry::Released) => return,
            Some(Entry::Reserved { .. }) => {}
            None => self.add(&line.product_id, -i64::from(line.quantity)),
        }
        let sold = Entry::Sold { product_id: line.product_id.clone(), quantity: line.quantity };
        self.orders.insert(line.order_id.clone(), sold);
    }

    /// The order was refused or cancelled: its items are back, and a later `on_paid` takes nothing.
    pub fn on_released(&mut self, order_id: &str) {
        if let Some(Entry::Reserved { product_id, quantity, .. } | Entry::Sold { product_id, quantity }) =
            self.orders.get(order_id).cloned()
        {
            self.add(&product_id, i64::from(quantity));
        }
        self.orders.insert(order_id.to_owned(), Entry::Released);
    }

    /// Forgets overdue reservations of a product. An order that is paid all the same takes its items then.
    fn give_up_overdue(&mut self, wanted: &str, now_ns: u64) {
        let overdue: Vec<(String, u32)> = self
            .orders
            .newest()
            .filter_map(|(order_id, entry)| match entry {
                Entry::Reserved { product_id, quantity, until_ns }
                    if product_id == wanted && *until_ns <= now_ns =>
                {
                    Some((order_id.clone(), *quantity))
                }
                _ => None,
            })
            .collect();
        for (order_id, quantity) in overdue {
            self.orders.remove(&order_id);
            self.add(wanted, i64::from(quantity));
        }
    }

    fn add(&mut self, product_id: &str, quantity: i64) {
        if let Some(product) = self.products.get_mut(product_id) {
            product.available = product.available.saturating_add(quantity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::line;
    use super::*;

    fn left(stock: &Stock) -> i64 {
        stock.product("p-1").unwrap().available
    }

    #[test]
    fn stock_follows_paid_orders_only_and_duplicates_are_harmless() {
        let mut stock = Stock::new(10, 10, 100);
        for _ in 0..2 {
            stock.reserve("o-1", "p-1", 2, 0).unwrap();
            assert_eq!(left(&stock), 8);
        }
        for _ in 0..2 {
            stock.on_paid(&line("o-1"));
            assert_eq!(left(&stock), 8);
        }
        for _ in 0..2 {
            stock.on_released("o-1");
            assert_eq!(left(&stock), 10);
        }
        stock.on_paid(&line("o-1"));
        assert_eq!(left(&stock), 10, "a cancelled order takes nothing");
        assert_eq!(stock.reserve("o-1", "p-1", 2, 0), Err(ReserveError::Released));
    }

    #[test]
    fn a_fallback_order_takes_its_stock_when_it_is_paid() {
        let mut stock = Stock::new(10, 1, 100);
        stock.on_paid(&line("o-2"));
        assert_eq!(left(&stock), -1);
        assert!(matches!(
            stock.reserve("o-3", "p-1", 1, 0),
            Err(ReserveError::OutOfStock { available: -1, .. })
        ));
        assert!(matches!(stock.reserve("o-3", "p-9", 1, 0), Err(ReserveError::NoSuchProduct(_))));
    }

    #[test]
    fn an_overdue_reservation_gives_way_to_whoever_wants_the_items() {
        let mut stock = Stock::new(10, 2, 100);
        stock.reserve("o-1", "p-1", 2, 0).unwrap();
        assert!(stock.reserve("o-2", "p-1", 2, 99).is_err());
        stock.reserve("o-2", "p-1", 2, 100).unwrap();
        assert_eq!(left(&stock), 0);
        stock.on_paid(&line("o-1"));
        assert_eq!(left(&stock), -2, "paid late, it is owed all the same");
    }

    #[test]
    fn a_release_that_overtakes_the_payment_keeps_the_stock() {
        let mut stock = Stock::new(10, 10, 100);
        stock.on_released("o-1");
        stock.on_paid(&line("o-1"));
        assert_eq!(left(&stock), 10);
    }
}
