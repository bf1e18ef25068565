//! `can-i-deploy` and `can-i-merge` in the Pact Broker's form, over `/matrix`.

use std::time::Duration;

use clap::Args;
use serde_json::Value;
use tracepact_verify::{BrokerClient, Error};

use super::args::{Connection, Output, entries, field, table};
use super::selectors::Selectors;

/// Check whether a version can be deployed.
#[derive(Debug, Args)]
pub(super) struct CanIDeploy {
    #[command(flatten)]
    selectors: Selectors,
    /// The environment to deploy to.
    #[arg(long, value_name = "ENVIRONMENT", conflicts_with = "to")]
    to_environment: Option<String>,
    /// The tag of the versions to deploy beside.
    #[arg(long, value_name = "TAG")]
    to: Option<String>,
    #[command(flatten)]
    ask: Ask,
}

/// Check whether a version works with the main branches of everything it is integrated with.
#[derive(Debug, Args)]
pub(super) struct CanIMerge {
    #[command(flatten)]
    selectors: Selectors,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Args)]
struct Ask {
    /// How often to ask again while a result is missing. `tracepact can-i-deploy --wait-while-unknown` waits without asking.
    #[arg(long, value_name = "TIMES", default_value_t = 0)]
    retry_while_unknown: u32,
    /// Seconds between two tries.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    retry_interval: u64,
    /// Always end with 0.
    #[arg(long, env = "PACT_BROKER_CAN_I_DEPLOY_DRY_RUN", num_args = 0..=1, default_missing_value = "true")]
    dry_run: Option<bool>,
    /// How to print the answer.
    #[arg(short = 'o', long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

impl CanIDeploy {
    pub(super) async fn run(self) -> Result<u8, Error> {
        use tracepact_verify::broker_client::encode;
        let one = self.selectors.list.len() == 1;
        let target = match (&self.to_environment, &self.to) {
            (Some(environment), _) => format!("latestby=cvpv&environment={}", encode(environment)),
            (None, Some(tag)) => format!("latestby=cvp&latest=true&tag={}", encode(tag)),
            (None, None) if one => "latestby=cvp&latest=true".into(),
            (None, None) => "latestby=cvpv".into(),
        };
        self.ask.run(&format!("/matrix?{}&{target}", self.selectors.query())).await
    }
}

impl CanIMerge {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let query = self.selectors.query();
        self.ask.run(&format!("/matrix?{query}&latestby=cvp&latest=true&mainBranch=true")).await
    }
}

impl Ask {
    async fn run(&self, path: &str) -> Result<u8, Error> {
        let client = self.connection.client()?;
        let answer = self.answer(&client, path).await?;
        let deployable = answer.pointer("/summary/deployable").and_then(Value::as_bool);
        self.output.show(&answer, &text(&answer, deployable));
        if self.dry_run == Some(true) {
            eprintln!("tracepact: dry run, so this ends well");
            return Ok(0);
        }
        Ok(u8::from(deployable != Some(true)))
    }

    async fn answer(&self, client: &BrokerClient, path: &str) -> Result<Value, Error> {
        let mut tries_left = self.retry_while_unknown;
        loop {
            let answer = client.get(path, "the question").await?;
            let unknown = answer.pointer("/summary/unknown").and_then(Value::as_u64).unwrap_or(0);
            if unknown == 0 || tries_left == 0 {
                return Ok(answer);
            }
            tries_left -= 1;
            eprintln!(
                "tracepact: {unknown} result(s) are missing; asking again in {} s, {tries_left} time(s) more after that",
                self.retry_interval
            );
            tokio::time::sleep(Duration::from_secs(self.retry_interval)).await;
        }
    }
}

fn text(answer: &Value, deployable: Option<bool>) -> String {
    let word = match deployable {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown, which means no",
    };
    let mut text = format!("{word}\n\n");
    let result = |row: &Value| {
        let word = match row.pointer("/verificationResult/success").and_then(Value::as_bool) {
            Some(true) => "true",
            Some(false) => "false",
            None => "???",
        };
        let ignored = row.get("ignored") == Some(&Value::Bool(true));
        if ignored { format!("{word} [ignored]") } else { word.to_owned() }
    };
    let rows: Vec<Vec<String>> = entries(answer, "/matrix")
        .iter()
        .map(|row| {
            let link = field(row, "/verificationResult/_links/self/href");
            vec![
                field(row, "/consumer/name").to_owned(),
                field(row, "/consumer/version/number").to_owned(),
                field(row, "/provider/name").to_owned(),
                field(row, "/provider/version/number").to_owned(),
                result(row),
                link.rsplit('/').next().unwrap_or("-").to_owned(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        text.push_str(&table(
            &["CONSUMER", "C.VERSION", "PROVIDER", "P.VERSION", "SUCCESS?", "RESULT#"],
            &rows,
        ));
        text.push('\n');
    }
    for notice in entries(answer, "/notices") {
        text.push_str(field(notice, "/text"));
        text.push('\n');
    }
    text
}
