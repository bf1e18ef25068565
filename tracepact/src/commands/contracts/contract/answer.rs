//! `tracepact contract accept | reject | withdraw | ready | comment`.

use clap::Args;
use serde_json::Value;
use tracepact_verify::Error;
use tracepact_verify::proposals::Step;

use super::super::BrokerArgs;

/// Accept a proposal in the provider's name: from then on the provider's build fails when it violates it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract accept 0199c0a4-… --who ada --token-file tracepact-data/admin-token")]
pub(super) struct Accept {
    #[command(flatten)]
    answer: Answer,
}

/// Reject a proposal in the provider's name, with the reason.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract reject 0199c0a4-… --reason 'say the currency' --token-file tracepact-data/admin-token")]
pub(super) struct Reject {
    /// The proposal's id.
    id: String,
    /// Why not; the consumer reads it.
    #[arg(long)]
    reason: String,
    /// Who answers.
    #[arg(long, env = "TRACEPACT_AUTHOR")]
    who: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Take a proposal back in the consumer's name.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract withdraw 0199c0a4-… --reason 'not needed any more'")]
pub(super) struct Withdraw {
    #[command(flatten)]
    answer: Answer,
}

/// Turn a draft into a proposal.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract ready 0199c0a4-…")]
pub(super) struct Ready {
    #[command(flatten)]
    answer: Answer,
}

#[derive(Debug, Args)]
struct Answer {
    /// The proposal's id.
    id: String,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
    /// Who answers.
    #[arg(long, env = "TRACEPACT_AUTHOR")]
    who: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Say something about a proposal.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract comment 0199c0a4-… 'which currency?'")]
pub(super) struct Comment {
    /// The proposal's id.
    id: String,
    /// What is said.
    text: String,
    /// Who says it.
    #[arg(long, env = "TRACEPACT_AUTHOR")]
    who: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Answer {
    async fn give(self, step: Step, says: &str) -> Result<u8, Error> {
        let answer =
            self.broker.client()?.answer(&self.id, step, self.who.as_deref(), self.reason.as_deref()).await?;
        let state = answer.get("state").and_then(Value::as_str).unwrap_or("?");
        self.broker.show(&answer, &format!("{} is {state}; {says}\n", self.id));
        Ok(0)
    }
}

impl Accept {
    pub(super) async fn run(self) -> Result<u8, Error> {
        self.answer.give(Step::Accept, "the provider's verification includes it now").await
    }
}

impl Reject {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let answer = Answer { id: self.id, reason: Some(self.reason), who: self.who, broker: self.broker };
        answer.give(Step::Reject, "the consumer can propose other content on the same branch").await
    }
}

impl Withdraw {
    pub(super) async fn run(self) -> Result<u8, Error> {
        self.answer.give(Step::Withdraw, "nobody is bound by it").await
    }
}

impl Ready {
    pub(super) async fn run(self) -> Result<u8, Error> {
        self.answer.give(Step::Ready, "the provider decides").await
    }
}

impl Comment {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let answer = self.broker.client()?.comment(&self.id, self.who.as_deref(), &self.text).await?;
        self.broker.show(&answer, "said\n");
        Ok(0)
    }
}
