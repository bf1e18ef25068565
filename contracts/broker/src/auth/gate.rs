//! The broker's side of the listener's gate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::request::Parts;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use tracepact_base::ErrorKind;
use tracepact_listener::caller::Answer;
use tracepact_listener::{Identities, Identity, Presented, Problem, RouteSpec, Scope, Scopes};

use super::BasicPair;
use super::asker::{rights, user_name};
use super::rights::{Need, Rights, need};
use super::secrets::{SECRET_BYTES_MAX, fingerprint, lookup_of, matches};
use super::verified::Verified;
use crate::store::proposals::ProposalRow;
use crate::store::users::{self, Credential};
use crate::store::{Conn, environments, pacticipants, proposals, provider_modes};
use crate::{Broker, BrokerError};

/// Comparisons at the same time; each takes 19 MiB and a core.
const COMPARISONS_MAX: usize = 2;
/// Comparisons that wait; beyond that guessing is told to come back later.
const WAITING_MAX: usize = 64;
/// A hash that no password has, so that unknown users take as long as known ones.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LWhhcy10aGlzIQ$b534STNLOKAvWggQHZpq389eOO9p/p1w15V3A6HBosE";

/// What the gate remembers between requests.
#[derive(Debug)]
pub(crate) struct GateState {
    known: AtomicBool,
    verified: Verified<Identity>,
    comparisons: Semaphore,
    waiting: Semaphore,
}

impl GateState {
    pub(crate) fn new() -> Self {
        Self {
            known: AtomicBool::new(false),
            verified: Verified::new(),
            comparisons: Semaphore::new(COMPARISONS_MAX),
            waiting: Semaphore::new(WAITING_MAX),
        }
    }
}

impl Broker {
    /// The broker's users, for the listener's gate.
    pub fn identities(&self) -> Arc<dyn Identities> {
        Arc::new(Users(self.clone()))
    }

    /// Looks whether there are users, and forgets who was verified.
    pub(crate) async fn users_changed(&self) -> Result<(), BrokerError> {
        self.gate().verified.clear();
        self.look_for_users().await
    }

    pub(crate) async fn look_for_users(&self) -> Result<(), BrokerError> {
        let any = users::any(&mut self.store().read().await?).await?;
        self.gate().known.store(any, Ordering::Relaxed);
        Ok(())
    }

    /// Whether somebody is known, so that nothing is open any more.
    pub(crate) fn knows_somebody(&self) -> bool {
        let auth = &self.config().auth;
        auth.writer.is_some() || auth.reader.is_some() || self.gate().known.load(Ordering::Relaxed)
    }

    /// Refuses the running request when its user proposed what it accepts, unless they are in the provider's team. That
    /// holds for the button, and for who reports the merge.
    pub(crate) async fn check_not_own(
        &self,
        conn: &mut Conn,
        proposal: &ProposalRow,
    ) -> Result<(), BrokerError> {
        let Some(user) = user_name() else { return Ok(()) };
        let team = self.team_of(conn, &proposal.provider, proposal.team.clone()).await?;
        let in_team = team.is_some_and(|team| rights().in_team(&team));
        if in_team || proposals::proposed_by(conn, &proposal.uuid).await? != Some(user) {
            return Ok(());
        }
        let problem = Problem::new(
            ErrorKind::Forbidden,
            "nobody accepts their own proposal unless they are in the provider's team: ask one of that team",
        );
        Err(problem.into())
    }

    /// The team of a provider: the one set with its mode of acceptance, else the one of the settings; the one that a
    /// proposal names holds only where there is neither.
    async fn team_of(
        &self,
        conn: &mut Conn,
        provider: &str,
        named: Option<String>,
    ) -> Result<Option<String>, BrokerError> {
        if let Some(owner) = pacticipants::find(conn, provider).await?
            && let Some((_, Some(team))) = provider_modes::get(conn, owner.id).await?
        {
            return Ok(Some(team));
        }
        Ok(self.config().auth.teams.get(provider).cloned().or(named))
    }
}

#[derive(Debug)]
struct Users(Broker);

impl Identities for Users {
    fn governs(&self, spec: &RouteSpec) -> bool {
        ["broker", "contracts"].contains(&spec.dialect) && self.0.knows_somebody()
    }

