//! The broker's proposals, as a pipeline uses them.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tracepact_contract_model::{ContractFile, Pact};

use crate::broker_client::encode;
use crate::{BrokerClient, Error};

/// What is done to a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// In the provider's name (admin token).
    Accept,
    /// In the provider's name (admin token).
    Reject,
    /// In the consumer's name.
    Withdraw,
    /// In the consumer's name: a draft is finished.
    Ready,
}

impl Step {
    fn path(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
            Self::Ready => "ready",
        }
    }
}

/// What is proposed.
#[derive(Debug, Clone)]
pub struct NewProposal<'a> {
    /// The contract.
    pub pact: &'a Pact,
    /// The consumer's branch that needs it.
    pub consumer_branch: &'a str,
    /// One line for the provider's team; made from the names when absent.
    pub title: Option<&'a str>,
    /// The provider's team that should decide.
    pub team: Option<&'a str>,
    /// Who proposes.
    pub author: Option<&'a str>,
    /// Link to the pull request.
    pub pull_request_url: Option<&'a str>,
    /// Not to be decided yet.
    pub draft: bool,
}

// Requests are written from these: a contract passes through no `Value`, which would change the form of its numbers and
// with it the content.

#[derive(Serialize)]
struct ProposalBody<'a> {
    consumer: &'a str,
    provider: &'a str,
    consumer_branch: &'a str,
    title: Option<&'a str>,
    team: Option<&'a str>,
    author: Option<&'a str>,
    pull_request_url: Option<&'a str>,
    draft: bool,
    content: Box<RawValue>,
}

#[derive(Serialize)]
struct SyncBody<'a> {
    contracts: Vec<SyncFile<'a>>,
    commit: Option<&'a str>,
    who: Option<&'a str>,
}

#[derive(Serialize)]
struct SyncFile<'a> {
    content: Box<RawValue>,
    consumer_branch: Option<&'a str>,
}

#[derive(Serialize)]
struct CheckBody<'a> {
    content: Box<RawValue>,
    environment: &'a str,
}

/// Which proposals.
#[derive(Debug, Clone, Default)]
pub struct Which<'a> {
    /// Only of this provider.
    pub provider: Option<&'a str>,
    /// Only of this consumer.
    pub consumer: Option<&'a str>,
    /// Only in this state.
    pub state: Option<&'a str>,
}

impl BrokerClient {
    /// Proposes one contract. Returns the proposal.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses; so for all below.
    pub async fn propose(&self, new: &NewProposal<'_>) -> Result<Value, Error> {
        let body = ProposalBody {
            consumer: &new.pact.consumer,
            provider: &new.pact.provider,
            consumer_branch: new.consumer_branch,
            title: new.title,
            team: new.team,
            author: new.author,
            pull_request_url: new.pull_request_url,
            draft: new.draft,
            content: document(new.pact)?,
        };
        self.send(self.http().post(self.at("/tracepact/v1/proposals")).json(&body), "the proposal").await
    }

    /// Accepts, rejects, withdraws or finishes a proposal. Returns it.
    pub async fn answer(
        &self,
        id: &str,
        step: Step,
        who: Option<&str>,
        reason: Option<&str>,
    ) -> Result<Value, Error> {
        let path = format!("/tracepact/v1/proposals/{}/{}", encode(id), step.path());
        let body = json!({ "who": who, "reason": reason });
        self.send(self.http().post(self.at(&path)).json(&body), "the answer to the proposal").await
    }

    /// Says something about a proposal. Returns it.
    pub async fn comment(&self, id: &str, author: Option<&str>, text: &str) -> Result<Value, Error> {
        let path = format!("/tracepact/v1/proposals/{}/comments", encode(id));
        let body = json!({ "author": author, "text": text });
        self.send(self.http().post(self.at(&path)).json(&body), "the comment").await
    }

    /// One proposal with its content and history.
    pub async fn proposal(&self, id: &str) -> Result<Value, Error> {
        let path = format!("/tracepact/v1/proposals/{}", encode(id));
        self.send(self.http().get(self.at(&path)), "the proposal").await
    }

    /// The state and the contract of a proposal, its numbers as they were written.
    pub async fn proposed_pact(&self, id: &str) -> Result<(String, Pact), Error> {
        #[derive(serde::Deserialize)]
        struct Proposal {
            state: String,
            content: Box<RawValue>,
        }
        let path = format!("/tracepact/v1/proposals/{}", encode(id));
        let text = self.send_text(self.http().get(self.at(&path)), "the proposal").await?;
        let wrong = |reason: String| Error::Answer { what: "the proposal".into(), reason };
        let proposal: Proposal = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let pact = Pact::parse(proposal.content.get().as_bytes()).map_err(|e| wrong(e.to_string()))?;
        Ok((proposal.state, pact))
    }

