use std::collections::BTreeSet;

use tracepact_listener::{RouteSpec, Scope};

use super::*;
use crate::config::{Environment, Overrides, load};

/// Everything that can run, on an empty directory.
async fn whole() -> (App, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let data = toml::Value::String(dir.path().display().to_string());
    let loaded = load(None, &Environment::default(), &Overrides(vec![("data_dir", data)])).unwrap();
    (App::build(&loaded.config).await.unwrap(), dir)
}

fn all(app: &App) -> Vec<(&'static str, RouteSpec)> {
    let Tables { http, otlp_grpc, otlp_http, broker } = &app.tables;
    let ports = [("http", http), ("otlp_grpc", otlp_grpc), ("otlp_http", otlp_http), ("broker", broker)];
    ports.into_iter().flat_map(|(port, table)| table.specs().map(move |spec| (port, spec.clone()))).collect()
}

#[tokio::test]
async fn no_two_rooms_claim_one_route_and_every_router_can_be_built() {
    let (app, _dir) = whole().await;
    let Tables { http, otlp_grpc, otlp_http, broker } = app.tables.clone();
    for table in [http, otlp_grpc, otlp_http, broker] {
        table.check().unwrap();
        let access = tracepact_listener::Access::for_listen([127, 0, 0, 1].into());
        // axum refuses patterns that it cannot tell apart by panicking.
        let _ = table.into_router(Arc::new(access));
    }
    let dialects: BTreeSet<_> = app.tables.http.specs().map(|spec| spec.dialect).collect();
    for dialect in ["process", "docs", "otlp", "zipkin", "native", "metrics", "dashboard"] {
        assert!(dialects.contains(dialect), "no route of {dialect}");
    }
}

#[tokio::test]
async fn scopes_and_origins_follow_the_rules() {
    let (app, _dir) = whole().await;
    for (port, spec) in all(&app) {
        let route = format!("{port}: {} {}", spec.method, spec.path);
        if spec.changes() {
            assert_ne!(spec.scope, Scope::Public, "{route} changes something and asks for nothing");
            // Questions with a body: which pacts a provider's build is to verify, and what a change of a contract would mean.
            let question = ["/pacts/provider/{provider}/for-verification", "/tracepact/v1/contracts/check"]
                .contains(&spec.path.as_str());
            assert!(
                spec.scope != Scope::Read || question,
                "{route} changes something with the right to read"
            );
        }
        for content_type in spec.content_types {
            let simple = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];
            assert!(!simple.contains(content_type), "{route} takes {content_type}, which any page can send");
        }
        if spec.cors_any {
            let path = spec.path.trim_start_matches("/zipkin");
            let spans = spec.scope == Scope::Ingest
                && ["/v1/traces", "/api/v2/spans", "/api/v1/spans"].contains(&path);
            let zipkin_read = spec.scope == Scope::Read && !spec.changes() && path.starts_with("/api/v2/");
            assert!(spans || zipkin_read, "{route} is open to every web page");
        }
        // How a provider accepts may be read by everyone; accepting, and changing how, may not be done by everyone.
        if spec.changes() && (spec.path.contains("/accept") || spec.path.contains("/reject")) {
            assert_eq!(spec.scope, Scope::Admin, "{route}");
        }
    }
}

#[tokio::test]
async fn every_native_route_is_described() {
    let (app, _dir) = whole().await;
    let document = openapi::document();
    for spec in app.tables.http.specs().filter(|spec| spec.path.starts_with("/tracepact/v1/")) {
        if spec.path != "/tracepact/v1/openapi.json" {
            assert!(
                document.paths.paths.contains_key(&spec.path),
                "{} is not in docs/openapi.json",
                spec.path
            );
        }
    }
}
