//! Who is asking: people and machines that a room knows by name, and how its handlers learn who it is.
//!
//! The listener stays the one gate. A room that keeps users gives it an [`Identities`]; the gate asks that about
//! credentials it does not know itself, and about what their owner may do on the room's routes. Whatever then runs finds
//! the result in [`Caller::current`].

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::request::Parts;
use http::Method;

use crate::{Credential, Problem, RouteSpec, Scopes};

/// A future behind a pointer, as object-safe traits return it.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Somebody a room knows by name.
#[derive(Clone)]
pub struct Identity {
    name: String,
    scopes: Scopes,
    details: Arc<dyn Any + Send + Sync>,
}

impl Identity {
    /// Somebody of this name. `scopes` is what they may do on routes that the room does not govern; `details` is whatever
    /// the room wants back, its rights for instance.
    pub fn new(name: impl Into<String>, scopes: Scopes, details: Arc<dyn Any + Send + Sync>) -> Self {
        Self { name: name.into(), scopes, details }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What they may do elsewhere.
    pub fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// What the room that knows them gave along.
    pub fn details<T: 'static>(&self) -> Option<&T> {
        self.details.downcast_ref()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// What a request brought to prove who sends it.
#[derive(Clone)]
pub struct Presented {
    /// As bearer or basic.
    pub credential: Credential,
    /// The user's name, with basic authentication.
    pub user: Option<String>,
    /// The token or password. Compare it in constant time, and never format it.
    pub secret: String,
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("credential", &self.credential)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A room's users.
pub trait Identities: Send + Sync + fmt::Debug {
    /// Whether this route is the room's and somebody is known: then its own rules hold instead of "open" or not.
    fn governs(&self, spec: &RouteSpec) -> bool;

    /// Whether a route that is governed may be called by everybody nevertheless.
    fn is_open(&self, spec: &RouteSpec) -> bool;

    /// Whose credential this is; `None` for nobody's.
    fn identify<'a>(&'a self, presented: &'a Presented) -> Answer<'a, Result<Option<Identity>, Problem>>;

    /// Whether `identity` may make this request to a route that is governed.
    ///
    /// # Errors
    /// The refusal, with the right that is missing.
    fn allow<'a>(
        &'a self,
        identity: &'a Identity,
        spec: &'a RouteSpec,
        parts: &'a Parts,
    ) -> Answer<'a, Result<(), Problem>>;
}

/// Who makes the request that is being handled.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(crate) identity: Option<Identity>,
    pub(crate) credential: Credential,
    pub(crate) admin: bool,
    pub(crate) method: Method,
    pub(crate) path: String,
}

tokio::task_local! {
    static CALLER: Arc<Caller>;
}

impl Caller {
    /// The caller of the request that the running task handles; `None` outside of one. What a handler spawns is outside.
    pub fn current() -> Option<Arc<Self>> {
        CALLER.try_with(Arc::clone).ok()
    }

    /// Runs `future` as part of this caller's request.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CALLER.scope(Arc::new(self), future).await
    }

    /// Somebody a room knows; `None` for tokens of the configuration and for nobody.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The name for logs and records: a user's, `admin token`, `token`, or `anonymous`.
    pub fn name(&self) -> &str {
        match (&self.identity, self.credential) {
            (Some(identity), _) => identity.name(),
            (None, Credential::None) => "anonymous",
            (None, _) if self.admin => "admin token",
            (None, _) => "token",
        }
    }

    /// What was asked: `PUT /pacticipants/orders`.
    pub fn request(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}
