//! The embedded files: lookup by path, media type, entity tag, compressed twin.

use bytes::Bytes;
use http::{HeaderMap, header};

/// One file as the build script packed it.
struct File {
    /// Path in the pages: `index.html`, `assets/index-1a2b.js`.
    path: &'static str,
    /// Hash of the content.
    tag: &'static str,
    plain: &'static [u8],
    /// The same in gzip, when that is smaller.
    gzip: Option<&'static [u8]>,
}

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// One embedded file, ready to be sent.
pub(crate) struct Asset {
    /// Its bytes as built.
    pub(crate) plain: Bytes,
    /// Its bytes in gzip, when that is smaller.
    pub(crate) gzip: Option<Bytes>,
    /// Strong entity tag, quotes included.
    pub(crate) etag: String,
}

/// The file at `path` (`assets/index-1a2b.js`), if it is embedded.
pub(crate) fn find(path: &str) -> Option<Asset> {
    let file = FILES.iter().find(|f| f.path == path)?;
    Some(Asset {
        plain: Bytes::from_static(file.plain),
        gzip: file.gzip.map(Bytes::from_static),
        etag: format!("\"{}\"", file.tag),
    })
}

/// Paths of all embedded files.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|f| f.path)
}

/// The media type of a file by its ending.
pub(crate) fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether the caller takes gzip (RFC 9110, section 12.5.3): named or `*`, and not with weight zero.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut any = None;
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let mut parts = item.split(';').map(str::trim);
            let coding = parts.next().unwrap_or_default();
            let refused = parts.any(|p| {
                p.strip_prefix("q=").is_some_and(|q| q.trim().parse::<f32>().is_ok_and(|q| q == 0.0))
            });
            if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
                return !refused;
            }
            if coding == "*" {
                any = Some(!refused);
            }
        }
    }
    any.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_to_those_who_take_it() {
        let takes = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            takes_gzip(&headers)
        };
        assert!(takes("gzip, deflate, br"));
        assert!(takes("br;q=1, GZIP;q=0.5"));
        assert!(takes("*"));
        assert!(!takes("gzip;q=0, *"));
        assert!(!takes("br"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
