//! The gate at work: resolves what is asked to versions, gathers the history, has it judged, and keeps the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tracepact_base::{EventKind, Link};
use tracepact_contract_model::Pact;
use tracepact_gate::{
    AcceptedFact, Counterpart, History, Ignore, Mismatch, Outcome, PactFact, Question, ResultFact, Subject,
    Target, Verdict, decide,
};

use crate::broker::{about, tell};
use crate::hooks::{CountedDecision, TraceQuestion};
use crate::store::pacticipants::Pacticipant;
use crate::store::pacts::Published;
use crate::store::verifications::Verification;
use crate::store::versions::Latest;
use crate::store::{Conn, decisions, environments, pacticipants, pacts, proposals, verifications, versions};
use crate::{Broker, BrokerError};

/// Longest wait for a trace of the breakage.
const TRACE_WAIT_MAX: Duration = Duration::from_millis(500);

/// One `q[]` of a question.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) pacticipant: String,
    pub(crate) version: Option<String>,
    pub(crate) latest: bool,
    pub(crate) branch: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) main_branch: bool,
}

/// A question as it comes over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct DeployQuestion {
    pub(crate) asked: Vec<Asked>,
    pub(crate) target: Target,
    pub(crate) ignore: Vec<(String, Option<String>)>,
    /// Without a target: only the provider version verified last for each pact.
    pub(crate) last_only: bool,
}

impl DeployQuestion {
    /// May this version go to that environment?
    pub(crate) fn to_environment(pacticipant: &str, version: &str, environment: &str) -> Self {
        Self {
            asked: vec![Asked {
                pacticipant: pacticipant.to_owned(),
                version: Some(version.to_owned()),
                ..Asked::default()
            }],
            target: Target::Environment(environment.to_owned()),
            ignore: Vec::new(),
            last_only: false,
        }
    }
}

/// An answer, with what its presentation needs.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// The results that the rows name, by number.
    pub(crate) results: BTreeMap<i64, Verification>,
    /// A trace in which the breakage was seen.
    pub(crate) trace: Option<Link>,
}

/// The history being gathered, with ids beside the names.
#[derive(Default)]
struct Gathered {
    history: History,
    publications: Vec<Published>,
    results: BTreeMap<i64, Verification>,
}

impl Broker {
    /// Answers a deploy question over everything stored. Keeps the answer when it is about one version and one
    /// environment.
    pub(crate) async fn judge(&self, asked: &DeployQuestion) -> Result<Judgement, BrokerError> {
        let judgement = self.look(asked).await?;
        if let ([one], Target::Environment(environment)) = (asked.asked.as_slice(), &asked.target)
            && let Some(version) = &one.version
        {
            self.keep(&one.pacticipant, version, environment, &judgement).await;
        }
        Ok(judgement)
    }

    /// The same answer, for who only looks: nothing is kept or counted.
    pub(crate) async fn look(&self, asked: &DeployQuestion) -> Result<Judgement, BrokerError> {
        let mut read = self.store().read().await?;
        let (question, gathered) = gather(&mut read, asked).await?;
        drop(read);
        let verdict = decide(&question, &gathered.history);
        let mut judgement = Judgement { verdict, results: gathered.results, trace: None };
        if judgement.verdict.deployable != Some(true) {
            judgement.trace = self.trace_of(&judgement.verdict).await;
        }
        Ok(judgement)
    }

    async fn trace_of(&self, verdict: &Verdict) -> Option<Link> {
        let finder = self.trace_finder()?;
        let failed = verdict.rows.iter().filter(|row| !row.ignored && row.outcome == Outcome::Failed);
        for row in failed {
            for mismatch in &row.mismatches {
                let operation = mismatch.operation.as_deref().and_then(|o| o.split_once(' '));
                let question = TraceQuestion {
                    consumer: row.consumer.clone(),
                    provider: row.provider.clone(),
                    interaction: mismatch.interaction.clone(),
                    method: operation.map(|(method, _)| method.to_owned()),
                    path: operation.map(|(_, path)| path.to_owned()),
                };
                match tokio::time::timeout(TRACE_WAIT_MAX, finder.find(&question)).await {
                    Ok(Some(link)) => return Some(link),
                    Ok(None) => {}
                    Err(_) => return None,
                }
            }
        }
        None
    }

