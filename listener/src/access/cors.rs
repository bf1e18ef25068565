//! Which web pages of other origins may call the routes that are marked for them: span ingest and Zipkin's v2 GETs.

use http::{HeaderMap, HeaderValue, header};

/// Origins of those pages. Everyone's by default, as browser reporters and Zipkin's readers expect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Any page's.
    #[default]
    Any,
    /// These and no others, in lower case: `https://shop.example`, `http://localhost:3000`.
    Only(Vec<String>),
}

/// A text that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin looks like https://shop.example or http://localhost:3000, or is `*` for all; {0:?} does not"
)]
pub struct NoOrigin(String);

impl CorsOrigins {
    /// Reads a list of origins; `*` anywhere in it means all, an empty list means none.
    ///
    /// # Errors
    /// The first that is no origin.
    pub fn new(list: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, NoOrigin> {
        let mut only = Vec::new();
        for text in list {
            let text = text.as_ref().trim();
            if text == "*" {
                return Ok(Self::Any);
            }
            let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '[' | ']' | '_');
            match authority {
                Some(authority) if !authority.is_empty() && authority.chars().all(plain) => {
                    only.push(text.to_ascii_lowercase());
                }
                _ => return Err(NoOrigin(text.to_owned())),
            }
        }
        Ok(Self::Only(only))
    }

    /// Whether the page behind this request may read the answer. A request without `Origin` comes from no page that
    /// could.
    pub(crate) fn allow(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::Any => true,
            Self::Only(only) => headers
                .get(header::ORIGIN)
                .and_then(|origin| origin.to_str().ok())
                .is_some_and(|origin| only.contains(&origin.to_ascii_lowercase())),
        }
    }

    /// Writes into the answer which page may read it. With a list of origins answers differ by origin, and caches are
    /// told.
    pub(crate) fn grant(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        match (self, origin) {
            (Self::Any, _) => {
                answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            (Self::Only(_), Some(origin)) => {
                answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                answer.append(header::VARY, HeaderValue::from_static("origin"));
            }
            (Self::Only(_), None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        headers
    }

    #[test]
    fn a_star_is_everyone_and_a_list_is_itself() {
        assert_eq!(CorsOrigins::new(["https://a.example", "*"]), Ok(CorsOrigins::Any));
        let only = CorsOrigins::new(["https://A.example", " http://localhost:3000 "]).unwrap();
        assert!(only.allow(&from("https://a.example")) && only.allow(&from("http://localhost:3000")));
        for other in ["https://b.example", "http://a.example", "https://a.example.evil", "null"] {
            assert!(!only.allow(&from(other)), "{other}");
        }
        assert!(!only.allow(&HeaderMap::new()));
        assert!(CorsOrigins::Any.allow(&HeaderMap::new()));
        assert!(!CorsOrigins::new([""; 0]).unwrap().allow(&from("https://a.example")));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for bad in ["a.example", "https://", "https://a.example/", "ftp://a", "https://a b", "null", ""] {
            assert!(CorsOrigins::new([bad]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_granted_origin_is_named_and_caches_are_told() {
        let mut answer = HeaderMap::new();
        let origin = HeaderValue::from_static("https://a.example");
        CorsOrigins::Only(vec!["https://a.example".to_owned()]).grant(Some(&origin), &mut answer);
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
        assert_eq!(answer[header::VARY], "origin");
        let mut answer = HeaderMap::new();
        CorsOrigins::Any.grant(None, &mut answer);
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!answer.contains_key(header::VARY));
    }
}
