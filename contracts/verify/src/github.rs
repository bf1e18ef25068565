//! Opening a pull request at GitHub: a branch, one commit that adds or changes one file, the request. Works with
//! GitHub Enterprise and anything else that speaks the same REST API (version 2022-11-28).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tracepact_base::Secret;

use crate::Error;
use crate::broker_client::{chain, encode};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A repository at GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// User or organization.
    pub owner: String,
    /// Name.
    pub name: String,
    /// Address of the API: `https://api.github.com`, or `https://HOST/api/v3` for another host.
    pub api: String,
}

/// The pull request to be opened.
#[derive(Debug, Clone)]
pub struct PullRequest {
    /// The branch to create.
    pub branch: String,
    /// Path of the file in the repository.
    pub path: String,
    /// Its new content.
    pub content: String,
    /// Title, which is the commit's message as well.
    pub title: String,
    /// Description, in Markdown.
    pub body: String,
}

impl Repository {
    /// From an address such as `https://github.com/acme/products` (or `.git`, or `git@github.com:acme/products.git`).
    /// `None` when it is not one of GitHub's form.
    pub fn from_url(url: &str) -> Option<Self> {
        let (host, path) = match url.strip_prefix("git@") {
            Some(rest) => {
                let (host, path) = rest.split_once(':')?;
                (host.to_owned(), path.to_owned())
            }
            None => {
                let parsed = url::Url::parse(url).ok()?;
                if !matches!(parsed.scheme(), "https" | "http" | "ssh") {
                    return None;
                }
                (parsed.host_str()?.to_owned(), parsed.path().trim_start_matches('/').to_owned())
            }
        };
        let path = path.trim_end_matches('/').trim_end_matches(".git");
        let (owner, name) = path.split_once('/')?;
        let is_name = |text: &str| {
            !text.is_empty()
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
                && text.chars().any(|c| c != '.')
        };
        if !is_name(owner) || !is_name(name) {
            return None;
        }
        let api = if host == "github.com" {
            "https://api.github.com".to_owned()
        } else {
            format!("https://{host}/api/v3")
        };
        Some(Self { owner: owner.to_owned(), name: name.to_owned(), api })
    }

    /// Opens the pull request, or brings an open one of the same branch up to date. Returns its address.
    ///
    /// # Errors
    /// When GitHub cannot be reached or refuses; what it said is in the message.
    pub async fn open(&self, token: &Secret, request: &PullRequest) -> Result<String, Error> {
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .user_agent("tracepact")
            .build()
            .map_err(|e| Error::Usage(format!("no HTTP client: {}", chain(&e))))?;
        let api = Api { base: format!("{}/repos/{}/{}", self.api, self.owner, self.name), token, http };
        let repository = api.get("", "the repository").await?.unwrap_or_default();
        let main = repository.get("default_branch").and_then(Value::as_str).unwrap_or("main").to_owned();
        let branch = encode_path(&request.branch);
        if api.get(&format!("/git/ref/heads/{branch}"), "the branch").await?.is_none() {
            let head = api.get(&format!("/git/ref/heads/{}", encode_path(&main)), "its main branch").await?;
            let sha = head.as_ref().and_then(|h| h.pointer("/object/sha")).cloned().ok_or_else(|| {
                Error::Answer { what: "its main branch".into(), reason: format!("{main} has no commit") }
            })?;
            let body = json!({ "ref": format!("refs/heads/{}", request.branch), "sha": sha });
            api.send(reqwest::Method::POST, "/git/refs", &body, "the new branch").await?;
        }
        let path = format!("/contents/{}", encode_path(&request.path));
        let present = api.get(&format!("{path}?ref={}", encode(&request.branch)), "the file").await?;
        let content = STANDARD.encode(&request.content);
        let same = present
            .as_ref()
            .and_then(|p| p.get("content"))
            .and_then(Value::as_str)
            .is_some_and(|c| c.chars().filter(|c| !c.is_whitespace()).eq(content.chars()));
        if !same {
            let mut body = json!({ "message": request.title, "content": content, "branch": request.branch });
            if let Some(sha) = present.as_ref().and_then(|p| p.get("sha")) {
                body["sha"] = sha.clone();
            }
            api.send(reqwest::Method::PUT, &path, &body, "the file").await?;
        }
        let open = format!("/pulls?state=open&head={}:{}", encode(&self.owner), encode(&request.branch));
        let list = api.get(&open, "its pull requests").await?.unwrap_or_default();
        if let Some(url) = list.pointer("/0/html_url").and_then(Value::as_str) {
            return Ok(url.to_owned());
        }
        let body = json!({
            "title": request.title, "head": request.branch, "base": main, "body": request.body,
            "maintainer_can_modify": true,
        });
        let made = api.send(reqwest::Method::POST, "/pulls", &body, "the pull request").await?;
        made.get("html_url").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| Error::Answer {
            what: "the pull request".into(),
            reason: "it has no html_url".into(),
        })
    }

    /// The repository and number of a pull request's address, such as `https://github.com/acme/products/pull/7`.
    pub fn from_pull_request(url: &str) -> Option<(Self, u64)> {
        let (repository, number) = url.trim_end_matches('/').rsplit_once("/pull/")?;
        Some((Self::from_url(repository)?, number.parse().ok()?))
    }

    /// Writes a comment under a pull request of this repository.
    ///
    /// # Errors
    /// As [`Repository::open`].
    pub async fn comment(&self, token: &Secret, number: u64, text: &str) -> Result<(), Error> {
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .user_agent("tracepact")
            .build()
            .map_err(|e| Error::Usage(format!("no HTTP client: {}", chain(&e))))?;
        let api = Api { base: format!("{}/repos/{}/{}", self.api, self.owner, self.name), token, http };
        let path = format!("/issues/{number}/comments");
        api.send(reqwest::Method::POST, &path, &json!({ "body": text }), "the comment").await?;
        Ok(())
    }
}

