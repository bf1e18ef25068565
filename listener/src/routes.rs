//! The one route table: every room describes its routes with their scope, `tracepact` merges them and refuses overlaps.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, on, on_service};
use http::Method;
use tower::Service;

use crate::gate::Gate;
use crate::metrics::RequestMetrics;
use crate::{Access, Scope, gate};

/// What is known about one route besides its handler.
#[derive(Debug, Clone)]
pub struct RouteSpec {
    /// The method. GET answers HEAD as well.
    pub method: Method,
    /// axum's path pattern: `/api/v2/trace/{id}`, `/assets/{*path}`.
    pub path: String,
    /// The right it needs.
    pub scope: Scope,
    /// Whose route it is: `zipkin`, `otlp`, `native`, `prometheus`, `broker`, `contracts`, `dashboard`.
    pub dialect: &'static str,
    /// The template requests are counted under, when it is not `path`.
    pub counted_as: Option<String>,
    /// Any web page may call it (`Access-Control-Allow-Origin: *`): span ingest and Zipkin's v2 GETs only.
    pub cors_any: bool,
    /// Media types a changing request may carry without a bearer token.
    pub content_types: &'static [&'static str],
    /// A changing request from outside a browser may leave the media type out (Zipkin's `POST /api/v2/spans`).
    pub content_type_optional: bool,
    /// gRPC: refusals are gRPC statuses, the body has gRPC's own framing and compression.
    pub grpc: bool,
}

impl RouteSpec {
    /// A route that takes JSON, from its own origin.
    pub(crate) fn plain(method: Method, path: &str, scope: Scope, dialect: &'static str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            scope,
            dialect,
            counted_as: None,
            cors_any: false,
            content_types: JSON_TYPES,
            content_type_optional: false,
            grpc: false,
        }
    }

    /// The template requests are counted under.
    pub fn metric_route(&self) -> &str {
        self.counted_as.as_deref().unwrap_or(&self.path)
    }

    /// Whether a request to it can change something.
    pub fn changes(&self) -> bool {
        !(self.method == Method::GET || self.method == Method::HEAD || self.method == Method::OPTIONS)
    }

    /// Method and path with the names of parameters taken out: two routes with one key claim the same requests.
    fn key(&self) -> (String, String) {
        let shape: Vec<&str> = self
            .path
            .split('/')
            .map(|part| match part.strip_prefix('{') {
                Some(rest) if rest.starts_with('*') => "{*}",
                Some(rest) if rest.ends_with('}') => "{}",
                _ => part,
            })
            .collect();
        (self.method.to_string(), shape.join("/"))
    }
}

/// Media types of a changing request that needs no bearer token, unless the route says otherwise. A web page cannot
/// send any of them to another origin without asking first (they are not "simple" in the Fetch standard).
pub const JSON_TYPES: &[&str] = &["application/json", "application/hal+json", "application/merge-patch+json"];

/// Two routes claim the same requests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method} {path} is claimed by both {first} and {second}")]
pub struct Overlap {
    /// The method.
    pub method: String,
    /// The pattern of the second claimant.
    pub path: String,
    /// The dialect that came first.
    pub first: &'static str,
    /// The dialect that claims it again.
    pub second: &'static str,
}

/// The routes of one room, or of several merged.
///
/// ```
/// use tracepact_listener::{Routes, Scope};
/// let routes: Routes = Routes::new("zipkin").get("/api/v2/services", Scope::Read, async || "[]").cors_any();
/// assert_eq!(routes.specs().count(), 1);
/// ```
#[derive(Debug, Clone)]
pub struct Routes<S = ()> {
    dialect: &'static str,
    entries: Vec<(RouteSpec, MethodRouter<S>)>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet, of `dialect`.
    pub fn new(dialect: &'static str) -> Self {
        Self { dialect, entries: Vec::new() }
    }

    fn add(mut self, method: Method, path: &str, scope: Scope, router: MethodRouter<S>) -> Self {
        self.entries.push((RouteSpec::plain(method, path, scope, self.dialect), router));
        self
    }

