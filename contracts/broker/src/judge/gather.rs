//! Resolves what is asked to versions and gathers the history that bears on it.
//!
//! The number of queries follows the number of pacts that would meet, not the length of the history.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tracepact_contract_model::Pact;
use tracepact_gate::{
    AcceptedFact, Counterpart, History, Ignore, JobFact, PactFact, Question, ResultFact, Target, Waiver,
};

use super::DeployQuestion;
use super::mismatches::mismatches;
use super::resolve::{environment_named, known, resolve, version_id};
use crate::BrokerError;
use crate::store::environments::Environment;
use crate::store::meeting::{self, VersionId};
use crate::store::pacticipants::Pacticipant;
use crate::store::pacts::{Published, Which};
use crate::store::verifications::Verification;
use crate::store::versions::Latest;
use crate::store::waivers::{self, Rules, WaiverRow};
use crate::store::{Conn, pacticipants, pacts, proposals, verifications, versions};

/// The history being gathered, with ids beside the names.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) history: History,
    pub(super) results: BTreeMap<i64, Verification>,
    publications: Vec<Published>,
    /// (consumer version, content row) of the publications.
    seen: HashSet<(i64, i64)>,
    /// What providers accepted: content row, when that content came, consumer, provider, content id.
    accepted: Vec<Content>,
    /// Ids of the versions that rows may name, by pacticipant and number.
    pub(super) version_ids: HashMap<(String, String), i64>,
    /// The versions that count of every pacticipant: those of subjects, and of counterparts in the target.
    versions: BTreeMap<String, Vec<VersionId>>,
}

/// One content that is looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Content {
    row: i64,
    consumer: String,
    provider: String,
    content_id: String,
}

/// Resolves what is asked and collects everything the judgement needs.
pub(super) async fn gather(
    conn: &mut Conn,
    asked: &DeployQuestion,
    now: i64,
) -> Result<(Question, Gathered), BrokerError> {
    let mut gathered = Gathered::default();
    let mut subjects = Vec::new();
    let mut owners = Vec::new();
    for one in &asked.asked {
        let owner = known(conn, &one.pacticipant).await?;
        let (subject, found) = resolve(conn, one, &owner).await?;
        let versions = gathered.versions.entry(owner.name.clone()).or_default();
        for version in found {
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        subjects.push(subject);
        owners.push(owner);
    }
    let mut question = Question::new(subjects, asked.target.clone());
    for (pacticipant, version) in &asked.ignore {
        let owner = pacticipants::find(conn, pacticipant).await?;
        let exists = match (&owner, version) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(owner), Some(number)) => versions::find(conn, owner.id, number).await?.is_some(),
        };
        question.ignore.push(Ignore { pacticipant: pacticipant.clone(), version: version.clone(), exists });
    }
    let mut place = None;
    if let Target::Environment(name) = &asked.target {
        let environment = environment_named(conn, name).await?;
        let rules = waivers::rules(conn, environment.id).await?;
        question.ignore_forbidden = rules.forbid_ignore;
        let standing = waivers::standing(conn, environment.id, now).await?;
        question.waivers = standing.into_iter().map(|row| waiver(row, rules)).collect();
        gathered.history.environment_empty = !meeting::anything_live(conn, environment.id).await?;
        place = Some(environment);
    }
    for (index, owner) in owners.iter().enumerate() {
        if owners[..index].iter().any(|before| before.id == owner.id) {
            continue;
        }
        for version in gathered.versions.get(&owner.name).cloned().unwrap_or_default() {
            let list = pacts::by_version(conn, version.id).await?;
            gathered.add(list);
        }
        as_provider(conn, &question, owner, place.as_ref(), &mut gathered).await?;
    }
    let providers: BTreeMap<String, i64> =
        gathered.publications.iter().map(|p| (p.provider.clone(), p.provider_id)).collect();
    match &place {
        Some(environment) => live_providers(conn, environment, providers, &mut gathered).await?,
        None => {
            for provider in providers.keys() {
                counterpart(conn, provider, &asked.target, &mut gathered).await?;
            }
        }
    }
    results(conn, &question, asked, &mut gathered).await?;
    gathered.name_versions();
    Ok((question, gathered))
}

fn waiver(row: WaiverRow, rules: Rules) -> Waiver {
    Waiver {
        id: row.uuid,
        name: row.name,
        reason: row.reason,
        by: row.created_by,
        effective: !rules.second_person || row.approved_by.is_some(),
        approved_by: row.approved_by,
        consumer: row.consumer,
        consumer_version: row.consumer_version,
        provider: row.provider,
        provider_version: row.provider_version,
        expires_at_ns: u64::try_from(row.expires_at).unwrap_or(0),
    }
}

