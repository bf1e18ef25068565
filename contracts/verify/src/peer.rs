//! A broker as a place to read from and write to: whole texts, links followed only inside it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tracepact_base::Secret;

use crate::Error;

/// How long one request may take; a backup of a large broker takes its time.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(600);
/// How often a request is sent again after 429 and 5xx.
const RETRIES: u32 = 5;
/// First pause before a request is sent again; each further one is twice as long.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Largest answer that is taken.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Who asks.
#[derive(Debug, Clone, Default)]
pub enum PeerCredentials {
    /// Nobody in particular.
    #[default]
    None,
    /// A bearer token.
    Token(Secret),
    /// HTTP basic: user and password, as the Pact Broker has them.
    Basic(String, Secret),
}

/// A broker at an address.
#[derive(Debug, Clone)]
pub struct Peer {
    url: String,
    credentials: PeerCredentials,
    http: reqwest::Client,
}

impl Peer {
    /// The broker at `url` (`https://host/prefix`).
    ///
    /// # Errors
    /// When it is not an http or https address, or no HTTP client can be made.
    pub fn new(url: &str, credentials: PeerCredentials) -> Result<Self, Error> {
        let parsed =
            url::Url::parse(url).map_err(|e| Error::Usage(format!("{url:?} is not an address: {e}")))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(Error::Usage(format!("{url:?} is not an http or https address")));
        }
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| {
                Error::Usage(format!(
                    "no HTTP client: {e} (certificate authorities come from the package ca-certificates)"
                ))
            })?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), credentials, http })
    }

    /// Its address without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The text at a path of this broker (`/pacticipants`).
    pub async fn get(&self, path: &str, what: &str) -> Result<String, Error> {
        let address = format!("{}{path}", self.url);
        let answer = self
            .send(|| self.http.get(&address).header("accept", "application/hal+json, application/json"), what)
            .await?;
        String::from_utf8(answer)
            .map_err(|_| Error::Answer { what: what.to_owned(), reason: "it is not UTF-8".into() })
    }

    /// Writes what is at a path of this broker to a new file, piece by piece; how many bytes. The file has its name only
    /// once it is complete and on disk.
    pub async fn download(&self, path: &str, what: &str, file: &Path) -> Result<u64, Error> {
        let address = format!("{}{path}", self.url);
        let unwritable =
            |e: std::io::Error| Error::Usage(format!("{} cannot be written: {e}", file.display()));
        if file.exists() {
            return Err(Error::Usage(format!("{} exists already and is not overwritten", file.display())));
        }
        let mut answer = self.answer(|| self.http.get(&address), what).await?;
        let announced = answer.content_length();
        let part = file.with_extension("part");
        let mut out = tokio::fs::File::create(&part).await.map_err(unwritable)?;
        let mut bytes = 0;
        while let Some(piece) = answer.chunk().await.map_err(|e| self.unreachable(&e))? {
            out.write_all(&piece).await.map_err(unwritable)?;
            bytes += piece.len() as u64;
        }
        if announced.is_some_and(|announced| announced != bytes) {
            return Err(Error::Answer { what: what.to_owned(), reason: "it ended too early".into() });
        }
        out.sync_all().await.map_err(unwritable)?;
        drop(out);
        tokio::fs::rename(&part, file).await.map_err(unwritable)?;
        if let Some(folder) = file.parent() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            tokio::fs::File::open(folder).await.map_err(unwritable)?.sync_all().await.map_err(unwritable)?;
        }
        Ok(bytes)
    }

    /// Posts JSON to a path of this broker and reads the JSON of the answer.
    pub async fn post(&self, path: &str, body: &Value, what: &str) -> Result<Value, Error> {
        let address = format!("{}{path}", self.url);
        let answer = self.send(|| self.http.post(&address).json(body), what).await?;
        serde_json::from_slice(&answer)
            .map_err(|e| Error::Answer { what: what.to_owned(), reason: e.to_string() })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        Error::Unreachable { url: self.url.clone(), reason: error.to_string() }
    }

    async fn send(
        &self,
        request: impl Fn() -> reqwest::RequestBuilder,
        what: &str,
    ) -> Result<Vec<u8>, Error> {
        let answer = self.answer(request, what).await?;
        self.collect(answer, what).await
    }

    /// The answer to a request, once it is a success.
    async fn answer(
        &self,
        request: impl Fn() -> reqwest::RequestBuilder,
        what: &str,
    ) -> Result<reqwest::Response, Error> {
        let mut pause = RETRY_PAUSE;
        let mut left = RETRIES;
        loop {
            let request = match &self.credentials {
                PeerCredentials::None => request(),
                PeerCredentials::Token(token) => request().bearer_auth(token.expose()),
                PeerCredentials::Basic(user, password) => request().basic_auth(user, Some(password.expose())),
            };
            let answer = request.send().await.map_err(|e| self.unreachable(&e))?;
            let status = answer.status().as_u16();
            if (200..300).contains(&status) {
                return Ok(answer);
            }
            if (status == 429 || status >= 500) && left > 0 {
                left -= 1;
                tokio::time::sleep(pause).await;
                pause *= 2;
                continue;
            }
            let bytes = self.collect(answer, what).await?;
            let detail = String::from_utf8_lossy(&bytes).chars().take(500).collect();
            return Err(Error::Refused { what: what.to_owned(), status, detail });
        }
    }

    async fn collect(&self, mut answer: reqwest::Response, what: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        loop {
            let piece = answer.chunk().await.map_err(|e| self.unreachable(&e))?;
            let Some(piece) = piece else { return Ok(bytes) };
            if bytes.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(Error::Answer {
                    what: what.to_owned(),
                    reason: format!("it is larger than {ANSWER_BYTES_MAX} bytes"),
                });
            }
            bytes.extend_from_slice(&piece);
        }
    }
}