    fn handle<H, T>(self, method: Method, filter: MethodFilter, path: &str, scope: Scope, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.add(method, path, scope, on(filter, handler))
    }

    /// A GET route; HEAD is answered too.
    #[must_use]
    pub fn get<H, T>(self, path: &str, scope: Scope, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.handle(Method::GET, MethodFilter::GET, path, scope, handler)
    }

    /// A POST route.
    #[must_use]
    pub fn post<H, T>(self, path: &str, scope: Scope, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.handle(Method::POST, MethodFilter::POST, path, scope, handler)
    }

    /// A PUT route.
    #[must_use]
    pub fn put<H, T>(self, path: &str, scope: Scope, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.handle(Method::PUT, MethodFilter::PUT, path, scope, handler)
    }

    /// A PATCH route.
    #[must_use]
    pub fn patch<H, T>(self, path: &str, scope: Scope, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.handle(Method::PATCH, MethodFilter::PATCH, path, scope, handler)
    }

    /// A DELETE route.
    #[must_use]
    pub fn delete<H, T>(self, path: &str, scope: Scope, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.handle(Method::DELETE, MethodFilter::DELETE, path, scope, handler)
    }

    /// All methods of a tonic service: `POST /package.Service/{method}`, with gRPC statuses for refusals.
    #[must_use]
    pub fn grpc<T>(self, scope: Scope, service: T) -> Self
    where
        T: Service<Request, Error = Infallible> + tonic::server::NamedService + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        let path = format!("/{}/{{*method}}", T::NAME);
        let mut routes = self.add(Method::POST, &path, scope, on_service(MethodFilter::POST, service));
        if let Some((spec, _)) = routes.entries.last_mut() {
            spec.grpc = true;
            spec.content_types = &["application/grpc", "application/grpc+proto"];
        }
        routes
    }

    /// The route added last may be called by any web page: `Access-Control-Allow-Origin: *`, and preflights for the
    /// headers span reporters send. Only for span ingest and Zipkin's v2 GETs.
    #[must_use]
    pub fn cors_any(mut self) -> Self {
        if let Some((spec, _)) = self.entries.last_mut() {
            spec.cors_any = true;
        }
        self
    }

    /// The route added last takes these media types instead of [`JSON_TYPES`]. Name none that a web page can send
    /// without a preflight (`text/plain`, forms): those stay refused for browsers in any case.
    #[must_use]
    pub fn accepts(mut self, content_types: &'static [&'static str]) -> Self {
        if let Some((spec, _)) = self.entries.last_mut() {
            spec.content_types = content_types;
        }
        self
    }

    /// The route added last may be called without a media type, by anything that is not a browser.
    #[must_use]
    pub fn content_type_optional(mut self) -> Self {
        if let Some((spec, _)) = self.entries.last_mut() {
            spec.content_type_optional = true;
        }
        self
    }

    /// Requests of the route added last are counted under another template.
    #[must_use]
    pub fn counted_as(mut self, template: &str) -> Self {
        if let Some((spec, _)) = self.entries.last_mut() {
            spec.counted_as = Some(template.to_owned());
        }
        self
    }

    /// Every route so far also under `prefix` (`/zipkin`), counted under its own template.
    #[must_use]
    pub fn also_under(mut self, prefix: &str) -> Self {
        for index in 0..self.entries.len() {
            let (mut spec, router) = self.entries[index].clone();
            spec.counted_as = Some(spec.metric_route().to_owned());
            spec.path = format!("{prefix}{}", spec.path);
            self.entries.push((spec, router));
        }
        self
    }

    /// Every handler so far with something around it, inside the rules of the edge: a tracer, a counter.
    #[must_use]
    pub fn around(mut self, wrap: impl Fn(&RouteSpec, MethodRouter<S>) -> MethodRouter<S>) -> Self {
        let wrapped = self.entries.into_iter().map(|(spec, router)| {
            let router = wrap(&spec, router);
            (spec, router)
        });
        self.entries = wrapped.collect();
        self
    }

    /// Gives the handlers their state.
    pub fn with_state(self, state: S) -> Routes<()> {
        let entries =
            self.entries.into_iter().map(|(spec, router)| (spec, router.with_state(state.clone()))).collect();
        Routes { dialect: self.dialect, entries }
    }

    /// What is known about each route.
    pub fn specs(&self) -> impl Iterator<Item = &RouteSpec> {
        self.entries.iter().map(|(spec, _)| spec)
    }

    /// Both tables in one.
    ///
    /// # Errors
    /// When a method and path is claimed twice.
    pub fn merge(mut self, other: Self) -> Result<Self, Overlap> {
        self.entries.extend(other.entries);
        self.check()?;
        Ok(self)
    }

    /// Whether every method and path has one owner.
    ///
    /// # Errors
    /// The first that has two.
    pub fn check(&self) -> Result<(), Overlap> {
        let mut owners: BTreeMap<(String, String), &'static str> = BTreeMap::new();
        for spec in self.specs() {
            if let Some(first) = owners.insert(spec.key(), spec.dialect) {
                return Err(Overlap {
                    method: spec.method.to_string(),
                    path: spec.path.clone(),
                    first,
                    second: spec.dialect,
                });
            }
        }
        Ok(())
    }
}