    /// The answer holds whether or not it could be written down, so a failure here is logged and no more.
    async fn keep(&self, pacticipant: &str, version: &str, environment: &str, judgement: &Judgement) {
        let result = match judgement.verdict.deployable {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        if let Some(counter) = self.counter() {
            counter.count(CountedDecision { pacticipant, environment, result, at_ns: self.now_ns() });
        }
        if let Err(error) = self.write_down(pacticipant, version, environment, result, judgement).await {
            tracing::error!(%error, pacticipant, version, environment, "the gate's answer could not be kept");
        }
    }

    async fn write_down(
        &self,
        pacticipant: &str,
        version: &str,
        environment: &str,
        result: &str,
        judgement: &Judgement,
    ) -> Result<(), BrokerError> {
        let now = self.now();
        let row = decisions::DecisionRow {
            pacticipant: pacticipant.to_owned(),
            version: version.to_owned(),
            environment: environment.to_owned(),
            deployable: judgement.verdict.deployable,
            reason: judgement.verdict.reason(),
            trace: judgement.trace.as_ref().map(|link| link.href.clone()),
            times: 1,
            at: now,
            last_at: now,
        };
        let mut write = self.store().write().await?;
        let changed = decisions::record(write.conn(), &row).await?;
        if changed && judgement.verdict.deployable != Some(true) {
            let title = format!("{pacticipant} {version} may not go to {environment}");
            let mut event = about(self.event(EventKind::GateRefusal, title), pacticipant)
                .because(row.reason)
                .with("version", version)
                .with("environment", environment)
                .with("result", result);
            if let Some(failed) =
                judgement.verdict.rows.iter().find(|r| !r.ignored && r.outcome == Outcome::Failed)
            {
                event = event
                    .with("consumer", failed.consumer.as_str())
                    .with("provider", failed.provider.as_str());
                if let Some(mismatch) = failed.mismatches.first() {
                    event = event.with("interaction", mismatch.interaction.as_str());
                }
            }
            event = event.link("contract", "/contracts");
            if let Some(link) = &judgement.trace {
                event = event.link(&link.rel, link.href.as_str());
            }
            tell(write.conn(), event).await?;
        }
        self.commit(write).await
    }
}

async fn gather(conn: &mut Conn, asked: &DeployQuestion) -> Result<(Question, Gathered), BrokerError> {
    let mut subjects = Vec::new();
    let mut owners = Vec::new();
    for one in &asked.asked {
        let owner = known(conn, &one.pacticipant).await?;
        subjects.push(resolve(conn, one, &owner).await?);
        owners.push(owner);
    }
    let mut ignore = Vec::new();
    for (pacticipant, version) in &asked.ignore {
        let owner = pacticipants::find(conn, pacticipant).await?;
        let exists = match (&owner, version) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(owner), Some(number)) => versions::find(conn, owner.id, number).await?.is_some(),
        };
        ignore.push(Ignore { pacticipant: pacticipant.clone(), version: version.clone(), exists });
    }
    let question = Question { subjects, target: asked.target.clone(), ignore };
    let mut gathered = Gathered::default();
    let places = Places::of(conn, &asked.target).await?;
    for (subject, owner) in question.subjects.iter().zip(&owners) {
        as_consumer(conn, subject, owner, &mut gathered).await?;
        as_provider(conn, &question, subject, owner, &places, asked, &mut gathered).await?;
    }
    for publication in gathered.publications.clone() {
        if !gathered.history.counterparts.contains_key(&publication.provider) {
            let counterpart = places.versions(conn, &publication.provider, &asked.target).await?;
            gathered.history.counterparts.insert(publication.provider.clone(), counterpart);
        }
    }
    results(conn, &question, asked, &mut gathered).await?;
    Ok((question, gathered))
}

