//! Waivers: somebody lets a breakage pass for a while, by name, with a reason and an end. All of it is written down.

use tracepact_base::EventKind;
use tracepact_contract_model::check_name;

use crate::auth::asker::user_name;
use crate::broker::{about, on_edge, tell};
use crate::store::environments;
use crate::store::waivers::{self, NewWaiver, Rules, WaiverRow};
use crate::{Broker, BrokerError};

/// Longest life of a waiver.
pub(crate) const LIFE_MAX_S: i64 = 90 * 24 * 60 * 60;
const SECOND_NS: i64 = 1_000_000_000;
/// What stands before a name that was only said, where the broker has users. No user's name has a colon, so it is nobody's.
const ONLY_SAID: &str = "admin token: ";

/// A waiver as it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Waive {
    pub(crate) environment: String,
    pub(crate) name: String,
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) consumer: Option<String>,
    pub(crate) consumer_version: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) provider_version: Option<String>,
    pub(crate) life_s: i64,
}

impl Broker {
    /// The name to write down: a user's own. `said` counts where the broker has no users; where it has some, the
    /// administrator's token is nobody in particular.
    fn acts_as(&self, said: &str) -> Result<String, BrokerError> {
        let said = check_name("by", said)?;
        Ok(match user_name() {
            Some(user) => user,
            None if self.knows_somebody() => format!("{ONLY_SAID}{said}"),
            None => said.to_owned(),
        })
    }

    /// Gives a waiver; its id. Whether it counts at once is the environment's rule.
    pub(crate) async fn waive(&self, wish: &Waive) -> Result<String, BrokerError> {
        let name = check_name("name", &wish.name)?;
        let by = self.acts_as(&wish.by)?;
        let reason = wish.reason.trim();
        if reason.is_empty() || reason.chars().count() > 1_000 || reason.chars().any(char::is_control) {
            return Err(BrokerError::invalid("reason", "must be one line of 1 to 1000 characters"));
        }
        if !(1..=LIFE_MAX_S).contains(&wish.life_s) {
            return Err(BrokerError::invalid(
                "expires_in_s",
                format!("a waiver ends: between 1 second and {} days from now", LIFE_MAX_S / 86_400),
            ));
        }
        for (field, text) in [
            ("consumer", &wish.consumer),
            ("consumer_version", &wish.consumer_version),
            ("provider", &wish.provider),
            ("provider_version", &wish.provider_version),
        ] {
            if let Some(text) = text {
                check_name(field, text)?;
            }
        }
        for (version, of, field) in [
            (&wish.consumer_version, &wish.consumer, "consumer_version"),
            (&wish.provider_version, &wish.provider, "provider_version"),
        ] {
            if version.is_some() && of.is_none() {
                return Err(BrokerError::invalid(field, "needs the pacticipant it is a version of"));
            }
        }
        if wish.consumer.is_none() && wish.provider.is_none() {
            return Err(BrokerError::invalid(
                "consumer",
                "name the consumer, the provider or both; a waiver for everything would be no gate",
            ));
        }
        let now = self.now();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let environment = environments::find_by_name(conn, &wish.environment).await?.ok_or_else(|| {
            BrokerError::invalid(
                "environment",
                format!("Environment with name '{}' does not exist", wish.environment),
            )
        })?;
        let new = NewWaiver {
            environment: environment.id,
            name,
            reason,
            consumer: wish.consumer.as_deref(),
            consumer_version: wish.consumer_version.as_deref(),
            provider: wish.provider.as_deref(),
            provider_version: wish.provider_version.as_deref(),
            by: &by,
            expires_at: now + wish.life_s * SECOND_NS,
        };
        let id = waivers::insert(conn, &new, now).await?;
        let row = waivers::get(conn, &id).await?;
        self.tell_waiver(conn, &row, "waived", &by, Some(reason)).await?;
        self.commit(write).await?;
        Ok(id)
    }