    /// Proposals, newest first, at most 1000.
    pub async fn proposals(&self, which: &Which<'_>) -> Result<Value, Error> {
        let mut path = "/tracepact/v1/proposals?limit=1000".to_owned();
        for (name, value) in
            [("provider", which.provider), ("consumer", which.consumer), ("state", which.state)]
        {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", encode(value)));
            }
        }
        self.send(self.http().get(self.at(&path)), "the list of proposals").await
    }

    /// Sets where a provider accepts: `broker` or `repository`.
    pub async fn set_acceptance(
        &self,
        provider: &str,
        mode: &str,
        team: Option<&str>,
    ) -> Result<Value, Error> {
        let path = format!("/tracepact/v1/providers/{}/acceptance", encode(provider));
        let body = json!({ "mode": mode, "team": team });
        self.send(self.http().put(self.at(&path)).json(&body), "where the provider accepts").await
    }

    /// Reports the contract files of a provider's main branch, all of them.
    pub async fn sync<'a>(
        &self,
        provider: &str,
        files: impl IntoIterator<Item = &'a ContractFile>,
        commit: Option<&str>,
        who: Option<&str>,
    ) -> Result<Value, Error> {
        let mut contracts = Vec::new();
        for file in files {
            let consumer_branch = file.consumer_branch.as_deref();
            contracts.push(SyncFile { content: document(&file.pact)?, consumer_branch });
        }
        let path = format!("/tracepact/v1/providers/{}/sync", encode(provider));
        let body = SyncBody { contracts, commit, who };
        self.send(self.http().post(self.at(&path)).json(&body), "the report of the repository").await
    }

    /// Asks whether the provider versions of an environment are known to keep a contract.
    pub async fn check(&self, pact: &Pact, environment: &str) -> Result<Value, Error> {
        let body = CheckBody { content: document(pact)?, environment };
        self.send(self.http().post(self.at("/tracepact/v1/contracts/check")).json(&body), "the check").await
    }

    /// The contracts with `provider` that consumer versions in an environment need: (consumer version's name, pact).
    pub async fn live_contracts(
        &self,
        provider: &str,
        consumer: Option<&str>,
        environment: &str,
    ) -> Result<Vec<(String, Pact)>, Error> {
        let mut selector = json!({ "environment": environment });
        if let Some(consumer) = consumer {
            selector["consumer"] = consumer.into();
        }
        let body = json!({ "consumerVersionSelectors": [selector], "includePendingStatus": false });
        let path = format!("/pacts/provider/{}/for-verification", encode(provider));
        let request = self.http().post(self.at(&path)).json(&body);
        let answer = match self.send(request, "the contracts of the environment").await {
            // A provider nobody knows has none.
            Err(Error::Refused { status: 404, .. }) => return Ok(Vec::new()),
            other => other?,
        };
        let entries =
            answer.pointer("/_embedded/pacts").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut out = Vec::new();
        for entry in entries {
            let link = |key: &str| entry.pointer(&format!("/_links/self/{key}")).and_then(Value::as_str);
            let Some(href) = link("href") else { continue };
            let short = entry.get("shortDescription").and_then(Value::as_str).unwrap_or_default();
            // Accepted contracts are in every answer; what runs in the environment was asked for.
            if short == "accepted" {
                continue;
            }
            let request = self.http().get(self.at(path_of(href)));
            let body = self.send_text(request, "a contract").await?;
            let pact = Pact::parse(body.as_bytes())
                .map_err(|e| Error::Answer { what: "a contract".into(), reason: e.to_string() })?;
            out.push((link("name").unwrap_or(&pact.consumer).to_owned(), pact));
        }
        Ok(out)
    }

    /// Whether the latest result for a content is a success; `None` when it has no result or the broker does not know it.
    pub async fn is_verified(&self, pact: &Pact) -> Result<Option<bool>, Error> {
        let path = format!(
            "/pacts/provider/{}/consumer/{}/pact-version/{}/verification-results/latest",
            encode(&pact.provider),
            encode(&pact.consumer),
            encode(pact.content_id.as_str())
        );
        match self.send(self.http().get(self.at(&path)), "the latest result").await {
            Ok(answer) => Ok(answer.get("success").and_then(Value::as_bool)),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The path of a link, which may be absolute and behind a proxy: the broker's address as it was given is used.
fn path_of(href: &str) -> &str {
    match href.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => href,
    }
}

/// A pact with its numbers as they are written.
fn document(pact: &Pact) -> Result<Box<RawValue>, Error> {
    RawValue::from_string(pact.text()).map_err(|e| Error::Usage(e.to_string()))
}
