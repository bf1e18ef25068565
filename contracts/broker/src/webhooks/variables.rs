//! What the variables stand for when something happens. Taken then and kept with the delivery: what changes later does
//! not change what is told.

use super::template::Variables;
use crate::hal::links::Links;
use crate::hal::metadata::Metadata;
use crate::store::pacticipants::Pacticipant;
use crate::store::versions::{self, Version};
use crate::store::{Conn, environments, pacticipants, pacts, verifications};
use crate::{Broker, BrokerError};

/// What an event is about.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) consumer: &'a Pacticipant,
    pub(crate) provider: &'a Pacticipant,
    pub(crate) consumer_version: Option<&'a Version>,
    pub(crate) content_row: Option<i64>,
    pub(crate) verification: Option<i64>,
}

/// The newest version of `consumer` that carries a content.
pub(crate) async fn last_version_with(
    conn: &mut Conn,
    consumer: &Pacticipant,
    content_row: i64,
) -> Result<Option<Version>, BrokerError> {
    match pacts::last_with_content(conn, content_row).await? {
        Some(published) => versions::find(conn, consumer.id, &published.version).await,
        None => Ok(None),
    }
}

/// All variables of the Pact Broker that this subject gives a value.
pub(crate) async fn of(
    broker: &Broker,
    conn: &mut Conn,
    subject: &Subject<'_>,
) -> Result<Variables, BrokerError> {
    let links = Links::at(&broker.public_base());
    let (consumer, provider) = (subject.consumer, subject.provider);
    let mut variables = Variables::new();
    let mut set = |name: &str, value: String| {
        variables.insert(name.to_owned(), value);
    };
    set("consumerName", consumer.name.clone());
    set("providerName", provider.name.clone());
    set("consumerLabels", labels(conn, consumer.id).await?);
    set("providerLabels", labels(conn, provider.id).await?);
    for name in
        ["providerVersionNumber", "providerVersionTags", "providerVersionBranch", "verificationResultUrl"]
    {
        set(name, String::new());
    }
    let mut build_url = String::new();
    let version = subject.consumer_version;
    set("consumerVersionNumber", version.map(|v| v.number.clone()).unwrap_or_default());
    let (branch, tags) = match version {
        Some(version) => branch_and_tags(conn, version.id).await?,
        None => Default::default(),
    };
    set("consumerVersionBranch", branch);
    set("consumerVersionTags", tags);
    if let Some(url) = version.and_then(|v| v.build_url.clone()) {
        build_url = url;
    }
    let content = match subject.content_row {
        Some(row) => Some(pacts::content_by_row(conn, row).await?),
        None => None,
    };
    let content_id = content.as_ref().map(|c| c.content_id.as_str()).unwrap_or_default();
    let metadata = Metadata { version: version.map(|v| v.id), pending: false, wip: false };
    let pact = format!(
        "{}/metadata/{}",
        links.content(&provider.name, &consumer.name, content_id),
        metadata.encode()
    );
    set("pactUrl", if content.is_some() { pact } else { String::new() });
    let mut deployed: Vec<String> = Vec::new();
    for presence in environments::current(conn, false, None, Some(&provider.name)).await? {
        if !deployed.contains(&presence.version) {
            deployed.push(presence.version);
        }
    }
    set("currentlyDeployedProviderVersionNumber", deployed.join(", "));
    let mut success = None;
    if let Some(id) = subject.verification
        && let Some(found) = verifications::get(conn, id).await?
    {
        success = Some(found.success);
        set("verificationResultUrl", links.result(&provider.name, &consumer.name, content_id, id));
        if let Some(url) = found.build_url {
            build_url = url;
        }
        if let Some(version) = versions::find(conn, provider.id, &found.provider_version).await? {
            add_provider_version(conn, &mut variables, &version).await?;
        }
    }
    variables.insert("buildUrl".to_owned(), build_url);
    for (name, [pending, good, bad]) in [
        ("githubVerificationStatus", ["pending", "success", "failure"]),
        ("gitlabVerificationStatus", ["pending", "success", "failed"]),
        ("bitbucketVerificationStatus", ["INPROGRESS", "SUCCESSFUL", "FAILED"]),
        ("azureDevOpsVerificationStatus", ["pending", "succeeded", "failed"]),
    ] {
        let status = match success {
            None => pending,
            Some(true) => good,
            Some(false) => bad,
        };
        variables.insert(name.to_owned(), status.to_owned());
    }
    Ok(variables)
}

/// Sets what is known of the provider's version.
pub(crate) async fn add_provider_version(
    conn: &mut Conn,
    variables: &mut Variables,
    version: &Version,
) -> Result<(), BrokerError> {
    let (branch, tags) = branch_and_tags(conn, version.id).await?;
    variables.insert("providerVersionNumber".to_owned(), version.number.clone());
    variables.insert("providerVersionBranch".to_owned(), branch);
    variables.insert("providerVersionTags".to_owned(), tags);
    Ok(())
}

async fn branch_and_tags(conn: &mut Conn, version: i64) -> Result<(String, String), BrokerError> {
    let branch = versions::branches(conn, version).await?.pop().map(|b| b.name).unwrap_or_default();
    let tags: Vec<String> = versions::tags(conn, version).await?.into_iter().map(|t| t.name).collect();
    Ok((branch, tags.join(", ")))
}

async fn labels(conn: &mut Conn, pacticipant: i64) -> Result<String, BrokerError> {
    Ok(pacticipants::label_names(conn, pacticipant).await?.join(", "))
}