impl Routes<()> {
    /// The router behind all rules of the edge, without request metrics.
    pub fn into_router(self, access: Arc<Access>) -> axum::Router {
        self.into_router_with(access, None)
    }

    /// The router behind all rules of the edge. Of routes that overlap the first is served ([`Routes::check`]).
    pub fn into_router_with(self, access: Arc<Access>, metrics: Option<Arc<RequestMetrics>>) -> axum::Router {
        let mut by_path: BTreeMap<String, Vec<(RouteSpec, MethodRouter)>> = BTreeMap::new();
        let mut taken = std::collections::BTreeSet::new();
        for (spec, router) in self.entries {
            if taken.insert(spec.key()) {
                by_path.entry(spec.path.clone()).or_default().push((spec, router));
            }
        }
        let mut app = axum::Router::new();
        for (path, entries) in by_path {
            let mut merged = MethodRouter::new();
            let specs: Vec<RouteSpec> = entries.iter().map(|(spec, _)| spec.clone()).collect();
            for (spec, router) in entries {
                let gate = Arc::new(Gate::new(spec, access.clone(), metrics.clone()));
                merged =
                    merged.merge(router.route_layer(axum::middleware::from_fn_with_state(gate, gate::guard)));
            }
            app = app.route(&path, gate::complete(merged, specs, access.clone(), metrics.clone()));
        }
        gate::finish(app, metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(dialect: &'static str, path: &str) -> Routes {
        Routes::new(dialect).get(path, Scope::Read, async || "")
    }

    #[test]
    fn names_of_parameters_do_not_make_routes_different() {
        let overlap = routes("zipkin", "/api/v2/trace/{id}")
            .merge(routes("native", "/api/v2/trace/{trace_id}"))
            .unwrap_err();
        assert_eq!((overlap.first, overlap.second), ("zipkin", "native"));
    }

    #[test]
    fn a_prefix_keeps_the_template_that_is_counted() {
        let routes = routes("zipkin", "/api/v2/services").also_under("/zipkin");
        let counted: Vec<_> = routes.specs().map(|s| (s.path.as_str(), s.metric_route())).collect();
        assert_eq!(
            counted,
            [("/api/v2/services", "/api/v2/services"), ("/zipkin/api/v2/services", "/api/v2/services")]
        );
    }

    #[test]
    fn another_method_is_another_route() {
        let post: Routes = Routes::new("zipkin").post("/x", Scope::Ingest, async || "");
        assert!(routes("zipkin", "/x").merge(post).is_ok());
    }
}
