//! Who may do what: tokens and open scopes, the Host a request names, the page it comes from.

pub mod admin_token;
pub mod cors;
pub mod host;
pub mod origin;

use std::net::IpAddr;

use axum::http::request::Parts;
use base64::Engine;
use http::{HeaderMap, HeaderValue, header};
use subtle::ConstantTimeEq;
use tracepact_base::{ErrorKind, Secret};

use crate::{Problem, RouteSpec, Scope, Scopes};
pub use cors::CorsOrigins;
pub use host::HostPattern;

/// How a caller proved a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// No token; the scope is open here.
    None,
    /// `Authorization: Bearer`. No browser adds it by itself, so it also proves that no foreign page is asking.
    Bearer,
    /// `Authorization: Basic`, the token as password. A browser that remembers it adds it to any page's requests.
    Basic,
}

#[derive(Debug, Clone)]
struct Token {
    secret: Secret,
    scopes: Scopes,
}

/// The rules of one listener.
///
/// ```
/// use tracepact_listener::{Access, Scope};
/// let access = Access::for_listen("127.0.0.1".parse().unwrap());
/// assert!(access.is_open(Scope::Ingest) && !access.is_open(Scope::Admin));
/// assert!(!Access::for_listen("0.0.0.0".parse().unwrap()).is_open(Scope::Ingest));
/// ```
#[derive(Debug, Clone)]
pub struct Access {
    open: Scopes,
    tokens: Vec<Token>,
    hosts: Vec<HostPattern>,
    cors: CorsOrigins,
}

impl Access {
    /// The rules for a listener bound to `ip`: on loopback ingest, read and publish are open, elsewhere nothing is.
    /// It answers to `localhost` and to addresses written as numbers; other names have to be allowed.
    pub fn for_listen(ip: IpAddr) -> Self {
        let loopback = match ip {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(v6.is_loopback(), |v4| v4.is_loopback()),
            IpAddr::V4(v4) => v4.is_loopback(),
        };
        Self {
            open: if loopback { Scopes::EVERYDAY } else { Scopes::NONE },
            tokens: Vec::new(),
            hosts: Vec::new(),
            cors: CorsOrigins::Any,
        }
    }

    /// Opens further scopes to everyone. `admin` is never opened.
    #[must_use]
    pub fn with_open(mut self, scopes: Scopes) -> Self {
        for scope in [Scope::Ingest, Scope::Read, Scope::Publish] {
            if scopes.contains(scope) {
                self.open = self.open.with(scope);
            }
        }
        self
    }

    /// Adds a token and what its bearer may do; `admin` may do everything.
    #[must_use]
    pub fn with_token(mut self, secret: Secret, scopes: Scopes) -> Self {
        let scopes = if scopes.contains(Scope::Admin) { Scopes::ALL } else { scopes };
        self.tokens.push(Token { secret, scopes });
        self
    }

    /// Answers to further host names (`tracepact.example.com`, `*.svc.cluster.local`, `*`).
    #[must_use]
    pub fn with_hosts(mut self, hosts: impl IntoIterator<Item = HostPattern>) -> Self {
        self.hosts.extend(hosts);
        self
    }

    /// Lets only pages of these origins call the routes that any page may call otherwise.
    #[must_use]
    pub fn with_cors(mut self, origins: CorsOrigins) -> Self {
        self.cors = origins;
        self
    }

    pub(crate) fn cors(&self) -> &CorsOrigins {
        &self.cors
    }

    /// Whether `scope` needs no token here.
    pub fn is_open(&self, scope: Scope) -> bool {
        scope == Scope::Public || self.open.contains(scope)
    }

    /// The scopes open here.
    pub fn open_scopes(&self) -> Scopes {
        self.open
    }

    /// Whether the request may go on to the handler.
    ///
    /// # Errors
    /// 401 without a token where one is needed or with an unknown one, 403 for a token without the scope, a foreign
    /// Host or a foreign page, 415 for a changing request whose media type the route does not take.
    pub fn authorize(&self, spec: &RouteSpec, parts: &Parts) -> Result<Credential, Problem> {
        let grpc_h2 = spec.grpc && parts.version == http::Version::HTTP_2;
        // A page whose name was pointed at this address (DNS rebinding) speaks HTTP/1.1 here: browsers have no
        // HTTP/2 without TLS. gRPC clients name whatever the service is called in their network.
        if !grpc_h2 {
            host::check(&self.hosts, parts)?;
        }
        if !(spec.cors_any && self.cors.allow(&parts.headers)) {
            origin::check(spec, parts)?;
        }
        let credential = self.credential(spec, &parts.headers)?;
        check_content_type(spec, &parts.headers, credential)?;
        Ok(credential)
    }

    fn credential(&self, spec: &RouteSpec, headers: &HeaderMap) -> Result<Credential, Problem> {
        let Some((credential, presented)) = presented(headers) else {
            if self.is_open(spec.scope) {
                return Ok(Credential::None);
            }
            return Err(unauthenticated(format!(
                "this needs a token with the scope {}: send it as `Authorization: Bearer TOKEN`",
                spec.scope
            )));
        };
        match self.scopes_of(&presented) {
            Some(scopes) if spec.scope == Scope::Public || scopes.contains(spec.scope) => Ok(credential),
            // A token that is known, or not, never gives less than none.
            _ if self.is_open(spec.scope) => Ok(Credential::None),
            Some(scopes) => Err(Problem::new(
                ErrorKind::Forbidden,
                format!("this needs the scope {}; the token has {scopes}", spec.scope),
            )),
            None => Err(unauthenticated("the token is not known here")),
        }
    }

    /// What the bearer of this token may do. Looks at every token, so the time taken says nothing about them.
    fn scopes_of(&self, presented: &str) -> Option<Scopes> {
        let mut found = None;
        for token in &self.tokens {
            if bool::from(token.secret.expose().as_bytes().ct_eq(presented.as_bytes())) {
                found = Some(token.scopes);
            }
        }
        found
    }
}

fn unauthenticated(detail: impl Into<String>) -> Problem {
    // Bearer only: a Basic challenge would make browsers ask for a password on every page's request.
    Problem::new(ErrorKind::Unauthenticated, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tracepact\""))
}

/// The token in the request: as bearer, or as the password of basic authentication (Pact clients know only that).
fn presented(headers: &HeaderMap) -> Option<(Credential, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some((Credential::Bearer, rest.trim().to_owned()));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        return text.split_once(':').map(|(_, password)| (Credential::Basic, password.to_owned()));
    }
    None
}

/// The media type of the request without parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or("");
    Some(value.split(';').next().unwrap_or("").trim().to_ascii_lowercase())
}

fn check_content_type(spec: &RouteSpec, headers: &HeaderMap, credential: Credential) -> Result<(), Problem> {
    if !spec.changes() || credential == Credential::Bearer && !spec.grpc {
        return Ok(());
    }
    let media = media_type(headers).filter(|media| !media.is_empty());
    let allowed = match &media {
        Some(media) => spec.content_types.contains(&media.as_str()),
        // No page can send DELETE, PUT or PATCH elsewhere without a preflight, and nothing here grants one for them.
        None => {
            spec.method != http::Method::POST
                || (spec.content_type_optional && !origin::from_browser(headers))
        }
    };
    if allowed {
        return Ok(());
    }
    let seen = media.map_or_else(|| "without a media type".to_owned(), |media| format!("of type {media}"));
    Err(Problem::invalid(format!(
        "a body {seen} is not taken here: send Content-Type {}",
        spec.content_types.join(" or ")
    ))
    .with_status(http::StatusCode::UNSUPPORTED_MEDIA_TYPE))
}