    fn is_open(&self, spec: &RouteSpec) -> bool {
        spec.scope == Scope::Read && !administrative(&spec.path) && self.0.config().auth.allow_public_read
    }

    fn identify<'a>(&'a self, presented: &'a Presented) -> Answer<'a, Result<Option<Identity>, Problem>> {
        Box::pin(async move {
            let known = self.0.identify(presented).await.map_err(Problem::from)?;
            Ok(known.map(|identity| identity.as_ref().clone()))
        })
    }

    fn allow<'a>(
        &'a self,
        identity: &'a Identity,
        spec: &'a RouteSpec,
        parts: &'a Parts,
    ) -> Answer<'a, Result<(), Problem>> {
        Box::pin(async move {
            let nothing = Rights::default();
            let rights = identity.details::<Rights>().unwrap_or(&nothing);
            let reads = spec.scope == Scope::Read && !administrative(&spec.path);
            let needed = need(&parts.method, &spec.path, parts.uri.path(), reads);
            match self.0.missing(rights, &needed).await.map_err(Problem::from)? {
                None => Ok(()),
                Some(right) => Err(Problem::new(
                    ErrorKind::Forbidden,
                    format!("{} lacks the right {right}", identity.name()),
                )),
            }
        })
    }
}

/// Users, tokens and the audit log: for administrators only, reading included.
fn administrative(path: &str) -> bool {
    path.starts_with("/tracepact/v1/broker")
}

impl Broker {
    /// The right that `rights` lack for `needed`; `None` when there is none.
    async fn missing(&self, rights: &Rights, needed: &Need) -> Result<Option<String>, BrokerError> {
        let unless = |fits: bool, right: String| if fits { None } else { Some(right) };
        Ok(match needed {
            Need::Known => None,
            Need::Writer => unless(rights.writes(), "to write anything".to_owned()),
            Need::Publish(name) => unless(rights.may_publish(name), format!("publish:{name}")),
            Need::Verify(name) => unless(rights.may_verify(name), format!("verify:{name}")),
            Need::Own(name) => unless(
                rights.may_publish(name) || rights.may_verify(name),
                format!("publish:{name} or verify:{name}"),
            ),
            Need::Deploy(environment) => {
                let mut conn = self.store().read().await?;
                // Its handler says that there is no such environment.
                let name = environments::get(&mut conn, environment).await.map(|e| e.name);
                let name = name.unwrap_or_else(|_| environment.clone());
                unless(rights.may_deploy(&name), format!("deploy:{name}"))
            }
            Need::DeployPresence(uuid, released) => {
                let mut conn = self.store().read().await?;
                let presence = environments::presence(&mut conn, uuid, *released).await?;
                let all = environments::list(&mut conn, None).await?;
                let name = all.into_iter().find(|e| e.id == presence.environment_id).map(|e| e.name);
                let name = name.unwrap_or_default();
                unless(rights.may_deploy(&name), format!("deploy:{name}"))
            }
            Need::Team(proposal) => {
                let mut conn = self.store().read().await?;
                let row = proposals::get(&mut conn, proposal).await?;
                let team = self.team_of(&mut conn, &row.provider, row.team.clone()).await?;
                lacks_team(rights, team)
            }
            Need::TeamOf(provider) => {
                let mut conn = self.store().read().await?;
                let team = self.team_of(&mut conn, provider, None).await?;
                lacks_team(rights, team)
            }
            Need::Sync(provider) => {
                let mut conn = self.store().read().await?;
                let team = self.team_of(&mut conn, provider, None).await?;
                let own = rights.may_verify(provider);
                lacks_team(rights, team).filter(|_| !own).map(|team| format!("{team} or verify:{provider}"))
            }
            Need::Party(proposal) => {
                let mut conn = self.store().read().await?;
                let row = proposals::get(&mut conn, proposal).await?;
                let team = self.team_of(&mut conn, &row.provider, row.team.clone()).await?;
                let either =
                    rights.may_publish(&row.consumer) || team.is_some_and(|team| rights.in_team(&team));
                unless(either, format!("publish:{}", row.consumer))
            }
            Need::PactAdmin => unless(rights.admin() || rights.pact_writer, "admin".to_owned()),
            Need::Admin => unless(rights.admin(), "admin".to_owned()),
        })
    }

