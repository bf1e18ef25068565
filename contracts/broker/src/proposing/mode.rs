//! Where a provider accepts: in the broker, or by merging a contract file into its repository. One or the other, so
//! that "accepted" never has two sources which disagree.

use tracepact_contract_model::check_name;

use crate::store::{Conn, pacticipants, provider_modes};
use crate::{Broker, BrokerError};

/// Where a provider accepts contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Button and command.
    Broker,
    /// The merge into its main branch, reported by `sync`.
    Repository,
}

impl Mode {
    /// The name in tables and answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Repository => "repository",
        }
    }

    /// The mode of that name.
    pub(crate) fn from_name(name: &str) -> Result<Self, BrokerError> {
        match name {
            "broker" => Ok(Self::Broker),
            "repository" => Ok(Self::Repository),
            _ => Err(BrokerError::invalid("mode", "must be broker or repository")),
        }
    }

    /// The provider's mode, `broker` unless it was set, and its team.
    pub(crate) async fn of(conn: &mut Conn, provider: i64) -> Result<(Self, Option<String>), BrokerError> {
        Ok(match provider_modes::get(conn, provider).await? {
            None => (Self::Broker, None),
            Some((mode, team)) => (Self::from_name(&mode)?, team),
        })
    }
}

impl Broker {
    /// Sets where `provider` accepts, and which team does.
    pub(crate) async fn set_mode(
        &self,
        provider: &str,
        mode: Mode,
        team: Option<&str>,
    ) -> Result<(), BrokerError> {
        if let Some(team) = team {
            check_name("team", team)?;
        }
        let now = self.now();
        let mut write = self.store().write().await?;
        let owner = pacticipants::get_or_create(write.conn(), provider, now).await?;
        provider_modes::set(write.conn(), owner.id, mode.name(), team, now).await?;
        self.commit(write).await
    }
}
