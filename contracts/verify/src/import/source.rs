//! Reading a broker through the Pact Broker's API.

use futures::{StreamExt, TryStreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{Error, Peer};

/// Most pages of one list; a broker that always names a next page must not hold an import for ever.
const PAGES_MAX: usize = 10_000;
/// Rows of the matrix that are asked for: the original cuts at 100 unless told.
const MATRIX_ROWS: usize = 1_000_000;

pub(super) struct Source<'a> {
    peer: &'a Peer,
    /// What its links begin with.
    base: String,
    /// Most requests at a time.
    requests: usize,
}

/// A version, and the addresses of its pacts.
pub(super) struct VersionFound {
    pub(super) pacticipant: String,
    pub(super) number: String,
    pub(super) part: Value,
    pub(super) pacts: Vec<String>,
}

pub(super) struct EnvironmentFound {
    name: String,
    pub(super) part: Value,
    deployed: Option<String>,
    released: Option<String>,
}

pub(super) struct ResultFound {
    pub(super) part: Value,
    pub(super) at: String,
    pub(super) number: u64,
}

/// The texts of a list.
pub(super) fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|v| Some(v.as_str()?.to_owned())).collect()
}

fn entries<'v>(body: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    body.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn href(link: &Value) -> Option<String> {
    Some(link.get("href")?.as_str()?.to_owned())
}

