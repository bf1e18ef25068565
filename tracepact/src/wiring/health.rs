//! `GET /health`: 200 and UP, or 503 and DOWN with the part that is down, or that the server is draining. The member
//! `zipkin` says the same in the shape that Zipkin's readers know; `/actuator/health` is the same for Spring's tools.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tracepact_listener::{Routes, Scope};

use super::info::ACTUATOR;

type Check = Box<dyn Fn() -> Result<(), String> + Send>;

/// What is known about the process's own state.
#[derive(Default)]
pub(crate) struct Health {
    draining: AtomicBool,
    checks: Mutex<Vec<(&'static str, Check)>>,
}

impl Health {
    /// Adds a part: `Err` says why it is down. Called on every request, so it must not wait.
    pub(crate) fn watch(&self, part: &'static str, check: impl Fn() -> Result<(), String> + Send + 'static) {
        self.checks.lock().push((part, Box::new(check)));
    }

    /// From now on the answer is DOWN: whoever balances load should go elsewhere.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    fn answer(&self) -> (StatusCode, Value) {
        let (mut details, mut zipkin) = (Map::new(), Map::new());
        let mut up = true;
        for (part, check) in self.checks.lock().iter() {
            let (state, as_zipkin) = match check() {
                Ok(()) => (json!({ "status": "UP" }), json!({ "status": "UP" })),
                Err(reason) => {
                    up = false;
                    let as_zipkin = json!({ "status": "DOWN", "details": { "error": reason } });
                    (json!({ "status": "DOWN", "reason": reason }), as_zipkin)
                }
            };
            details.insert((*part).to_owned(), state);
            zipkin.insert((*part).to_owned(), as_zipkin);
        }
        if self.draining.load(Ordering::Acquire) {
            up = false;
            details.insert("server".to_owned(), json!({ "status": "DOWN", "reason": "draining" }));
        }
        let status = if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let word = if up { "UP" } else { "DOWN" };
        let zipkin = json!({ "status": word, "details": zipkin });
        (status, json!({ "status": word, "details": details, "zipkin": zipkin }))
    }
}

/// The route; on every port, for whatever checks that port.
pub(crate) fn routes(health: Arc<Health>) -> Routes {
    Routes::new("process")
        .get("/health", Scope::Public, async |health: State<Arc<Health>>| answer(&health, "application/json"))
        .get("/actuator/health", Scope::Public, async |health: State<Arc<Health>>| answer(&health, ACTUATOR))
        .with_state(health)
}

fn answer(health: &Health, media_type: &'static str) -> Response {
    let (status, body) = health.answer();
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_TYPE, media_type)];
    (status, headers, body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn down_when_a_part_is_or_while_draining() {
        let health = Health::default();
        health.watch("store", || Ok(()));
        assert_eq!(health.answer().0, StatusCode::OK);
        health.watch("broker", || Err("its database is locked".to_owned()));
        let (status, body) = health.answer();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body["status"], "DOWN");
        assert_eq!(body["details"]["store"]["status"], "UP");
        assert_eq!(body["details"]["broker"]["reason"], "its database is locked");
        let zipkin = &body["zipkin"];
        assert_eq!(
            (&zipkin["status"], &zipkin["details"]["store"]["status"]),
            (&json!("DOWN"), &json!("UP"))
        );
        assert_eq!(zipkin["details"]["broker"]["details"]["error"], "its database is locked");
        let health = Health::default();
        health.drain();
        assert_eq!(health.answer().0, StatusCode::SERVICE_UNAVAILABLE);
    }
}
