//! Takes over what another broker has: reads it through the Pact Broker's API, whichever program speaks it, and sends it in
//! parts to a broker of ours. Sending something again changes nothing, so an import that was cut short is started again.
//!
//! Taken over are pacticipants with their labels, versions with branches and tags, pacts, results, environments, and what
//! is deployed or released now, each with its instant. Not taken over: webhooks (they hold secrets that no broker shows),
//! and results that were replaced by later ones where the other broker lists only those that count.

mod source;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tracepact_contract_model::Pact;

use crate::{Error, Peer};
use source::{Source, VersionFound, texts};

/// Most versions or results in one part.
const PART_ENTRIES_MAX: usize = 200;
/// Most bytes of pacts in one part, roughly.
const PART_BYTES_MAX: usize = 4 << 20;
/// Requests at a time, unless said otherwise: the other broker is at work, and several requests hide the way to it.
pub const REQUESTS_DEFAULT: usize = 6;
/// Most requests at a time.
pub const REQUESTS_MAX: usize = 32;
/// Pacts between two words about how far it is.
const PACTS_PER_WORD: usize = 50;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ImportReport {
    /// New here.
    pub pacticipants: u64,
    /// New here.
    pub environments: u64,
    /// New here.
    pub versions: u64,
    /// New here.
    pub pacts: u64,
    /// New here.
    pub results: u64,
    /// Deployments and releases that are new here.
    pub presences: u64,
    /// What stays as it is here although the other broker says otherwise.
    pub kept: Vec<String>,
    /// What could not be taken over, and why.
    pub skipped: Vec<String>,
}

/// Takes over everything from one broker to another, with at most `requests` requests to the other one at a time; `progress`
/// hears what is being done, and how much of it.
///
/// # Errors
/// When either broker cannot be reached or refuses; what was sent before stays, and the import can be started again.
pub async fn import(
    from: &Peer,
    to: &Peer,
    requests: usize,
    progress: &mut dyn FnMut(&str),
) -> Result<ImportReport, Error> {
    let source = Source::open(from, requests.clamp(1, REQUESTS_MAX)).await?;
    let mut target = Target { to, report: ImportReport::default() };
    progress("environments");
    let environments = source.environments().await?;
    target.send(json!({ "environments": environments.iter().map(|e| &e.part).collect::<Vec<_>>() })).await?;
    progress("pacticipants");
    let pacticipants = source.pacticipants().await?;
    for part in pacticipants.chunks(PART_ENTRIES_MAX) {
        target.send(json!({ "pacticipants": part })).await?;
    }
    let names: Vec<String> =
        pacticipants.iter().filter_map(|p| Some(p["name"].as_str()?.to_owned())).collect();
    let mut found = Vec::new();
    for (at, name) in names.iter().enumerate() {
        progress(&format!("versions of {name} ({} of {} pacticipants)", at + 1, names.len()));
        let versions = source.versions(name).await?;
        for part in versions.chunks(PART_ENTRIES_MAX) {
            target.send(json!({ "versions": part.iter().map(|v| &v.part).collect::<Vec<_>>() })).await?;
        }
        found.extend(versions);
    }
    let pairs = pacts(&source, &mut target, &found, progress).await?;
    for (at, pair) in pairs.iter().enumerate() {
        let (consumer, provider) = (&pair.consumer, &pair.provider);
        progress(&format!("results of {consumer} with {provider} ({} of {} pairs)", at + 1, pairs.len()));
        results(&source, &mut target, pair).await?;
    }
    progress("what is deployed and released");
    for environment in &environments {
        let part = source.presences(environment).await?;
        target.send(part).await?;
    }
    Ok(target.report)
}

/// A consumer and a provider, and the ids that interactions of their pacts have there and here.
struct Pair {
    consumer: String,
    provider: String,
    interaction_ids: Vec<(String, String)>,
}

