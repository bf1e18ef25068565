//! `tracepact contract waive add | list | show | approve | revoke | rules`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tracepact_verify::Error;
use tracepact_verify::broker_client::encode;

use super::BrokerArgs;

/// Let a breakage pass for a while: by name, with a reason and an end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract waive add --environment production --name INC-17 --reason 'the shop is down' \\
      --consumer orders --provider products --for 4h --token-file tracepact-data/admin-token
  tracepact contract waive list --environment production
  tracepact contract waive approve ID --by grace --token-file tracepact-data/admin-token
  tracepact contract waive rules --environment production --second-person true --forbid-ignore true \\
      --token-file tracepact-data/admin-token

A waiver takes pairs that do not hold out of the gate's decision, and is listed in every verdict that rests on it.
Giving, approving and revoking need the admin token.

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the broker cannot be reached or lets nobody in.")]
pub(crate) struct Waive {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(Add),
    List(List),
    Show(Show),
    Approve(Approve),
    Revoke(Revoke),
    Rules(Rules),
}

/// Give a waiver.
#[derive(Debug, Args)]
struct Add {
    /// Where the breakage may pass.
    #[arg(long)]
    environment: String,
    /// How people speak of it, for example a ticket's number.
    #[arg(long)]
    name: String,
    /// Why it may pass.
    #[arg(long)]
    reason: String,
    /// Whose contracts; every consumer's when it is left out.
    #[arg(long, required_unless_present = "provider")]
    consumer: Option<String>,
    /// Of one version of the consumer only.
    #[arg(long, requires = "consumer")]
    consumer_version: Option<String>,
    /// With which provider; with every one when it is left out.
    #[arg(long)]
    provider: Option<String>,
    /// With one version of the provider only.
    #[arg(long, requires = "provider")]
    provider_version: Option<String>,
    /// How long: a number with s, m, h or d, 90d at most.
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    life_s: u64,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Who acts.
#[derive(Debug, Args)]
struct Who {
    /// Who does it; the name that is logged in here when it is left out.
    #[arg(long, env = "TRACEPACT_USER", value_name = "NAME")]
    by: Option<String>,
}

/// List waivers, newest first; those that are over as well.
#[derive(Debug, Args)]
struct List {
    /// Of one environment only.
    #[arg(long)]
    environment: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Show a waiver and everything that was done with it.
#[derive(Debug, Args)]
struct Show {
    /// The waiver's id.
    id: String,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Approve somebody else's waiver, where the environment demands two people.
#[derive(Debug, Args)]
struct Approve {
    /// The waiver's id.
    id: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// End a waiver before its time.
#[derive(Debug, Args)]
struct Revoke {
    /// The waiver's id.
    id: String,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Show or set what an environment demands of exceptions.
#[derive(Debug, Args)]
struct Rules {
    /// The environment.
    #[arg(long)]
    environment: String,
    /// Whether `--ignore` has no effect on deploys to it.
    #[arg(long, value_name = "BOOL")]
    forbid_ignore: Option<bool>,
    /// Whether a waiver counts only once a second person approved it.
    #[arg(long, value_name = "BOOL")]
    second_person: Option<bool>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Waive {
    pub(crate) async fn run(self) -> Result<u8, Error> {
        match self.action {
            Action::Add(action) => action.run().await,
            Action::List(action) => action.run().await,
            Action::Show(action) => action.run().await,
            Action::Approve(action) => action.run().await,
            Action::Revoke(action) => action.run().await,
            Action::Rules(action) => action.run().await,
        }
    }
}

impl Who {
    fn name(&self) -> Result<String, Error> {
        let of = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        self.by.clone().or_else(|| of("USER")).or_else(|| of("USERNAME")).ok_or_else(|| {
            Error::Usage(
                "say who you are with --by NAME: waivers are kept with the name of who gave them".into(),
            )
        })
    }
}

impl Add {
    async fn run(self) -> Result<u8, Error> {
        let body = json!({
            "environment": self.environment,
            "name": self.name,
            "reason": self.reason,
            "by": self.who.name()?,
            "consumer": self.consumer,
            "consumer_version": self.consumer_version,
            "provider": self.provider,
            "provider_version": self.provider_version,
            "expires_in_s": self.life_s,
        });
        let made = self.broker.client()?.post("/tracepact/v1/waivers", &body, "the waiver").await?;
        let next = match field(&made, "state").as_str() {
            "waits_for_approval" => format!(
                "it counts once somebody else approves it: `tracepact contract waive approve {}`\n",
                field(&made, "id")
            ),
            _ => "it counts now\n".into(),
        };
        self.broker.show(&made, &(line(&made) + &next));
        Ok(0)
    }
}

impl List {
    async fn run(self) -> Result<u8, Error> {
        let path = match &self.environment {
            Some(name) => format!("/tracepact/v1/waivers?limit=1000&environment={}", encode(name)),
            None => "/tracepact/v1/waivers?limit=1000".into(),
        };
        let answer = self.broker.client()?.get(&path, "the list of waivers").await?;
        let list = answer.get("waivers").and_then(Value::as_array).cloned().unwrap_or_default();
        let text: String = list.iter().map(line).collect();
        self.broker.show(&answer, if list.is_empty() { "there are no waivers\n" } else { &text });
        Ok(0)
    }
}

impl Show {
    async fn run(self) -> Result<u8, Error> {
        let path = format!("/tracepact/v1/waivers/{}", encode(&self.id));
        let found = self.broker.client()?.get(&path, "the waiver").await?;
        let mut text = line(&found);
        for step in found.get("history").and_then(Value::as_array).into_iter().flatten() {
            text.push_str(&format!("    {}  {}", field(step, "at"), field(step, "action")));
            for (key, word) in [("who", " by "), ("detail", ": ")] {
                if let Some(value) = step.get(key).and_then(Value::as_str) {
                    text.push_str(&format!("{word}{value}"));
                }
            }
            text.push('\n');
        }
        self.broker.show(&found, &text);
        Ok(0)
    }
}

impl Approve {
    async fn run(self) -> Result<u8, Error> {
        let path = format!("/tracepact/v1/waivers/{}/approve", encode(&self.id));
        let body = json!({ "by": self.who.name()? });
        let done = self.broker.client()?.post(&path, &body, "the approval").await?;
        self.broker.show(&done, &line(&done));
        Ok(0)
    }
}

impl Revoke {
    async fn run(self) -> Result<u8, Error> {
        let path = format!("/tracepact/v1/waivers/{}/revoke", encode(&self.id));
        let body = json!({ "by": self.who.name()?, "reason": self.reason });
        let done = self.broker.client()?.post(&path, &body, "the revocation").await?;
        self.broker.show(&done, &line(&done));
        Ok(0)
    }
}

impl Rules {
    async fn run(self) -> Result<u8, Error> {
        let client = self.broker.client()?;
        let path = format!("/tracepact/v1/environments/{}/rules", encode(&self.environment));
        let mut rules = client.get(&path, "the rules of the environment").await?;
        if self.forbid_ignore.is_some() || self.second_person.is_some() {
            let body = json!({
                "forbid_ignore": self.forbid_ignore.map_or(rules["forbid_ignore"].clone(), Value::Bool),
                "second_person": self.second_person.map_or(rules["second_person"].clone(), Value::Bool),
                "by": self.who.name().ok(),
            });
            rules = client.put(&path, &body, "the rules of the environment").await?;
        }
        let is = |key: &str| rules.get(key) == Some(&Value::Bool(true));
        let text = format!(
            "{}: ignoring is {}, a waiver needs {}\n",
            self.environment,
            if is("forbid_ignore") { "forbidden" } else { "allowed" },
            if is("second_person") { "a second person" } else { "one person" },
        );
        self.broker.show(&rules, &text);
        Ok(0)
    }
}

fn field(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or("-").to_owned()
}

/// A waiver in one line.
fn line(waiver: &Value) -> String {
    let side = |name: &str, version: &str| match (waiver.get(name), waiver.get(version)) {
        (None, _) => "anyone".to_owned(),
        (Some(_), None) => field(waiver, name),
        (Some(_), Some(_)) => format!("{} {}", field(waiver, name), field(waiver, version)),
    };
    let second = waiver.get("approved_by").map(|_| format!(", approved by {}", field(waiver, "approved_by")));
    format!(
        "{}  {:<18}  {}  {:?} of {}{}: {} → {}, until {}: {}\n",
        field(waiver, "id"),
        field(waiver, "state"),
        field(waiver, "environment"),
        field(waiver, "name"),
        field(waiver, "by"),
        second.unwrap_or_default(),
        side("consumer", "consumer_version"),
        side("provider", "provider_version"),
        field(waiver, "expires_at"),
        field(waiver, "reason"),
    )
}

/// A span of time such as `90s`, `30m`, `4h`, `7d`, in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no span of time; write 90s, 30m, 4h or 7d");
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(factor)
        .filter(|s| (1..=90 * 86_400).contains(s))
        .ok_or_else(|| format!("{text:?}: a waiver lives between 1s and 90d"))
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn spans_of_time() {
        assert_eq!(seconds("4h"), Ok(14_400));
        assert_eq!(seconds("90d"), Ok(7_776_000));
        for wrong in ["", "h", "4", "91d", "0s", "-1h", "4 h", "1ü", "99999999999999999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
