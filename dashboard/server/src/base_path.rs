//! The path under which a proxy shows the pages.

/// Why a text is no base path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a base path looks like /tracepact, with segments of letters, digits and -._~; {0:?} does not")]
pub struct BasePathError(String);

/// A path prefix such as `/tracepact`, without the slash at its end; empty at the root. The proxy takes it away before
/// it forwards: only the pages need to know it, for their own links and calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// Reads `/`, `/tracepact` or `/tools/tracepact/`.
    ///
    /// # Errors
    /// When it is not an absolute path of plain segments.
    pub fn new(text: &str) -> Result<Self, BasePathError> {
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
        let segments_hold = trimmed.split('/').skip(1).all(|segment| {
            !segment.is_empty() && segment != "." && segment != ".." && segment.chars().all(plain)
        });
        if (trimmed.is_empty() || trimmed.starts_with('/')) && segments_hold {
            Ok(Self(trimmed.to_owned()))
        } else {
            Err(BasePathError(text.to_owned()))
        }
    }

    /// With a slash at its end, as an HTML base address needs it.
    pub(crate) fn href(&self) -> String {
        format!("{}/", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_absolute_paths_pass() {
        assert_eq!(BasePath::new("/").unwrap().href(), "/");
        assert_eq!(BasePath::new("").unwrap().href(), "/");
        assert_eq!(BasePath::new("/a/b-c/").unwrap().href(), "/a/b-c/");
        for bad in ["a", "//evil.example", "/a//b", "/..", "/\"><script>", "/a b", "https://x"] {
            assert!(BasePath::new(bad).is_err(), "{bad}");
        }
    }
}
