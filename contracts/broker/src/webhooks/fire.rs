//! From what happened to deliveries: which events it is, which webhooks want them, and what the variables stand for.
//!
//! Everything here runs in the transaction of what happened, so that both are kept or neither.

mod asked;

use super::template::Variables;
use super::variables::{self, Subject};
use crate::store::pacticipants::Pacticipant;
use crate::store::versions::{Latest, Version};
use crate::store::webhooks::{self, NewTriggered, WebhookRow};
use crate::store::{Conn, environments, pacticipants, pacts, verifications, versions};
use crate::{Broker, BrokerError};

pub(crate) use asked::{Missing, verification_asked_for};

/// The event that a provider's build is started by.
const REQUIRED: &str = "contract_requiring_verification_published";

/// A contract that was published.
#[derive(Debug)]
pub(crate) struct PublishedContract<'a> {
    pub(crate) consumer: &'a Pacticipant,
    pub(crate) version: &'a Version,
    pub(crate) provider: &'a Pacticipant,
    pub(crate) content_row: i64,
    /// Whether the version carries another content than before.
    pub(crate) changed: bool,
}

/// A step of a proposal.
#[derive(Debug)]
pub(crate) struct ProposalStep<'a> {
    pub(crate) consumer: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) content_row: i64,
    pub(crate) proposal: &'a str,
    /// `proposed`, `accepted`, `enforced`, `rejected`, `withdrawn`, `superseded` or `retired`.
    pub(crate) state: &'a str,
    /// Who took it.
    pub(crate) who: Option<&'a str>,
    /// `breaking`, `compatible`, or nothing when it was not compared.
    pub(crate) change: Option<&'a str>,
    /// Who is affected, in words.
    pub(crate) affected: Option<&'a str>,
    pub(crate) pull_request_url: Option<&'a str>,
}

/// What was triggered, for the notices of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fired {
    pub(crate) event: &'static str,
    pub(crate) webhook: String,
    pub(crate) description: Option<String>,
    pub(crate) triggered: String,
}

/// The webhooks of one pair, and what is common to all events of one moment.
struct Firing<'a> {
    hooks: Vec<WebhookRow>,
    subject: Subject<'a>,
    now: i64,
}

impl Firing<'_> {
    fn wants(&self, event: &str) -> bool {
        self.hooks.iter().any(|hook| hook.events.contains(&format!(" {event} ")))
    }

    /// Puts one delivery for each webhook that wants `event` into the queue.
    async fn fire(
        &self,
        conn: &mut Conn,
        event: &'static str,
        variables: &Variables,
        wanted: Option<(i64, i64)>,
    ) -> Result<Vec<Fired>, BrokerError> {
        let mut variables = variables.clone();
        variables.insert("eventName".into(), event.into());
        let text = serde_json::to_string(&variables).unwrap_or_default();
        let mut fired = Vec::new();
        for hook in self.hooks.iter().filter(|hook| hook.events.contains(&format!(" {event} "))) {
            let new = NewTriggered {
                webhook: hook,
                event,
                consumer_id: self.subject.consumer.id,
                provider_id: self.subject.provider.id,
                consumer_version: self.subject.consumer_version.map(|v| v.number.as_str()),
                verification_id: self.subject.verification,
                variables: &text,
                wanted,
            };
            let triggered = webhooks::trigger(conn, &new, self.now).await?;
            fired.push(Fired {
                event,
                webhook: hook.uuid.clone(),
                description: hook.description.clone(),
                triggered,
            });
        }
        Ok(fired)
    }
}

/// A consumer's version carries a contract now.
pub(crate) async fn contract_published(
    broker: &Broker,
    conn: &mut Conn,
    published: &PublishedContract<'_>,
    now: i64,
) -> Result<Vec<Fired>, BrokerError> {
    let hooks = webhooks::of_pair(conn, published.consumer.id, published.provider.id).await?;
    if hooks.is_empty() {
        return Ok(Vec::new());
    }
    let subject = Subject {
        consumer: published.consumer,
        provider: published.provider,
        consumer_version: Some(published.version),
        content_row: Some(published.content_row),
        verification: None,
    };
    let firing = Firing { hooks, subject, now };
    let variables = variables::of(broker, conn, &firing.subject).await?;
    let mut fired = firing.fire(conn, "contract_published", &variables, None).await?;
    if published.changed
        && firing.wants("contract_content_changed")
        && changed_on_its_line(conn, published).await?
    {
        fired.extend(firing.fire(conn, "contract_content_changed", &variables, None).await?);
    }
    if firing.wants(REQUIRED) {
        for wanted in requiring(conn, published).await? {
            let mut variables = variables.clone();
            variables::add_provider_version(conn, &mut variables, &wanted.version).await?;
            variables.insert("providerVersionDescriptions".into(), wanted.descriptions.join(", "));
            let pair = Some((published.content_row, wanted.version.id));
            fired.extend(firing.fire(conn, REQUIRED, &variables, pair).await?);
        }
    }
    Ok(fired)
}

