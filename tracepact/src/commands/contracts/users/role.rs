//! `tracepact broker role list | grant | revoke`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tracepact_verify::Error;

use super::super::{BrokerArgs, finish};
use super::{USERS, at, get, refused, user_text, users_of, words};

/// Give rights to users of the broker and take them back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact broker role list --token-file tracepact-data/admin-token
  tracepact broker role grant orders-ci publish:orders deploy:test --token-file tracepact-data/admin-token
  tracepact broker role revoke orders-ci deploy:test --token-file tracepact-data/admin-token

Rights: admin (everything), publish:CONSUMER, verify:PROVIDER, deploy:ENVIRONMENT, team:TEAM (accepts proposals to the
team's providers). A name may end with *. A change holds for the next request.

Exit codes: 0 done, 1 refused (no such user or right), 2 wrong usage, 3 the broker cannot be reached or lets nobody in.")]
pub(crate) struct Role {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The rights of a user, or of all.
    List(List),
    /// Add rights to a user's.
    Grant(Change),
    /// Take rights from a user.
    Revoke(Change),
}

#[derive(Debug, Args)]
struct List {
    /// Only of this user.
    user: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[derive(Debug, Args)]
struct Change {
    /// The user.
    user: String,
    /// The rights.
    #[arg(required = true, value_name = "RIGHT")]
    rights: Vec<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Role {
    pub(crate) async fn run(self) -> ExitCode {
        finish(match self.action {
            Action::List(action) => action.run().await,
            Action::Grant(action) => action.grant().await,
            Action::Revoke(action) => action.revoke().await,
        })
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
            users.iter().map(|user| json!({ "user": user["name"], "rights": user["grants"] })).collect();
        let text: String = users
            .iter()
            .flat_map(|user| {
                let name = user["name"].as_str().unwrap_or("?").to_owned();
                words(user, "grants").into_iter().map(move |right| format!("{name}  {right}\n"))
            })
            .collect();
        self.broker.show(&shown, &text);
        Ok(0)
    }
}

impl Change {
    async fn grant(self) -> Result<u8, Error> {
        self.change(|present, wanted| {
            let new: Vec<String> = wanted.iter().filter(|right| !present.contains(right)).cloned().collect();
            present.extend(new);
            Ok(())
        })
        .await
    }

    async fn revoke(self) -> Result<u8, Error> {
        self.change(|present, wanted| {
            if let Some(other) = wanted.iter().find(|right| !present.contains(right)) {
                return Err(refused(404, format!("the user has {}, not {other}", present.join(", "))));
            }
            present.retain(|right| !wanted.contains(right));
            Ok(())
        })
        .await
    }

    async fn change(
        self,
        how: impl FnOnce(&mut Vec<String>, &[String]) -> Result<(), Error>,
    ) -> Result<u8, Error> {
        let client = self.broker.client()?;
        let mut grants = words(&get(&client, &self.user).await?, "grants");
        how(&mut grants, &self.rights)?;
        let answer =
            client.put(&at(&self.user), &json!({ "grants": grants }), "the change of rights").await?;
        self.broker.show(&answer, &user_text(&answer));
        Ok(0)
    }
}
