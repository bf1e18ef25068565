//! `tracepact contract propose`: from a file to a proposal with its pull request.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use tracepact_base::Secret;
use tracepact_contract_model::{ContractFile, meanings};
use tracepact_verify::github::{PullRequest, Repository};
use tracepact_verify::lint::{Level, of_contract};
use tracepact_verify::proposals::NewProposal;
use tracepact_verify::{BrokerClient, Error, contract_files};

use super::super::BrokerArgs;
use super::status::id;

/// Propose a contract to its provider, like a pull request, and together with one.
///
/// The contract is checked, compared with what runs in --environment, written as
/// contracts/<consumer>/<name>.yaml into the provider's repository when --repo is given, and registered at the broker.
/// With the address of a repository at GitHub and GITHUB_TOKEN set, the pull request is opened; with a folder the
/// commands for it are printed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract propose contracts/orders.yaml --branch product-price --title 'orders needs the price'
  tracepact contract propose pacts/orders-products.json --branch product-price --repo ../products
  GITHUB_TOKEN=… tracepact contract propose orders.yaml --branch product-price --repo https://github.com/acme/products

Exit codes: 0 proposed, 1 refused, 2 wrong usage or a contract with errors, 3 the broker or GitHub cannot be reached.")]
pub(super) struct Propose {
    /// The contract file (.yaml, or a pact), or a folder with those of one consumer.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The provider; checked against the file.
    #[arg(long)]
    provider: Option<String>,
    /// The consumer's branch that needs it; the file may say it as well.
    #[arg(long)]
    branch: Option<String>,
    /// One line for the provider's team.
    #[arg(long)]
    title: Option<String>,
    /// The provider's team that should decide.
    #[arg(long)]
    team: Option<String>,
    /// Who proposes.
    #[arg(long, env = "TRACEPACT_AUTHOR")]
    author: Option<String>,
    /// The provider's repository: a folder with a checkout, or an address at GitHub.
    #[arg(long, value_name = "PATH|URL")]
    repo: Option<String>,
    /// Name of the file in the repository; the provider's name unless said otherwise.
    #[arg(long)]
    name: Option<String>,
    /// Token for GitHub, which may write contents and pull requests.
    #[arg(long, env = "GITHUB_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    github_token: Option<String>,
    /// Address of GitHub's API, for another server than the repository's address tells.
    #[arg(long, env = "GITHUB_API_URL", value_name = "URL")]
    github_api: Option<String>,
    /// Link to a pull request that exists already.
    #[arg(long, conflicts_with = "repo")]
    pull_request_url: Option<String>,
    /// Environment whose contracts it is compared with.
    #[arg(long, default_value = "production")]
    environment: String,
    /// Not to be decided yet.
    #[arg(long)]
    draft: bool,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Propose {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let contract = self.read()?;
        let branch = self.branch.clone().or_else(|| contract.consumer_branch.clone()).ok_or_else(|| {
            Error::Usage("--branch is missing: the consumer's branch that needs the contract".into())
        })?;
        let contract = ContractFile { consumer_branch: Some(branch.clone()), ..contract };
        let pact = &contract.pact;
        let title = match &self.title {
            Some(title) => title.clone(),
            None => format!("Contract of {} with {}", pact.consumer, pact.provider),
        };
        let client = self.broker.client()?;
        let (breaking, changes) = compared(&client, &contract, &self.environment).await?;
        let mut text = changes.clone();
        let mut url = self.pull_request_url.clone();
        if let Some(repo) = &self.repo {
            let place = contract_files::place(&contract, self.name.as_deref());
            let described = body(&contract, &branch, breaking, &changes, self.broker.url());
            match Repository::from_url(repo).filter(|_| !Path::new(repo).is_dir()) {
                Some(repository) => {
                    let request = PullRequest {
                        branch: work_branch(&contract, &branch),
                        path: place.display().to_string(),
                        content: with_branch(&contract, &branch),
                        title: title.clone(),
                        body: described,
                    };
                    let opened = self.open(repository, &request).await?;
                    text.push_str(&format!("pull request: {opened}\n"));
                    url = Some(opened);
                }
                None => text.push_str(&write_into(Path::new(repo), &place, &contract, &branch, &title)?),
            }
        }
        let new = NewProposal {
            pact,
            consumer_branch: &branch,
            title: Some(&title),
            team: self.team.as_deref(),
            author: self.author.as_deref(),
            pull_request_url: url.as_deref(),
            draft: self.draft,
        };
        let answer = client.propose(&new).await?;
        let how = match answer.get("mode").and_then(Value::as_str) {
            Some("repository") => "the provider accepts it by merging the file into its main branch",
            _ => "the provider accepts it with `tracepact contract accept` or on the page of the proposal",
        };
        text.push_str(&format!("proposed as {}; {how}\n", id(&answer)));
        self.broker.show(&answer, &text);
        Ok(0)
    }

    /// The contract of one consumer, without errors.
    fn read(&self) -> Result<ContractFile, Error> {
        let mut all = contract_files::by_consumer(&contract_files::read_all(&self.file)?)?;
        let (Some((_, contract)), true) = (all.pop_first(), all.is_empty()) else {
            return Err(Error::Usage(format!(
                "{} holds contracts of several consumers: propose one after the other",
                self.file.display()
            )));
        };
        let provider = &contract.pact.provider;
        if let Some(named) = self.provider.as_ref().filter(|named| *named != provider) {
            return Err(Error::Usage(format!("the contract is with {provider}, not with {named}")));
        }
        let errors: Vec<String> = of_contract(&contract)
            .into_iter()
            .filter(|f| f.level == Level::Error)
            .map(|f| format!("{} {}", f.interaction, f.reason).trim().to_owned())
            .collect();
        if errors.is_empty() { Ok(contract) } else { Err(Error::Usage(errors.join("; "))) }
    }

