//! An unpacked zipkin-lens, read once at the start: nothing of a request ever names a file on disk.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::BasePath;
use crate::assets::{media_type, takes_gzip};

/// Most files of a page, and most bytes of them together; Lens has five of 2.6 MB.
const FILES_MAX: usize = 2_000;
const BYTES_MAX: u64 = 64 << 20;
/// Folders within folders.
const DEPTH_MAX: usize = 8;
/// Answers below this size are not worth compressing.
const GZIP_BYTES_MIN: usize = 256;
/// Where the published page stands; its addresses begin with it.
const PUBLISHED_AT: &str = "/zipkin";
/// Seconds that the page, and its files with hashed names, are kept by browsers.
const INDEX_SECONDS: u32 = 60;
const FILE_SECONDS: u32 = 31_536_000;

/// Why a folder cannot be served as Zipkin's page.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Neither it nor `zipkin-lens` in it holds the page.
    #[error("{} has no index.html of a zipkin-lens: unpack the jar io.zipkin:zipkin-lens there", .0.display())]
    NoPage(PathBuf),
    /// More files or bytes than a page has.
    #[error("{} holds more than {FILES_MAX} files or {BYTES_MAX} bytes: that is no zipkin-lens", .0.display())]
    TooLarge(PathBuf),
    /// A file or folder cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// One file, ready to be sent.
#[derive(Debug)]
pub(super) struct Served {
    media_type: &'static str,
    etag: HeaderValue,
    gzip_etag: HeaderValue,
    plain: Bytes,
    /// Made when somebody asks for it first.
    gzip: OnceLock<Option<Bytes>>,
    max_age: HeaderValue,
}

impl Served {
    /// `path` decides the media type; browsers keep it for `max_age_seconds`.
    pub(super) fn new(path: &str, plain: Vec<u8>, max_age_seconds: u32) -> Self {
        let tag = hex::encode(&Sha256::digest(&plain)[..12]);
        let value = |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"0\""));
        let media_type = match media_type(path) {
            // As Zipkin writes it.
            "application/json" => "application/json; charset=utf-8",
            other => other,
        };
        Self {
            media_type,
            etag: value(format!("\"{tag}\"")),
            gzip_etag: value(format!("\"{tag}-gzip\"")),
            plain: Bytes::from(plain),
            gzip: OnceLock::new(),
            max_age: value(format!("max-age={max_age_seconds}")),
        }
    }

    fn compressed(&self) -> Option<&Bytes> {
        let made = self.gzip.get_or_init(|| {
            let text =
                self.media_type.starts_with("text/") || self.media_type.starts_with("application/json");
            if self.plain.len() < GZIP_BYTES_MIN || !text {
                return None;
            }
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&self.plain).ok()?;
            encoder.finish().ok().filter(|made| made.len() < self.plain.len()).map(Bytes::from)
        });
        made.as_ref()
    }

    /// The answer to a GET: the file, or 304 to who has it.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response {
        let gzip = if takes_gzip(request) { self.compressed() } else { None };
        let etag = if gzip.is_some() { &self.gzip_etag } else { &self.etag };
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, etag.clone());
        headers.insert(header::CACHE_CONTROL, self.max_age.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        let known = request
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes());
        if known {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        match gzip {
            Some(gzip) => {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                (headers, gzip.clone()).into_response()
            }
            None => (headers, self.plain.clone()).into_response(),
        }
    }
}

/// The page's files by their path under `/zipkin/`.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) index: Served,
    pub(super) files: BTreeMap<String, Served>,
}

impl Folder {
    pub(super) fn read(dir: &Path, base_path: &BasePath) -> Result<Self, FolderError> {
        let root = [dir.to_path_buf(), dir.join("zipkin-lens")]
            .into_iter()
            .find(|root| root.join("index.html").is_file())
            .ok_or_else(|| FolderError::NoPage(dir.to_path_buf()))?;
        let index = read(&root.join("index.html"))?;
        let index = String::from_utf8(index).map_err(|_| FolderError::NoPage(root.clone()))?;
        let index = Served::new("index.html", rebase(index, base_path).into_bytes(), INDEX_SECONDS);
        let mut found = Vec::new();
        let mut bytes = 0;
        list(&root, "", 0, &mut found, &mut bytes)?;
        let mut files = BTreeMap::new();
        for (name, path) in found {
            if name != "index.html" {
                files.insert(name.clone(), Served::new(&name, read(&path)?, FILE_SECONDS));
            }
        }
        Ok(Self { index, files })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    std::fs::read(path).map_err(|error| FolderError::Unreadable { path: path.to_path_buf(), source: error })
}

/// Files under `dir`; links are not followed.
fn list(
    dir: &Path,
    prefix: &str,
    depth: usize,
    found: &mut Vec<(String, PathBuf)>,
    bytes: &mut u64,
) -> Result<(), FolderError> {
    let failed = |error| FolderError::Unreadable { path: dir.to_path_buf(), source: error };
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let metadata = entry.metadata().map_err(failed)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if metadata.is_dir() && depth < DEPTH_MAX {
            list(&entry.path(), &format!("{name}/"), depth + 1, found, bytes)?;
        } else if metadata.is_file() {
            *bytes += metadata.len();
            if found.len() >= FILES_MAX || *bytes > BYTES_MAX {
                return Err(FolderError::TooLarge(dir.to_path_buf()));
            }
            found.push((name, entry.path()));
        }
    }
    Ok(())
}

/// Shows the page elsewhere than at `/zipkin`: addresses become relative, and the base address is the new place. The
/// same replacements as Zipkin's server makes.
fn rebase(index: String, base_path: &BasePath) -> String {
    let href = base_path.href();
    let base = href.trim_end_matches('/');
    if base == PUBLISHED_AT {
        return index;
    }
    let relative = index.replace(&format!("=\"{PUBLISHED_AT}"), "=\".");
    relative.replace("<base href=\".", &format!("<base href=\"{base}"))
}