    /// The second person's yes. Where the broker has users, both people are users and not names that somebody said.
    pub(crate) async fn approve_waiver(&self, id: &str, by: &str) -> Result<(), BrokerError> {
        let by = self.acts_as(by)?;
        let now = self.now();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let row = waivers::get(conn, id).await?;
        standing(&row, now, "approved")?;
        if self.knows_somebody() {
            for (name, what) in [(&by, "approve it"), (&row.created_by, "give it")] {
                if name.starts_with(ONLY_SAID) {
                    return Err(BrokerError::State(format!(
                        "a second person is a second user: {what} with a user's own credentials, not with the \
                         administrator's token"
                    )));
                }
            }
        }
        if row.created_by.eq_ignore_ascii_case(&by) {
            return Err(BrokerError::State(format!(
                "{by} gave this waiver; another person has to approve it"
            )));
        }
        if row.approved_by.is_none() {
            waivers::approve(conn, row.id, &by, now).await?;
            self.tell_waiver(conn, &row, "waiver_approved", &by, None).await?;
        }
        self.commit(write).await
    }

    /// Ends a waiver before its time.
    pub(crate) async fn revoke_waiver(
        &self,
        id: &str,
        by: &str,
        reason: Option<&str>,
    ) -> Result<(), BrokerError> {
        let by = self.acts_as(by)?;
        if reason.is_some_and(|r| r.chars().count() > 1_000 || r.chars().any(char::is_control)) {
            return Err(BrokerError::invalid("reason", "must be one line of at most 1000 characters"));
        }
        let now = self.now();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let row = waivers::get(conn, id).await?;
        if row.revoked_at.is_none() {
            standing(&row, now, "revoked")?;
            waivers::revoke(conn, row.id, &by, reason, now).await?;
            self.tell_waiver(conn, &row, "waiver_revoked", &by, reason).await?;
        }
        self.commit(write).await
    }

    /// Sets what an environment demands of exceptions.
    pub(crate) async fn set_rules(
        &self,
        environment: &str,
        rules: Rules,
        by: Option<&str>,
    ) -> Result<(), BrokerError> {
        let now = self.now();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let place = environments::get(conn, environment).await?;
        let before = waivers::rules(conn, place.id).await?;
        if before != rules {
            waivers::set_rules(conn, place.id, rules, now).await?;
            let title = format!(
                "{}: ignoring is {}, waivers need {}",
                place.name,
                if rules.forbid_ignore { "forbidden" } else { "allowed" },
                if rules.second_person { "a second person" } else { "one person" },
            );
            let mut event = self
                .event(EventKind::ThresholdChange, title)
                .with("action", "gate_rules")
                .with("environment", place.name.as_str());
            if let Some(by) = by.map(|by| self.acts_as(by)).transpose()? {
                event = event.with("who", by);
            }
            tell(conn, event.link("contract", "/contracts")).await?;
        }
        self.commit(write).await
    }

    async fn tell_waiver(
        &self,
        conn: &mut crate::store::Conn,
        row: &WaiverRow,
        action: &str,
        who: &str,
        reason: Option<&str>,
    ) -> Result<(), BrokerError> {
        let verb = match action {
            "waived" => "given",
            "waiver_approved" => "approved",
            _ => "revoked",
        };
        let title = format!("The waiver {:?} for {} was {verb} by {who}", row.name, row.environment);
        let event = self.event(EventKind::ContractChange, title);
        let mut event = match (&row.consumer, &row.provider) {
            (Some(consumer), Some(provider)) => on_edge(event, consumer, provider),
            (Some(one), None) | (None, Some(one)) => about(event, one),
            (None, None) => event,
        };
        event = event
            .with("action", action)
            .with("waiver", row.uuid.as_str())
            .with("environment", row.environment.as_str())
            .with("who", who);
        if let Some(reason) = reason {
            event = event.because(reason);
        }
        tell(conn, event.link("contract", "/contracts")).await
    }
}

/// What is over can neither be approved nor revoked.
fn standing(row: &WaiverRow, now: i64, verb: &str) -> Result<(), BrokerError> {
    let over = if row.revoked_at.is_some() {
        "was revoked"
    } else if row.expires_at <= now {
        "has expired"
    } else {
        return Ok(());
    };
    Err(BrokerError::State(format!("the waiver {:?} {over} and can no longer be {verb}", row.name)))
}
