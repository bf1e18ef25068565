//! What stands under `/zipkin`: Zipkin's own page (Lens) as it was published, when a folder with it is given, else
//! redirects that lead Zipkin's links to our pages.
//!
//! Paths, redirects, cache times and `config.json` are those of Zipkin's server (3.x, `ZipkinUiConfiguration`).

mod config_json;
mod folder;
pub(crate) mod old_links;

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tracepact_listener::{Problem, Routes, Scope};

pub use config_json::PageConfig;
pub use folder::FolderError;

use crate::BasePath;
use folder::{Folder, Served};

/// The paths that show the page; what is on it is decided in the browser.
const PAGES: [&str; 5] =
    ["/zipkin/", "/zipkin/index.html", "/zipkin/traces/{id}", "/zipkin/dependency", "/zipkin/traceViewer"];

/// Zipkin's page styles itself inline and may post traces to an archive elsewhere; scripts are its own only.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self' data:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'";

/// Zipkin's page and what it is told.
#[derive(Debug, Clone)]
pub struct ZipkinPage {
    folder: Option<Arc<Folder>>,
    config: PageConfig,
}

impl ZipkinPage {
    /// Zipkin's links lead to our pages; `config.json` answers all the same.
    pub fn redirecting(config: PageConfig) -> Self {
        Self { folder: None, config }
    }

    /// Serves an unpacked zipkin-lens: `dir` holds its `index.html`, or the folder `zipkin-lens` that does. Everything
    /// is read now; `base_path` is where a proxy shows it (`/zipkin` unless told otherwise).
    ///
    /// # Errors
    /// When there is no such page, or more than a page would hold.
    pub fn from_folder(
        dir: &FilePath,
        base_path: &BasePath,
        config: PageConfig,
    ) -> Result<Self, FolderError> {
        Ok(Self { folder: Some(Arc::new(Folder::read(dir, base_path)?)), config })
    }
}

/// The routes under `/zipkin` (public: they hold no data). `ours` is where our pages are.
pub(crate) fn routes(page: &ZipkinPage, ours: &BasePath) -> Routes {
    let config = Arc::new(Served::new("config.json", page.config.json().into_bytes(), 600));
    let routes =
        Routes::new("dashboard").get("/zipkin/config.json", Scope::Public, move |headers: HeaderMap| {
            std::future::ready(config.answer(&headers))
        });
    match &page.folder {
        Some(folder) => lens(routes, folder.clone(), page.config.archive_post_url.as_deref()),
        None => old_links(routes, ours),
    }
}

fn lens(mut routes: Routes, folder: Arc<Folder>, archive: Option<&str>) -> Routes {
    let policy = HeaderValue::from_str(&format!("{POLICY} {}", archive.unwrap_or_default()));
    let policy = policy.unwrap_or(HeaderValue::from_static(POLICY));
    for path in PAGES {
        let (folder, policy) = (folder.clone(), policy.clone());
        routes = routes.get(path, Scope::Public, move |headers: HeaderMap| {
            let mut response = folder.index.answer(&headers);
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.clone());
            std::future::ready(response)
        });
    }
    let file = move |Path(path): Path<String>, headers: HeaderMap| {
        std::future::ready(match folder.files.get(&path) {
            Some(file) => file.answer(&headers),
            None => Problem::not_found(format!("Zipkin's page has no {path}")).into_response(),
        })
    };
    routes
        .get("/zipkin/{*path}", Scope::Public, file)
        .get("/zipkin", Scope::Public, async || redirect("/zipkin/"))
        .get("/favicon.ico", Scope::Public, async || redirect("/zipkin/favicon.ico"))
}

/// Zipkin's addresses on pages of ours.
fn old_links(routes: Routes, ours: &BasePath) -> Routes {
    let to = |target: fn(Option<&str>) -> String| {
        let href = ours.href();
        move |RawQuery(query): RawQuery| {
            std::future::ready(redirect(&format!("{href}{}", target(query.as_deref()))))
        }
    };
    let href = ours.href();
    let trace = move |Path(id): Path<String>| {
        let hex = !id.is_empty() && id.len() <= 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        let target = if hex { format!("{href}traces/{id}") } else { format!("{href}traces") };
        std::future::ready(redirect(&target))
    };
    routes
        .get("/zipkin", Scope::Public, to(old_links::search))
        .get("/zipkin/", Scope::Public, to(old_links::search))
        .get("/zipkin/index.html", Scope::Public, to(old_links::search))
        .get("/zipkin/traces/{id}", Scope::Public, trace)
        .get("/zipkin/dependency", Scope::Public, to(|_| String::new()))
        .get("/zipkin/traceViewer", Scope::Public, to(|_| "traces".to_owned()))
}

fn redirect(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::FOUND, [(header::LOCATION, location)]).into_response(),
        Err(_) => Problem::invalid("this address cannot be redirected").into_response(),
    }
}

#[cfg(test)]
mod tests;
