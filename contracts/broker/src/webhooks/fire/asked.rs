//! A verification that somebody waits for: the webhooks that start a provider's build are fired once more for it.

use super::super::variables::{self, Subject};
use super::{Fired, Firing, REQUIRED};
use crate::store::pacticipants::Pacticipant;
use crate::store::versions::Version;
use crate::store::{Conn, webhooks};
use crate::{Broker, BrokerError};

/// A pair without a result.
#[derive(Debug)]
pub(crate) struct Missing<'a> {
    pub(crate) consumer: &'a Pacticipant,
    pub(crate) provider: &'a Pacticipant,
    pub(crate) content_row: i64,
    /// The provider's version that has to verify the content.
    pub(crate) provider_version: &'a Version,
    /// Who waits, in words.
    pub(crate) waits: &'a str,
}

/// Fires `contract_requiring_verification_published` for a pair, once: who waits asks again, and what a publication fired is
/// fired again by itself.
pub(crate) async fn verification_asked_for(
    broker: &Broker,
    conn: &mut Conn,
    missing: &Missing<'_>,
    now: i64,
) -> Result<Vec<Fired>, BrokerError> {
    let (consumer, provider) = (missing.consumer, missing.provider);
    let hooks = webhooks::of_pair(conn, consumer.id, provider.id).await?;
    let consumer_version = variables::last_version_with(conn, consumer, missing.content_row).await?;
    let subject = Subject {
        consumer,
        provider,
        consumer_version: consumer_version.as_ref(),
        content_row: Some(missing.content_row),
        verification: None,
    };
    let firing = Firing { hooks, subject, now };
    if !firing.wants(REQUIRED) {
        return Ok(Vec::new());
    }
    let mut variables = variables::of(broker, conn, &firing.subject).await?;
    variables::add_provider_version(conn, &mut variables, missing.provider_version).await?;
    variables.insert("providerVersionDescriptions".into(), missing.waits.to_owned());
    firing.fire(conn, REQUIRED, &variables, None).await
}