    async fn open(&self, mut repository: Repository, request: &PullRequest) -> Result<String, Error> {
        let Some(token) = &self.github_token else {
            return Err(Error::Usage(
                "GITHUB_TOKEN is missing: with it the pull request is opened; without it name a checkout of the \
                 repository with --repo"
                    .into(),
            ));
        };
        if let Some(api) = &self.github_api {
            repository.api = api.trim_end_matches('/').to_owned();
        }
        repository.open(&Secret::new(token.clone()), request).await
    }
}

/// What changes against what the consumer has in the environment, per version there.
async fn compared(
    client: &BrokerClient,
    contract: &ContractFile,
    environment: &str,
) -> Result<(bool, String), Error> {
    let pact = &contract.pact;
    let live = match client.live_contracts(&pact.provider, Some(&pact.consumer), environment).await {
        // An environment that does not exist yet has nothing to compare with.
        Err(Error::Refused { status: 400, .. }) => Vec::new(),
        other => other?,
    };
    let found = |old| meanings(old, pact).map_err(|e| Error::Usage(e.to_string()));
    if live.is_empty() {
        let text =
            format!("{} has nothing in {environment} yet: everything it asks for is new\n", pact.consumer);
        return Ok((true, text));
    }
    let (mut breaking, mut text) = (false, String::new());
    for (name, old) in &live {
        let meaning = found(Some(old))?;
        breaking |= meaning.is_breaking();
        text.push_str(&format!("against {name} in {environment}:\n"));
        meaning.text().lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    Ok((breaking, text))
}

fn work_branch(contract: &ContractFile, branch: &str) -> String {
    let stem = tracepact_contract_model::file_stem;
    format!("contract/{}/{}", stem(&contract.pact.consumer), stem(branch))
}

/// The YAML form with the consumer's branch in it.
fn with_branch(contract: &ContractFile, branch: &str) -> String {
    let text = contract.to_yaml();
    if text.lines().any(|line| line.starts_with("branch:")) {
        return text;
    }
    let branch = serde_json::to_string(branch).unwrap_or_default();
    text.replacen("interactions:", &format!("branch: {branch}\ninteractions:"), 1)
}

/// Writes the file into a checkout; the commands that make a pull request of it.
fn write_into(
    repo: &Path,
    place: &Path,
    contract: &ContractFile,
    branch: &str,
    title: &str,
) -> Result<String, Error> {
    if !repo.is_dir() {
        return Err(Error::Usage(format!(
            "--repo {}: neither a folder nor an address of a repository at GitHub",
            repo.display()
        )));
    }
    let path = repo.join(place);
    let wrong = |e: std::io::Error| Error::Usage(format!("{}: {e}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    std::fs::write(&path, with_branch(contract, branch)).map_err(wrong)?;
    let (repo, branch) = (quoted(&repo.display().to_string()), quoted(&work_branch(contract, branch)));
    let (file, title) = (quoted(&place.display().to_string()), quoted(title));
    Ok(format!(
        "wrote {}\nmake the pull request with:\n  git -C {repo} switch -c {branch}\n  git -C {repo} add {file}\n  \
         git -C {repo} commit -m {title}\n  git -C {repo} push -u origin {branch}\nand tell the broker its address: the \
         same command with --pull-request-url URL instead of --repo\n",
        path.display()
    ))
}

/// A word of a POSIX shell, whatever is in it.
fn quoted(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./=".contains(c);
    if !text.is_empty() && text.chars().all(harmless) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The description of the pull request. The contract's own words stand in blocks of code, where they are no Markdown.
fn body(contract: &ContractFile, branch: &str, breaking: bool, changes: &str, broker: &str) -> String {
    let pact = &contract.pact;
    let fence = "`".repeat(3 + longest_run(changes, '`').max(longest_run(branch, '`')));
    let line = |text: &str| text.replace(['\n', '\r'], " ");
    format!(
        "A contract that a consumer proposes to this provider. Merging it accepts it: from then on this provider's build \
         keeps it.\n\n{fence}\nconsumer: {}\nbranch:   {}\ncontent:  {}\n{fence}\n\n{}\n\n{fence}\n{}\n{fence}\n\n\
         Broker: <{broker}>\n",
        line(&pact.consumer),
        line(branch),
        pact.content_id,
        if breaking {
            "**It asks for more** than what is deployed: a provider that keeps the present contract may fail it."
        } else {
            "It asks for nothing more than what is deployed."
        },
        changes.trim_end(),
    )
}

fn longest_run(text: &str, wanted: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_shell_are_quoted() {
        assert_eq!(quoted("contracts/orders/x.yaml"), "contracts/orders/x.yaml");
        assert_eq!(quoted("it's; $(rm)"), r"'it'\''s; $(rm)'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn the_description_keeps_hostile_words_in_their_block() {
        let yaml = "contract: 1\nconsumer: a\nprovider: b\ninteractions: [{description: x, request: {path: /}, response: {}}]\n";
        let contract = ContractFile::from_yaml(yaml).unwrap();
        let text = body(&contract, "x`````y", true, "````\n# Heading\n", "http://b");
        assert!(text.contains("\n````````\nconsumer: a"), "{text}");
        assert!(with_branch(&contract, "feat: x").contains("branch: \"feat: x\"\n"));
        assert_eq!(
            ContractFile::from_yaml(&with_branch(&contract, "feat: x")).unwrap().consumer_branch.as_deref(),
            Some("feat: x")
        );
    }
}
