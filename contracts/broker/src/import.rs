//! Taking over what another broker has: one batch, one transaction, and nothing happens when it is sent again.

use tracepact_contract_model::{Pact, check_name};

use crate::publish::check_url;
use crate::store::verifications::{self, NewVerification};
use crate::store::{Conn, environments, import, labels, pacticipants, pacts, versions};
use crate::{Broker, BrokerError};

/// A part of another broker's content. Later parts may name what earlier ones brought.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) pacticipants: Vec<ImportedPacticipant>,
    pub(crate) environments: Vec<ImportedEnvironment>,
    pub(crate) versions: Vec<ImportedVersion>,
    pub(crate) pacts: Vec<ImportedPact>,
    pub(crate) results: Vec<ImportedResult>,
    pub(crate) presences: Vec<ImportedPresence>,
}

#[derive(Debug)]
pub(crate) struct ImportedPacticipant {
    pub(crate) name: String,
    pub(crate) display_name: Option<String>,
    pub(crate) main_branch: Option<String>,
    pub(crate) repository_url: Option<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) created_at: i64,
}

#[derive(Debug)]
pub(crate) struct ImportedEnvironment {
    pub(crate) name: String,
    pub(crate) display_name: Option<String>,
    pub(crate) production: bool,
    pub(crate) contacts: Option<String>,
    pub(crate) created_at: i64,
}

#[derive(Debug)]
pub(crate) struct ImportedVersion {
    pub(crate) pacticipant: String,
    pub(crate) number: String,
    pub(crate) build_url: Option<String>,
    pub(crate) branches: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) created_at: i64,
}

#[derive(Debug)]
pub(crate) struct ImportedPact {
    pub(crate) version: String,
    pub(crate) pact: Pact,
    pub(crate) created_at: i64,
}

/// A result belongs to the content that the consumer's version has with the provider.
#[derive(Debug)]
pub(crate) struct ImportedResult {
    pub(crate) consumer: String,
    pub(crate) consumer_version: String,
    pub(crate) provider: String,
    pub(crate) provider_version: String,
    pub(crate) success: bool,
    pub(crate) build_url: Option<String>,
    pub(crate) test_results: Option<String>,
    pub(crate) verified_by: Option<String>,
    pub(crate) created_at: i64,
}

/// A version that is deployed to an environment, or released there (`instance` is `None`).
#[derive(Debug)]
pub(crate) struct ImportedPresence {
    pub(crate) pacticipant: String,
    pub(crate) version: String,
    pub(crate) environment: String,
    pub(crate) instance: Option<String>,
    pub(crate) created_at: i64,
}

/// How much of a batch was new.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(crate) pacticipants: u64,
    pub(crate) environments: u64,
    pub(crate) versions: u64,
    pub(crate) pacts: u64,
    pub(crate) results: u64,
    pub(crate) presences: u64,
    /// What stays as it is here although the other broker says otherwise, and why.
    pub(crate) kept: Vec<String>,
}

impl Broker {
    /// Writes what is missing of a batch, all of it or nothing.
    pub(crate) async fn import(&self, batch: &Batch) -> Result<Imported, BrokerError> {
        let mut write = self.store().write().await?;
        let conn = write.conn();
        let mut done = Imported::default();
        for one in &batch.pacticipants {
            pacticipant(conn, one, &mut done).await?;
        }
        for one in &batch.environments {
            let name = check_name("environment", &one.name)?;
            let display_name = one.display_name.as_deref();
            let new = import::environment(
                conn,
                name,
                display_name,
                one.production,
                one.contacts.clone(),
                one.created_at,
            )
            .await?;
            done.environments += u64::from(new);
        }
        for one in &batch.versions {
            version(conn, one, &mut done).await?;
        }
        for one in &batch.pacts {
            pact(conn, one, &mut done).await?;
        }
        for one in &batch.results {
            result(conn, one, &mut done).await?;
        }
        for one in &batch.presences {
            presence(conn, one, &mut done).await?;
        }
        self.commit(write).await?;
        Ok(done)
    }
}

