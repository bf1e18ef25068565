//! Which routes stand on which port.

use std::sync::Arc;

use tracepact_listener::{Overlap, Routes};

use super::docs_pages;
use super::health::{self, Health};

/// The route table of each port.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    /// Everything but the broker's HAL API.
    pub(crate) http: Routes,
    /// OTLP's gRPC services.
    pub(crate) otlp_grpc: Routes,
    /// OTLP's HTTP paths.
    pub(crate) otlp_http: Routes,
    /// The broker's HAL API.
    pub(crate) broker: Routes,
}

impl Tables {
    /// Tables with what every port has: health and the pages about errors.
    pub(crate) fn new(health: Arc<Health>) -> Result<Self, Overlap> {
        let own = health::routes(health).merge(docs_pages::routes())?;
        Ok(Self { http: own.clone(), otlp_grpc: own.clone(), otlp_http: own.clone(), broker: own })
    }

    /// Adds routes to the main port.
    pub(crate) fn add_http(&mut self, routes: Routes) -> Result<(), Overlap> {
        add(&mut self.http, routes)
    }

    /// Adds OTLP over gRPC to its own port and to the main one.
    pub(crate) fn add_otlp_grpc(&mut self, routes: Routes) -> Result<(), Overlap> {
        add(&mut self.otlp_grpc, routes.clone())?;
        add(&mut self.http, routes)
    }

    /// Adds OTLP over HTTP to its own port and to the main one.
    pub(crate) fn add_otlp_http(&mut self, routes: Routes) -> Result<(), Overlap> {
        add(&mut self.otlp_http, routes.clone())?;
        add(&mut self.http, routes)
    }

    /// Adds routes to the broker's port.
    pub(crate) fn add_broker(&mut self, routes: Routes) -> Result<(), Overlap> {
        add(&mut self.broker, routes)
    }
}

fn add(table: &mut Routes, routes: Routes) -> Result<(), Overlap> {
    *table = table.clone().merge(routes)?;
    Ok(())
}