async fn pacts(
    source: &Source<'_>,
    target: &mut Target<'_>,
    versions: &[VersionFound],
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Pair>, Error> {
    let mut pairs: Vec<Pair> = Vec::new();
    let (mut part, mut bytes) = (Vec::new(), 0);
    let wanted: Vec<(&VersionFound, &String)> =
        versions.iter().flat_map(|version| version.pacts.iter().map(move |href| (version, href))).collect();
    let texts = stream::iter(wanted.iter().copied().map(|(version, href)| {
        // The future names what it borrows, so that several can be under way.
        let text = source.follow(href, "a pact");
        async move { text.await.map(|text| (version, text)) }
    }));
    // In their order, since the last one of a branch is its head.
    let mut texts = texts.buffered(source.requests());
    let mut read = 0;
    while let Some((version, text)) = texts.try_next().await? {
        read += 1;
        if read % PACTS_PER_WORD == 0 || read == wanted.len() {
            progress(&format!("pacts ({read} of {})", wanted.len()));
        }
        let pact = match Pact::parse(text.as_bytes()) {
            Ok(pact) => pact,
            Err(error) => {
                target.report.skipped.push(format!("{} {}: {error}", version.pacticipant, version.number));
                continue;
            }
        };
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        remember(&mut pairs, &pact, &document);
        bytes += text.len();
        let created_at = document["createdAt"].as_str();
        part.push(json!({ "version": version.number, "content": pact.text(), "created_at": created_at }));
        if bytes > PART_BYTES_MAX || part.len() >= PART_ENTRIES_MAX {
            target.send(json!({ "pacts": std::mem::take(&mut part) })).await?;
            bytes = 0;
        }
    }
    target.send(json!({ "pacts": part })).await?;
    Ok(pairs)
}

/// Adds the ids of a pact's interactions to those of its pair. They stand in the same order there and here.
fn remember(pairs: &mut Vec<Pair>, pact: &Pact, document: &Value) {
    let at = pairs.iter().position(|p| p.consumer == pact.consumer && p.provider == pact.provider);
    let at = at.unwrap_or_else(|| {
        pairs.push(Pair {
            consumer: pact.consumer.clone(),
            provider: pact.provider.clone(),
            interaction_ids: Vec::new(),
        });
        pairs.len() - 1
    });
    let theirs =
        ["interactions", "messages"].iter().flat_map(|key| document[key].as_array().into_iter().flatten());
    for (their, our) in theirs.zip(&pact.interactions) {
        let Some(id) = their["_id"].as_str() else { continue };
        let known = &mut pairs[at].interaction_ids;
        if !known.iter().any(|(old, _)| old == id) {
            known.push((id.to_owned(), our.id.clone()));
        }
    }
}

async fn results(source: &Source<'_>, target: &mut Target<'_>, pair: &Pair) -> Result<(), Error> {
    let mut found = source.results(&pair.consumer, &pair.provider).await?;
    for result in &mut found {
        for test in result.part["test_results"].as_array_mut().into_iter().flatten() {
            let theirs = test["interactionId"].as_str().map(str::to_owned);
            let ours = pair.interaction_ids.iter().find(|(old, _)| Some(old) == theirs.as_ref());
            if let Some((_, ours)) = ours {
                test["interactionId"] = ours.as_str().into();
            }
        }
    }
    // The last one of a content and provider version counts, so the order is theirs.
    found.sort_by(|a, b| (&a.at, a.number).cmp(&(&b.at, b.number)));
    for part in found.chunks(PART_ENTRIES_MAX) {
        target.send(json!({ "results": part.iter().map(|r| &r.part).collect::<Vec<_>>() })).await?;
    }
    Ok(())
}

/// Our broker, and what it said so far.
struct Target<'a> {
    to: &'a Peer,
    report: ImportReport,
}

impl Target<'_> {
    async fn send(&mut self, part: Value) -> Result<(), Error> {
        let empty =
            part.as_object().is_some_and(|p| p.values().all(|v| v.as_array().is_some_and(Vec::is_empty)));
        if empty {
            return Ok(());
        }
        let answer = self.to.post("/tracepact/v1/contracts/import", &part, "a part of the import").await?;
        let count = |key: &str| answer[key].as_u64().unwrap_or(0);
        self.report.pacticipants += count("pacticipants");
        self.report.environments += count("environments");
        self.report.versions += count("versions");
        self.report.pacts += count("pacts");
        self.report.results += count("results");
        self.report.presences += count("presences");
        self.report.kept.extend(texts(&answer["kept"]));
        Ok(())
    }
}