async fn pacticipant(
    conn: &mut Conn,
    one: &ImportedPacticipant,
    done: &mut Imported,
) -> Result<(), BrokerError> {
    let new = pacticipants::find(conn, &one.name).await?.is_none();
    let mut row = pacticipants::get_or_create(conn, &one.name, one.created_at).await?;
    // What is set here already was set by somebody who works here.
    let fill = |present: &mut Option<String>, other: &Option<String>| {
        if present.is_none() {
            present.clone_from(other);
        }
    };
    fill(&mut row.display_name, &one.display_name);
    fill(&mut row.main_branch, &one.main_branch);
    fill(&mut row.repository_url, &one.repository_url);
    pacticipants::update(conn, &row, row.updated_at).await?;
    for label in &one.labels {
        labels::add(conn, row.id, check_name("label name", label)?, one.created_at).await?;
    }
    done.pacticipants += u64::from(new);
    Ok(())
}

async fn version(conn: &mut Conn, one: &ImportedVersion, done: &mut Imported) -> Result<(), BrokerError> {
    let owner = pacticipants::get_or_create(conn, &one.pacticipant, one.created_at).await?;
    let number = check_name("version number", &one.number)?;
    // A build URL of a form that is not linked to here is not worth refusing the version.
    let build_url = one.build_url.as_deref().filter(|url| check_url("buildUrl", url).is_ok());
    let (id, new) = import::version(conn, owner.id, number, build_url, one.created_at).await?;
    for branch in &one.branches {
        versions::add_to_branch(conn, owner.id, id, branch, one.created_at).await?;
    }
    for tag in &one.tags {
        import::tag(conn, id, check_name("tag name", tag)?, one.created_at).await?;
    }
    done.versions += u64::from(new);
    Ok(())
}

async fn pact(conn: &mut Conn, one: &ImportedPact, done: &mut Imported) -> Result<(), BrokerError> {
    let (consumer, row) = versions::get(conn, &one.pact.consumer, &one.version).await?;
    let provider = pacticipants::get_or_create(conn, &one.pact.provider, one.created_at).await?;
    if let Some(present) = pacts::of_version(conn, row.id, provider.id).await? {
        if present.content_id != one.pact.content_id.as_str() {
            done.kept.push(format!(
                "{} {} has another contract with {} here, which stays",
                consumer.name, row.number, provider.name
            ));
        }
        return Ok(());
    }
    let (content, _) =
        pacts::content_get_or_create(conn, consumer.id, provider.id, &one.pact, one.created_at).await?;
    pacts::set(conn, row.id, consumer.id, provider.id, content, one.created_at).await?;
    done.pacts += 1;
    Ok(())
}

async fn presence(conn: &mut Conn, one: &ImportedPresence, done: &mut Imported) -> Result<(), BrokerError> {
    let (owner, row) = versions::get(conn, &one.pacticipant, &one.version).await?;
    let environment = environments::get(conn, &one.environment).await?;
    let (_, new) = match &one.instance {
        Some(instance) => {
            let present = environments::current(conn, false, Some(environment.id), Some(&owner.name)).await?;
            let other = present.iter().find(|p| p.instance == *instance && p.version != row.number);
            if let Some(other) = other {
                done.kept.push(format!(
                    "{} {} is deployed to {} here, which stays ({} there)",
                    owner.name, other.version, environment.name, row.number
                ));
                return Ok(());
            }
            environments::deploy(conn, environment.id, owner.id, row.id, instance, one.created_at).await?
        }
        None => environments::release(conn, environment.id, owner.id, row.id, one.created_at).await?,
    };
    done.presences += u64::from(new);
    Ok(())
}

async fn result(conn: &mut Conn, one: &ImportedResult, done: &mut Imported) -> Result<(), BrokerError> {
    let (_, consumer_version) = versions::get(conn, &one.consumer, &one.consumer_version).await?;
    let provider = pacticipants::get(conn, &one.provider).await?;
    let Some(content) = pacts::of_version(conn, consumer_version.id, provider.id).await? else {
        return Err(BrokerError::NotFound(format!(
            "{} {} has no contract with {}",
            one.consumer, one.consumer_version, one.provider
        )));
    };
    let number = check_name("provider version", &one.provider_version)?;
    let (version, _) = import::version(conn, provider.id, number, None, one.created_at).await?;
    if import::has_result(conn, content.id, version, one.success, one.created_at).await? {
        return Ok(());
    }
    let new = NewVerification {
        content_row: content.id,
        provider_version_id: version,
        success: one.success,
        pending: false,
        wip: false,
        build_url: one.build_url.clone().filter(|url| check_url("buildUrl", url).is_ok()),
        test_results: one.test_results.clone(),
        verified_by: one.verified_by.clone(),
        posted_by: None,
    };
    verifications::insert(conn, &new, one.created_at).await?;
    done.results += 1;
    Ok(())
}
