//! Publishing: one transaction for the version, its branch and tags, and all its contracts, or nothing of it.

use tracepact_base::EventKind;
use tracepact_contract_model::{
    Pact, VolatileValue, are_similar_names, check_name, diff, merge, volatile_values,
};

use crate::broker::{on_edge, tell};
use crate::proposing::published_on_line;
use crate::store::pacticipants::Pacticipant;
use crate::store::{Conn, pacticipants, pacts, versions};
use crate::webhooks::fire::{Fired, PublishedContract, contract_published};
use crate::{Broker, BrokerError};

/// What a consumer's build publishes.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) consumer: String,
    pub(crate) version: String,
    pub(crate) branch: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) build_url: Option<String>,
    pub(crate) contracts: Vec<Contract>,
}

/// One contract of a publication.
#[derive(Debug)]
pub(crate) struct Contract {
    pub(crate) pact: Pact,
    /// Add to what this version has already, instead of being the same.
    pub(crate) merge: bool,
}

/// What became of a publication.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) version_created: bool,
    pub(crate) contracts: Vec<ContractOutcome>,
}

/// What became of one contract.
#[derive(Debug)]
pub(crate) struct ContractOutcome {
    pub(crate) provider: String,
    pub(crate) change: Change,
    /// Whether no version before had this content with the provider.
    pub(crate) new_content: bool,
    /// The webhooks it triggered.
    pub(crate) fired: Vec<Fired>,
    /// Values that make the content new although nobody changed the contract.
    pub(crate) volatile: Option<Volatile>,
}

/// Values that differ from an earlier publication because they are random or the time of the build.
#[derive(Debug)]
pub(crate) struct Volatile {
    /// The consumer's version it was compared with.
    pub(crate) version: String,
    pub(crate) values: Vec<VolatileValue>,
}

/// How the version's contract changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The version had none with this provider.
    Added,
    /// It had the same.
    Unchanged,
    /// It had another, and changing is allowed here.
    Replaced,
    /// Interactions were added to it.
    Merged,
}

impl Broker {
    pub(crate) async fn publish(&self, publication: Publication) -> Result<Outcome, BrokerError> {
        check_name("version number", &publication.version)?;
        if let Some(url) = &publication.build_url {
            check_url("buildUrl", url)?;
        }
        let now = self.now();
        let mut write = self.store().write().await?;
        let conn = write.conn();
        if self.config().check_similar_names {
            let providers = publication.contracts.iter().map(|c| c.pact.provider.as_str());
            for name in std::iter::once(publication.consumer.as_str()).chain(providers) {
                refuse_similar_name(conn, name).await?;
            }
        }
        let consumer = pacticipants::get_or_create(conn, &publication.consumer, now).await?;
        let (version, version_created) =
            versions::get_or_create(conn, consumer.id, publication.version.trim(), now).await?;
        if let Some(url) = &publication.build_url {
            versions::set_build_url(conn, version.id, Some(url), now).await?;
        }
        if let Some(branch) = &publication.branch {
            versions::add_to_branch(conn, consumer.id, version.id, branch, now).await?;
        }
        for tag in &publication.tags {
            versions::add_tag(conn, consumer.id, &version, tag, now).await?;
        }
        let mut contracts = Vec::new();
        for contract in &publication.contracts {
            let (provider, row, mut outcome) =
                self.place(conn, consumer.id, version.id, &publication, contract, now).await?;
            if let Some(branch) = &publication.branch {
                let (asks, answers) =
                    ((consumer.id, consumer.name.as_str()), (provider.id, outcome.provider.as_str()));
                let number = publication.version.trim();
                published_on_line(self, conn, asks, answers, branch.trim(), row, number).await?;
            }
            let published = PublishedContract {
                consumer: &consumer,
                version: &version,
                provider: &provider,
                content_row: row,
                changed: outcome.change != Change::Unchanged,
            };
            outcome.fired = contract_published(self, conn, &published, now).await?;
            if outcome.change != Change::Unchanged {
                let event = self.event(
                    EventKind::ContractChange,
                    format!(
                        "{} {} published its contract with {}",
                        publication.consumer, publication.version, outcome.provider
                    ),
                );
                let mut event = on_edge(event, &publication.consumer, &outcome.provider)
                    .with("action", "published")
                    .with("version", publication.version.as_str())
                    .with("content_id", contract.pact.content_id.as_str())
                    .with("new_content", outcome.new_content.to_string());
                if let Some(branch) = &publication.branch {
                    event = event.with("branch", branch.as_str());
                }
                tell(conn, event.link("contract", "/contracts")).await?;
            }
            contracts.push(outcome);
        }
        self.commit(write).await?;
        Ok(Outcome { version_created, contracts })
    }