async fn known(conn: &mut Conn, name: &str) -> Result<Pacticipant, BrokerError> {
    pacticipants::find(conn, name)
        .await?
        .ok_or_else(|| BrokerError::invalid("", format!("Pacticipant {name} not found")))
}

async fn resolve(conn: &mut Conn, one: &Asked, owner: &Pacticipant) -> Result<Subject, BrokerError> {
    let name = &owner.name;
    let mut subject = Subject {
        pacticipant: name.clone(),
        versions: vec![],
        wording: String::new(),
        exact: false,
        missing: None,
    };
    let numbers = |found: Option<versions::Version>| found.map(|v| v.number).into_iter().collect::<Vec<_>>();
    if let Some(number) = &one.version {
        subject.exact = true;
        subject.wording = format!("version {{}} of {name}");
        subject.versions = numbers(versions::find(conn, owner.id, number).await?);
        if subject.versions.is_empty() {
            subject.missing = Some(number.clone());
        }
    } else if let Some(branch) = &one.branch {
        subject.wording = format!("the latest version of {name} from branch {branch} ({{}})");
        subject.versions = numbers(versions::latest(conn, owner.id, Latest::OnBranch(branch)).await?);
    } else if let Some(tag) = &one.tag {
        if one.latest {
            subject.wording = format!("the latest version of {name} with tag {tag} ({{}})");
            subject.versions = numbers(versions::latest(conn, owner.id, Latest::WithTag(tag)).await?);
        } else {
            subject.wording = format!("version {{}} of {name} with tag {tag}");
            let list = versions::list(conn, owner.id, Some(tag), i64::MAX, 0).await?;
            subject.versions = list.into_iter().map(|v| v.number).collect();
        }
    } else if let Some(environment) = &one.environment {
        subject.wording = format!("the version of {name} currently in {environment} ({{}})");
        let environment = environment_named(conn, environment).await?;
        let mut found = BTreeSet::new();
        for released in [false, true] {
            let list = environments::current(conn, released, Some(environment.id), Some(name)).await?;
            found.extend(list.into_iter().map(|p| p.version));
        }
        subject.versions = found.into_iter().collect();
        // What runs there is a fact, not a moving selector.
        subject.exact = true;
    } else if one.main_branch {
        let branch = owner.main_branch.clone().unwrap_or_default();
        subject.wording = format!("the latest version of {name} from branch {branch} ({{}})");
        subject.versions = numbers(versions::latest(conn, owner.id, Latest::OnBranch(&branch)).await?);
    } else if one.latest {
        subject.wording = format!("the latest version of {name} ({{}})");
        subject.versions = numbers(versions::latest(conn, owner.id, Latest::Overall).await?);
    } else {
        subject.wording = format!("version {{}} of {name}");
        let list = versions::list(conn, owner.id, None, i64::MAX, 0).await?;
        subject.versions = list.into_iter().map(|v| v.number).collect();
    }
    if subject.versions.is_empty() && subject.missing.is_none() {
        let wanted = one.branch.as_ref().map(|b| format!("from branch {b}"));
        let wanted = wanted.or_else(|| one.tag.as_ref().map(|t| format!("with tag {t}")));
        // Nothing can be said of a version that is not there; to say yes would be wrong.
        if one.environment.is_none() {
            subject.missing = Some(wanted.unwrap_or_else(|| "(none)".into()));
        }
    }
    Ok(subject)
}

pub(crate) async fn environment_named(
    conn: &mut Conn,
    name: &str,
) -> Result<environments::Environment, BrokerError> {
    environments::find_by_name(conn, name)
        .await?
        .ok_or_else(|| BrokerError::invalid("", format!("Environment with name '{name}' does not exist")))
}

/// What is in the target environment, looked up once.
#[derive(Default)]
struct Places {
    current: BTreeMap<String, BTreeSet<String>>,
}

impl Places {
    async fn of(conn: &mut Conn, target: &Target) -> Result<Self, BrokerError> {
        let mut places = Self::default();
        if let Target::Environment(name) = target {
            let environment = environment_named(conn, name).await?;
            for released in [false, true] {
                for presence in environments::current(conn, released, Some(environment.id), None).await? {
                    places.current.entry(presence.pacticipant).or_default().insert(presence.version);
                }
            }
        }
        Ok(places)
    }