fn encode(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

impl<'a> Source<'a> {
    pub(super) async fn open(peer: &'a Peer, requests: usize) -> Result<Self, Error> {
        let index = parse(&peer.get("/", "its index").await?, "its index")?;
        let own =
            index.pointer("/_links/self/href").and_then(Value::as_str).ok_or_else(|| Error::Answer {
                what: "its index".into(),
                reason: format!("{} does not look like a Pact Broker", peer.url()),
            })?;
        Ok(Self { peer, base: own.trim_end_matches('/').to_owned(), requests })
    }

    /// Most requests at a time.
    pub(super) fn requests(&self) -> usize {
        self.requests
    }

    /// What is behind links, several at a time, in their order.
    async fn all(&self, links: &[String], what: &str) -> Result<Vec<Value>, Error> {
        stream::iter(links.iter().map(|link| self.json(link, what)))
            .buffered(self.requests)
            .try_collect()
            .await
    }

    /// The text behind one of its links. Links that lead elsewhere are not followed.
    pub(super) async fn follow(&self, link: &str, what: &str) -> Result<String, Error> {
        let path = [self.base.as_str(), self.peer.url()].iter().find_map(|base| link.strip_prefix(base));
        let path = path.filter(|path| path.starts_with('/')).ok_or_else(|| Error::Answer {
            what: what.to_owned(),
            reason: format!("the link {link} leads out of the broker"),
        })?;
        self.peer.get(path, what).await
    }

    async fn json(&self, link: &str, what: &str) -> Result<Value, Error> {
        parse(&self.follow(link, what).await?, what)
    }

    /// Every page of a list.
    async fn pages(&self, path: &str, what: &str) -> Result<Vec<Value>, Error> {
        let mut pages = vec![parse(&self.peer.get(path, what).await?, what)?];
        while let Some(next) = pages.last().and_then(|page| href(page.pointer("/_links/next")?)) {
            if pages.len() >= PAGES_MAX {
                return Err(Error::Answer {
                    what: what.to_owned(),
                    reason: format!("it has more than {PAGES_MAX} pages"),
                });
            }
            pages.push(self.json(&next, what).await?);
        }
        Ok(pages)
    }

    pub(super) async fn pacticipants(&self) -> Result<Vec<Value>, Error> {
        let pages = self.pages("/pacticipants", "the list of pacticipants").await?;
        let all = pages.iter().flat_map(|page| entries(page, "/_embedded/pacticipants"));
        Ok(all
            .map(|one| {
                let labels: Vec<&Value> =
                    entries(one, "/_embedded/labels").map(|label| &label["name"]).collect();
                // The original makes a display name up when there is none.
                let display_name = one.get("displayName").filter(|shown| *shown != &one["name"]);
                json!({
                    "name": one["name"],
                    "display_name": display_name,
                    "main_branch": one.get("mainBranch"),
                    "repository_url": one.get("repositoryUrl"),
                    "labels": labels,
                    "created_at": one.get("createdAt"),
                })
            })
            .collect())
    }

    /// The versions of a pacticipant, oldest first.
    pub(super) async fn versions(&self, name: &str) -> Result<Vec<VersionFound>, Error> {
        let pages =
            self.pages(&format!("/pacticipants/{}/versions", encode(name)), "a list of versions").await?;
        let mut links: Vec<String> = Vec::new();
        for page in &pages {
            let listed = entries(page, "/_links/pb:versions").filter_map(href);
            links.extend(listed.filter(|link| !links.contains(link)).collect::<Vec<_>>());
        }
        links.reverse();
        let mut found = Vec::new();
        for one in self.all(&links, "a version").await? {
            let names = |pointer: &str| entries(&one, pointer).map(|v| v["name"].clone()).collect::<Vec<_>>();
            found.push(VersionFound {
                pacticipant: name.to_owned(),
                number: one["number"].as_str().unwrap_or_default().to_owned(),
                part: json!({
                    "pacticipant": name,
                    "version": one["number"],
                    "build_url": one.get("buildUrl"),
                    "branches": names("/_embedded/branchVersions"),
                    "tags": names("/_embedded/tags"),
                    "created_at": one.get("createdAt"),
                }),
                pacts: entries(&one, "/_links/pb:pact-versions").filter_map(href).collect(),
            });
        }
        // Lists are newest first; the instant decides where it says more.
        found.sort_by(|a, b| a.part["created_at"].as_str().cmp(&b.part["created_at"].as_str()));
        Ok(found)
    }

    /// Every result of a pair that the matrix shows, each once.
    pub(super) async fn results(&self, consumer: &str, provider: &str) -> Result<Vec<ResultFound>, Error> {
        const WHAT: &str = "a verification result";
        let path = format!(
            "/matrix?q%5B%5D%5Bpacticipant%5D={}&q%5B%5D%5Bpacticipant%5D={}&limit={MATRIX_ROWS}",
            encode(consumer),
            encode(provider)
        );
        let matrix = parse(&self.peer.get(&path, "the matrix of a pair").await?, "the matrix of a pair")?;
        let mut seen = std::collections::BTreeSet::new();
        let (mut rows, mut links) = (Vec::new(), Vec::new());
        for row in entries(&matrix, "/matrix") {
            let of_pair = row.pointer("/consumer/name").and_then(Value::as_str) == Some(consumer)
                && row.pointer("/provider/name").and_then(Value::as_str) == Some(provider);
            let link = row.pointer("/verificationResult/_links/self").and_then(href);
            let Some(link) = link.filter(|link| of_pair && seen.insert(link.clone())) else { continue };
            rows.push(row);
            links.push(link);
        }
        let mut found = Vec::new();
        for ((row, link), one) in rows.into_iter().zip(&links).zip(self.all(&links, WHAT).await?) {
            let number = link.rsplit('/').next().and_then(|n| n.parse().ok()).unwrap_or(0);
            let at = one.get("verificationDate").or_else(|| row.pointer("/verificationResult/verifiedAt"));
            let at = at.and_then(Value::as_str).map(instant).unwrap_or_default();
            found.push(ResultFound {
                part: json!({
                    "consumer": consumer,
                    "consumer_version": row.pointer("/consumer/version/number"),
                    "provider": provider,
                    "provider_version": one["providerApplicationVersion"],
                    "success": one["success"],
                    "build_url": one.get("buildUrl"),
                    "test_results": one.get("testResults"),
                    "verified_by": one.get("verifiedBy"),
                    "created_at": if at.is_empty() { Value::Null } else { at.as_str().into() },
                }),
                at,
                number,
            });
        }
        Ok(found)
    }

    pub(super) async fn environments(&self) -> Result<Vec<EnvironmentFound>, Error> {
        let list = parse(
            &self.peer.get("/environments", "the list of environments").await?,
            "the list of environments",
        )?;
        Ok(entries(&list, "/_embedded/environments")
            .map(|one| EnvironmentFound {
                name: one["name"].as_str().unwrap_or_default().to_owned(),
                part: json!({
                    "name": one["name"],
                    "display_name": one.get("displayName").filter(|shown| *shown != &one["name"]),
                    "production": one["production"].as_bool().unwrap_or(false),
                    "contacts": one.get("contacts"),
                    "created_at": one.get("createdAt"),
                }),
                deployed: one.pointer("/_links/pb:currently-deployed-deployed-versions").and_then(href),
                released: one.pointer("/_links/pb:currently-supported-released-versions").and_then(href),
            })
            .collect())
    }

    /// What is deployed to and released in an environment now.
    pub(super) async fn presences(&self, environment: &EnvironmentFound) -> Result<Value, Error> {
        let mut part = json!({ "deployments": [], "releases": [] });
        for (link, list, key) in [
            (&environment.deployed, "/_embedded/deployedVersions", "deployments"),
            (&environment.released, "/_embedded/releasedVersions", "releases"),
        ] {
            let Some(link) = link else { continue };
            let body = self.json(link, "what is in an environment").await?;
            let found: Vec<Value> = entries(&body, list)
                .map(|one| {
                    let mut presence = json!({
                        "pacticipant": one.pointer("/_embedded/pacticipant/name"),
                        "version": one.pointer("/_embedded/version/number"),
                        "environment": environment.name,
                        "created_at": one.get("createdAt"),
                    });
                    if let Some(instance) = one.get("applicationInstance").or_else(|| one.get("target")) {
                        presence["instance"] = instance.clone();
                    }
                    presence
                })
                .collect();
            part[key] = found.into();
        }
        Ok(part)
    }
}

/// Some versions of the original write `+00:00` without seconds' fractions and some a space; ours reads RFC 3339.
fn instant(text: &str) -> String {
    text.trim().replacen(' ', "T", 1)
}

fn parse(text: &str, what: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|e| Error::Answer { what: what.to_owned(), reason: e.to_string() })
}
