//! Resolves what is asked to versions and gathers the history that bears on it.

use std::collections::{BTreeMap, BTreeSet};

use tracepact_contract_model::Pact;
use tracepact_gate::{
    AcceptedFact, Counterpart, History, Ignore, PactFact, Question, ResultFact, Subject, Target,
};

use super::mismatches::mismatches;
use super::{Asked, DeployQuestion};
use crate::BrokerError;
use crate::store::pacticipants::Pacticipant;
use crate::store::pacts::Published;
use crate::store::verifications::Verification;
use crate::store::versions::Latest;
use crate::store::{Conn, environments, pacticipants, pacts, proposals, verifications, versions};

/// The history being gathered, with ids beside the names.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) history: History,
    publications: Vec<Published>,
    pub(super) results: BTreeMap<i64, Verification>,
}

/// Resolves what is asked and collects everything the judgement needs.
pub(super) async fn gather(
    conn: &mut Conn,
    asked: &DeployQuestion,
) -> Result<(Question, Gathered), BrokerError> {
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

async fn environment_named(conn: &mut Conn, name: &str) -> Result<environments::Environment, BrokerError> {
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