/// A path with its slashes.
fn encode_path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

struct Api<'a> {
    base: String,
    token: &'a Secret,
    http: reqwest::Client,
}

impl Api<'_> {
    /// `None` for 404.
    async fn get(&self, path: &str, what: &str) -> Result<Option<Value>, Error> {
        match self.ask(self.http.get(format!("{}{path}", self.base)), what).await {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused { status: 404, .. }) if !path.is_empty() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: &Value,
        what: &str,
    ) -> Result<Value, Error> {
        self.ask(self.http.request(method, format!("{}{path}", self.base)).json(body), what).await
    }

    async fn ask(&self, request: reqwest::RequestBuilder, what: &str) -> Result<Value, Error> {
        let unreachable = |e: reqwest::Error| Error::Unreachable {
            url: self.base.clone(),
            reason: chain(&e.without_url()),
        };
        let response = request
            .bearer_auth(self.token.expose())
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status().as_u16();
        let body: Value =
            serde_json::from_str(&response.text().await.map_err(unreachable)?).unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let message = body.get("message").and_then(Value::as_str).unwrap_or("no reason given");
        let details = body.get("errors").map(|e| format!(" {e}")).unwrap_or_default();
        Err(Error::Refused {
            what: format!("{what} (GitHub, {})", self.base),
            status,
            detail: format!("{message}{details}").chars().take(600).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_repositories() {
        let parse =
            |url: &str| Repository::from_url(url).map(|r| format!("{} {} {}", r.owner, r.name, r.api));
        let github = Some("acme products https://api.github.com".to_owned());
        assert_eq!(parse("https://github.com/acme/products"), github);
        assert_eq!(parse("https://github.com/acme/products.git/"), github);
        assert_eq!(parse("git@github.com:acme/products.git"), github);
        assert_eq!(parse("https://git.example.org/a/b").unwrap(), "a b https://git.example.org/api/v3");
        let (repository, number) =
            Repository::from_pull_request("https://github.com/acme/products/pull/7").unwrap();
        assert_eq!((repository.name.as_str(), number), ("products", 7));
        assert!(Repository::from_pull_request("https://github.com/acme/products/issues/7").is_none());
        for bad in [
            "/tmp/x",
            "https://github.com/acme",
            "https://github.com/a/b/c",
            "https://github.com/../..",
            "file:///a/b",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