/// Looks up which versions of `providers` are in the environment. Subjects have theirs already.
async fn live_providers(
    conn: &mut Conn,
    environment: &Environment,
    mut providers: BTreeMap<String, i64>,
    gathered: &mut Gathered,
) -> Result<(), BrokerError> {
    providers.retain(|name, _| !gathered.versions.contains_key(name));
    let ids: Vec<i64> = providers.values().copied().collect();
    let mut by_id: HashMap<i64, Vec<VersionId>> = HashMap::new();
    for (owner, id, number) in meeting::live_of(conn, environment.id, &ids).await? {
        by_id.entry(owner).or_default().push(VersionId { id, number });
    }
    for (name, id) in providers {
        let found = by_id.remove(&id).unwrap_or_default();
        let versions = found.iter().map(|v| v.number.clone()).collect();
        gathered.history.counterparts.insert(name.clone(), Counterpart { versions, branch: None });
        gathered.versions.insert(name, found);
    }
    Ok(())
}

/// Looks up, once, which version of `pacticipant` is meant by a target that is no environment. Subjects have theirs already.
async fn counterpart(
    conn: &mut Conn,
    pacticipant: &str,
    target: &Target,
    gathered: &mut Gathered,
) -> Result<(), BrokerError> {
    if gathered.versions.contains_key(pacticipant) {
        return Ok(());
    }
    let (mut found, mut branch) = (Vec::new(), None);
    if let Some(owner) = pacticipants::find(conn, pacticipant).await? {
        let one_of = |found: Option<versions::Version>| found.into_iter().map(version_id).collect::<Vec<_>>();
        match target {
            Target::None | Target::Environment(_) => {}
            Target::Latest => {
                found = one_of(versions::latest(conn, owner.id, Latest::Overall).await?);
            }
            Target::LatestTagged(tag) => {
                found = one_of(versions::latest(conn, owner.id, Latest::WithTag(tag)).await?);
            }
            Target::MainBranch => {
                if let Some(main) = owner.main_branch {
                    found = one_of(versions::latest(conn, owner.id, Latest::OnBranch(&main)).await?);
                    branch = Some(main);
                }
            }
        }
    }
    let versions = found.iter().map(|v| v.number.clone()).collect();
    gathered.history.counterparts.insert(pacticipant.to_owned(), Counterpart { versions, branch });
    gathered.versions.insert(pacticipant.to_owned(), found);
    Ok(())
}

/// The pacts and accepted contracts that bind a subject as provider.
async fn as_provider(
    conn: &mut Conn,
    question: &Question,
    owner: &Pacticipant,
    place: Option<&Environment>,
    gathered: &mut Gathered,
) -> Result<(), BrokerError> {
    for proposal in proposals::accepted(conn, owner.id).await? {
        let history = proposals::history(conn, proposal.id).await?;
        let acceptance = history.into_iter().rev().find(|step| step.state == "accepted");
        let since = acceptance.as_ref().map_or(proposal.created_at, |step| step.at);
        gathered.history.accepted.push(AcceptedFact {
            proposal: proposal.uuid,
            consumer: proposal.consumer.clone(),
            consumer_branch: proposal.consumer_branch,
            provider: proposal.provider.clone(),
            content_id: proposal.content_id.clone(),
            accepted_by: acceptance.and_then(|step| step.who),
            content_since_ns: u64::try_from(since).unwrap_or(0),
        });
        gathered.accepted.push(Content {
            row: proposal.content_row,
            consumer: proposal.consumer,
            provider: proposal.provider,
            content_id: proposal.content_id,
        });
    }
    if question.target == Target::None {
        if question.subjects.len() == 1 {
            for version in gathered.versions.get(&owner.name).cloned().unwrap_or_default() {
                let contents = verifications::contents_of(conn, version.id).await?;
                gathered.add(pacts::last_with_contents(conn, &contents).await?);
            }
        }
        return Ok(());
    }
    if let Some(environment) = place {
        let mut list = Vec::new();
        for which in [Which::Deployed(Some(environment.id)), Which::Released(Some(environment.id))] {
            list.extend(pacts::published(conn, Some(owner.id), None, which).await?);
        }
        let asked: BTreeSet<&str> = question.subjects.iter().map(|s| s.pacticipant.as_str()).collect();
        let of_others: Vec<Published> =
            list.into_iter().filter(|p| !asked.contains(p.consumer.as_str())).collect();
        for publication in &of_others {
            let versions = gathered.history.counterparts.entry(publication.consumer.clone()).or_default();
            if !versions.versions.contains(&publication.version) {
                versions.versions.push(publication.version.clone());
            }
        }
        gathered.add(of_others);
        return Ok(());
    }
    for consumer in pacts::consumers(conn, owner.id).await? {
        counterpart(conn, &consumer, &question.target, gathered).await?;
        if question.subjects.iter().any(|s| s.pacticipant == consumer) {
            continue;
        }
        for version in gathered.versions.get(&consumer).cloned().unwrap_or_default() {
            let list = pacts::by_version_and_provider(conn, version.id, owner.id).await?;
            gathered.add(list);
        }
    }
    Ok(())
}

