//! Which interaction a request means, by the Pact project's own matching.

use std::collections::HashMap;

use pact_matching::{generate_response, match_request};
use pact_models::generators::GeneratorTestMode;
use pact_models::interaction::Interaction as _;
use pact_models::pact::Pact as _;
use pact_models::v4::http_parts::{HttpRequest, HttpResponse};
use pact_models::v4::synch_http::SynchronousHttp;

use super::contracts::{ContractState, Contracts, StubContract};

/// An answer from a contract.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) response: HttpResponse,
    pub(super) state: ContractState,
}

/// The interaction that came closest, and why it was not meant.
#[derive(Debug)]
pub(super) struct Closest {
    pub(super) consumer: String,
    pub(super) interaction: String,
    pub(super) mismatches: Vec<String>,
}

/// Finds the answer for a request. Of several interactions that match, one without provider states goes first; with
/// `states` only interactions that need all of them count.
pub(super) async fn answer(
    contracts: &Contracts,
    request: &HttpRequest,
    states: &[String],
) -> Result<Answered, Option<Closest>> {
    let mut closest: Option<(usize, Closest)> = None;
    let mut matched: Option<(&StubContract, &SynchronousHttp)> = None;
    for contract in &contracts.list {
        let pact = contract.v4.boxed();
        for interaction in &contract.http {
            let names: Vec<&str> = interaction.provider_states.iter().map(|s| s.name.as_str()).collect();
            if !states.iter().all(|s| names.contains(&s.as_str())) {
                continue;
            }
            let boxed = interaction.boxed();
            let mismatches = match match_request(interaction.request.clone(), request.clone(), &pact, &boxed)
                .await
            {
                Ok(result) => result.mismatches(),
                Err(error) => {
                    tracing::warn!(%error, interaction = interaction.description, "an interaction cannot be matched");
                    continue;
                }
            };
            if mismatches.is_empty() {
                let better = matched.is_none_or(|(_, before)| {
                    states.is_empty() && !before.provider_states.is_empty() && names.is_empty()
                });
                if better {
                    matched = Some((contract, interaction));
                }
            } else if closest.as_ref().is_none_or(|(count, _)| mismatches.len() < *count) {
                let found = Closest {
                    consumer: contract.pact.consumer.clone(),
                    interaction: interaction.description.clone(),
                    mismatches: mismatches.iter().take(20).map(|m| m.description()).collect(),
                };
                closest = Some((mismatches.len(), found));
            }
        }
    }
    match matched {
        Some((contract, interaction)) => {
            let response =
                generate_response(&interaction.response, &GeneratorTestMode::Consumer, &HashMap::new()).await;
            Ok(Answered { response, state: contract.state })
        }
        None => Err(closest.map(|(_, found)| found)),
    }
}
