//! One deploy at a time and environment: a lease that is durable, grows its fence with every holder, ends when its holder
//! no longer renews it, and without which `deploy-gate` records nothing.

use std::time::Duration;

use tracepact_base::EventKind;
use tracepact_contract_model::check_name;

use crate::broker::{about, tell};
use crate::store::leases::{self, LeaseRow, Wanted};
use crate::store::{environments, versions};
use crate::{Broker, BrokerError};

/// Bounds of a lease's life without renewal, in seconds.
pub(crate) const LIFE_S: std::ops::RangeInclusive<i64> = 5..=600;
const SECOND_NS: i64 = 1_000_000_000;

/// What somebody wants to deploy.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) environment: &'a str,
    pub(crate) pacticipant: &'a str,
    pub(crate) version: &'a str,
    pub(crate) holder: &'a str,
    pub(crate) life_s: i64,
}

/// What came of asking for a lease.
#[derive(Debug)]
pub(crate) enum Leased {
    /// It is ours.
    Yes(LeaseRow),
    /// Somebody else deploys there.
    Held(LeaseRow),
}

impl Broker {
    /// Takes the lease on an environment, waiting for it at most `wait`.
    pub(crate) async fn lease(&self, wish: &Wish<'_>, wait: Duration) -> Result<Leased, BrokerError> {
        let holder = check_name("holder", wish.holder)?;
        life(wish.life_s)?;
        let mut waiting = self.wait(wait)?;
        loop {
            let held = match self.try_lease(wish, holder).await? {
                Leased::Yes(lease) => return Ok(Leased::Yes(lease)),
                Leased::Held(lease) => lease,
            };
            // A lease that runs out changes nothing by itself; the look every few seconds notices it.
            if !waiting.again().await {
                return Ok(Leased::Held(held));
            }
        }
    }

    async fn try_lease(&self, wish: &Wish<'_>, holder: &str) -> Result<Leased, BrokerError> {
        let now = self.now();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let environment = environments::find_by_name(conn, wish.environment).await?.ok_or_else(|| {
            BrokerError::invalid(
                "environment",
                format!("Environment with name '{}' does not exist", wish.environment),
            )
        })?;
        let (owner, version) = versions::get(conn, wish.pacticipant, wish.version).await?;
        let wanted = Wanted {
            environment: environment.id,
            holder,
            pacticipant: &owner.name,
            version: &version.number,
            expires_at: now + wish.life_s * SECOND_NS,
        };
        match leases::acquire(conn, &wanted, now).await? {
            Some(lease) => {
                self.commit(write).await?;
                Ok(Leased::Yes(lease))
            }
            None => {
                let held = leases::of_environment(conn, environment.id).await?;
                held.map(Leased::Held).ok_or_else(|| BrokerError::State("the lease is being taken".into()))
            }
        }
    }

    /// Extends a lease that still runs.
    pub(crate) async fn renew_lease(&self, id: &str, life_s: i64) -> Result<LeaseRow, BrokerError> {
        life(life_s)?;
        let now = self.now();
        let mut write = self.store().write().await?;
        let mut lease = running(leases::get(write.conn(), id).await?, now)?;
        lease.expires_at = now + life_s * SECOND_NS;
        leases::set_end(write.conn(), id, lease.expires_at).await?;
        write.commit().await?;
        Ok(lease)
    }

    /// Ends a lease; one that is over already stays over.
    pub(crate) async fn release_lease(&self, id: &str) -> Result<(), BrokerError> {
        let now = self.now();
        let mut write = self.store().write().await?;
        if let Some(lease) = leases::get(write.conn(), id).await?
            && lease.expires_at > now
        {
            leases::set_end(write.conn(), id, now).await?;
        }
        self.commit(write).await
    }

    /// Records what was deployed under a lease, and ends it. A lease that ran out, or that another holder has taken
    /// since, records nothing.
    pub(crate) async fn record_under_lease(
        &self,
        id: &str,
        instance: Option<&str>,
    ) -> Result<LeaseRow, BrokerError> {
        let instance = match instance {
            Some(text) => check_name("application_instance", text)?,
            None => "",
        };
        let now = self.now();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let lease = running(leases::get(conn, id).await?, now)?;
        let (owner, version) = versions::get(conn, &lease.pacticipant, &lease.version).await?;
        let (_, new) =
            environments::deploy(conn, lease.environment_id, owner.id, version.id, instance, now).await?;
        if new {
            let environment = environments::name_of(conn, lease.environment_id).await?;
            let title = format!("{} {} was deployed to {environment}", owner.name, version.number);
            let mut event = about(self.event(EventKind::Deploy, title), &owner.name)
                .because("the gate said yes and the deploy command ended well")
                .with("action", "deployed")
                .with("version", version.number.as_str())
                .with("environment", environment)
                .with("holder", lease.holder.as_str())
                .link("contract", "/contracts");
            if !instance.is_empty() {
                event = event.with("instance", instance);
            }
            tell(conn, event).await?;
        }
        leases::set_end(conn, id, now).await?;
        self.commit(write).await?;
        Ok(lease)
    }
}

fn life(life_s: i64) -> Result<(), BrokerError> {
    if LIFE_S.contains(&life_s) {
        return Ok(());
    }
    Err(BrokerError::invalid(
        "life_s",
        format!("a lease lives {} to {} seconds without renewal", LIFE_S.start(), LIFE_S.end()),
    ))
}

/// The lease when it still runs.
fn running(lease: Option<LeaseRow>, now: i64) -> Result<LeaseRow, BrokerError> {
    lease.filter(|lease| lease.expires_at > now).ok_or_else(|| BrokerError::Conflict {
        reason: "the lease is lost: it ran out, or another deploy has taken the environment since".into(),
        difference: None,
    })
}
