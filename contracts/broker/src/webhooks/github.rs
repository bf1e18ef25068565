//! GitHub's commit statuses and check runs, so that a pull request shows what its contract is up to.
//!
//! The commit is the pacticipant's version number, as Pact recommends; a number that is none is said in the log and
//! nothing is sent. API: `POST /repos/{owner}/{repo}/statuses/{sha}`, `POST /repos/{owner}/{repo}/check-runs`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::WebhookPolicy;
use super::definition::{HIDDEN, RequestTemplate, check_url, kept};
use super::template::Variables;
use crate::BrokerError;

const API: &str = "https://api.github.com";
/// GitHub's bound of a status's description.
const DESCRIPTION_CHARS_MAX: usize = 140;

/// What appears on the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Status,
    Check,
}

/// Whose commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    Consumer,
    Provider,
}

/// A webhook that tells GitHub.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GitHub {
    /// `owner/name`.
    repository: String,
    token: String,
    kind: Kind,
    side: Side,
    /// The name of the status or check.
    context: String,
    /// `https://github.example.com/api/v3` for an enterprise server.
    api_url: String,
}

impl GitHub {
    /// Reads `{repository, token, kind, reportTo, context, apiUrl}`.
    pub(crate) fn read(
        github: &Value,
        policy: &WebhookPolicy,
        before: Option<&Self>,
    ) -> Result<Self, BrokerError> {
        let text = |field: &str| match github.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Some(_) => Err(BrokerError::invalid(&format!("github.{field}"), "must be a string")),
        };
        let missing = |field: &str| BrokerError::invalid(&format!("github.{field}"), "can't be blank");
        let repository = text("repository")?.ok_or_else(|| missing("repository"))?;
        let segment = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        };
        if !repository.split_once('/').is_some_and(|(owner, name)| segment(owner) && segment(name)) {
            return Err(BrokerError::invalid("github.repository", "must be owner/name"));
        }
        let token = kept(text("token")?, before.map(|b| &b.token), "github.token")?
            .ok_or_else(|| missing("token"))?;
        if !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err(BrokerError::invalid("github.token", "has characters that no token has"));
        }
        let kind = match text("kind")?.as_deref() {
            None | Some("status") => Kind::Status,
            Some("check") => Kind::Check,
            Some(_) => return Err(BrokerError::invalid("github.kind", "must be status or check")),
        };
        let side = match text("reportTo")?.as_deref() {
            None | Some("consumer") => Side::Consumer,
            Some("provider") => Side::Provider,
            Some(_) => return Err(BrokerError::invalid("github.reportTo", "must be consumer or provider")),
        };
        let context = text("context")?.unwrap_or_else(|| "contract".to_owned());
        if context.chars().count() > 100 || context.chars().any(char::is_control) {
            return Err(BrokerError::invalid("github.context", "must be one line of at most 100 characters"));
        }
        let api_url = text("apiUrl")?.unwrap_or_else(|| API.to_owned()).trim_end_matches('/').to_owned();
        check_url("github.apiUrl", &api_url, policy)?;
        Ok(Self { repository, token, kind, side, context, api_url })
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Everything but the token.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "repository": self.repository, "token": HIDDEN, "kind": self.kind, "reportTo": self.side,
            "context": self.context, "apiUrl": self.api_url,
        })
    }

    /// The request that tells what `variables` say; an error says why none can be made.
    pub(crate) fn request(&self, variables: &Variables) -> Result<RequestTemplate, String> {
        let get = |name: &str| variables.get(name).map(String::as_str).unwrap_or_default();
        let (side, commit) = match self.side {
            Side::Consumer => ("consumer", get("consumerVersionNumber")),
            Side::Provider => ("provider", get("providerVersionNumber")),
        };
        // A version may be `1.2.3+<commit>`: what follows the last `+` counts.
        let commit = commit.rsplit('+').next().unwrap_or_default().to_ascii_lowercase();
        if commit.len() != 40 || !commit.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(format!(
                "the {side}'s version number is no full commit id, so there is no commit to report to"
            ));
        }
        let state = match (get("proposalState"), get("githubVerificationStatus")) {
            ("", status) => status,
            ("accepted" | "enforced", _) => "success",
            ("rejected" | "withdrawn", _) => "failure",
            _ => "pending",
        };
        let description: String = description(variables, state).chars().take(DESCRIPTION_CHARS_MAX).collect();
        let target = [get("verificationResultUrl"), get("proposalUrl"), get("pactUrl")];
        let target = target.into_iter().find(|url| !url.is_empty()).unwrap_or_default();
        let (path, body) = match self.kind {
            Kind::Status => (
                format!("statuses/{commit}"),
                json!({ "state": state, "target_url": target, "description": description, "context": self.context }),
            ),
            Kind::Check => {
                let mut body = json!({
                    "name": self.context, "head_sha": commit, "details_url": target,
                    "status": if state == "pending" { "in_progress" } else { "completed" },
                    "output": { "title": description, "summary": summary(variables) },
                });
                if state != "pending" {
                    body["conclusion"] = state.into();
                }
                ("check-runs".to_owned(), body)
            }
        };
        Ok(RequestTemplate {
            method: "POST".to_owned(),
            url: format!("{}/repos/{}/{path}", self.api_url, self.repository),
            headers: vec![
                ("accept".to_owned(), "application/vnd.github+json".to_owned()),
                ("authorization".to_owned(), format!("Bearer {}", self.token)),
                ("content-type".to_owned(), "application/json".to_owned()),
                ("x-github-api-version".to_owned(), "2022-11-28".to_owned()),
            ],
            body: Some(body),
            username: None,
            password: None,
            signing_secret: None,
        })
    }
}

