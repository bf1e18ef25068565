//! Verification of a running provider with the Pact project's own verifier.
//!
//! The pacts come from the broker's for-verification relation (pending and accepted contracts included), the
//! results go back to it, and what failed is returned in a form that pages and pipelines can show.

use std::sync::Arc;

use pact_models::http_utils::HttpAuth;
use pact_verifier::verification_result::VerificationMismatchResult;
use pact_verifier::{
    ConsumerVersionSelector, FilterInfo, MismatchResult, NullRequestFilterExecutor, PactSource, ProviderInfo,
    ProviderTransport, PublishOptions, VerificationOptions, verify_provider_async,
};
use serde::Serialize;
use serde_json::{Value, json};
use tracepact_contract_model::Pact;

use crate::differences::{Difference, differences};
use crate::messages::Bridge;
use crate::notices::before_verification;
use crate::provider_config::ProviderConfig;
use crate::states::States;
use crate::{BrokerClient, Credentials, Error};

/// What to verify.
#[derive(Debug, Clone)]
pub struct ProviderCheck {
    /// The provider's name at the broker.
    pub provider: String,
    /// Where it runs, for example `http://127.0.0.1:8080`.
    pub provider_url: String,
    /// Its version: results are published for it.
    pub version: String,
    /// The branch it was built from.
    pub branch: Option<String>,
    /// Also verify work in progress that is newer than this date, `2026-11-01`: proposals among it. It breaks no build.
    pub wip_since: Option<String>,
    /// Whether results go to the broker.
    pub publish: bool,
    /// Path on the provider that answers `POST {description}` with the message it would send.
    pub message_path: Option<String>,
    /// Address that sets up provider states.
    pub state_change_url: Option<String>,
    /// The provider's own file: commands that set up states and make messages, Kafka.
    pub config: Option<ProviderConfig>,
    /// Address of the build, shown beside the result.
    pub build_url: Option<String>,
    /// Longest wait for one answer of the provider.
    pub request_timeout_ms: u64,
}

/// What a verification found.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Whether the provider's build passes: no failure except in pending contracts.
    pub ok: bool,
    /// One entry for each interaction.
    pub interactions: Vec<InteractionOutcome>,
    /// Why each contract is verified and what its failure means, as the broker says it.
    pub notices: Vec<String>,
    /// Whether the results were published.
    pub published: bool,
}

/// One interaction of one pact.
#[derive(Debug, Clone, Serialize)]
pub struct InteractionOutcome {
    /// The consumer whose contract it is.
    pub consumer: String,
    /// The interaction's description.
    pub interaction: String,
    /// Whether the provider did what was agreed.
    pub ok: bool,
    /// A pending contract's failure does not fail the build.
    pub pending: bool,
    /// What differed, in words; empty when `ok`.
    pub mismatches: Vec<String>,
    /// What was expected and what came, place by place; empty when `ok`.
    pub differences: Vec<Difference>,
}

/// Runs the verification of what the broker holds for the provider.
///
/// # Errors
/// When the broker cannot be reached or refuses, or its contracts cannot be loaded: then nothing is known, and that is
/// no pass.
pub async fn verify(check: &ProviderCheck, broker: &BrokerClient) -> Result<Outcome, Error> {
    // The verifier reports a broker that is not there as a contract that does not hold.
    broker.reach().await?;
    let auth = match broker.credentials() {
        Credentials::None => None,
        Credentials::Token(token) => Some(HttpAuth::Token(token.expose().to_owned())),
        Credentials::Basic(user, password) => {
            Some(HttpAuth::User(user.clone(), Some(password.expose().to_owned())))
        }
    };
    let selectors = selectors(check.branch.as_deref());
    let notices = before_verification(check, &selectors, broker).await;
    let source = PactSource::BrokerWithDynamicConfiguration {
        provider_name: check.provider.clone(),
        broker_url: broker.url().to_owned(),
        enable_pending: true,
        include_wip_pacts_since: check.wip_since.clone(),
        provider_tags: Vec::new(),
        provider_branch: check.branch.clone(),
        selectors: known_to_the_verifier(&selectors)?,
        auth,
        links: Vec::new(),
    };
    let outcome = run(check, vec![source]).await?;
    Ok(Outcome { notices, ..outcome })
}

/// Runs the verification of contracts at hand, before anybody was asked; nothing is published.
///
/// # Errors
/// When it cannot run.
pub async fn verify_contracts(check: &ProviderCheck, pacts: &[Pact]) -> Result<Outcome, Error> {
    let check = ProviderCheck { publish: false, ..check.clone() };
    run(&check, pacts.iter().map(|pact| PactSource::String(pact.text())).collect()).await
}