    async fn versions(
        &self,
        conn: &mut Conn,
        pacticipant: &str,
        target: &Target,
    ) -> Result<Counterpart, BrokerError> {
        if let Target::Environment(_) = target {
            let versions =
                self.current.get(pacticipant).map(|v| v.iter().cloned().collect()).unwrap_or_default();
            return Ok(Counterpart { versions, branch: None });
        }
        let Some(owner) = pacticipants::find(conn, pacticipant).await? else {
            return Ok(Counterpart::default());
        };
        let (found, branch) = match target {
            Target::None | Target::Environment(_) => (None, None),
            Target::Latest => (versions::latest(conn, owner.id, Latest::Overall).await?, None),
            Target::LatestTagged(tag) => {
                (versions::latest(conn, owner.id, Latest::WithTag(tag)).await?, None)
            }
            Target::MainBranch => match owner.main_branch {
                None => (None, None),
                Some(branch) => {
                    (versions::latest(conn, owner.id, Latest::OnBranch(&branch)).await?, Some(branch))
                }
            },
        };
        Ok(Counterpart { versions: found.map(|v| v.number).into_iter().collect(), branch })
    }
}

async fn as_consumer(
    conn: &mut Conn,
    subject: &Subject,
    owner: &Pacticipant,
    gathered: &mut Gathered,
) -> Result<(), BrokerError> {
    for number in &subject.versions {
        if let Some(version) = versions::find(conn, owner.id, number).await? {
            let list = pacts::by_version(conn, version.id).await?;
            gathered.add(list);
        }
    }
    Ok(())
}

/// The pacts and accepted contracts that bind a subject as provider.
async fn as_provider(
    conn: &mut Conn,
    question: &Question,
    subject: &Subject,
    owner: &Pacticipant,
    places: &Places,
    asked: &DeployQuestion,
    gathered: &mut Gathered,
) -> Result<(), BrokerError> {
    for proposal in proposals::accepted(conn, owner.id).await? {
        let fact = AcceptedFact {
            proposal: proposal.uuid,
            consumer: proposal.consumer,
            consumer_branch: proposal.consumer_branch,
            provider: proposal.provider,
            content_id: proposal.content_id,
            accepted_by: None,
        };
        if !gathered.history.accepted.contains(&fact) {
            gathered.history.accepted.push(fact);
        }
    }
    if asked.target == Target::None {
        if question.subjects.len() == 1 {
            for number in &subject.versions {
                let Some(version) = versions::find(conn, owner.id, number).await? else { continue };
                for row in verifications::contents_of(conn, version.id).await? {
                    let list = pacts::last_with_content(conn, row).await?;
                    gathered.add(list);
                }
            }
        }
        return Ok(());
    }
    for consumer in pacts::consumers(conn, owner.id).await? {
        if question.subjects.iter().any(|s| s.pacticipant == consumer.name) {
            continue;
        }
        let counterpart = places.versions(conn, &consumer.name, &asked.target).await?;
        for number in &counterpart.versions {
            if let Some(version) = versions::find(conn, consumer.id, number).await? {
                let list = pacts::by_version_and_provider(conn, version.id, owner.id).await?;
                gathered.add(list);
            }
        }
        gathered.history.counterparts.insert(consumer.name, counterpart);
    }
    Ok(())
}

impl Gathered {
    fn add(&mut self, list: impl IntoIterator<Item = Published>) {
        for publication in list {
            if self.publications.contains(&publication) {
                continue;
            }
            self.history.pacts.push(PactFact::new(
                &publication.consumer,
                &publication.version,
                &publication.provider,
                &publication.content_id,
            ));
            self.publications.push(publication);
        }
    }
}

