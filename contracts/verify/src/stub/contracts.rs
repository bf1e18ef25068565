//! What a stub answers from, and how far each contract is.

use std::fmt;

use pact_models::v4::async_message::AsynchronousMessage;
use pact_models::v4::pact::V4Pact;
use pact_models::v4::synch_http::SynchronousHttp;
use serde_json::Value;
use tracepact_contract_model::{ContractFile, Pact};

use crate::proposals::Which;
use crate::{BrokerClient, Error};

/// How far a contract is on its way from a wish to a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContractState {
    /// A file, or a draft: nobody was asked.
    Draft,
    /// The provider was asked.
    Proposed,
    /// The provider said it will keep it.
    Accepted,
    /// The provider was seen to keep it.
    Verified,
}

impl ContractState {
    /// The name in headers and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Proposed => "proposed",
            Self::Accepted => "accepted",
            Self::Verified => "verified",
        }
    }
}

impl fmt::Display for ContractState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One contract that a stub answers from.
pub struct StubContract {
    /// The contract.
    pub pact: Pact,
    /// How far it is.
    pub state: ContractState,
    /// What matching needs of it.
    pub(super) v4: V4Pact,
    pub(super) http: Vec<SynchronousHttp>,
    pub(super) messages: Vec<AsynchronousMessage>,
}

impl fmt::Debug for StubContract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubContract")
            .field("consumer", &self.pact.consumer)
            .field("provider", &self.pact.provider)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Everything a stub answers from.
#[derive(Debug, Default)]
pub struct Contracts {
    /// In the order they were given.
    pub list: Vec<StubContract>,
}

impl Contracts {
    /// Adds a contract in a state.
    ///
    /// # Errors
    /// When the Pact library cannot read it.
    pub fn add(&mut self, pact: Pact, state: ContractState) -> Result<(), Error> {
        let wrong = |reason: String| {
            Error::Usage(format!("the contract of {} with {}: {reason}", pact.consumer, pact.provider))
        };
        let value: Value = serde_json::from_str(&pact.text()).map_err(|e| wrong(e.to_string()))?;
        let v4 = pact_models::pact::load_pact_from_json("<contract>", &value)
            .and_then(|p| p.as_v4_pact())
            .map_err(|e| wrong(format!("{e:#}")))?;
        let http = v4.interactions.iter().filter_map(|i| i.as_v4_http()).collect();
        let messages = v4.interactions.iter().filter_map(|i| i.as_v4_async_message()).collect();
        self.list.push(StubContract { pact, state, v4, http, messages });
        Ok(())
    }

    /// Adds a contract file. With a broker its state there counts, else it is a draft.
    ///
    /// # Errors
    /// When the broker was named and cannot be asked, or the Pact library cannot read the contract.
    pub async fn add_file(&mut self, file: ContractFile, broker: Option<&BrokerClient>) -> Result<(), Error> {
        let state = match broker {
            None => ContractState::Draft,
            Some(broker) => state_of(broker, &file.pact).await?,
        };
        self.add(file.pact, state)
    }

    /// Adds a proposal of a broker.
    ///
    /// # Errors
    /// When it does not exist or came to nothing (rejected, withdrawn, superseded, retired).
    pub async fn add_proposal(&mut self, id: &str, broker: &BrokerClient) -> Result<(), Error> {
        let (state, pact) = broker.proposed_pact(id).await?;
        if !matches!(state.as_str(), "draft" | "proposed" | "accepted" | "enforced") {
            return Err(Error::Usage(format!("proposal {id} is {state}: there is nothing to stub")));
        }
        let state = state_of(broker, &pact).await?;
        self.add(pact, state)
    }

    /// Refuses contracts that the provider was not seen to keep.
    ///
    /// # Errors
    /// Names each contract that is not verified, with what it is.
    pub fn require_verified(&self) -> Result<(), Error> {
        let bad: Vec<String> = self
            .list
            .iter()
            .filter(|c| c.state != ContractState::Verified)
            .map(|c| format!("{} with {} is {}", c.pact.consumer, c.pact.provider, c.state))
            .collect();
        if bad.is_empty() {
            return Ok(());
        }
        Err(Error::NotVerified(format!(
            "not verified: {}. The stub would promise what the provider was not seen to keep; run the provider's \
             `tracepact verify`, or leave --verified-only out while you develop",
            bad.join("; ")
        )))
    }

    /// The state of the weakest contract: what is said where no contract is behind an answer.
    pub fn weakest(&self) -> ContractState {
        self.list.iter().map(|c| c.state).min().unwrap_or(ContractState::Draft)
    }

    /// One line for people: what is answered from.
    pub fn describe(&self) -> String {
        let each: Vec<String> = self
            .list
            .iter()
            .map(|c| format!("{} → {} ({})", c.pact.consumer, c.pact.provider, c.state))
            .collect();
        each.join(", ")
    }
}

/// The state a broker knows of a content: verified when its latest result is a success, else its proposal's.
async fn state_of(broker: &BrokerClient, pact: &Pact) -> Result<ContractState, Error> {
    if broker.is_verified(pact).await? == Some(true) {
        return Ok(ContractState::Verified);
    }
    let which = Which { provider: Some(&pact.provider), consumer: Some(&pact.consumer), state: None };
    let answer = broker.proposals(&which).await?;
    let list = answer.get("proposals").and_then(Value::as_array).cloned().unwrap_or_default();
    let states =
        list.iter().filter(|p| p.get("content_id").and_then(Value::as_str) == Some(pact.content_id.as_str()));
    Ok(states
        .map(|p| match p.get("state").and_then(Value::as_str) {
            Some("accepted" | "enforced") => ContractState::Accepted,
            Some("proposed") => ContractState::Proposed,
            _ => ContractState::Draft,
        })
        .max()
        .unwrap_or(ContractState::Draft))
}
