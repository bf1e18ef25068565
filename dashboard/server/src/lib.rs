//! Serves the pages from the binary, and the two answers that need the collector and the contracts together: the
//! overview of what is wrong, and the service catalogue.
//!
//! Zipkin's own page is served beside them when its folder is given ([`ZipkinPage`]); without it Zipkin's links lead to
//! our pages.
//!
//! Place on the map: sees `dashboard/join`, `listener` and `base`. The binary hands it sources
//! ([`tracepact_join::SightingSource`], [`tracepact_join::SummarySource`]) and merges [`routes`] with the other rooms'.
//!
//! ```
//! use std::sync::Arc;
//! use tracepact_base::SystemClock;
//! use tracepact_dashboard::{Dashboard, routes};
//! use tracepact_join::Aliases;
//! let table = routes(Dashboard::new(SystemClock::shared(), Arc::new(Aliases::default()))).unwrap();
//! assert!(table.specs().any(|route| route.path == "/tracepact/v1/overview"));
//! ```
//!
//! What it deliberately does not do: answer unknown paths with the page (a missing asset is a 404, so that a stale
//! page fails loudly), and know any store: everything else the pages show comes from the published HTTP API.

mod api;
mod assets;
mod base_path;
#[doc(hidden)]
pub mod fuzzing;
mod gather;
mod pages;
mod zipkin_page;

use std::sync::Arc;

use tracepact_base::SharedClock;
use tracepact_join::{Aliases, SightingSource, SummarySource};
use tracepact_listener::Routes;

pub use api::openapi;
pub use base_path::{BasePath, BasePathError};
pub use gather::SOURCE_TIMEOUT_MS;
pub use pages::{CONTENT_SECURITY_POLICY, PAGES};
pub use zipkin_page::{FolderError, PageConfig, ZipkinPage};

/// Whether this binary carries the built pages; without them `/` says how to build them.
pub const UI_EMBEDDED: bool = !cfg!(ui_placeholder);

/// What the dashboard needs from its surroundings.
pub struct Dashboard {
    pub(crate) clock: SharedClock,
    pub(crate) aliases: Arc<Aliases>,
    pub(crate) sightings: Vec<Arc<dyn SightingSource>>,
    pub(crate) summaries: Vec<Arc<dyn SummarySource>>,
    pub(crate) base_path: BasePath,
    pub(crate) zipkin: Option<ZipkinPage>,
}

impl Dashboard {
    /// A dashboard without sources, at the root of its origin.
    pub fn new(clock: SharedClock, aliases: Arc<Aliases>) -> Self {
        Self {
            clock,
            aliases,
            sightings: Vec::new(),
            summaries: Vec::new(),
            base_path: BasePath::default(),
            zipkin: Some(ZipkinPage::redirecting(PageConfig::default())),
        }
    }

    /// Adds someone who knows which services, groups or pacticipants exist.
    #[must_use]
    pub fn with_sightings(mut self, source: Arc<dyn SightingSource>) -> Self {
        self.sightings.push(source);
        self
    }

    /// Adds someone who knows the state of something that can be wrong.
    #[must_use]
    pub fn with_summaries(mut self, source: Arc<dyn SummarySource>) -> Self {
        self.summaries.push(source);
        self
    }

    /// What stands under `/zipkin` besides the API; `None` for nothing.
    #[must_use]
    pub fn with_zipkin(mut self, page: Option<ZipkinPage>) -> Self {
        self.zipkin = page;
        self
    }

    /// Sets the path under which a proxy shows the pages.
    #[must_use]
    pub fn at(mut self, base_path: BasePath) -> Self {
        self.base_path = base_path;
        self
    }
}

/// The pages (public: they hold no data), and the overview and the catalogue (read).
///
/// # Errors
/// When the embedded pages carry no place for the base path, which is a mistake of the build.
pub fn routes(dashboard: Dashboard) -> Result<Routes, PageError> {
    let mut pages = pages::routes(&dashboard.base_path)?;
    if let Some(page) = &dashboard.zipkin {
        pages = pages.merge(zipkin_page::routes(page, &dashboard.base_path))?;
    }
    pages.merge(api::routes(dashboard)).map_err(PageError::Overlap)
}

/// Why the pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The embedded files have no `index.html`, or it has no `<base href="/" />`.
    #[error("the embedded pages are damaged: {0}")]
    Damaged(&'static str),
    /// Two of our own routes claim the same requests.
    #[error(transparent)]
    Overlap(#[from] tracepact_listener::Overlap),
}
