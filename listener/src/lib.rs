//! The one HTTP and gRPC edge: who may call, how much they may send, how refusals look, how a listener drains.
//!
//! Place on the map: `ingest`, `query`, `broker`, `dashboard/server` and the shop describe their routes with
//! [`Routes`]; `tracepact` merges them and calls [`serve()`]. It depends on `base` only.
//!
//! ```
//! use std::sync::Arc;
//! use tracepact_listener::{Access, Routes, Scope};
//! let routes: Routes = Routes::new("zipkin").get("/api/v2/services", Scope::Read, async || "[]").cors_any();
//! let router = routes.into_router(Arc::new(Access::for_listen([127, 0, 0, 1].into())));
//! # let _: axum::Router = router;
//! ```
//!
//! Around every handler stand, in this order: Host, Origin, token or user, media type ([`Access`], [`Identities`]); a body that must keep
//! coming; CORS where any page may call; request metrics by route template. A handler reads its body with
//! [`body::read`] or [`extract::Json`], both bounded, and refuses with a [`Problem`].
//!
//! What it deliberately does not do: decode any dialect, know any store, or decide what is stored.

pub mod access;
pub mod body;
pub mod caller;
mod drain;
pub mod extract;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
pub mod metrics;
pub mod problem;
pub mod routes;
pub mod scope;
pub mod serve;
pub mod timed_body;
pub mod tls;

pub use access::{Access, CorsOrigins, Credential, HostPattern};
pub use body::Limits;
pub use caller::{Caller, Identities, Identity, Presented};
pub use metrics::RequestMetrics;
pub use problem::Problem;
pub use routes::{JSON_TYPES, Overlap, RouteSpec, Routes};
pub use scope::{Scope, Scopes};
pub use serve::{PeerAddr, ServeLimits, serve, serve_with};
pub use tls::{Tls, TlsError};
