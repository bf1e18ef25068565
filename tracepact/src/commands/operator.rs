//! What the commands of an operator share: where the server is, how to ask it, how answers are shown.
//!
//! Exit codes of all of them: 0 done, 1 not done or damage found, 2 wrong usage, 3 the server cannot be reached or the
//! directory cannot be used.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tracepact_store::StoreError;

/// Longest wait for an answer: a snapshot of a large store is read again before it is answered.
const TIMEOUT: Duration = Duration::from_secs(3_600);
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the running server is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// Address of the running server.
    #[arg(long, env = "TRACEPACT_URL", default_value = "http://127.0.0.1:9411", value_name = "URL")]
    pub(crate) url: String,
    /// Token with the admin scope.
    #[arg(long, env = "TRACEPACT_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// File that holds the token, for example DATA-DIR/admin-token.
    #[arg(long, env = "TRACEPACT_TOKEN_FILE", value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
}

/// Why a command did not do what it was told, with its exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// Asked and refused.
    #[error("{0}")]
    Refused(String),
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Nothing could be asked.
    #[error("{0}")]
    Unreachable(String),
}

impl Failed {
    fn code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        }
    }
}

/// A store's refusal of a command on a directory.
impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        use tracepact_base::ErrorKind;
        match error.kind {
            ErrorKind::Unavailable | ErrorKind::NotFound => Self::Unreachable(error.reason),
            _ => Self::Refused(error.reason),
        }
    }
}

/// Ends a command: an error goes to standard error.
pub(crate) fn finish(result: Result<u8, Failed>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("tracepact: {error}");
            ExitCode::from(error.code())
        }
    }
}

/// Prints `value` as JSON when asked for, else `text`.
pub(crate) fn show(json: bool, value: &impl Serialize, text: &str) -> Result<(), Failed> {
    if json {
        let json = serde_json::to_string_pretty(value)
            .map_err(|error| Failed::Refused(format!("the answer cannot be written as JSON: {error}")))?;
        println!("{json}");
    } else {
        print!("{text}");
    }
    Ok(())
}

impl ServerArgs {
    fn bearer(&self) -> Result<Option<String>, Failed> {
        match (&self.token, &self.token_file) {
            (Some(token), _) => Ok(Some(token.clone())),
            (None, Some(file)) => read_token(file).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Sends a request without a body; an answer of 2xx as JSON (`Null` for an empty one), others as a failure with
    /// the server's words.
    pub(crate) async fn ask(&self, method: reqwest::Method, path: &str) -> Result<Value, Failed> {
        let unreachable = |error: reqwest::Error| {
            Failed::Unreachable(format!(
                "{} cannot be asked: {}; is a server running there? Name it with --url",
                self.url,
                causes(&error)
            ))
        };
        let client = reqwest::Client::builder().timeout(TIMEOUT).connect_timeout(CONNECT_TIMEOUT).build();
        let mut request =
            client.map_err(unreachable)?.request(method, format!("{}{path}", self.url.trim_end_matches('/')));
        if let Some(token) = self.bearer()? {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let text = answer.text().await.map_err(unreachable)?;
        if status.is_success() {
            if text.is_empty() {
                return Ok(Value::Null);
            }
            return serde_json::from_str(&text).map_err(|error| {
                Failed::Unreachable(format!("{} did not answer with JSON: {error}", self.url))
            });
        }
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let said = problem.get("detail").and_then(Value::as_str).unwrap_or(text.trim());
        let hint = if status.as_u16() == 401 || status.as_u16() == 403 {
            "; name the token with --token-file DATA-DIR/admin-token"
        } else {
            ""
        };
        Err(Failed::Refused(format!("{status}: {said}{hint}")))
    }
}

fn read_token(file: &Path) -> Result<String, Failed> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failed::Usage(format!("--token-file {}: {error}", file.display())))?;
    Ok(text.trim().to_owned())
}

/// An error with what is behind it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let (mut value, mut unit) = (count as f64, 0);
    while value >= 1_024.0 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_readable() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(5 << 40), "5120.0 GiB");
    }
}
