//! `tracepact contract diff | check`: what a change means, before anybody is asked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tracepact_contract_model::{Effect, Meanings, Pact, meanings};
use tracepact_verify::provider::verify_contracts;
use tracepact_verify::{Error, ProviderCheck, ProviderConfig, contract_files};

use super::super::BrokerArgs;
use super::super::standard_output::free_for_json;
use super::super::verify::outcome_text;

/// Tell what changes between two contracts, and whether it is breaking, for each consumer.
///
/// A change is breaking when a provider that kept the old contract may fail the new one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract diff old/orders.yaml new/orders.yaml
  tracepact contract diff main/contracts/ contracts/
  tracepact contract diff --against production contracts/orders/

Exit codes: 0 nothing breaking, 1 a breaking change, 2 wrong usage, 3 the broker cannot be reached.")]
pub(super) struct Diff {
    /// The old and the new contract (files, or folders with those of several consumers); only the new one with --against.
    #[arg(required = true, num_args = 1..=2, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// Compare with what the consumers have in this environment, as the broker knows it.
    #[arg(long, value_name = "ENVIRONMENT")]
    against: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Ask whether a provider would keep a contract: the versions of an environment, or one that runs at an address.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract check contracts/orders/ --against production
  tracepact contract check contracts/orders/item.yaml --against http://127.0.0.1:8080

With an environment the answer comes from what its provider versions were seen to keep, whoever asked for it: kept or
unknown. With an address every interaction is tried there; nothing is published.

Exit codes: 0 kept, 1 not kept or unknown, 2 wrong usage, 3 the broker cannot be reached.")]
pub(super) struct Check {
    /// The contract file, or a folder that holds them.
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// An environment of the broker, or the address of a running provider.
    #[arg(long, value_name = "ENVIRONMENT|URL")]
    against: String,
    /// The provider's configuration: commands that set up states and make messages (with an address).
    #[arg(long, value_name = "FILE")]
    provider_config: Option<PathBuf>,
    /// Address that sets up provider states (with an address).
    #[arg(long, value_name = "URL")]
    state_change_url: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Diff {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let Some((new, old)) = self.paths.split_last() else {
            return Err(Error::Usage("name the contracts to compare".into()));
        };
        let new = contract_files::by_consumer(&contract_files::read_all(new)?)?;
        let mut before: BTreeMap<String, Vec<(String, Pact)>> = BTreeMap::new();
        match (old, &self.against) {
            ([old], None) => {
                for (consumer, file) in contract_files::by_consumer(&contract_files::read_all(old)?)? {
                    before.insert(consumer, vec![(old.display().to_string(), file.pact)]);
                }
            }
            ([], Some(environment)) => {
                let client = self.broker.client()?;
                for (consumer, file) in &new {
                    let provider = &file.pact.provider;
                    let live = client.live_contracts(provider, Some(consumer), environment).await?;
                    before.insert(consumer.clone(), live);
                }
            }
            _ => return Err(Error::Usage("name two contracts, or one and --against ENVIRONMENT".into())),
        }
        let (mut text, mut list, mut breaking) = (String::new(), Vec::new(), false);
        let mut show = |consumer: &str, against: Option<&str>, found: &Meanings| {
            let is = if found.is_breaking() { "BREAKING" } else { "not breaking" };
            let against = against.map(|a| format!(" against {a}")).unwrap_or_default();
            text.push_str(&format!("{consumer}{against}: {is}\n"));
            for line in found.text().lines() {
                text.push_str(&format!("  {line}\n"));
            }
            breaking |= found.is_breaking();
            list.push(json!({
                "consumer": consumer, "against": against.trim_start_matches(" against "),
                "breaking": found.is_breaking(), "changes": changes(found),
            }));
        };
        for (consumer, file) in &new {
            let olds = before.remove(consumer).unwrap_or_default();
            if olds.is_empty() {
                show(consumer, None, &meaning(None, &file.pact)?);
            }
            for (name, old) in &olds {
                show(consumer, Some(name), &meaning(Some(old), &file.pact)?);
            }
        }
        for consumer in before.keys().filter(|c| !new.contains_key(*c)) {
            text.push_str(&format!("{consumer}: gone, nothing is asked any more\n"));
        }
        self.broker.show(&json!({ "breaking": breaking, "consumers": list }), &text);
        Ok(u8::from(breaking))
    }
}

impl Check {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let all = contract_files::by_consumer(&contract_files::read_all(&self.path)?)?;
        if self.against.starts_with("http://") || self.against.starts_with("https://") {
            return self.at_an_address(all.into_values().map(|f| f.pact).collect()).await;
        }
        let client = self.broker.client()?;
        let (mut text, mut list, mut kept) = (String::new(), Vec::new(), true);
        for (consumer, file) in &all {
            let answer = client.check(&file.pact, &self.against).await?;
            kept &= answer.get("kept") == Some(&Value::Bool(true));
            text.push_str(&checked_text(consumer, &file.pact.provider, &self.against, &answer));
            list.push(json!({ "consumer": consumer, "answer": answer }));
        }
        self.broker.show(&json!({ "kept": kept, "contracts": list }), &text);
        Ok(u8::from(!kept))
    }

    async fn at_an_address(self, pacts: Vec<Pact>) -> Result<u8, Error> {
        let provider = pacts.first().map(|p| p.provider.clone()).unwrap_or_default();
        if let Some(other) = pacts.iter().find(|p| p.provider != provider) {
            return Err(Error::Usage(format!(
                "contracts with {provider} and {}: name one folder",
                other.provider
            )));
        }
        let config = self.provider_config.as_deref().map(ProviderConfig::read).transpose()?;
        let check = ProviderCheck {
            provider,
            provider_url: self.against.clone(),
            version: "check".into(),
            branch: None,
            wip_since: None,
            publish: false,
            message_path: None,
            state_change_url: self.state_change_url.clone(),
            config,
            build_url: None,
            request_timeout_ms: 5_000,
        };
        let outcome = free_for_json(self.broker.json, Box::pin(verify_contracts(&check, &pacts))).await??;
        self.broker.show(&outcome, &outcome_text(&check, &outcome));
        Ok(u8::from(!outcome.ok))
    }
}

fn meaning(old: Option<&Pact>, new: &Pact) -> Result<Meanings, Error> {
    meanings(old, new).map_err(|e| Error::Usage(format!("the contract of {}: {e}", new.consumer)))
}

/// The changes as JSON.
pub(super) fn changes(found: &Meanings) -> Vec<Value> {
    found
        .changes
        .iter()
        .map(|c| {
            json!({
                "interaction": c.interaction, "place": c.place, "breaking": c.effect == Effect::Breaking,
                "reason": c.reason,
            })
        })
        .collect()
}

fn checked_text(consumer: &str, provider: &str, environment: &str, answer: &Value) -> String {
    let list =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let word = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
    let versions = list(answer, "versions");
    let mut text = String::new();
    if versions.is_empty() {
        text.push_str(&format!("no version of {provider} is in {environment}: nothing is known\n"));
    }
    for version in versions {
        text.push_str(&format!("{provider} {} for {consumer}:\n", word(&version, "version")));
        for interaction in list(&version, "interactions") {
            text.push_str(&format!(
                "  {:<8} {}\n",
                word(&interaction, "state"),
                word(&interaction, "interaction")
            ));
        }
    }
    if let Some(changes) = answer.get("changes").and_then(Value::as_str) {
        text.push_str(&format!("against what {consumer} has there:\n"));
        changes.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    text
}
