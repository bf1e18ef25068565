//! `GET /tracepact/v1/overview` and `GET /tracepact/v1/services`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use tracepact_join::{OverviewAnswer, ServicesAnswer, catalogue, overview};
use tracepact_listener::{Routes, Scope};
use utoipa::OpenApi;

use crate::Dashboard;
use crate::gather::{self, Recent};

struct Api {
    dashboard: Dashboard,
    services: Recent<ServicesAnswer>,
    overview: Recent<OverviewAnswer>,
}

impl Api {
    async fn services(&self) -> Arc<ServicesAnswer> {
        let make = async {
            let gathered = gather::sightings(&self.dashboard.sightings).await;
            catalogue(&self.dashboard.aliases, &gathered, self.dashboard.clock.now_ns())
        };
        self.services.get(make).await
    }

    async fn overview(&self) -> Arc<OverviewAnswer> {
        let make = async {
            let (services, gathered) =
                tokio::join!(self.services(), gather::summaries(&self.dashboard.summaries));
            // A list with holes is a lower bound, not a count.
            let count = services.complete.then_some(services.services.len() as u64);
            overview(&self.dashboard.aliases, &gathered, count, self.dashboard.clock.now_ns())
        };
        self.overview.get(make).await
    }
}

pub(crate) fn routes(dashboard: Dashboard) -> Routes {
    let clock = dashboard.clock.clone();
    let api = Api { dashboard, services: Recent::new(clock.clone()), overview: Recent::new(clock) };
    Routes::new("native")
        .get("/tracepact/v1/overview", Scope::Read, get_overview)
        .get("/tracepact/v1/services", Scope::Read, get_services)
        .with_state(Arc::new(api))
}

/// What is wrong now, most urgent first, since when, and where to look.
#[utoipa::path(
    get,
    path = "/tracepact/v1/overview",
    tag = "dashboard",
    responses((status = 200, description = "What is wrong now, most urgent first", body = OverviewAnswer))
)]
async fn get_overview(State(api): State<Arc<Api>>) -> Response {
    fresh(Json(api.overview().await.as_ref()))
}

/// Every service under all its names: in spans, at Kafka, at the broker.
#[utoipa::path(
    get,
    path = "/tracepact/v1/services",
    tag = "dashboard",
    responses((status = 200, description = "Every service under all its names", body = ServicesAnswer))
)]
async fn get_services(State(api): State<Arc<Api>>) -> Response {
    fresh(Json(api.services().await.as_ref()))
}

fn fresh(body: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], body).into_response()
}

#[derive(OpenApi)]
#[openapi(paths(get_overview, get_services))]
struct Document;

/// The OpenAPI description of this room's routes; the binary merges it with the other rooms'.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[cfg(test)]
mod tests;
