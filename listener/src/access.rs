//! Who may do what: tokens and open scopes, the Host a request names, the page it comes from.

pub mod admin_token;
pub mod cors;
pub mod host;
pub mod origin;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use base64::Engine;
use http::{HeaderMap, HeaderValue, header};
use subtle::ConstantTimeEq;
use tracepact_base::{ErrorKind, Secret};

use crate::caller::{Caller, Identities, Presented};
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
    identities: Option<Arc<dyn Identities>>,
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
            identities: None,
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

    /// Asks a room's users about credentials that are no token of the configuration.
    #[must_use]
    pub fn with_identities(mut self, identities: Arc<dyn Identities>) -> Self {
        self.identities = Some(identities);
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

    /// Whether the request may go on to the handler, and who makes it.
    ///
    /// # Errors
    /// 401 without a token where one is needed or with an unknown one, 403 for a token without the scope, a foreign
    /// Host or a foreign page, 415 for a changing request whose media type the route does not take.
    pub async fn authorize(&self, spec: &RouteSpec, parts: &Parts) -> Result<Caller, Problem> {
        let grpc_h2 = spec.grpc && parts.version == http::Version::HTTP_2;
        // A page whose name was pointed at this address (DNS rebinding) speaks HTTP/1.1 here: browsers have no
        // HTTP/2 without TLS. gRPC clients name whatever the service is called in their network.
        if !grpc_h2 {
            host::check(&self.hosts, parts)?;
        }
        if !(spec.cors_any && self.cors.allow(&parts.headers)) {
            origin::check(spec, parts)?;
        }
        let caller = self.caller(spec, parts).await?;
        check_content_type(spec, &parts.headers, caller.credential)?;
        Ok(caller)
    }

    async fn caller(&self, spec: &RouteSpec, parts: &Parts) -> Result<Caller, Problem> {
        let mut caller = Caller {
            identity: None,
            credential: Credential::None,
            admin: false,
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
        };
        let governed = self.identities.as_deref().filter(|identities| identities.governs(spec));
        let open = match governed {
            Some(identities) => spec.scope == Scope::Public || identities.is_open(spec),
            None => self.is_open(spec.scope),
        };
        let Some(presented) = presented(&parts.headers) else {
            if open {
                return Ok(caller);
            }
            let what = format!(
                "this needs a token with the scope {}: send it as `Authorization: Bearer TOKEN`",
                spec.scope
            );
            return Err(unauthenticated(what, governed.is_some() && !origin::from_browser(&parts.headers)));
        };
        if let Some(scopes) = self.scopes_of(&presented.secret) {
            if spec.scope == Scope::Public || scopes.contains(spec.scope) {
                caller.credential = presented.credential;
                caller.admin = scopes.contains(Scope::Admin);
                return Ok(caller);
            }
            // A token that is known, or not, never gives less than none.
            if open {
                return Ok(caller);
            }
            return Err(Problem::new(
                ErrorKind::Forbidden,
                format!("this needs the scope {}; the token has {scopes}", spec.scope),
            ));
        }
        let identity = match &self.identities {
            // Nothing is looked up for a page that everybody may see.
            Some(identities) if spec.scope != Scope::Public => identities.identify(&presented).await?,
            _ => None,
        };
        let Some(identity) = identity else {
            if open {
                return Ok(caller);
            }
            let basic = governed.is_some() && !origin::from_browser(&parts.headers);
            return Err(unauthenticated(
                "the token or user is not known here, or the password is wrong",
                basic,
            ));
        };
        match governed {
            Some(identities) => {
                if !open {
                    identities.allow(&identity, spec, parts).await?;
                }
            }
            None if open || identity.scopes().contains(spec.scope) => {}
            None => {
                return Err(Problem::new(
                    ErrorKind::Forbidden,
                    format!(
                        "this needs the scope {}; {} has {}",
                        spec.scope,
                        identity.name(),
                        identity.scopes()
                    ),
                ));
            }
        }
        caller.credential = presented.credential;
        caller.identity = Some(identity);
        Ok(caller)
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

fn unauthenticated(detail: impl Into<String>, basic: bool) -> Problem {
    // Bearer only for browsers: a Basic challenge would make them ask for a password on every page's request. Some Pact
    // clients send a password only when they are asked for it.
    let challenge = if basic { "Basic realm=\"tracepact\"" } else { "Bearer realm=\"tracepact\"" };
    Problem::new(ErrorKind::Unauthenticated, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// The token in the request: as bearer, or as the password of basic authentication (Pact clients know only that).
fn presented(headers: &HeaderMap) -> Option<Presented> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Presented {
            credential: Credential::Bearer,
            user: None,
            secret: rest.trim().to_owned(),
        });
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (user, password) = text.split_once(':')?;
        return Some(Presented {
            credential: Credential::Basic,
            user: Some(user.to_owned()),
            secret: password.to_owned(),
        });
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