/// The results that count for every content and every provider version it could meet.
async fn results(
    conn: &mut Conn,
    question: &Question,
    asked: &DeployQuestion,
    gathered: &mut Gathered,
) -> Result<(), BrokerError> {
    // (content row, consumer, provider, content id), each once.
    let mut contents: BTreeMap<i64, (String, String, String)> = BTreeMap::new();
    for p in &gathered.publications {
        contents.insert(p.content_row, (p.consumer.clone(), p.provider.clone(), p.content_id.clone()));
    }
    for subject in &question.subjects {
        let Some(owner) = pacticipants::find(conn, &subject.pacticipant).await? else { continue };
        for accepted in proposals::accepted(conn, owner.id).await? {
            contents
                .insert(accepted.content_row, (accepted.consumer, accepted.provider, accepted.content_id));
        }
    }
    for (row, (consumer, provider, content_id)) in contents {
        let named: Vec<&Subject> = question.subjects.iter().filter(|s| s.pacticipant == provider).collect();
        let found = if named.is_empty() && asked.target == Target::None {
            let mut list = verifications::counting(conn, row).await?;
            if asked.last_only {
                list = list.into_iter().max_by_key(|v| v.id).into_iter().collect();
            }
            list
        } else {
            let Some(owner) = pacticipants::find(conn, &provider).await? else { continue };
            let mut numbers: BTreeSet<&String> = named.iter().flat_map(|s| &s.versions).collect();
            numbers
                .extend(gathered.history.counterparts.get(&provider).into_iter().flat_map(|c| &c.versions));
            let mut list = Vec::new();
            for number in numbers {
                list.extend(verifications::of_pair(conn, row, owner.id, number).await?);
            }
            list
        };
        let mut pact = None;
        for verification in found {
            let mismatches = if verification.success {
                Vec::new()
            } else {
                if pact.is_none() {
                    let content = pacts::content_by_row(conn, row).await?;
                    pact = Pact::parse(content.body.as_bytes()).ok();
                }
                mismatches(verification.test_results.as_deref(), pact.as_ref())
            };
            gathered.history.results.push(ResultFact {
                number: verification.id,
                consumer: consumer.clone(),
                provider: provider.clone(),
                provider_version: verification.provider_version.clone(),
                content_id: content_id.clone(),
                success: verification.success,
                mismatches,
            });
            gathered.results.insert(verification.id, verification);
        }
    }
    Ok(())
}

/// Most mismatches told of one result.
const MISMATCHES_MAX: usize = 20;

/// What did not hold, out of the verifier's own report.
fn mismatches(test_results: Option<&str>, pact: Option<&Pact>) -> Vec<Mismatch> {
    let report: serde_json::Value =
        test_results.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
    let list = report.as_array().or_else(|| report.get("tests").and_then(|t| t.as_array()));
    let mut out = Vec::new();
    for test in list.into_iter().flatten() {
        if test.get("success") != Some(&serde_json::Value::Bool(false)) {
            continue;
        }
        let text =
            |value: &serde_json::Value, key: &str| value.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        let known = text(test, "interactionId").and_then(|id| pact.and_then(|p| p.interaction(&id)));
        let interaction = known
            .map(|i| i.description.clone())
            .or_else(|| text(test, "interactionDescription"))
            .unwrap_or_else(|| "an interaction".into());
        let operation = known.and_then(|i| i.operation.clone());
        let mut told: Vec<String> = Vec::new();
        for (key, field) in [("mismatches", "description"), ("exceptions", "message")] {
            for item in test.get(key).and_then(|m| m.as_array()).into_iter().flatten() {
                let attribute = text(item, "attribute").filter(|a| key == "mismatches" && !a.is_empty());
                let words = text(item, field).unwrap_or_else(|| item.to_string());
                told.push(attribute.map_or(words.clone(), |a| format!("{a}: {words}")));
            }
        }
        if told.is_empty() {
            told.push("it failed; the verifier gave no details".into());
        }
        out.extend(told.into_iter().map(|description| Mismatch {
            interaction: interaction.clone(),
            operation: operation.clone(),
            description: description.chars().take(500).collect(),
        }));
        if out.len() >= MISMATCHES_MAX {
            break;
        }
    }
    out.truncate(MISMATCHES_MAX);
    out
}
