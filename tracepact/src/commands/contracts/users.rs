//! `tracepact broker user | role | token | audit`: who may do what at the broker, and who did.

mod audit;
mod role;
mod token;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tracepact_base::Secret;
use tracepact_verify::broker_client::encode;
use tracepact_verify::{BrokerClient, Error};

use super::{BrokerArgs, finish};

pub(crate) use audit::Audit;
pub(crate) use role::Role;
pub(crate) use token::Token;

const USERS: &str = "/tracepact/v1/broker/users";
/// Longest file that a password is read from.
const PASSWORD_FILE_BYTES_MAX: u64 = 4_096;

/// Create, list, show and delete the broker's users.
///
/// The first user closes the broker for everybody who is none; the last one gone, it is as open as before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact broker user create orders-ci --grant publish:orders --grant verify:orders --token-file tracepact-data/admin-token
  tracepact broker user create ada --grant team:catalogue --password-file - --token-file tracepact-data/admin-token
  tracepact broker user list --json --token-file tracepact-data/admin-token
  tracepact broker user delete orders-ci --token-file tracepact-data/admin-token

A pipeline gets a token (`tracepact broker token create`), a person a password. Rights: admin, publish:CONSUMER,
verify:PROVIDER, deploy:ENVIRONMENT, team:TEAM; a name may end with *. Everybody who is known may read.

Exit codes: 0 done, 1 refused (the user exists already, or is not there), 2 wrong usage, 3 the broker cannot be reached or lets nobody in.")]
pub(crate) struct User {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a user.
    Create(Create),
    /// All users with their rights.
    List(List),
    /// One user with rights and tokens.
    Show(Named),
    /// Set a user's password.
    Password(Password),
    /// Remove a user with all tokens; what they published stays.
    Delete(Named),
}

#[derive(Debug, Args)]
struct Create {
    /// The user's name.
    name: String,
    /// What the user may do; can be repeated.
    #[arg(long = "grant", value_name = "RIGHT")]
    grants: Vec<String>,
    /// File with the password, 12 characters at least, - for standard input; without one the user has tokens only.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    broker: BrokerArgs,
}

#[derive(Debug, Args)]
struct Named {
    /// The user's name.
    name: String,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[derive(Debug, Args)]
struct Password {
    /// The user's name.
    name: String,
    /// File with the password, 12 characters at least, - for standard input.
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl User {
    pub(crate) async fn run(self) -> ExitCode {
        finish(match self.action {
            Action::Create(action) => action.run().await,
            Action::List(action) => action.run().await,
            Action::Show(action) => action.show().await,
            Action::Password(action) => action.run().await,
            Action::Delete(action) => action.delete().await,
        })
    }
}

impl Create {
    async fn run(self) -> Result<u8, Error> {
        let client = self.broker.client()?;
        if find(&client, &self.name).await?.is_some() {
            return Err(refused(
                409,
                format!(
                    "{} exists already: change rights with `tracepact broker role grant`, the password with \
                     `tracepact broker user password`",
                    self.name
                ),
            ));
        }
        let mut wanted = json!({ "grants": self.grants });
        if let Some(file) = &self.password_file {
            wanted["password"] = read_password(file)?.expose().into();
        }
        let answer = client.put(&at(&self.name), &wanted, "the new user").await?;
        self.broker.show(&answer, &user_text(&answer));
        Ok(0)
    }
}

impl List {
    async fn run(self) -> Result<u8, Error> {
        let answer = self.broker.client()?.get(USERS, "the list of users").await?;
        let mut text: String = users_of(&answer).iter().map(user_text).collect();
        if text.is_empty() {
            text = "there are no users: the broker is as open as its listener\n".to_owned();
        }
        if answer["complete"] == false {
            text.push_str("and more\n");
        }
        self.broker.show(&answer, &text);
        Ok(0)
    }
}

impl Named {
    async fn show(self) -> Result<u8, Error> {
        let user = get(&self.broker.client()?, &self.name).await?;
        let mut text = user_text(&user);
        text.push_str(&token::tokens_text(&user));
        self.broker.show(&user, &text);
        Ok(0)
    }

    async fn delete(self) -> Result<u8, Error> {
        self.broker.client()?.delete(&at(&self.name), "the end of the user").await?;
        self.broker.show(&json!({ "deleted": self.name }), &format!("{} is no user any more\n", self.name));
        Ok(0)
    }
}

impl Password {
    async fn run(self) -> Result<u8, Error> {
        let client = self.broker.client()?;
        get(&client, &self.name).await?;
        let body = json!({ "password": read_password(&self.password_file)?.expose() });
        let answer = client.put(&at(&self.name), &body, "the new password").await?;
        self.broker.show(&answer, &format!("{} has a new password\n", self.name));
        Ok(0)
    }
}

/// The resource of a user.
fn at(name: &str) -> String {
    format!("{USERS}/{}", encode(name))
}

fn users_of(answer: &Value) -> Vec<Value> {
    answer["users"].as_array().cloned().unwrap_or_default()
}

/// A user, `None` when there is none of that name.
async fn find(client: &BrokerClient, name: &str) -> Result<Option<Value>, Error> {
    let all = client.get(USERS, "the list of users").await?;
    Ok(users_of(&all).into_iter().find(|user| user["name"] == name))
}

/// A user; an error when there is none of that name.
async fn get(client: &BrokerClient, name: &str) -> Result<Value, Error> {
    let found = find(client, name).await?;
    found.ok_or_else(|| refused(404, format!("there is no user {name}: see `tracepact broker user list`")))
}

/// What the broker would have said.
fn refused(status: u16, detail: String) -> Error {
    Error::Refused { what: "the change of the user".into(), status, detail }
}

fn words(value: &Value, key: &str) -> Vec<String> {
    value[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn user_text(user: &Value) -> String {
    let name = user["name"].as_str().unwrap_or("?");
    let grants = words(user, "grants");
    let grants = if grants.is_empty() { "reads only".to_owned() } else { grants.join(", ") };
    let tokens = user["tokens"].as_array().map_or(0, Vec::len);
    let password = if user["has_password"] == true { "a password" } else { "no password" };
    format!("{name}  {grants}  ({password}, {tokens} token(s))\n")
}

/// The password in a file, or on standard input for `-`, without the line's end.
fn read_password(file: &Path) -> Result<Secret, Error> {
    let wrong = |reason: String| Error::Usage(format!("--password-file {}: {reason}", file.display()));
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(PASSWORD_FILE_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|f| f.take(PASSWORD_FILE_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|e| wrong(e.to_string()))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(wrong("it is empty".into())),
        password => Ok(Secret::new(password.to_owned())),
    }
}