    async fn identify(&self, presented: &Presented) -> Result<Option<Arc<Identity>>, BrokerError> {
        if presented.secret.is_empty() || presented.secret.len() > SECRET_BYTES_MAX {
            return Ok(None);
        }
        if let Some(found) = self.of_settings(presented) {
            return Ok(Some(Arc::new(found)));
        }
        let key = fingerprint(presented.user.as_deref(), &presented.secret);
        let now_ns = self.now_ns();
        if let Some(found) = self.gate().verified.get(&key, now_ns) {
            return Ok(Some(found));
        }
        let mut conn = self.store().read().await?;
        // A token may come as bearer, or as the password of whatever user an old client insists on.
        let credential = match (lookup_of(&presented.secret), &presented.user) {
            (Some(lookup), _) => users::by_token(&mut conn, lookup, self.now()).await?,
            (None, Some(user)) => users::by_name(&mut conn, user).await?,
            (None, None) => return Ok(None),
        };
        if credential.is_none() && !self.knows_somebody() {
            return Ok(None);
        }
        let rights = match &credential {
            Some(credential) => users::rights(&mut conn, credential.user_id).await?,
            None => Rights::default(),
        };
        drop(conn);
        if !self.compare(presented.secret.clone(), credential.as_ref()).await? {
            return Ok(None);
        }
        let Some(Credential { name, .. }) = credential else { return Ok(None) };
        let identity = Arc::new(Identity::new(name, scopes(&rights), Arc::new(rights)));
        self.gate().verified.put(key, now_ns, identity.clone());
        Ok(Some(identity))
    }

    /// On a thread of its own, few at a time.
    async fn compare(&self, secret: String, credential: Option<&Credential>) -> Result<bool, BrokerError> {
        let gate = self.gate();
        let _waits = gate.waiting.try_acquire().map_err(|_| BrokerError::Busy)?;
        let _turn = gate.comparisons.acquire().await.map_err(|_| BrokerError::Busy)?;
        let hash = credential.map_or(NOBODYS, |c| c.hash.as_str()).to_owned();
        let same = tokio::task::spawn_blocking(move || matches(&secret, &hash)).await.unwrap_or(false);
        Ok(same && credential.is_some())
    }

    fn of_settings(&self, presented: &Presented) -> Option<Identity> {
        let auth = &self.config().auth;
        let is = |pair: &BasicPair| {
            let user = presented.user.as_deref().unwrap_or_default();
            let same = pair.username.as_bytes().ct_eq(user.as_bytes())
                & pair.password.expose().as_bytes().ct_eq(presented.secret.as_bytes());
            bool::from(same)
        };
        let writer = auth.writer.as_ref().filter(|pair| is(pair));
        let reader = auth.reader.as_ref().filter(|pair| is(pair));
        if let Some(pair) = writer {
            let rights = Rights { grants: Vec::new(), pact_writer: true };
            return Some(Identity::new(pair.username.as_str(), scopes(&rights), Arc::new(rights)));
        }
        let pair = reader?;
        Some(Identity::new(pair.username.as_str(), scopes(&Rights::default()), Arc::new(Rights::default())))
    }
}

/// The right that is missing to answer for a provider of this team.
fn lacks_team(rights: &Rights, team: Option<String>) -> Option<String> {
    let in_team = team.as_deref().is_some_and(|team| rights.in_team(team));
    let shown = team.as_deref().unwrap_or("(no team is named for the provider)");
    if in_team || rights.admin() { None } else { Some(format!("team:{shown}")) }
}

/// What somebody with these rights may do beyond the broker: read; administrators everything.
fn scopes(rights: &Rights) -> Scopes {
    if rights.admin() { Scopes::ALL } else { Scopes::NONE.with(Scope::Read) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparing_with_nobodys_hash_is_a_real_comparison() {
        assert!(argon2::password_hash::PasswordHash::new(NOBODYS).is_ok());
        assert!(!matches("anything", NOBODYS));
    }
}