    async fn place(
        &self,
        conn: &mut Conn,
        consumer: i64,
        version: i64,
        publication: &Publication,
        contract: &Contract,
        now: i64,
    ) -> Result<(Pacticipant, i64, ContractOutcome), BrokerError> {
        let provider = pacticipants::get_or_create(conn, &contract.pact.provider, now).await?;
        let present = pacts::of_version(conn, version, provider.id).await?;
        let mut merged = None;
        let change = match &present {
            None => Change::Added,
            Some(present) if present.content_id == contract.pact.content_id.as_str() => Change::Unchanged,
            Some(present) => {
                let stored = Pact::parse(present.body.as_bytes())?;
                if contract.merge {
                    let both = merge(&stored, &contract.pact)?;
                    let change =
                        if both.content_id == stored.content_id { Change::Unchanged } else { Change::Merged };
                    merged = Some(both);
                    change
                } else if self.config().allow_contract_changes {
                    Change::Replaced
                } else {
                    return Err(conflict(
                        &publication.consumer,
                        &publication.version,
                        &stored,
                        &contract.pact,
                    ));
                }
            }
        };
        let pact = merged.as_ref().unwrap_or(&contract.pact);
        let (row, new_content) = pacts::content_get_or_create(conn, consumer, provider.id, pact, now).await?;
        if change != Change::Unchanged {
            pacts::set(conn, version, consumer, provider.id, row, now).await?;
        }
        let volatile = match new_content && change != Change::Unchanged {
            true => compare_with_earlier(conn, (consumer, provider.id), version, row, pact).await?,
            false => None,
        };
        let outcome = ContractOutcome {
            provider: provider.name.clone(),
            change,
            new_content,
            fired: Vec::new(),
            volatile,
        };
        Ok((provider, row, outcome))
    }
}

/// Looks for values that made this content new without anybody having changed the contract.
async fn compare_with_earlier(
    conn: &mut Conn,
    (consumer, provider): (i64, i64),
    version: i64,
    content_row: i64,
    pact: &Pact,
) -> Result<Option<Volatile>, BrokerError> {
    let Some(last) = pacts::previous_distinct(conn, consumer, provider, version, content_row).await? else {
        return Ok(None);
    };
    let before =
        pacts::previous_distinct(conn, consumer, provider, last.version_id, last.content_row).await?;
    // This is advice: what cannot be read any more is not worth refusing a publication for.
    let Ok(old) = Pact::parse(pacts::content_by_row(conn, last.content_row).await?.body.as_bytes()) else {
        return Ok(None);
    };
    let older = match before {
        Some(before) => {
            Pact::parse(pacts::content_by_row(conn, before.content_row).await?.body.as_bytes()).ok()
        }
        None => None,
    };
    let values = volatile_values(older.as_ref(), &old, pact);
    Ok((!values.is_empty()).then_some(Volatile { version: last.version, values }))
}

/// Refuses a name that nobody has yet and that is nearly the name of somebody: most likely a typo, which would split
/// one application's contracts in two.
async fn refuse_similar_name(conn: &mut Conn, name: &str) -> Result<(), BrokerError> {
    if pacticipants::find(conn, name).await?.is_some() {
        return Ok(());
    }
    let mut similar = pacticipants::names(conn).await?;
    similar.retain(|known| are_similar_names(known, name));
    if similar.is_empty() {
        return Ok(());
    }
    Err(BrokerError::SimilarName(format!(
        "This is the first time that a pact is published for \"{name}\", and the name is very similar to {}. If one of these \
         is meant, correct the name and publish again. If \"{name}\" really is another application, create it first \
         (POST /pacticipants with {{\"name\": \"{name}\"}}, or `pact broker create-or-update-pacticipant --name \"{name}\"`) \
         and publish again.",
        similar.iter().map(|known| format!("\"{known}\"")).collect::<Vec<_>>().join(", ")
    )))
}

fn conflict(consumer: &str, version: &str, stored: &Pact, sent: &Pact) -> BrokerError {
    BrokerError::Conflict {
        reason: format!(
            "Cannot change the content of the pact for {consumer} version {version} and provider {}: results that belong to \
             one content would be taken for another. Publish every change under its own version number. When nothing was \
             changed on purpose, look for random or current values (ids, times) in the examples below.",
            sent.provider
        ),
        difference: Some(diff(stored, sent).text()),
    }
}

/// An address that pages may link to: http or https.
pub(crate) fn check_url(field: &str, url: &str) -> Result<(), BrokerError> {
    let fits = url.len() <= 2_000 && !url.chars().any(char::is_control);
    if fits && (url.starts_with("https://") || url.starts_with("http://")) {
        Ok(())
    } else {
        Err(BrokerError::invalid(field, "must be an http or https address"))
    }
}
