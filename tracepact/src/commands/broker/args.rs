//! Where the broker is, how to speak to it, and how to print what it says.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;
use tracepact_base::Secret;
use tracepact_verify::{BrokerClient, ClientOptions, Credentials, Error};

/// Connection options, as `pact broker` has them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct Connection {
    /// The base URL of the Pact Broker.
    #[arg(short = 'b', long, env = "PACT_BROKER_BASE_URL", value_name = "URL")]
    broker_base_url: Option<String>,
    /// Basic auth user name.
    #[arg(short = 'u', long, env = "PACT_BROKER_USERNAME", value_name = "USER")]
    broker_username: Option<String>,
    /// Basic auth password.
    #[arg(short = 'p', long, env = "PACT_BROKER_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    broker_password: Option<String>,
    /// Bearer token.
    #[arg(short = 'k', long, env = "PACT_BROKER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    broker_token: Option<String>,
    /// A header for every request, `Name: Value`; can be repeated.
    #[arg(long, value_name = "HEADER")]
    custom_header: Vec<String>,
    /// How often a request is sent again after 5xx, 408 and 429; the pauses double from 0.5 s, Retry-After is honoured.
    #[arg(long, env = "PACT_BROKER_HTTP_RETRIES", default_value_t = 8, value_name = "TIMES")]
    retries: u32,
    /// File with the certificate authorities to trust, PEM.
    #[arg(short = 'c', long, env = "SSL_CERT_FILE", value_name = "FILE")]
    ssl_certificate: Option<PathBuf>,
    /// Take any certificate.
    #[arg(long, env = "SSL_SKIP_VERIFICATION", num_args = 0..=1, default_missing_value = "true")]
    skip_ssl_verification: Option<bool>,
    /// Taken for compatibility: the machine's certificate authorities are used unless --ssl-certificate is given.
    #[arg(long, env = "SSL_TRUST_STORE", hide = true)]
    ssl_trust_store: Option<bool>,
    /// Taken for compatibility: what is done is printed to standard error anyway.
    #[arg(short = 'v', long, hide = true)]
    verbose: bool,
}

impl Connection {
    pub(super) fn client(&self) -> Result<BrokerClient, Error> {
        let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let url = self
            .broker_base_url
            .clone()
            .filter(|url| !url.is_empty())
            .or_else(|| of("TRACEPACT_BROKER_URL"))
            .unwrap_or_else(|| "http://127.0.0.1:9292".into());
        let credentials = match (&self.broker_token, &self.broker_username) {
            (Some(token), _) if !token.is_empty() => Credentials::Token(Secret::new(token.clone())),
            (_, Some(user)) if !user.is_empty() => Credentials::Basic(
                user.clone(),
                Secret::new(self.broker_password.clone().unwrap_or_default()),
            ),
            _ => of("TRACEPACT_TOKEN").map_or(Credentials::None, |t| Credentials::Token(Secret::new(t))),
        };
        let mut headers = Vec::new();
        for header in &self.custom_header {
            let (name, value) = header
                .split_once(':')
                .ok_or_else(|| Error::Usage(format!("--custom-header {header:?}: write Name: Value")))?;
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        let certificates = match &self.ssl_certificate {
            Some(file) if !file.as_os_str().is_empty() => {
                let pem = std::fs::read(file)
                    .map_err(|e| Error::Usage(format!("--ssl-certificate {}: {e}", file.display())))?;
                Some(pem)
            }
            _ => None,
        };
        BrokerClient::with(
            &url,
            ClientOptions {
                credentials,
                headers,
                retries: self.retries.min(20),
                certificates,
                any_certificate: self.skip_ssl_verification == Some(true),
            },
        )
    }
}

/// How the answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// As the broker sent it.
    Json,
    /// For people.
    Text,
    /// As a table.
    Table,
    /// JSON with line breaks.
    Pretty,
}

impl Output {
    /// Prints `value` or, for people, `text`.
    pub(super) fn show(self, value: &Value, text: &str) {
        match self {
            Self::Json => println!("{value}"),
            Self::Pretty => println!("{value:#}"),
            Self::Text | Self::Table => print!("{text}"),
        }
    }
}

/// `--output` with text as the default.
#[derive(Debug, Args)]
pub(super) struct Printed {
    /// How to print the answer.
    #[arg(short = 'o', long, value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,
}

/// A text inside an answer, `-` when it is not there.
pub(super) fn field<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-")
}

/// The entries of a list inside an answer.
pub(super) fn entries<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Rows under a heading, in columns.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let mut all = vec![heading.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>()];
    all.extend(rows.iter().cloned());
    let width = |i: usize| all.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let mut text = String::new();
    for row in &all {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, w)| format!("{cell:<w$}")).collect();
        text.push_str(cells.join(" | ").trim_end());
        text.push('\n');
    }
    text
}