impl Gathered {
    fn add(&mut self, list: impl IntoIterator<Item = Published>) {
        for publication in list {
            if !self.seen.insert((publication.version_id, publication.content_row)) {
                continue;
            }
            let mut fact = PactFact::new(
                &publication.consumer,
                &publication.version,
                &publication.provider,
                &publication.content_id,
            );
            fact.content_since_ns = u64::try_from(publication.content_since).unwrap_or(0);
            self.history.pacts.push(fact);
            self.publications.push(publication);
        }
    }

    /// Remembers the id of every version that was met, except of those that only results name, which did so already.
    fn name_versions(&mut self) {
        for publication in &self.publications {
            let key = (publication.consumer.clone(), publication.version.clone());
            self.version_ids.insert(key, publication.version_id);
        }
        for (name, versions) in &self.versions {
            for version in versions {
                self.version_ids.insert((name.clone(), version.number.clone()), version.id);
            }
        }
    }

    /// Every content in question, each once.
    fn contents(&self) -> BTreeSet<Content> {
        let of_pacts = self.publications.iter().map(|p| Content {
            row: p.content_row,
            consumer: p.consumer.clone(),
            provider: p.provider.clone(),
            content_id: p.content_id.clone(),
        });
        of_pacts.chain(self.accepted.iter().cloned()).collect()
    }
}

/// Whether any version of a provider that has results may be met, because nothing says which; and whether the question is
/// about all of its versions.
fn meets(question: &Question, provider: &str) -> (bool, bool) {
    let named: Vec<_> = question.subjects.iter().filter(|s| s.pacticipant == provider).collect();
    (named.is_empty() && question.target == Target::None, named.iter().any(|s| s.any))
}

/// The results that count for every content and every provider version it could meet, and what is known of the jobs
/// whose results are missing.
async fn results(
    conn: &mut Conn,
    question: &Question,
    asked: &DeployQuestion,
    gathered: &mut Gathered,
) -> Result<(), BrokerError> {
    let contents: BTreeMap<i64, Content> = gathered.contents().into_iter().map(|c| (c.row, c)).collect();
    let mut pairs = Vec::new();
    let (mut all, mut last) = (Vec::new(), Vec::new());
    for content in contents.values() {
        let (free, any) = meets(question, &content.provider);
        if free || any {
            if free && asked.last_only {
                last.push(content.row)
            } else {
                all.push(content.row)
            }
            continue;
        }
        let versions = gathered.versions.get(&content.provider).into_iter().flatten();
        pairs.extend(versions.map(|version| (content.row, version.id)));
    }
    let mut found = verifications::counting(conn, &all).await?;
    found.extend(verifications::newest(conn, &last).await?);
    found.extend(meeting::results(conn, &pairs).await?);
    let mut pacts: BTreeMap<i64, Option<Pact>> = BTreeMap::new();
    for verification in found {
        let Some(content) = contents.get(&verification.content_row) else { continue };
        let mismatches = if verification.success {
            Vec::new()
        } else {
            let pact = match pacts.entry(content.row) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => {
                    let body = pacts::content_by_row(conn, content.row).await?.body;
                    place.insert(Pact::parse(body.as_bytes()).ok())
                }
            };
            mismatches(verification.test_results.as_deref(), pact.as_ref())
        };
        gathered.history.results.push(ResultFact {
            number: verification.id,
            consumer: content.consumer.clone(),
            provider: content.provider.clone(),
            provider_version: verification.provider_version.clone(),
            content_id: content.content_id.clone(),
            success: verification.success,
            mismatches,
            posted_by: None,
        });
        let key = (content.provider.clone(), verification.provider_version.clone());
        gathered.version_ids.insert(key, verification.provider_version_id);
        gathered.results.insert(verification.id, verification);
    }
    jobs(conn, &contents, &pairs, gathered).await
}

/// What is known of the verification of every provider version that misses a result.
async fn jobs(
    conn: &mut Conn,
    contents: &BTreeMap<i64, Content>,
    pairs: &[(i64, i64)],
    gathered: &mut Gathered,
) -> Result<(), BrokerError> {
    let have: HashSet<(i64, &str)> =
        gathered.results.values().map(|r| (r.content_row, r.provider_version.as_str())).collect();
    let mut lacking: BTreeMap<i64, (String, String)> = BTreeMap::new();
    for (row, version) in pairs {
        let Some(content) = contents.get(row) else { continue };
        let known = gathered.versions.get(&content.provider).into_iter().flatten();
        if let Some(version) = known.into_iter().find(|v| v.id == *version)
            && !have.contains(&(*row, version.number.as_str()))
        {
            lacking.insert(version.id, (content.provider.clone(), version.number.clone()));
        }
    }
    for (version, name) in lacking {
        let at = meeting::last_result_at(conn, version).await?;
        let fact = JobFact {
            last_result_at_ns: at.map(|at| u64::try_from(at).unwrap_or(0)),
            requested: BTreeSet::new(),
        };
        gathered.history.jobs.insert(name, fact);
    }
    Ok(())
}
