//! `PUT`, `GET` and `DELETE /faults`.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tracepact_listener::extract::{Json, Query};
use tracepact_listener::{Problem, Routes, Scope};

use super::{ActiveRule, FaultKind, FaultRule, Faults, Injection};

/// What `GET /faults` answers.
#[derive(Debug, Serialize)]
pub struct FaultReport {
    /// Switches that are on.
    pub rules: Vec<ActiveRule>,
    /// Everything injected since the process started, oldest first.
    pub injected: Vec<Injection>,
}

/// Which switch `DELETE /faults` is about.
#[derive(Debug, Deserialize)]
struct Which {
    kind: Option<FaultKind>,
}

/// The switches. The scope `admin` needs the token of `--faults-token-file`, on loopback as elsewhere.
pub fn routes(faults: Arc<Faults>) -> Routes {
    Routes::new("faults")
        .put("/faults", Scope::Admin, put)
        .get("/faults", Scope::Admin, get)
        .delete("/faults", Scope::Admin, delete)
        .with_state(faults)
}

async fn put(
    State(faults): State<Arc<Faults>>,
    Json(rule): Json<FaultRule>,
) -> Result<Json<FaultReport>, Problem> {
    let rule = rule.checked().map_err(|error| Problem::invalid(error.to_string()))?;
    tracing::warn!(?rule, "a fault was switched on");
    faults.set(rule);
    Ok(report(&faults))
}

async fn get(State(faults): State<Arc<Faults>>) -> Json<FaultReport> {
    report(&faults)
}

async fn delete(State(faults): State<Arc<Faults>>, Query(which): Query<Which>) -> Json<FaultReport> {
    faults.clear(which.kind);
    tracing::warn!(kind = ?which.kind, "faults were switched off");
    report(&faults)
}

fn report(faults: &Faults) -> Json<FaultReport> {
    let (rules, injected) = faults.report();
    Json(FaultReport { rules, injected })
}