fn description(variables: &Variables, state: &str) -> String {
    let get = |name: &str| variables.get(name).map(String::as_str).unwrap_or_default();
    let (consumer, provider) = (get("consumerName"), get("providerName"));
    match (get("proposalState"), state) {
        ("", "success") => format!("{provider} verified the contract of {consumer}"),
        ("", "failure") => format!("{provider} does not fulfil the contract of {consumer}"),
        ("", _) => format!("{provider} has yet to verify the contract of {consumer}"),
        (proposal, _) => format!("The contract that {consumer} proposes to {provider} is {proposal}"),
    }
}

/// The check's text: Markdown, so what comes from names stands in code spans.
fn summary(variables: &Variables) -> String {
    let rows = [
        ("consumer", "consumerName"),
        ("consumer version", "consumerVersionNumber"),
        ("provider", "providerName"),
        ("provider version", "providerVersionNumber"),
        ("change", "proposalChange"),
        ("affected", "proposalAffected"),
        ("contract", "pactUrl"),
        ("result", "verificationResultUrl"),
    ];
    let mut summary = String::new();
    for (label, name) in rows {
        if let Some(value) = variables.get(name).filter(|value| !value.is_empty()) {
            summary.push_str(&format!("- {label}: `{}`\n", value.replace('`', "'")));
        }
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn github(kind: &str) -> GitHub {
        let body = json!({ "repository": "shop/orders", "token": "t0ken", "kind": kind });
        GitHub::read(&body, &WebhookPolicy::default(), None).unwrap()
    }

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let all = [("consumerName", "orders"), ("providerName", "products"), ("pactUrl", "https://b/p")];
        all.iter().chain(pairs).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_result_is_a_status_of_the_consumers_commit() {
        let version = format!("1.0.0+{COMMIT}");
        let known =
            variables(&[("consumerVersionNumber", &version), ("githubVerificationStatus", "failure")]);
        let request = github("status").request(&known).unwrap();
        assert_eq!(request.url, format!("https://api.github.com/repos/shop/orders/statuses/{COMMIT}"));
        let body = request.body.unwrap();
        assert_eq!(body["state"], "failure");
        assert_eq!(body["target_url"], "https://b/p");
        assert!(body["description"].as_str().unwrap().contains("does not fulfil"));
    }

    #[test]
    fn a_proposal_is_a_check_that_ends_with_its_answer() {
        for (state, status, conclusion) in [
            ("proposed", "in_progress", None),
            ("accepted", "completed", Some("success")),
            ("rejected", "completed", Some("failure")),
        ] {
            let known = variables(&[
                ("consumerVersionNumber", COMMIT),
                ("proposalState", state),
                ("githubVerificationStatus", "pending"),
            ]);
            let body = github("check").request(&known).unwrap().body.unwrap();
            assert_eq!(body["status"], status);
            assert_eq!(body.get("conclusion").and_then(Value::as_str), conclusion);
            assert!(body["output"]["summary"].as_str().unwrap().contains("`orders`"));
        }
    }

    #[test]
    fn a_version_that_is_no_commit_reports_nothing() {
        let refused =
            github("status").request(&variables(&[("consumerVersionNumber", "1.2.3")])).err().unwrap();
        assert!(refused.contains("no full commit id"), "{refused}");
    }

    #[test]
    fn what_is_read_is_checked() {
        let read =
            |body: Value| GitHub::read(&body, &WebhookPolicy::default(), None).err().map(|e| e.to_string());
        for (body, field) in [
            (json!({ "token": "t" }), "github.repository"),
            (json!({ "repository": "a/../b", "token": "t" }), "github.repository"),
            (json!({ "repository": "a/..", "token": "t" }), "github.repository"),
            (json!({ "repository": "a/b" }), "github.token"),
            (json!({ "repository": "a/b", "token": "a\nb" }), "github.token"),
            (json!({ "repository": "a/b", "token": "t", "kind": "x" }), "github.kind"),
            (json!({ "repository": "a/b", "token": "t", "apiUrl": "https://10.0.0.1" }), "github.apiUrl"),
        ] {
            assert!(read(body).unwrap().starts_with(field), "{field}");
        }
        assert!(!github("status").shown().to_string().contains("t0ken"));
    }
}