async fn run(check: &ProviderCheck, sources: Vec<PactSource>) -> Result<Outcome, Error> {
    let config = Arc::new(check.config.clone().unwrap_or_default());
    let bridge = Bridge::start(&config).await?;
    if bridge.is_some() && check.message_path.is_some() {
        return Err(Error::Usage(
            "messages come either from --message-path or from the provider's configuration".into(),
        ));
    }
    let provider = provider_info(check, bridge.as_ref())?;
    let options: VerificationOptions<NullRequestFilterExecutor> = VerificationOptions {
        // A message may take as long as the provider's configuration lets its command or topic take.
        request_timeout: check.request_timeout_ms.max(if bridge.is_some() { config.longest_ms() } else { 0 }),
        coloured_output: false,
        no_pacts_is_error: false,
        broker_request_retries: 2,
        ..VerificationOptions::default()
    };
    let publish = check.publish.then(|| PublishOptions {
        provider_version: Some(check.version.clone()),
        build_url: check.build_url.clone(),
        provider_tags: Vec::new(),
        provider_branch: check.branch.clone(),
    });
    let states = Arc::new(if config.states.is_empty() {
        States::http(check.state_change_url.clone())
    } else {
        States::commands(config.clone())
    });
    let result = verify_provider_async(
        provider,
        sources,
        FilterInfo::None,
        Vec::new(),
        &options,
        publish.as_ref(),
        &states,
        None,
    )
    .await
    .map_err(|e| Error::Verification(format!("{e:#}")))?;
    let not_set_up = states.failures();
    let interactions: Vec<InteractionOutcome> = result
        .interaction_results
        .iter()
        .map(|i| {
            let failed = i.result.as_ref().err();
            let mut outcome = InteractionOutcome {
                consumer: i.consumer.clone(),
                interaction: i.interaction_description.clone(),
                ok: failed.is_none(),
                pending: i.pending,
                mismatches: failed.map(describe).unwrap_or_default(),
                differences: failed.map(differences).unwrap_or_default(),
            };
            if !outcome.ok && bridge.as_ref().is_some_and(|b| b.failure(&outcome.interaction).is_some()) {
                // No message was made: what the verifier says of it would be about our own answer.
                outcome.mismatches = bridge.iter().filter_map(|b| b.failure(&outcome.interaction)).collect();
                outcome.differences.clear();
            } else if outcome.mismatches.iter().any(|m| m.contains("state change")) {
                outcome.mismatches.extend(not_set_up.iter().cloned());
            }
            outcome
        })
        .collect();
    if !result.result && interactions.is_empty() {
        let errors = result.errors.iter().map(|(what, why)| format!("{what}: {}", loading_error(why)));
        return Err(Error::Verification(errors.collect::<Vec<_>>().join("; ")));
    }
    Ok(Outcome {
        ok: result.result,
        notices: Vec::new(),
        published: check.publish && !interactions.is_empty(),
        interactions,
    })
}

/// Which consumer versions a provider must satisfy: main branches, everything deployed or released, and the
/// versions of the branch that matches its own.
fn selectors(branch: Option<&str>) -> Value {
    let mut list = vec![json!({ "mainBranch": true }), json!({ "deployedOrReleased": true })];
    // Brokers refuse to match a branch that is not named.
    if branch.is_some() {
        list.push(json!({ "matchingBranch": true }));
    }
    list.into()
}

fn known_to_the_verifier(selectors: &Value) -> Result<Vec<ConsumerVersionSelector>, Error> {
    serde_json::from_value(selectors.clone()).map_err(|e| Error::Verification(format!("selectors: {e}")))
}

fn provider_info(check: &ProviderCheck, bridge: Option<&Bridge>) -> Result<ProviderInfo, Error> {
    let wrong = |reason: &str| Error::Usage(format!("--provider-url {:?}: {reason}", check.provider_url));
    let url = url::Url::parse(&check.provider_url).map_err(|e| wrong(&e.to_string()))?;
    let host = url.host_str().ok_or_else(|| wrong("it names no host"))?.to_owned();
    let port = url.port_or_known_default();
    let base = url.path().trim_end_matches('/').to_owned();
    let mut transports = vec![ProviderTransport {
        transport: "http".into(),
        port,
        path: Some(if base.is_empty() { "/".into() } else { base }),
        scheme: Some(url.scheme().to_owned()),
    }];
    if let Some(path) = &check.message_path {
        transports.push(ProviderTransport {
            transport: "message".into(),
            port,
            path: Some(path.clone()),
            scheme: Some(url.scheme().to_owned()),
        });
    }
    if let Some(bridge) = bridge {
        transports.push(ProviderTransport {
            transport: "message".into(),
            port: Some(bridge.address.port()),
            path: Some("/".into()),
            scheme: Some("http".into()),
        });
    }
    Ok(ProviderInfo { name: check.provider.clone(), host, transports, ..ProviderInfo::default() })
}

fn describe(result: &MismatchResult) -> Vec<String> {
    match result {
        MismatchResult::Mismatches { mismatches, .. } => mismatches.iter().map(|m| m.description()).collect(),
        MismatchResult::Error(error, _) => vec![error.clone()],
    }
}

fn loading_error(why: &VerificationMismatchResult) -> String {
    match why {
        VerificationMismatchResult::Error { error, .. } => error.clone(),
        VerificationMismatchResult::Mismatches { mismatches, .. } => {
            mismatches.iter().map(|m| m.description()).collect::<Vec<_>>().join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check() -> ProviderCheck {
        ProviderCheck {
            provider: "products".into(),
            provider_url: "http://127.0.0.1:9".into(),
            version: "1".into(),
            branch: None,
            wip_since: None,
            publish: false,
            message_path: None,
            state_change_url: None,
            config: None,
            build_url: None,
            request_timeout_ms: 1000,
        }
    }

    #[tokio::test]
    async fn a_broker_that_is_not_there_is_neither_a_pass_nor_a_failure() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let broker = BrokerClient::new("http://127.0.0.1:9", None).unwrap();
        let error = verify(&check(), &broker).await.unwrap_err();
        assert_eq!(error.exit_code(), 3, "{error}");
    }

    #[test]
    fn the_selectors_are_ones_the_verifier_knows() {
        assert_eq!(known_to_the_verifier(&selectors(Some("main"))).unwrap().len(), 3);
        assert_eq!(known_to_the_verifier(&selectors(None)).unwrap().len(), 2);
    }

    #[test]
    fn an_address_without_a_host_is_a_usage_error() {
        let check = ProviderCheck { provider_url: "8080".into(), ..check() };
        assert_eq!(provider_info(&check, None).unwrap_err().exit_code(), 2);
    }
}
