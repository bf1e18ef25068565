//! `tracepact broker token create | list | revoke`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tracepact_verify::Error;
use tracepact_verify::broker_client::encode;

use super::super::{BrokerArgs, finish};
use super::{USERS, at, get, users_of};

/// Make tokens for users of the broker, and revoke them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact broker token create orders-ci --name 'pipeline of orders' --expires-in-days 365 --token-file tracepact-data/admin-token
  tracepact broker token list orders-ci --token-file tracepact-data/admin-token
  tracepact broker token revoke 0199c0a4-… --token-file tracepact-data/admin-token

`create` prints the token, this once, and nothing else on standard output. `revoke` takes the id that `list` shows, and
holds at once.

Exit codes: 0 done, 1 refused (no such user or token), 2 wrong usage, 3 the broker cannot be reached or lets nobody in.")]
pub(crate) struct Token {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token; it is shown this once.
    Create(Create),
    /// The tokens of a user, or of all, without what makes them tokens.
    List(List),
    /// End a token.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
struct Create {
    /// Whose token it is.
    user: String,
    /// What it is for.
    #[arg(long)]
    name: String,
    /// Days until it ends; without, it does not.
    #[arg(long, value_name = "DAYS")]
    expires_in_days: Option<u32>,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[derive(Debug, Args)]
struct List {
    /// Only of this user.
    user: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[derive(Debug, Args)]
struct Revoke {
    /// The token's id.
    id: String,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Token {
    pub(crate) async fn run(self) -> ExitCode {
        finish(match self.action {
            Action::Create(action) => action.run().await,
            Action::List(action) => action.run().await,
            Action::Revoke(action) => action.run().await,
        })
    }
}

impl Create {
    async fn run(self) -> Result<u8, Error> {
        let path = format!("{}/tokens", at(&self.user));
        let mut body = json!({ "name": self.name });
        if let Some(days) = self.expires_in_days {
            body["expires_in_days"] = days.into();
        }
        let answer = self.broker.client()?.post(&path, &body, "the new token").await?;
        let word = |key: &str| answer[key].as_str().unwrap_or("?").to_owned();
        let end = answer["expires_at"].as_str().map_or("does not end".into(), |at| format!("ends {at}"));
        eprintln!("tracepact: token {} of {}, {end}; it is shown this once", word("id"), self.user);
        self.broker.show(&answer, &format!("{}\n", word("token")));
        Ok(0)
    }
}

impl List {
    async fn run(self) -> Result<u8, Error> {
        let client = self.broker.client()?;
        let users = match &self.user {
            Some(name) => vec![get(&client, name).await?],
            None => users_of(&client.get(USERS, "the list of users").await?),
        };
        let shown: Vec<Value> =
            users.iter().map(|user| json!({ "user": user["name"], "tokens": user["tokens"] })).collect();
        self.broker.show(&shown, &users.iter().map(tokens_text).collect::<String>());
        Ok(0)
    }
}

impl Revoke {
    async fn run(self) -> Result<u8, Error> {
        let path = format!("/tracepact/v1/broker/tokens/{}", encode(&self.id));
        self.broker.client()?.delete(&path, "the end of the token").await?;
        self.broker.show(&json!({ "revoked": self.id }), &format!("{} is revoked\n", self.id));
        Ok(0)
    }
}

/// A line for each token of a user.
pub(super) fn tokens_text(user: &Value) -> String {
    let word = |value: &Value, key: &str| value[key].as_str().unwrap_or("?").to_owned();
    let tokens = user["tokens"].as_array().cloned().unwrap_or_default();
    tokens
        .iter()
        .map(|token| {
            let end = token["expires_at"].as_str().map_or("does not end".into(), |at| format!("ends {at}"));
            format!(
                "{}  {}  {}  made {}, {end}\n",
                word(token, "id"),
                word(user, "name"),
                word(token, "name"),
                word(token, "created_at")
            )
        })
        .collect()
}