/// Whether the content is another than the one before it on the same branch or tag; without either, than the one before.
async fn changed_on_its_line(
    conn: &mut Conn,
    published: &PublishedContract<'_>,
) -> Result<bool, BrokerError> {
    let branches = versions::branches(conn, published.version.id).await?;
    let tags = versions::tags(conn, published.version.id).await?;
    let lines: Vec<pacts::Line<'_>> = branches
        .iter()
        .map(|b| pacts::Line::Branch(&b.name))
        .chain(tags.iter().map(|t| pacts::Line::Tag(&t.name)))
        .collect();
    let lines = if lines.is_empty() { vec![pacts::Line::Overall] } else { lines };
    for line in lines {
        let (consumer, provider) = (published.consumer.id, published.provider.id);
        let before = pacts::content_before(conn, consumer, provider, published.version.id, line).await?;
        if before != Some(published.content_row) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A provider's version that has to verify a content.
struct Wanted {
    version: Version,
    /// Why: `latest from main branch`, `currently deployed to test`, ….
    descriptions: Vec<String>,
}

/// The provider's versions that count (head of the main branch, deployed, released) and have no result for the content.
async fn requiring(conn: &mut Conn, published: &PublishedContract<'_>) -> Result<Vec<Wanted>, BrokerError> {
    let provider = published.provider;
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut add = |version: Version, description: String| match wanted
        .iter_mut()
        .find(|w| w.version.id == version.id)
    {
        Some(known) => known.descriptions.push(description),
        None => wanted.push(Wanted { version, descriptions: vec![description] }),
    };
    if let Some(main) = &provider.main_branch
        && let Some(head) = versions::latest(conn, provider.id, Latest::OnBranch(main)).await?
    {
        add(head, format!("latest version from main branch {main}"));
    }
    let environments = environments::list(conn, None).await?;
    for released in [false, true] {
        for presence in environments::current(conn, released, None, Some(&provider.name)).await? {
            let Some(version) = versions::find(conn, provider.id, &presence.version).await? else { continue };
            let environment = environments.iter().find(|e| e.id == presence.environment_id);
            let name = environment.map_or("an environment", |e| e.name.as_str());
            let verb = if released { "released to" } else { "deployed to" };
            add(version, format!("currently {verb} {name}"));
        }
    }
    let mut missing = Vec::new();
    for one in wanted {
        let number = &one.version.number;
        if verifications::of_pair(conn, published.content_row, provider.id, number).await?.is_none() {
            missing.push(one);
        }
    }
    Ok(missing)
}

/// A provider's version has a result for a content.
pub(crate) async fn result_published(
    broker: &Broker,
    conn: &mut Conn,
    consumer: &Pacticipant,
    provider: &Pacticipant,
    content_row: i64,
    verification: i64,
    now: i64,
) -> Result<Vec<Fired>, BrokerError> {
    let hooks = webhooks::of_pair(conn, consumer.id, provider.id).await?;
    if hooks.is_empty() {
        return Ok(Vec::new());
    }
    let version = variables::last_version_with(conn, consumer, content_row).await?;
    let subject = Subject {
        consumer,
        provider,
        consumer_version: version.as_ref(),
        content_row: Some(content_row),
        verification: Some(verification),
    };
    let firing = Firing { hooks, subject, now };
    let variables = variables::of(broker, conn, &firing.subject).await?;
    let mut fired = firing.fire(conn, "provider_verification_published", &variables, None).await?;
    let success = variables.get("githubVerificationStatus").is_some_and(|status| status == "success");
    let outcome = if success { "provider_verification_succeeded" } else { "provider_verification_failed" };
    fired.extend(firing.fire(conn, outcome, &variables, None).await?);
    Ok(fired)
}

/// A proposal took a step. Call it in the transaction of the step.
pub(crate) async fn proposal_changed(
    broker: &Broker,
    conn: &mut Conn,
    step: &ProposalStep<'_>,
    now: i64,
) -> Result<Vec<Fired>, BrokerError> {
    let consumer = pacticipants::get(conn, step.consumer).await?;
    let provider = pacticipants::get(conn, step.provider).await?;
    let hooks = webhooks::of_pair(conn, consumer.id, provider.id).await?;
    if hooks.is_empty() {
        return Ok(Vec::new());
    }
    let version = variables::last_version_with(conn, &consumer, step.content_row).await?;
    let subject = Subject {
        consumer: &consumer,
        provider: &provider,
        consumer_version: version.as_ref(),
        content_row: Some(step.content_row),
        verification: None,
    };
    let firing = Firing { hooks, subject, now };
    let mut variables = variables::of(broker, conn, &firing.subject).await?;
    let url = format!("{}/contracts/proposals/{}", broker.public_base(), step.proposal);
    for (name, value) in [
        ("proposalId", Some(step.proposal)),
        ("proposalUrl", Some(url.as_str())),
        ("proposalState", Some(step.state)),
        ("proposalWho", step.who),
        ("proposalChange", step.change),
        ("proposalAffected", step.affected),
        ("pullRequestUrl", step.pull_request_url),
    ] {
        variables.insert(name.into(), value.unwrap_or_default().to_owned());
    }
    firing.fire(conn, "contract_proposal_changed", &variables, None).await
}
