//! `tracepact contract status | list`.

use clap::Args;
use serde_json::Value;
use tracepact_base::Secret;
use tracepact_verify::Error;
use tracepact_verify::github::Repository;
use tracepact_verify::proposals::Which;

use super::super::BrokerArgs;

/// Show a proposal: its state, what it changes, who is affected, its history and discussion.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract status 0199c0a4-…
  tracepact contract status 0199c0a4-… --json
  GITHUB_TOKEN=… tracepact contract status 0199c0a4-… --comment      # tell it under the pull request

Exit codes: 0 accepted or enforced, 1 anything else, 2 wrong usage, 3 the broker cannot be reached.")]
pub(super) struct Status {
    /// The proposal's id.
    id: String,
    /// Write it under the proposal's pull request at GitHub.
    #[arg(long)]
    comment: bool,
    /// Token for GitHub, which may write to pull requests.
    #[arg(long, env = "GITHUB_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    github_token: Option<String>,
    /// Address of GitHub's API, for another server than the pull request's address tells.
    #[arg(long, env = "GITHUB_API_URL", value_name = "URL")]
    github_api: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// List proposals, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract list --provider products --state proposed")]
pub(super) struct List {
    /// Only of this provider.
    #[arg(long)]
    provider: Option<String>,
    /// Only of this consumer.
    #[arg(long)]
    consumer: Option<String>,
    /// Only in this state.
    #[arg(long)]
    state: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Status {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let proposal = self.broker.client()?.proposal(&self.id).await?;
        let state = field(&proposal, "state");
        if self.comment {
            self.tell(&proposal).await?;
        }
        self.broker.show(&proposal, &text(&proposal));
        Ok(u8::from(!matches!(state.as_str(), "accepted" | "enforced")))
    }
}

impl Status {
    async fn tell(&self, proposal: &Value) -> Result<(), Error> {
        let usage = |reason: &str| Error::Usage(reason.to_owned());
        let url = proposal.get("pull_request_url").and_then(Value::as_str);
        let url = url.ok_or_else(|| usage("the proposal has no link to a pull request"))?;
        let (mut repository, number) = Repository::from_pull_request(url)
            .ok_or_else(|| usage("the proposal's link is no pull request at GitHub"))?;
        let token = self.github_token.as_ref().ok_or_else(|| usage("GITHUB_TOKEN is missing"))?;
        if let Some(api) = &self.github_api {
            repository.api = api.trim_end_matches('/').to_owned();
        }
        // A block of code: the words of a contract are no Markdown, and nobody is mentioned by them.
        let said = text(proposal);
        let fence = "`".repeat(3 + said.split(|c| c != '`').map(str::len).max().unwrap_or(0));
        let body = format!(
            "The contract of this pull request is **{}**.\n\n{fence}\n{said}{fence}\n",
            field(proposal, "state")
        );
        repository.comment(&Secret::new(token.clone()), number, &body).await
    }
}

impl List {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let which = Which {
            provider: self.provider.as_deref(),
            consumer: self.consumer.as_deref(),
            state: self.state.as_deref(),
        };
        let answer = self.broker.client()?.proposals(&which).await?;
        let list = answer.get("proposals").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut text = String::new();
        for proposal in &list {
            text.push_str(&format!(
                "{}  {:<10}  {} → {}  {}\n",
                id(proposal),
                field(proposal, "state"),
                field(proposal, "consumer"),
                field(proposal, "provider"),
                field(proposal, "title"),
            ));
        }
        if text.is_empty() {
            text = "there are no proposals\n".to_owned();
        }
        self.broker.show(&answer, &text);
        Ok(0)
    }
}

fn text(proposal: &Value) -> String {
    let get = |key: &str| field(proposal, key);
    let mut out = format!(
        "{}\n{} → {}, branch {}: {}\n",
        get("title"),
        get("consumer"),
        get("provider"),
        get("consumer_branch"),
        get("state"),
    );
    if let Some(url) = proposal.get("pull_request_url").and_then(Value::as_str) {
        out.push_str(&format!("pull request: {url}\n"));
    }
    let breaking = proposal.get("breaking") == Some(&Value::Bool(true));
    out.push_str(if breaking {
        "asks for more than before:\n"
    } else {
        "asks for nothing more than before:\n"
    });
    get("changes").lines().for_each(|line| out.push_str(&format!("  {line}\n")));
    let list = |key: &str| proposal.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for affected in list("affected") {
        out.push_str(&format!("not shown to keep it: {}\n", affected.as_str().unwrap_or("?")));
    }
    for step in list("history") {
        let who = step.get("who").and_then(Value::as_str).map(|w| format!(" by {w}")).unwrap_or_default();
        let why = step.get("reason").and_then(Value::as_str).map(|r| format!(": {r}")).unwrap_or_default();
        out.push_str(&format!("{}  {}{who}{why}\n", field(&step, "at"), field(&step, "state")));
    }
    for comment in list("comments") {
        let author = comment.get("author").and_then(Value::as_str).unwrap_or("somebody");
        out.push_str(&format!("{}  {author}: {}\n", field(&comment, "at"), field(&comment, "text")));
    }
    out
}

fn field(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or("-").to_owned()
}

/// A proposal's id.
pub(super) fn id(proposal: &Value) -> String {
    field(proposal, "id")
}
